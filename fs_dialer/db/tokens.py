"""Tokens of the HTTP interface (M15): made, found, ended.

A secret is `fsd_`, the token's own eight digits, `_`, and 256 bits by chance. It is shown once; stored is its sha256, which for so much chance needs no salt
and no slow hash. The token is found by its digits, and the hashes are compared in constant time, so that nothing can be learned from how long a refusal takes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from fs_dialer.db.pool import Pool

ROLES = ("operator", "admin", "agent")
PREFIX = "fsd_"
CHANCE_BYTES = 32

_SECRET = re.compile(rf"{PREFIX}([0-9a-f]{{8}})_([A-Za-z0-9_-]{{43}})")


@dataclass(frozen=True, slots=True)
class Token:
    """Whoever holds it. `agent`: for role agent."""

    id: str
    role: str
    agent: str | None
    title: str


@dataclass(frozen=True, slots=True)
class NewToken:
    """`secret`: nobody will see it again. `expires_at`: epoch seconds, None = never."""

    token: Token
    secret: str
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class TokenLine:
    """Times are epoch seconds."""

    id: str
    role: str
    agent: str | None
    title: str
    created_by: str
    created_at: float
    expires_at: float | None
    last_used_at: float | None
    revoked_at: float | None
    expired: bool

    @property
    def state(self) -> str:
        return "revoked" if self.revoked_at is not None else "expired" if self.expired else "valid"


class TokenStore:
    """The tokens of one database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def create(self, role: str, who: str, *, agent: str | None = None, title: str = "", lasts_s: float | None = None) -> NewToken:
        """`lasts_s` None = until it is revoked."""
        digits = secrets.token_hex(4)
        secret = f"{PREFIX}{digits}_{secrets.token_urlsafe(CHANCE_BYTES)}"
        token = Token(f"t-{digits}", role, agent, title)
        words = {"id": token.id, "role": role, "agent": agent, "title": title, "hash": hashed(secret), "who": who, "lasts_s": lasts_s}
        return NewToken(token, secret, self._pool.rows("new_token", words, idempotent=False)[0][0])

    def holder(self, secret: str) -> Token | None:
        """Whose secret this is; None when it is nobody's, was revoked or has expired."""
        found = _SECRET.fullmatch(secret)
        if found is None:
            return None
        stored = self._pool.rows("token_of", {"id": f"t-{found[1]}"})
        if not stored or not hmac.compare_digest(hashed(secret), stored[0][4]):
            return None
        self._pool.rows("token_used", {"id": stored[0][0]})
        return Token(*stored[0][:4])

    def listed(self) -> list[TokenLine]:
        """Oldest first, those that ended too."""
        return [TokenLine(*row) for row in self._pool.rows("token_rows")]

    def revoke(self, id: str, who: str, why: str = "") -> bool:
        """False: there is none of that id, or it was revoked before."""
        return bool(self._pool.rows("revoke_token", {"id": id, "who": who, "why": why}, idempotent=False))


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

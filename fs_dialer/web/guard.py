"""Who may come in: the host they think they speak to, their token and its role, and how often.

Knows nothing of what is asked for. Roles are db/tokens.py's: an admin may do what an operator may. Only a bearer token counts, never a cookie, so that no
page in a browser can act for its user.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import time
from collections.abc import Callable, Collection

from flask import Request

from fs_dialer.errors import StoreError
from fs_dialer.runtime.web_ports import Refused, Token, Tokens

OPERATORS = frozenset({"operator", "admin"})
EVERYBODY = OPERATORS | {"agent"}
# Whoever comes by way of a proxy says so in one of these; then the address that we see is the proxy's.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")
REQUESTS_PER_S = 5.0
BURST = 20.0
# What people's screens ask: a key pressed is a request, and a supervisor's token may stand for many screens.
LIVELY_PER_S = 20.0
LIVELY_BURST = 100.0
MOST_BUCKETS = 10_000
# Tokens that are refused, from one address: whoever guesses gets no more of the database than this.
REFUSED_PER_S = 1.0
REFUSED_BURST = 30.0
GOOD_FOR_S = 60.0  # of a token while the database is away, so that agents go on acting
MOST_GOOD = 10_000


class Buckets:
    """A token bucket for each key: `rate` a second, up to `burst` at once."""

    def __init__(self, rate: float = REQUESTS_PER_S, burst: float = BURST) -> None:
        self._rate, self._burst = rate, burst
        self._left: dict[str, tuple[float, float]] = {}

    def wait_s(self, key: str, now: float) -> float:
        """Take one; 0.0 = taken, else how long to wait for the next."""
        left = self._now_left(key, now)
        self._left.pop(key, None)
        self._left[key] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > MOST_BUCKETS:
            del self._left[next(iter(self._left))]  # the one that was longest not used
        return self._until_one(left)

    def missing_s(self, key: str, now: float) -> float:
        """As `wait_s`, and takes none."""
        return self._until_one(self._now_left(key, now))

    def _now_left(self, key: str, now: float) -> float:
        left, at = self._left.get(key, (self._burst, now))
        return min(self._burst, left + max(0.0, now - at) * self._rate)

    def _until_one(self, left: float) -> float:
        return 0.0 if left >= 1 else (1 - left) / self._rate


class Guard:
    """`hosts`: the names that requests may be for, besides those of this machine's loopback."""

    def __init__(self, tokens: Tokens, hosts: Collection[str] = (), now: Callable[[], float] = time.monotonic) -> None:
        self._tokens, self._now = tokens, now
        self._hosts = frozenset(host.lower() for host in hosts)
        self._buckets, self._lively = Buckets(), Buckets(LIVELY_PER_S, LIVELY_BURST)
        self._refused = Buckets(REFUSED_PER_S, REFUSED_BURST)
        self._good: dict[str, tuple[Token, float]] = {}  # by the hash of the secret: whose it is, and when the database last said so

    def host(self, request: Request) -> None:
        """A page of somebody else's whose name was made to lead to us is refused by the name it still bears."""
        name = _host(request.headers.get("Host", ""))
        if name not in self._hosts and not _is_loopback(name):
            raise Refused(421, "wrong_host", "this is not the host that the request is for", "name it in `http.hosts` of fs-dialer.yml")

    def token(self, request: Request, roles: Collection[str]) -> Token:
        """The holder of the request's token, who has one of these roles."""
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret:
            raise Refused(401, "no_token", "a token is needed", "send `Authorization: Bearer fsd_…`; make one: fs-dialer token create --role operator")
        holder = self._holder(secret.strip(), request.remote_addr or "")
        if holder is None:
            raise Refused(401, "bad_token", "the token is unknown, was revoked or has expired", "make one: fs-dialer token create --role operator")
        if holder.role not in roles:
            mend = f"it needs the role {' or '.join(sorted(roles))}"
            if request.path.startswith("/api/agent/"):
                mend += "; others name the agent: /api/agents/NAME/…"
            raise Refused(403, "wrong_role", f"a token of role {holder.role} may not do this", mend)
        return holder

    def _holder(self, secret: str, address: str) -> Token | None:
        """Whose secret it is. While the database answers, its word counts; while it is away, what it said last, for GOOD_FOR_S. Refused where this address
        sent too many that are nobody's; a token that was good a moment ago is asked about all the same, since others may share its address."""
        now, mark = self._now(), hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
        token, at = self._good.get(mark, (None, 0.0))
        if token is None and (wait := self._refused.missing_s(address, now)):
            text = "too many tokens that are not valid came from this address"
            raise Refused(429, "too_often", text, "wait, and check the token", retry_after_s=math.ceil(wait))
        try:
            holder = self._tokens.holder(secret)
        except StoreError:
            if token is None or now - at > GOOD_FOR_S:
                raise
            return token
        self._good.pop(mark, None)
        if holder is None:
            self._refused.wait_s(address, now)
            return None
        self._good[mark] = holder, now
        if len(self._good) > MOST_GOOD:
            del self._good[next(iter(self._good))]  # the one that was longest not used
        return holder

    def still_valid(self, request: Request) -> Callable[[], bool]:
        """Whether the request's token is good when it is asked later on. Keeps the secret, and nothing else of the request."""
        secret = request.headers.get("Authorization", "").partition(" ")[2].strip()
        return lambda: self._tokens.holder(secret) is not None

    def pace(self, token: Token, *, lively: bool = False) -> None:
        """Refused when this token asks too often. `lively`: by the measure of people's screens."""
        wait = (self._lively if lively else self._buckets).wait_s(token.id, self._now())
        if wait:
            mend = f"wait, and send up to 1,000 leads in one request; {REQUESTS_PER_S:g} requests a second are allowed"
            if lively:
                mend = f"wait; {LIVELY_PER_S:g} requests a second are allowed, and the event stream tells every change"
            raise Refused(429, "too_often", "too many requests with this token", mend, retry_after_s=math.ceil(wait))

    def from_here(self, request: Request) -> bool:
        """Does it come from this machine itself, and not through a proxy on it?"""
        return _is_loopback(request.remote_addr or "") and not any(name in request.headers for name in FORWARDED)


def _host(header: str) -> str:
    """The name of a Host header, without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def _is_loopback(text: str) -> bool:
    if text == "localhost":
        return True
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False

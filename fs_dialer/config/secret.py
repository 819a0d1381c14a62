"""A password or DSN that is named in one place and held in another.

Knows where a secret may be (the environment, a file) and that it is read when it is used, so that a command which needs none runs without. What a
secret says never appears in a repr, a log line or a message: these show only where it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from fs_dialer.errors import ConfigError, Problem

MAX_BYTES = 4096
REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+")

_PASSWORD_WORD = re.compile(r"(?:^|\s)(?:ssl)?password\s*=", re.IGNORECASE)


class Secret:
    """`origin` says where it is: a reference (env:NAME, file:PATH), or any words where `text` is given. `place`: what a problem with it blames."""

    __slots__ = ("_base", "_environ", "_text", "origin", "place")

    def __init__(self, origin: str, place: Problem, *, text: str | None = None, base: Path | None = None, environ: Mapping[str, str] | None = None) -> None:
        self.origin, self.place, self._text = origin, place, text
        self._base, self._environ = base or Path(), environ or {}

    @property
    def path(self) -> Path | None:
        """The file that holds it; None where no file does."""
        kind, _, rest = self.origin.partition(":")
        return self._base / rest if self._text is None and kind == "file" else None

    def reveal(self) -> str:
        """The text itself. ConfigError where it is not there, empty, or more than one line: a line end would end a command on the event socket."""
        text = (self._text if self._text is not None else self._read()).strip("\r\n")
        if not text:
            raise self._refusal(f"{self.origin} is empty")
        if any(ord(each) < 32 or ord(each) == 127 for each in text):
            raise self._refusal(f"{self.origin} holds more than one line, or a control character")
        return text

    def _read(self) -> str:
        kind, _, rest = self.origin.partition(":")
        if kind == "env":
            if rest not in self._environ:
                raise self._refusal(f"the variable {rest} is not set")
            return self._environ[rest]
        path = self._base / rest
        try:
            with path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
            text = data.decode()
        except OSError as error:
            raise self._refusal(f"{path} can not be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise self._refusal(f"{path} is not UTF-8") from None
        if len(data) > MAX_BYTES:
            raise self._refusal(f"{path} is too large for a secret")
        return text

    def _refusal(self, text: str) -> ConfigError:
        return ConfigError([replace(self.place, text=text, source="")])

    def __repr__(self) -> str:
        return f"<secret from {self.origin}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self.origin, self._text, self._base) == (other.origin, other._text, other._base)

    def __hash__(self) -> int:
        return hash((self.origin, self._base))


def has_password(dsn: str) -> bool:
    """Does this DSN, in either of libpq's two forms, hold a password?"""
    if "://" not in dsn:
        return bool(_PASSWORD_WORD.search(dsn))
    try:
        parts = urlsplit(dsn)
        return parts.password is not None or any("password" in name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:
        return "@" in dsn

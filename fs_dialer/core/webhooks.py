"""Where a webhook may be sent, and when it is tried again.

Pure: an address, what the admin allowed, and what the name resolved to, in; permission or the reason against it, out. Knows nothing of sockets or HTTP.

An admin allows hosts in the installation's `webhook_hosts`. A plain entry (`crm.example.com`, with `:8443` for that port alone) means a host of the public
internet: it is refused when its name leads to an address of this machine or of a private network, so that a name's owner cannot turn us against the
services next to us. An entry that begins with `local:` (`local:127.0.0.1:9000`, `local:crm.lan`) is the admin's word that such an address is meant.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

LOCAL = "local:"
PORTS = {"https": 443, "http": 80}

FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 3600.0
MOST_TRIES = 80  # with these pauses about three days: long enough for a weekend's outage
_DOUBLINGS = 9


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart. `path`: with its query, never empty."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """For the Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


class NotAllowed(ValueError):
    """Its text says why nothing is sent there."""


def target_of(url: str) -> Target:
    """NotAllowed for an address that is none of http or https, or that holds a user, a control character or a blank."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in PORTS or not host or port == 0 or parts.username is not None or any(ord(each) <= 32 or ord(each) >= 127 for each in url):
        raise NotAllowed("its url is no address of http or https")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host.lower(), port or PORTS[parts.scheme], path)


def local_allowed(target: Target, hosts: Sequence[str]) -> bool:
    """May the host be this machine or one of a private network? NotAllowed where no entry names the host at all."""
    fitting = _fitting(target, hosts)
    if not fitting:
        allowed = ", ".join(hosts) or "none"
        raise NotAllowed(f"{target.authority} is not among webhook_hosts of the installation ({allowed})")
    return any(entry.startswith(LOCAL) for entry in fitting)


def is_named(target: Target, hosts: Sequence[str]) -> bool:
    """Does any entry name the host?"""
    return bool(_fitting(target, hosts))


def _fitting(target: Target, hosts: Sequence[str]) -> list[str]:
    named = [(entry, *_host_and_port(entry.strip().lower().removeprefix(LOCAL))) for entry in hosts]
    return [entry.strip().lower() for entry, host, port in named if host == target.host and port in ("", str(target.port))]


def _host_and_port(text: str) -> tuple[str, str]:
    """crm.example.com:8443, [::1]:9000, ::1 → the host without brackets, and the port or ""."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _, port = text.rpartition(":")
    return (host, port) if host and ":" not in host else (text, "")


def fit_address(target: Target, addresses: Iterable[str], *, local: bool) -> str:
    """The address to connect to, of those that the name resolved to. NotAllowed when one of them is not public and that was not allowed.

    One is enough to refuse: whoever serves both kinds is trying something, or has set up a trap by mistake.
    """
    found = list(addresses)
    if not found:
        raise NotAllowed(f"{target.host} has no address")
    if not local:
        for address in found:
            if not is_public(address):
                hint = f"; if that is meant, write {LOCAL}{target.authority} into webhook_hosts"
                raise NotAllowed(f"{target.host} leads to {address}, which is no address of the public internet{hint}")
    return found[0]


def is_public(address: str) -> bool:
    """Neither loopback, link-local, private, multicast nor reserved, nor an IPv6 form of an IPv4 address that is."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if inner is None and parsed in _NAT64:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def pause_s(tries: int) -> float:
    """How long to wait after so many failed tries in a row, one or more: 10 s, doubling up to an hour."""
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * float(1 << min(tries - 1, _DOUBLINGS)))


def given_up(tries: int) -> bool:
    """Was this the last try?"""
    return tries >= MOST_TRIES

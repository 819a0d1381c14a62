"""`http:` of fs-dialer.yml: where the daemon's HTTP interface listens, and what it needs for that.

Knows that it is off unless asked for, and that nothing but this machine may be spoken to without TLS: tokens and people's numbers go over it.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from fs_dialer.config.values import BadValue, short
from fs_dialer.core.options import option, section

_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\s\[\]]+)):([0-9]{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    certificate: str = option("", kind="text", help="The certificate with those above it, a PEM file.")
    key: str = option("", kind="text", help="Its private key, a PEM file; none = it stands in the certificate's file.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    listen: str = option("", kind="text", help="Where the HTTP interface listens, as 127.0.0.1:8080; none = there is no HTTP interface.")
    hosts: tuple[str, ...] = option((), kind="names", help="Names that it is asked for by, besides localhost: what a proxy in front sends as Host.")
    tls: TlsSettings = section(TlsSettings, help="Needed where it listens on anything but this machine's loopback.")

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port; None = no HTTP interface. BadValue for what is no address."""
        return address(self.listen) if self.listen else None


def address(text: str) -> tuple[str, int]:
    """127.0.0.1:8080, [::1]:8080 → host and port."""
    found = _ADDRESS.fullmatch(text.strip())
    host, port = ((found[1] or found[2]), int(found[3])) if found else ("", 0)
    if host != "localhost":
        try:
            ipaddress.ip_address(host)
        except ValueError:
            host = ""
    if not host or not 1 <= port <= 65535:
        raise BadValue(f"`{short(text)}` is no address to listen on: write 127.0.0.1:8080 or [::1]:8080")
    return host, port


def judged(settings: HttpSettings) -> tuple[str, str] | None:
    """(setting, what is wrong with it); None where nothing is."""
    try:
        listen = settings.address
    except BadValue as error:
        return "http.listen", str(error)
    if settings.tls.key and not settings.tls.certificate:
        return "http.tls.key", "there is a key and no certificate: name it in http.tls.certificate"
    if listen is not None and not settings.tls.certificate and not is_loopback(listen[0]):
        return "http.listen", f"{listen[0]} can be reached from other machines: give it a certificate (http.tls), or listen on 127.0.0.1 behind a proxy"
    return None


def is_loopback(host: str) -> bool:
    return host == "localhost" or ipaddress.ip_address(host).is_loopback


def beside(settings: HttpSettings, folder: Path) -> tuple[Path | None, Path | None]:
    """Certificate and key; a relative path counts from the folder of fs-dialer.yml."""
    certificate, key = (folder / text if text else None for text in (settings.tls.certificate, settings.tls.key))
    return certificate, key

"""`http:` of fs-dialer.yml: off by itself, loopback by itself, and never open to others without TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from fs_dialer.config.daemon import load_settings
from fs_dialer.config.figures import host
from fs_dialer.config.http_settings import beside
from fs_dialer.config.values import BadValue
from fs_dialer.errors import ConfigError


def told(folder: Path, text: str, **environ: str) -> str:
    path = folder / "fs-dialer.yml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environ)
    return "\n".join(str(problem) for problem in caught.value.problems)


def test_without_a_word_there_is_no_http_interface() -> None:
    assert load_settings(None, {}).http.address is None


@pytest.mark.parametrize(("listen", "address"), [("127.0.0.1:8080", ("127.0.0.1", 8080)), ('"[::1]:9000"', ("::1", 9000)), ("localhost:80", ("localhost", 80))])
def test_loopback_needs_nothing_more(tmp_path: Path, listen: str, address: tuple[str, int]) -> None:
    path = tmp_path / "fs-dialer.yml"
    path.write_text(f"http: {{listen: {listen}, hosts: [dialer.example.com]}}\n")
    found = load_settings(path, {}).http
    assert (found.address, found.hosts) == (address, ("dialer.example.com",))


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "192.168.1.5:8080", '"[::]:8080"', "8.8.8.8:80"])
def test_anything_else_is_refused_without_a_certificate(tmp_path: Path, listen: str) -> None:
    assert "http.listen: " in (text := told(tmp_path, f"http: {{listen: {listen}}}\n")) and "give it a certificate (http.tls)" in text
    path = tmp_path / "fs-dialer.yml"
    path.write_text(f"http: {{listen: {listen}, tls: {{certificate: tls/cert.pem, key: /etc/key.pem}}}}\n")
    found = load_settings(path, {}).http
    assert found.address is not None
    assert beside(found, path.parent) == (tmp_path / "tls" / "cert.pem", Path("/etc/key.pem"))


@pytest.mark.parametrize("listen", ["8080", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", "example.com:80", "127.0.0.1:80:80"])
def test_what_is_no_address_is_told(tmp_path: Path, listen: str) -> None:
    assert "is no address to listen on: write 127.0.0.1:8080" in told(tmp_path, f"http: {{listen: '{listen}'}}\n")


def test_a_key_without_a_certificate_is_told(tmp_path: Path) -> None:
    assert "http.tls.key: there is a key and no certificate" in told(tmp_path, "http: {listen: 127.0.0.1:80, tls: {key: x.pem}}\n")


def test_the_environments_word_is_judged_as_the_files() -> None:
    assert load_settings(None, {"FS_DIALER_HTTP_LISTEN": "127.0.0.1:8080"}).http.address == ("127.0.0.1", 8080)
    with pytest.raises(ConfigError, match="FS_DIALER_HTTP_LISTEN: 0\\.0\\.0\\.0 can be reached from other machines"):
        load_settings(None, {"FS_DIALER_HTTP_LISTEN": "0.0.0.0:8080"})


# --- webhook_hosts ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ["crm.example.com", "crm.example.com:8443", "local:127.0.0.1:9000", "local:[::1]:9000", "local:crm.lan"])
def test_hosts_of_webhooks_may_have_a_port_and_be_meant_to_be_local(entry: str) -> None:
    assert host(entry.upper() if entry.startswith("crm") else entry) == entry


@pytest.mark.parametrize(
    "entry", ["https://crm.example.com", "crm.example.com/x", "local:", "local:local:x", ":80", "a b", "crm.example.com:0", "user@crm.example.com"]
)
def test_what_is_no_host_is_refused(entry: str) -> None:
    with pytest.raises(BadValue):
        host(entry)

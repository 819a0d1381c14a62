"""Where a webhook may be sent, and when it is tried again."""

from __future__ import annotations

import pytest

from fs_dialer.core.webhooks import MOST_TRIES, NotAllowed, Target, fit_address, given_up, is_public, local_allowed, pause_s, target_of

CRM = "https://crm.example.com/calls"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (CRM, Target("https", "crm.example.com", 443, "/calls")),
        ("https://CRM.example.com", Target("https", "crm.example.com", 443, "/")),
        ("http://127.0.0.1:9000/a?b=c", Target("http", "127.0.0.1", 9000, "/a?b=c")),
        ("https://[::1]:9000/", Target("https", "::1", 9000, "/")),
    ],
)
def test_an_address_is_taken_apart(url: str, target: Target) -> None:
    assert target_of(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "", "crm.example.com", "ftp://crm.example.com", "file:///etc/passwd", "https://", "https://user@crm.example.com/", "https://:0/", "https://a:0/",
        "https://a:99999/", "https://crm.example.com/a b", "https://crm.example.com/\r\nX: y", "https://crm.example.com/é", "gopher://a", "https://[::1/",
    ],
)  # fmt: skip
def test_what_is_no_plain_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed):
        target_of(url)


def test_the_port_stands_in_the_host_header_where_it_is_not_the_usual_one() -> None:
    assert [target_of(url).authority for url in (CRM, "https://a:8443/", "http://[::1]:9000/", "http://a:80/")] == [
        "crm.example.com",
        "a:8443",
        "[::1]:9000",
        "a",
    ]


@pytest.mark.parametrize(
    ("hosts", "url", "local"),
    [
        (("crm.example.com",), CRM, False),
        (("crm.example.com",), "https://crm.example.com:8443/", False),
        (("crm.example.com:8443",), "https://crm.example.com:8443/", False),
        (("local:127.0.0.1:9000",), "http://127.0.0.1:9000/", True),
        (("local:127.0.0.1",), "http://127.0.0.1:9000/", True),
        (("local:[::1]:9000",), "http://[::1]:9000/", True),
        (("local:::1",), "http://[::1]:9000/", True),
        (("LOCAL:Crm.Lan", "x"), "https://crm.lan/", True),
    ],
)
def test_a_host_that_is_named_is_allowed(hosts: tuple[str, ...], url: str, local: bool) -> None:
    assert local_allowed(target_of(url), hosts) is local


@pytest.mark.parametrize(
    ("hosts", "url"),
    [
        ((), CRM),
        (("example.com",), CRM),
        (("crm.example.com",), "https://crm.example.com.evil.org/"),
        (("crm.example.com",), "https://evil.org/?crm.example.com"),
        (("crm.example.com:443",), "https://crm.example.com:8443/"),
        (("local:127.0.0.1:9000",), "http://127.0.0.1:5432/"),
    ],
)
def test_a_host_that_is_not_named_is_refused(hosts: tuple[str, ...], url: str) -> None:
    with pytest.raises(NotAllowed, match="is not among webhook_hosts"):
        local_allowed(target_of(url), hosts)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255",
        "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "2002:7f00:1::", "2002:a00:1::",
    ],
)  # fmt: skip
def test_addresses_of_this_machine_or_network_are_not(address: str) -> None:
    assert not is_public(address)


def test_one_address_inside_is_enough_to_refuse_unless_the_admin_meant_it() -> None:
    target = target_of(CRM)
    with pytest.raises(NotAllowed, match=r"leads to 10\.0\.0\.7.*write local:crm\.example\.com into webhook_hosts"):
        fit_address(target, ["8.8.8.8", "10.0.0.7"], local=False)
    assert fit_address(target, ["10.0.0.7"], local=True) == "10.0.0.7"
    assert fit_address(target, ["8.8.8.8", "8.8.4.4"], local=False) == "8.8.8.8"
    with pytest.raises(NotAllowed, match="has no address"):
        fit_address(target, [], local=True)


def test_pauses_double_from_ten_seconds_to_an_hour_and_end_after_about_three_days() -> None:
    assert [pause_s(tries) for tries in (1, 2, 3, 9, 10, 11, 1000)] == [10, 20, 40, 2560, 3600, 3600, 3600]
    last = next(tries for tries in range(1, 1000) if given_up(tries))
    assert last == MOST_TRIES
    assert 2.9 <= sum(pause_s(tries) for tries in range(1, last)) / 86400 <= 3.1

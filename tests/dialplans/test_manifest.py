"""What of ours lies in a FreeSWITCH: whose a file is, and what the manifest may say."""

from __future__ import annotations

import json

import pytest

from fs_dialer.dialplans.manifest import Chosen, Manifest, State, from_json, is_ours, judged, sha256, to_json
from fs_dialer.errors import FsDialerError

FSD = "dialplan/fsd.xml"
OURS = Manifest({FSD: (sha256(b"old"),)})


def state(manifest: Manifest | None, found: bytes | None, wanted: bytes | None) -> State:
    (each,) = judged(manifest, {FSD: found}, {} if wanted is None else {FSD: wanted})
    return each.state


@pytest.mark.parametrize(
    ("manifest", "found", "wanted", "expected"),
    [
        (None, None, b"new", State.NEW),
        (None, b"theirs", b"new", State.FOREIGN),
        (None, b"new", b"new", State.SAME),  # copied there by hand
        (OURS, b"old", b"new", State.OLD),
        (OURS, b"old", b"old", State.SAME),
        (OURS, b"edited", b"new", State.CHANGED),
        (OURS, None, b"new", State.GONE),
        (OURS, b"old", None, State.STALE),
        (OURS, None, None, State.STALE),
        (OURS, b"edited", None, State.CHANGED),
    ],
)
def test_whose_a_file_is_follows_from_its_bytes_and_the_manifest(manifest: Manifest | None, found: bytes | None, wanted: bytes | None, expected: State) -> None:
    assert state(manifest, found, wanted) is expected


def test_while_an_installation_lasts_both_versions_are_ours() -> None:
    both = Manifest({FSD: (sha256(b"old"), sha256(b"new"))})
    assert {state(both, found, b"newest") for found in (b"old", b"new")} == {State.OLD}


def test_what_is_written_is_read_again() -> None:
    whole = Manifest({FSD: (sha256(b"a"), sha256(b"b"))}, (FSD,), ("dialplan/public",), "/usr/share/scripts", Chosen("sorry.wav", "moh.wav", 45))
    assert from_json(to_json(whole)) == whole


def test_equal_installations_leave_equal_manifests() -> None:
    one, other = Manifest({FSD: ("a" * 64,), "dialplan/fsd_ivr.xml": ("b" * 64,)}), Manifest({"dialplan/fsd_ivr.xml": ("b" * 64,), FSD: ("a" * 64,)})
    assert to_json(one) == to_json(other)


@pytest.mark.parametrize("path", ["../etc/passwd", "/etc/passwd", "dialplan/default.xml", "dialplan/../fsd.xml", "scripts/other.lua", "dialplan/fsd.xml\n"])
def test_a_manifest_can_not_make_us_touch_what_is_not_ours(path: str) -> None:
    assert not is_ours(path)
    with pytest.raises(FsDialerError, match="can not be ours"):
        from_json(to_json(Manifest({path: ("a" * 64,)})))


def test_a_folder_that_is_not_ours_is_refused_too() -> None:
    with pytest.raises(FsDialerError, match="can not be ours"):
        from_json(to_json(Manifest(folders=("autoload_configs",))))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"null", b'{"format": 1}', b"\xff"])
def test_what_is_no_manifest_is_told_so(data: bytes) -> None:
    with pytest.raises(FsDialerError, match="no manifest"):
        from_json(data)


def test_a_manifest_of_a_later_fs_dialer_is_left_alone() -> None:
    later = json.loads(to_json(OURS)) | {"format": 2}
    with pytest.raises(FsDialerError, match="format 2"):
        from_json(json.dumps(later).encode())

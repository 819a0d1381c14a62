"""Commands for queued callers: rows that the switch keeps, and announcements; nothing but our own names and allow-listed sounds gets into them (D7)."""

from __future__ import annotations

import pytest

from fs_dialer.errors import EslUnsafe
from fs_dialer.esl import commands

LEG = "971595ae-c926-4462-8978-bd6447c0d9ce"
pytestmark = pytest.mark.spec("D7", "S77")


def test_rows_are_listed_counted_read_and_deleted() -> None:
    row = f"{LEG}.key"
    assert [commands.kept_list(), commands.kept_count()] == ["db list/fsd_kept", "db count/fsd_kept"]
    assert commands.kept_select(row) == f"db select/fsd_kept/{row}" and commands.kept_delete(row) == f"db delete/fsd_kept/{row}"


@pytest.mark.parametrize("row", ["", LEG, f"{LEG}.other", f"{LEG}.key/x", f"../{LEG}.key", "a-call-id@host.key", f"{LEG}.key\nshutdown"])
def test_a_row_that_is_none_of_ours_is_refused(row: str) -> None:
    for command in (commands.kept_select, commands.kept_delete):
        with pytest.raises(EslUnsafe):
            command(row)


def test_sounds_are_announced_as_one() -> None:
    assert commands.uuid_announce(LEG, ("you-are.wav", "digits/3.wav")) == f"uuid_broadcast {LEG} file_string://you-are.wav!digits/3.wav aleg"


@pytest.mark.parametrize("sounds", [(), ("local_stream://moh",), ("a.wav!b.wav",), ("${system(id)}.wav",), ("../etc/passwd",), ("a.wav", "b c.wav")])
def test_what_has_no_end_or_no_safe_name_is_not_announced(sounds: tuple[str, ...]) -> None:
    with pytest.raises(EslUnsafe):
        commands.uuid_announce(LEG, sounds)

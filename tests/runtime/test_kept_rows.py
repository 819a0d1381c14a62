"""What the switch kept while nobody listened: read at a link, told once, deleted when the database has what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fs_dialer.core import events as ev
from fs_dialer.core.agent_events import CallerKey, CallerQueued, KeptFound
from fs_dialer.core.model import AttemptId, LegId, SwitchId
from fs_dialer.core.switch_names import KEPT, kept_row
from fs_dialer.errors import EslDisconnected
from fs_dialer.runtime.kept_rows import KeptRows, Row, row_of

MAIN = SwitchId("main")
LISTED_MOST = 4095  # characters that the switch lists
pytestmark = pytest.mark.spec("D8")


def leg(n: int) -> LegId:
    return LegId(f"00000000-0000-4000-8000-{n:012d}")


class Switch:
    """mod_db as FreeSWITCH answers it, and which legs are up."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.up: set[LegId] = set()
        self.linked = True
        self.events: list[ev.Event] = []
        self.asked: list[str] = []
        self.kept = KeptRows(MAIN, self.api, self.events.append, self.spawn)

    def api(self, command: str) -> str:
        if not self.linked:
            raise EslDisconnected("a test")
        self.asked.append(command)
        verb, _, rest = command.partition(" ")
        if verb == "uuid_exists":
            return "true" if rest in self.up else "false"
        word, realm, *key = rest.split("/")
        assert verb == "db" and realm == KEPT
        if word == "delete":
            self.rows.pop(key[0], None)
            return "+OK"
        if word == "count":
            return str(len(self.rows))
        return self.rows.get(key[0], "") if word == "select" else ",".join(self.rows)[:LISTED_MOST]

    def spawn(self, work: Callable[..., object], *args: Any) -> None:
        work(*args)

    def keep(self, n: int, what: str = "key", value: str = "support;+34600123123;1780000000;1780000030") -> str:
        row = kept_row(leg(n), what)
        self.rows[row] = value
        return row

    def told(self) -> list[ev.Event]:
        """What telling again brings."""
        self.events.clear()
        self.kept.tell()
        return list(self.events)


def came(n: int) -> CallerQueued:
    return CallerQueued(leg(n), "support", AttemptId(leg(n)), "+34600123123")


def test_a_row_whose_leg_is_gone_is_told_and_deleted_only_when_it_is_settled() -> None:
    switch = Switch()
    row = switch.keep(1)
    assert switch.told() == [KeptFound(leg(1), MAIN, row, "key", "support", "+34600123123", 1780000000.0, 1780000030.0)]
    assert switch.told() == [] and row in switch.rows
    switch.kept.forget((row,))
    assert not switch.rows


def test_a_key_of_a_caller_who_waits_is_told_as_a_key_with_its_time() -> None:
    switch = Switch()
    switch.keep(1)
    switch.up.add(leg(1))
    switch.kept.came(came(1))
    assert switch.told() == [CallerKey(leg(1), "", at=1780000030.0)]


def test_of_several_rows_of_a_caller_the_key_is_told_and_the_others_with_it() -> None:
    switch = Switch()
    released, row = switch.keep(1, "released"), switch.keep(1)
    (told,) = switch.told()
    assert isinstance(told, KeptFound) and (told.row, told.also) == (row, (released,))


def test_whom_the_fallback_has_is_told_when_his_leg_ends() -> None:
    switch = Switch()
    switch.up.add(leg(1))
    switch.keep(1)
    assert switch.told() == []
    switch.keep(1, "voicemail")
    switch.up.clear()
    switch.kept.ended(leg(1), by_fallback=False)
    (told,) = switch.events
    assert isinstance(told, KeptFound) and told.also == (kept_row(leg(1), "voicemail"),)


def test_a_caller_whom_the_fallback_let_go_while_we_listened_is_looked_after_at_once() -> None:
    switch = Switch()
    switch.keep(1, "released")
    switch.kept.ended(leg(1), by_fallback=True)
    assert [type(told) for told in switch.events] == [KeptFound]


def test_an_opt_out_is_told_whether_its_leg_is_up_or_not() -> None:
    switch = Switch()
    switch.up.add(leg(1))
    row = switch.keep(1, "opt_out", "dues-menu.3f2a91c4.stop;+34600123123;;1780000030")
    (told,) = switch.told()
    assert isinstance(told, KeptFound) and (told.row, told.place, told.since) == (row, "dues-menu.3f2a91c4.stop", None)


def test_what_could_not_be_deleted_is_deleted_at_the_next_link_and_not_told_again() -> None:
    switch = Switch()
    row = switch.keep(1)
    switch.told()
    switch.linked = False
    switch.kept.forget((row,))
    switch.linked = True
    assert switch.told() == [] and not switch.rows


def test_the_row_of_a_waiting_caller_that_could_not_be_deleted_is_read_again() -> None:
    """Too early it was; while the link was down he may have pressed once more."""
    switch = Switch()
    switch.up.add(leg(1))
    switch.kept.came(came(1))
    row = switch.keep(1)
    switch.linked = False
    switch.kept.forget((row,))
    switch.linked = True
    switch.keep(1, value="support;;1780000000;1780000055")
    assert switch.told() == [CallerKey(leg(1), "", at=1780000055.0)]


def test_the_row_of_one_who_left_while_the_link_was_down_is_no_waiting_caller_s() -> None:
    """What can not be deleted now is deleted at the next link, though the end of his leg was never told."""
    switch = Switch()
    switch.kept.came(came(1))
    row = switch.keep(1)
    assert [type(told) for told in switch.told()] == [KeptFound] and not switch.kept.queued
    switch.linked = False
    switch.kept.forget((row,))
    switch.linked = True
    assert switch.told() == [] and not switch.rows


def test_a_caller_who_is_found_to_be_gone_is_forgotten() -> None:
    switch = Switch()
    switch.kept.came(came(1))
    switch.kept.gone(leg(1))
    assert not switch.kept.queued and not switch.asked


@pytest.mark.spec("D7")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("not-a-uuid.key", "support;;1;2"),
        (kept_row(leg(1), "key") + "/x", "support;;1;2"),
        (kept_row(leg(1), "else"), "support;;1;2"),
        (kept_row(leg(1), "key"), "sup port;;1;2"),
        (kept_row(leg(1), "key"), "support;${system(id)};1;2"),
        (kept_row(leg(1), "key"), "support;+346;1;2;3"),
        (kept_row(leg(1), "key"), "support;+346;1e9;nan"),
        (kept_row(leg(1), "key"), ""),
    ],
)
def test_what_our_dialplan_did_not_write_is_left_alone(name: str, value: str) -> None:
    assert row_of(name, value) is None
    switch = Switch()
    switch.rows[name] = value
    assert switch.told() == [] and name in switch.rows
    assert all("/x" not in asked and "system" not in asked for asked in switch.asked)


def test_a_row_says_who_and_when() -> None:
    name = kept_row(leg(1), "released")
    assert row_of(name, "support;;1780000000.5;") == Row(name, leg(1), "released", "support", "", 1780000000.5, None)


def test_more_rows_than_the_switch_lists_are_all_told_in_the_end() -> None:
    switch = Switch()
    for n in range(250):
        switch.keep(n)
    for n in range(240, 250):  # these wait, and are listed last
        switch.up.add(leg(n))
        switch.kept.came(came(n))
    told = switch.told()
    keys, found = [e for e in told if isinstance(e, CallerKey)], [e for e in told if isinstance(e, KeptFound)]
    assert len(keys) == 10 and 80 < len(found) < 110
    while found:
        switch.events.clear()
        switch.kept.forget([e.row for e in found])
        found = [e for e in switch.events if isinstance(e, KeptFound)]
    assert set(switch.rows) == {kept_row(leg(n), "key") for n in range(240, 250)}


def test_a_caller_is_forgotten_with_his_leg_and_one_who_has_met_an_agent_has_no_queue_s_fallback_any_more() -> None:
    switch = Switch()
    switch.kept.came(came(1))
    assert switch.kept.queued == {leg(1): "support"}
    switch.kept.met(leg(1))
    assert switch.kept.queued == {leg(1): ""}
    switch.kept.ended(leg(1), by_fallback=False)
    assert not switch.kept.queued and not switch.asked

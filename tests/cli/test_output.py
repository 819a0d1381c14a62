"""Tables, JSON and words."""

from __future__ import annotations

import io
import json

import pytest

from fs_dialer.cli import output
from fs_dialer.cli.output import Cell, Progress, ago, clean, folded, json_line, masked, moment, narrowed, natural, percent, plural, table, to_jsonable
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, CampaignState, Outcome
from fs_dialer.core.snapshot import AgentView, Snapshot


def test_columns_are_aligned_and_numbers_set_to_the_right() -> None:
    lines = table(("NAME", "OPEN", "WHY"), [("spring", "3,192", "dialing"), ("vip", "88", "-")], right="OPEN")
    assert lines == ["NAME     OPEN  WHY", "spring  3,192  dialing", "vip        88  -"]


def test_a_last_column_that_is_cut_stays_on_one_line_and_spare_columns_go_first() -> None:
    header, rows = narrowed(("NAME", "TYPE", "WHY"), [("spring", "progressive", "no lead is ready now")], ("TYPE",), 28, 20)
    assert table(header, rows, width=24, cut=True) == ["NAME    WHY", "spring  no lead is read…"]
    assert narrowed(("NAME", "TYPE", "WHY"), [("spring", "progressive", "ready")], ("TYPE",), None, 20)[0] == ["NAME", "TYPE", "WHY"]


def test_a_text_is_folded_between_words() -> None:
    assert folded("  nobody is called today", 18, "    ") == ["  nobody is", "    called today"]
    assert folded("nobody is called today", None) == ["nobody is called today"]


def test_into_a_pipe_nothing_is_broken_or_coloured() -> None:
    (_, row) = table(("A", "WHY"), [("x", "a reason of many words " * 20)])
    assert row.endswith("words") and "\x1b" not in row


def test_on_a_terminal_the_last_column_is_broken_below_itself() -> None:
    lines = table(("NAME", "WHY"), [("spring", "not approved: fs-dialer approve spring")], width=32)
    assert lines == ["NAME    WHY", "spring  not approved: fs-dialer", "        approve spring"]
    assert max(map(len, lines)) <= 32


def test_wide_characters_take_two_columns() -> None:
    lines = table(("NAME", "X"), [("田中", "1"), ("abcd", "2")])
    assert lines[1] == "田中  1" and lines[2] == "abcd  2"


def test_a_name_cannot_move_the_cursor_or_colour_the_screen() -> None:
    assert table(("N",), [("\x1b[2J\x1b[31mred\r\nnext\u202eabc",)])[1] == "[2J [31mred next abc"
    assert "\x1b" not in clean("\x1b]0;title\x07")


def test_colours_are_only_written_where_they_are_wanted() -> None:
    rows = [(Cell("running", "green"),)]
    assert table(("STATE",), rows) == ["STATE", "running"]
    assert table(("STATE",), rows, colour=True)[1] == "\x1b[32mrunning\x1b[0m"


def test_no_color_and_dumb_terminals_are_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert output.wants_colour(Terminal()) and not output.wants_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not output.wants_colour(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not output.wants_colour(Terminal())


def test_a_snapshot_becomes_json_with_the_values_of_its_enums() -> None:
    agent = AgentView(AgentId("lan"), "Lan", AgentStatus.AVAILABLE, AgentState.TALKING, 12.5, None, 3)
    found = json.loads(json_line(Snapshot(1.0, True, True, False, 0, 60, (), (agent,))))
    assert found["agents"][0] == {"id": "lan", "name": "Lan", "status": "available", "state": "talking", "since": 12.5, "call": None, "calls": 3}


def test_enum_keys_become_their_values_and_sets_sorted_lists() -> None:
    assert to_jsonable({Outcome.BUSY: 1, CampaignState.NEW: {"b", "a"}}) == {"busy": 1, "new": ["a", "b"]}


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="no JSON form for bytes"):
        to_jsonable({"x": b"1"})


def test_a_number_is_masked_so_that_it_cannot_be_called() -> None:
    assert masked("+442079460101") == "+442***101"
    assert masked("+12345") == "+12345"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.6, "1 m"), (185, "3 m 5 s"), (7800, "2 h 10 m"), (273_600, "3 d 4 h"), (-5, "0 s"), (86_400, "1 d")]
)
def test_lengths_of_time_have_two_units_at_most(seconds: float, text: str) -> None:
    assert ago(seconds) == text


def test_words_and_numbers() -> None:
    assert (plural(1, "agent"), plural(1200, "agent"), plural(2, "row was", "rows were")) == ("1 agent", "1,200 agents", "2 rows were")
    assert (percent(0.0214), percent(0.0214, 2)) == ("2.1%", "2.14%")
    assert moment(1_790_000_000, "Asia/Ho_Chi_Minh") == "Mon 21 Sep 2026 21:13"


def test_names_with_numbers_sort_as_people_count() -> None:
    assert sorted(["agent-10", "agent-2", "lan", "agent-1"], key=natural) == ["agent-1", "agent-2", "agent-10", "lan"]


def test_progress_is_silent_into_a_pipe_and_a_line_each_when_plain() -> None:
    auto, plain = io.StringIO(), io.StringIO()
    Progress("auto", auto).show("half")
    progress = Progress("plain", plain)
    progress.show("half")
    progress.show("whole")
    progress.clear()
    assert (auto.getvalue(), plain.getvalue()) == ("", "half\nwhole\n")

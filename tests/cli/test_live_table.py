"""The table that `demo` draws: from a snapshot to lines, and lines to a terminal."""

from __future__ import annotations

import io

import pytest

from fs_dialer.cli.live_table import PLAIN_EVERY_S, Screen, lines, plain
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, CallState, CampaignId, CampaignState, CampaignType, Outcome
from fs_dialer.core.snapshot import AgentView, CampaignView, Snapshot

NOON = 1_780_000_000.0


def a_campaign(**more: object) -> CampaignView:
    values: dict[str, object] = {
        "id": CampaignId("spring"),
        "type": CampaignType.PROGRESSIVE,
        "state": CampaignState.RUNNING,
        "revision": 1,
        "because": "3 agents are idle",
        "lines": 5,
        "lines_limit": None,
        "waiting": 1,
        "hopper": 20,
        "calls_by_state": {CallState.DIALING: 2, CallState.EARLY: 1, CallState.BRIDGED: 1},
        "outcomes": {Outcome.CONNECTED: 7, Outcome.BUSY: 2, Outcome.MISSED: 0},
        "attempts": 9,
        "answered": 8,
        "missed": 1,
        "bridged": 4,
        "talked_s": 60.0,
        "waited_s": 10.0,
        "refused_without_leg": 0,
    }
    return CampaignView(**{**values, **more})  # type: ignore[arg-type]


def an_agent(n: int, state: AgentState = AgentState.IDLE) -> AgentView:
    return AgentView(AgentId(f"agent-{n}"), "", AgentStatus.AVAILABLE, state, NOON - 5, None, 0)


def a_snapshot(*campaigns: CampaignView, agents: int = 2, now: float = NOON, **more: bool) -> Snapshot:
    states = {"switch_up": True, "store_up": True, "draining": False, **more}
    people = tuple(an_agent(n) for n in range(agents))
    return Snapshot(now, states["switch_up"], states["store_up"], states["draining"], 6, 40, campaigns, people)


def test_it_tells_lines_calls_rate_wait_and_outcomes_that_happened() -> None:
    text = "\n".join(lines(a_snapshot(a_campaign()), "a title", 160))
    for part in ("a title", "lines 6/40", "switch up", "database up", "spring  progressive, running: 3 agents are idle"):
        assert part in text
    for part in ("ringing 3 ", "waiting 1 ", "talking 1 ", "dialled 14 ", "missed 1/8 (12.5%)", "wait for an agent 2.5 s", "connected 7  busy 2"):
        assert part in text
    assert "2 agents: idle 2" in text
    assert "missed 0" not in text


def test_before_the_first_call_there_is_no_rate_and_no_division_by_zero() -> None:
    empty = a_campaign(outcomes={}, attempts=0, answered=0, missed=0, bridged=0, waited_s=0.0, calls_by_state={})
    text = "\n".join(lines(a_snapshot(empty), "t", 160))
    assert "missed 0/0 (-)" in text and "wait for an agent -" in text and "no call has ended yet" in text


def test_what_is_down_is_shouted() -> None:
    text = "\n".join(lines(a_snapshot(switch_up=False, store_up=False), "t", 160))
    assert "switch DOWN" in text and "database DOWN" in text


@pytest.mark.parametrize("width", [10, 40, 79, 200])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    assert max(map(len, lines(a_snapshot(a_campaign(), agents=50), "t", width))) <= width


def test_many_agents_do_not_push_the_campaign_off_the_screen() -> None:
    assert len(lines(a_snapshot(a_campaign(), agents=200), "t", 100)) <= 20


def test_a_pipe_gets_a_plain_line_now_and_then_and_no_escape_codes() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    for second in range(int(2 * PLAIN_EVERY_S) + 1):
        screen.show(a_snapshot(a_campaign(), now=NOON + second), "t")
    assert stream.getvalue().splitlines() == ["spring running: 5 up, 9 ended, 7 connected, 1 missed of 8"] * 3


def test_without_a_campaign_the_plain_line_says_so() -> None:
    assert plain(a_snapshot()) == "no campaign yet"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def take(self) -> str:
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


def test_a_terminal_is_cleared_once_and_then_only_changed_lines_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "30")
    terminal = Terminal()
    screen = Screen(terminal)
    screen.show(a_snapshot(a_campaign()), "t")
    first = terminal.take()
    assert first.startswith("\x1b[2J") and "3 agents are idle" in first
    screen.show(a_snapshot(a_campaign()), "t")
    assert "agents" not in terminal.take()
    screen.show(a_snapshot(a_campaign(because="no agent is idle")), "t")
    changed = terminal.take()
    assert "\x1b[2J" not in changed and "no agent is idle" in changed and "2 agents:" not in changed


def test_lines_that_are_gone_are_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "30")
    terminal = Terminal()
    screen = Screen(terminal)
    screen.show(a_snapshot(a_campaign()), "t")
    before = len(screen._shown)
    terminal.take()
    screen.show(a_snapshot(), "t")
    wiped = terminal.take()
    assert f"\x1b[{before};1H\x1b[K" in wiped


def test_a_small_terminal_is_not_scrolled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "6")
    terminal = Terminal()
    Screen(terminal).show(a_snapshot(a_campaign(), agents=40), "t")
    assert "\x1b[7;" not in terminal.take()

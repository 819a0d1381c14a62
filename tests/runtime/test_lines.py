"""The engine's values as JSON lines and back, for the journal and the spool."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from enum import Enum

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.flow import Ivr, Node
from fs_dialer.core.model import (
    AgentId,
    AttemptId,
    AttemptResult,
    CampaignState,
    CampaignType,
    LeadId,
    LeadStatus,
    LeadUpdate,
    LegId,
    Outcome,
    SwitchId,
)
from fs_dialer.modes import autocall
from fs_dialer.runtime.lines import CLASSES, from_line, to_line
from tests.core.builders import a_campaign
from tests.runtime.day import Day


def test_everything_that_happens_in_a_day_comes_back_as_it_was() -> None:
    day = Day().run(1800)
    for value in (*day.events, *day.actions):
        line = to_line(value)
        assert "\n" not in line
        assert from_line(line) == value
    assert {type(event) for event in day.events} >= {ev.CampaignLoaded, ev.LeadsClaimed, ev.LegCreated, ev.LegEnded, ev.AttemptOpened}
    assert {type(action) for action in day.actions} >= {act.OriginateLead, act.CloseAttempt, act.Bridge, act.ClaimLeads}


def test_every_event_and_action_there_is_has_a_line() -> None:
    for module in (ev, act):
        root = module.Event if module is ev else module.Action
        for cls in vars(module).values():
            if isinstance(cls, type) and issubclass(cls, root):
                assert CLASSES[cls.__name__] is cls


def test_tuples_enums_none_and_floats_survive_exactly() -> None:
    result = AttemptResult(AttemptId("a"), Outcome.BUSY, "USER_BUSY", 486, None, None, 0.1 + 0.2, None, 1e9 + 1 / 3, missed=False, leg_seen=True)
    closed = act.CloseAttempt(result, LeadUpdate(LeadId(1), LeadStatus.RETRY, 2, 0, 1_800_000_000.123456))
    assert from_line(to_line(closed)) == closed
    renew = act.RenewFallback((LegId("x"), LegId("y")))
    assert from_line(to_line(renew)) == renew


def test_text_with_quotes_newlines_and_other_scripts_stays_on_one_line() -> None:
    note = act.Note("INFO", "said", (("text", 'a "b"\n\u2028 żółć \x00'),))
    assert to_line(note).count("\n") == 0
    assert from_line(to_line(note)) == note


def test_a_value_of_a_class_that_is_not_the_engines_is_refused() -> None:
    @dataclass(frozen=True)
    class Stranger:
        x: int = 1

    class Colour(Enum):
        RED = "red"

    for value in (Stranger(), Colour.RED, {1, 2}, object()):
        with pytest.raises(ValueError, match="no line for a"):
            to_line(value)


@pytest.mark.parametrize(
    "line",
    [
        '{"$": "Popen", "args": "x"}',
        '{"$": "Outcome", "=": "splendid"}',
        '{"leg": "no class"}',
        "{not json",
        "",
    ],
)
def test_a_line_that_nobody_wrote_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        from_line(line)


def test_a_line_with_a_field_too_many_or_too_few_is_refused_as_such() -> None:
    """A journal or spool of another version: the reader must be able to set the line aside."""
    whole = json.loads(to_line(ev.LegAnswered(LegId("x"))))
    for broken in ({**whole, "colour": "red"}, {"$": "LegAnswered"}):
        with pytest.raises(ValueError):
            from_line(json.dumps(broken))


def test_the_name_of_a_class_is_that_of_one_class_only() -> None:
    names = [cls.__name__ for cls in CLASSES.values() if dataclasses.is_dataclass(cls) and cls.__name__ != "Options"]
    assert len(names) == len(set(names))
    assert AgentId("x") == "x"


def test_sets_of_texts_and_flows_in_a_campaign_come_back() -> None:
    told = ev.FlowsInSwitch(SwitchId("main"), frozenset({"dues.1234abcd", "survey.00000000"}), frozenset())
    assert from_line(to_line(told)) == told and to_line(told) == to_line(ev.FlowsInSwitch(SwitchId("main"), frozenset(sorted(told.flows)), frozenset()))
    flow = Ivr(name="dues", nodes=(Node(name="main", do="menu", keys=(("1", "bye"),)), Node(name="bye", do="end")))
    campaign = a_campaign(type=CampaignType.AUTOCALL, options=autocall.Options(ivr=flow))
    loaded = ev.CampaignLoaded(campaign, CampaignState.RUNNING, True, ())
    assert from_line(to_line(loaded)) == loaded

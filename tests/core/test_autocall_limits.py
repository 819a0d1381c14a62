"""How many calls autocall campaigns have up together, with others and with agents' own, when they may call, and which number they show."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.definition import CallerIds
from fs_dialer.core.model import CampaignId, CampaignState, CampaignType
from fs_dialer.core.resources import Hours
from fs_dialer.db.shapes import LeadRow
from tests.core.autocall_shift import autocall, over, presses
from tests.core.builders import NOON, SPRING
from tests.core.virtual_shift import ZONE, Shift, a_shift_campaign, number

AUTUMN = CampaignId("autumn")
THREE = ("+34910000000", "+34910000001", "+34910000002")


def at_once(shift: Shift, campaign: str = "") -> int:
    """The most legs that were up in one moment, of one campaign or of all."""
    attempts = {placed.leg for placed in shift.all(act.OriginateLead) if not campaign or placed.attempt.campaign == campaign}
    legs = [leg for leg in shift.seen.legs.values() if not campaign or leg.uuid in attempts]
    moves = [(leg.created_at, 1) for leg in legs] + [(leg.ended_at, -1) for leg in legs if leg.ended_at is not None]
    return max(accumulate((move for _, move in sorted(moves)), initial=0))


def joined_by(shift: Shift, type: CampaignType, *, leads: int, **more: object) -> None:
    """A second campaign of the same installation, running from now on."""
    options = {"options": shift.campaign.options} if type is CampaignType.AUTOCALL else {}
    shift.store.add_campaign(replace(a_shift_campaign(type, **{**options, **more}), id=AUTUMN), CampaignState.RUNNING, started=True)  # type: ignore[arg-type]
    shift.store.add_leads(AUTUMN, [LeadRow(f"+1212666{n:04d}", ZONE) for n in range(1, leads + 1)])
    stored = shift.store.campaign(AUTUMN)
    assert stored is not None
    shift.give(ev.CampaignLoaded(stored.campaign, stored.state, stored.started, tuple(stored.zone_sets), None))


@pytest.mark.spec("S59", "D2")
def test_all_running_campaigns_together_never_pass_the_lines_of_the_installation() -> None:
    shift = autocall(presses("0"), agents=(), leads=40, at_once=100, lines=10)
    joined_by(shift, CampaignType.AUTOCALL, agents=(), leads=40)
    over(shift, 80, 1800.0)
    assert at_once(shift) == 10, "all of them are used, and no more"
    called = [placed.attempt.campaign for placed in shift.all(act.OriginateLead)]
    assert called.index(AUTUMN) < len(called) - 1 - called[::-1].index(SPRING), "of equal priority: neither waits for the end of the other"


@pytest.mark.spec("S60", "D2")
def test_a_call_that_an_agent_makes_himself_takes_a_line_of_the_same_total() -> None:
    shift = autocall(presses("0"), agents=("ana",), leads=60, at_once=100, lines=10)
    joined_by(shift, CampaignType.MANUAL, agents=("ana",), leads=1)
    shift.ask("ana", "open_screen", lease_s="86400")
    shift.ask("ana", "take", campaign=AUTUMN)
    shift.ask("ana", "dial")
    over(shift, 61, 1800.0)
    (own,) = [placed.leg for placed in shift.all(act.OriginateLead) if placed.attempt.campaign == AUTUMN]
    since = shift.seen.legs[own].created_at
    others = [leg for leg in shift.seen.legs.values() if leg.created_at <= since < (leg.ended_at or since + 1.0)]
    assert len(others) == 10, "hers, her customer's, and eight of the machine's"
    assert at_once(shift) == 10


@pytest.mark.spec("S62", "S9")
def test_outside_its_hours_nobody_is_called_by_a_machine_either() -> None:
    """They begin two hours from now, on the clock where the customers live."""
    there = datetime.fromtimestamp(NOON, ZoneInfo(ZONE[0]))
    minute = there.hour * 60 + there.minute
    shift = autocall(presses("0"), agents=(), leads=3, hours=Hours(week=(((minute + 120, minute + 180),),) * 7))
    shift.wait(7000.0)
    assert not shift.all(act.OriginateLead)
    over(shift, 3, 600.0)
    assert min(leg.created_at for leg in shift.seen.leads) >= NOON + 7200.0 - there.second


@pytest.mark.spec("S62", "S12")
def test_whoever_asked_for_no_callback_is_left_alone_by_a_machine_too() -> None:
    shift = autocall(presses("0"), agents=(), leads=3)
    shift.wait(30.0)
    over(shift, 3)
    shift.store.mark_no_callback([number(4)], "spring", NOON + 86400.0, "test")
    shift.store.add_leads(SPRING, [LeadRow(number(n), ZONE) for n in (4, 5)])
    stored = shift.store.campaign(SPRING)
    assert stored is not None
    shift.give(ev.CampaignLoaded(stored.campaign, stored.state, stored.started, tuple(stored.zone_sets), None))
    over(shift, 4)
    shift.wait(600.0)
    assert len(shift.seen.to(number(5))) == 1 and not shift.seen.to(number(4))


@pytest.mark.spec("S53", "S54", "S55", "S56")
@pytest.mark.parametrize(
    ("caller_id", "shown"),
    [
        pytest.param(CallerIds(numbers=THREE[:1]), set(THREE[:1]), id="one for all calls"),
        pytest.param(CallerIds(numbers=THREE[:2], order="random"), set(THREE[:2]), id="a chosen group by chance"),
        pytest.param(CallerIds(numbers=THREE, order="random"), set(THREE), id="all there are by chance"),
    ],
)
def test_there_are_three_ways_to_choose_the_number_that_is_shown(caller_id: CallerIds, shown: set[str]) -> None:
    shift = autocall(presses("0"), agents=(), leads=30, caller_id=caller_id)
    over(shift, 30)
    assert {placed.attempt.caller_id for placed in shift.all(act.OriginateLead)} == shown

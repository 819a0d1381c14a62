"""Whole hours of chance against the engine: at the end every attempt was closed exactly once, no leg is left and no agent is stuck.

The seed is the test's own parameter: `-k 17` plays hour 17 again.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from fs_dialer.core.definition import Campaign, GatewayDefinition, Recording
from fs_dialer.core.mode_port import Flow
from fs_dialer.core.model import CampaignId, CampaignType, LegKind
from tests.core.builders import CARRIER, NAMES, a_campaign, an_agent, an_installation, modes
from tests.core.scripted_switch import Chances, Hour, lead_numbers

SECONDS = 900.0
FLOWS = {
    CampaignType.PREVIEW: Flow(preview_s=4.0),
    CampaignType.PREDICTIVE: Flow(on_answer="music_then_agent", reserve_agent=False),
    CampaignType.CALLBACK: Flow(first_leg="agent"),
}


def play(
    seed: int,
    chances: Chances,
    *,
    leg: LegKind = LegKind.PER_CALL,
    agents: int = 4,
    campaigns: Sequence[Campaign] = (),
    lines: int = 40,
    cps: float = 10.0,
) -> Hour:
    people = NAMES[:agents]
    chosen = list(campaigns) or [a_campaign(people=people, gap_s=120.0, max_attempts=5, wrap_up_s=3.0, join=True)]
    leads = [lead for n, c in enumerate(chosen) for lead in lead_numbers(CampaignId(c.id), 300, 1 + 1000 * n)]
    installation = an_installation(lines=lines, cps=cps, gateways=[GatewayDefinition(id=CARRIER, lines=lines - agents, cps=cps)])
    hour = Hour(seed, [an_agent(name, leg) for name in people], chosen, leads, installation, modes(FLOWS, originate=6), chances)
    try:
        hour.play(SECONDS)
    except BaseException as wrong:
        print(f"seed {seed}, {hour.now:.3f}\n" + "\n".join(hour.log[-60:]))
        raise wrong
    return hour


@pytest.mark.parametrize("leg", list(LegKind), ids=lambda leg: leg.value)
@pytest.mark.parametrize("seed", range(8))
def test_an_hour_without_faults_comes_to_rest(seed: int, leg: LegKind) -> None:
    hour = play(seed, Chances(), leg=leg)
    assert len(hour.closed) > 50


@pytest.mark.parametrize("leg", list(LegKind), ids=lambda leg: leg.value)
@pytest.mark.parametrize("seed", range(100, 108))
def test_doubled_and_reordered_news_change_nothing_that_matters(seed: int, leg: LegKind) -> None:
    play(seed, Chances(doubled=0.3, lag_s=0.3, agent_misses=0.3, commands=True), leg=leg)


@pytest.mark.parametrize("leg", list(LegKind), ids=lambda leg: leg.value)
@pytest.mark.parametrize("seed", range(200, 208))
def test_news_that_come_seconds_late_leave_nobody_behind(seed: int, leg: LegKind) -> None:
    play(seed, Chances(doubled=0.1, lag_s=8.0, agent_misses=0.2), leg=leg)


@pytest.mark.parametrize("leg", list(LegKind), ids=lambda leg: leg.value)
@pytest.mark.parametrize("seed", range(300, 310))
def test_lost_links_and_a_lost_store_leave_nothing_open(seed: int, leg: LegKind) -> None:
    spells = [(60.0 + 7 * (seed % 10), 5.0), (200.0, 50.0 + seed % 10), (400.0, 0.5), (410.0, 12.0)]
    play(seed, Chances(link_lost=spells, store_lost=[(120.0, 30.0), (405.0, 20.0)], commands=seed % 2 == 0), leg=leg)


@pytest.mark.spec("D6", "D8", "X4")
@pytest.mark.parametrize("leg", list(LegKind), ids=lambda leg: leg.value)
@pytest.mark.parametrize("seed", range(400, 410))
def test_a_daemon_killed_in_the_middle_leaves_its_calls_to_the_next(seed: int, leg: LegKind) -> None:
    """D6, D8."""
    play(seed, Chances(killed=[(50.0 + 11 * (seed % 10), 2.0), (300.0, 20.0), (330.0, 45.0)]), leg=leg)


@pytest.mark.parametrize("leg", list(LegKind), ids=lambda leg: leg.value)
@pytest.mark.parametrize("type_", list(FLOWS), ids=lambda type_: type_.value)
@pytest.mark.parametrize("seed", range(500, 503))
def test_every_flow_comes_to_rest(seed: int, type_: CampaignType, leg: LegKind) -> None:
    campaign = a_campaign(people=NAMES[:4], type=type_, gap_s=120.0, max_attempts=5, wrap_up_s=3.0, join=True, notice="sorry.wav")
    chances = Chances(doubled=0.1, lag_s=0.3, commands=True, link_lost=[(200.0, 15.0)], killed=[(400.0, 5.0)])
    play(seed, chances, leg=leg, campaigns=[campaign])


RECORDED = Recording(calls="on_demand")


@pytest.mark.parametrize("leg", list(LegKind), ids=lambda leg: leg.value)
@pytest.mark.parametrize("seed", range(1100, 1106))
def test_an_hour_of_holds_and_transfers_comes_to_rest(seed: int, leg: LegKind) -> None:
    campaign = a_campaign(
        people=NAMES[:5], gap_s=60.0, max_attempts=50, wrap_up_s=2.0, join=True, recording=RECORDED, agent_hears=("beep.wav" if seed % 2 else None)
    )
    hour = play(seed, Chances(agent_misses=0.2, in_call=True), leg=leg, agents=5, campaigns=[campaign], cps=30.0)
    assert len(hour.closed) > 30


@pytest.mark.parametrize("leg", list(LegKind), ids=lambda leg: leg.value)
@pytest.mark.parametrize("seed", range(1200, 1208))
def test_holds_and_transfers_among_all_kinds_of_trouble_leave_nobody_behind(seed: int, leg: LegKind) -> None:
    campaign = a_campaign(people=NAMES[:5], gap_s=60.0, max_attempts=50, wrap_up_s=2.0, join=True, recording=RECORDED)
    chances = Chances(
        doubled=(0.0, 0.3)[seed % 2],
        lag_s=(0.3, 3.0, 8.0)[seed % 3],
        agent_misses=0.2,
        commands=seed % 4 == 0,
        in_call=True,
        link_lost=[(100.0, 20.0), (500.0, 3.0)] if seed % 5 else [],
        killed=[(300.0, 10.0), (650.0, 40.0)] if seed % 3 else [],
    )
    play(seed, chances, leg=leg, agents=5, campaigns=[campaign], cps=30.0)


@pytest.mark.spec("S41", "D2")
@pytest.mark.parametrize("leg", list(LegKind), ids=lambda leg: leg.value)
@pytest.mark.parametrize("type_", [CampaignType.PROGRESSIVE, *FLOWS], ids=lambda type_: type_.value)
@pytest.mark.parametrize(("lines", "cps"), [(3, 30.0), (6, 0.7), (7, 2.0)])
def test_lines_and_calls_per_second_are_never_exceeded(type_: CampaignType, leg: LegKind, lines: int, cps: float) -> None:
    """D2, S41, S59: the switch of these tests recounts both at every originate. Agents' legs count too."""
    campaign = a_campaign(people=NAMES[:2], type=type_, gap_s=60.0, max_attempts=50, wrap_up_s=0.0, join=True)
    hour = play(600 + lines, Chances(doubled=0.1, agent_misses=0.3, commands=True), leg=leg, agents=2, campaigns=[campaign], lines=lines, cps=cps)
    assert len(hour.closed) >= 5


@pytest.mark.parametrize("leg", list(LegKind), ids=lambda leg: leg.value)
@pytest.mark.parametrize("seed", range(700, 704))
def test_campaigns_that_share_agents_come_to_rest(seed: int, leg: LegKind) -> None:
    people = NAMES[:4]
    campaigns = [
        a_campaign("spring", people=people, gap_s=100.0, max_attempts=9, wrap_up_s=2.0, join=True),
        a_campaign("autumn", people=people[:3], gap_s=100.0, max_attempts=9, wrap_up_s=0.0, join=True, weight=2),
        a_campaign("winter", people=people[1:], type=CampaignType.PREDICTIVE, gap_s=100.0, max_attempts=9, wrap_up_s=2.0, join=True),
    ]
    play(seed, Chances(doubled=0.1, agent_misses=0.2, commands=True, link_lost=[(300.0, 20.0)], killed=[(500.0, 9.0)]), leg=leg, campaigns=campaigns)


@pytest.mark.parametrize("seed", range(1000, 1024))
def test_any_hour_at_all_comes_to_rest(seed: int) -> None:
    """Every kind of trouble at random, with one to three campaigns of any type and too few lines."""
    rng = Random(seed)

    def spells(most: int, longest_s: float) -> list[tuple[float, float]]:
        return [(rng.uniform(10.0, SECONDS - 20.0), rng.uniform(0.1, longest_s)) for _ in range(rng.randint(0, most))]

    agents = rng.randint(1, 6)
    chances = Chances(
        store_refuses=rng.choice([0.0, 0.1]),
        no_leg=rng.choice([0.0, 0.2]),
        doubled=rng.choice([0.0, 0.4]),
        lag_s=rng.choice([0.0, 0.3, 3.0, 9.0]),
        link_lost=spells(4, 60.0),
        killed=spells(3, 60.0),
        store_lost=spells(2, 60.0),
        agent_misses=rng.choice([0.0, 0.3, 0.8]),
        commands=rng.random() < 0.6,
    )
    campaigns = [
        a_campaign(
            f"c{n}",
            people=NAMES[:agents],
            type=rng.choice([CampaignType.PROGRESSIVE, *FLOWS]),
            gap_s=rng.choice([0.0, 60.0]),
            max_attempts=30,
            wrap_up_s=rng.choice([0.0, 3.0]),
            join=True,
            notice=rng.choice([None, "sorry.wav"]),
            at_most_s=rng.choice([2.0, 20.0, 60.0]),
            agent_ring_s=rng.choice([5.0, 30.0]),
            weight=rng.randint(1, 3),
        )
        for n in range(rng.randint(1, 3))
    ]
    leg, lines, cps = rng.choice(list(LegKind)), rng.choice([2 * agents + 1, 12, 60]), rng.choice([0.7, 3.0, 30.0])
    play(seed, chances, leg=leg, agents=agents, campaigns=campaigns, lines=max(lines, agents + 1), cps=cps)

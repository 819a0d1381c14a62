"""Whole hours of chance with callers in queues: nobody is forgotten in music, nobody is told twice, no agent is on two calls, and all comes to rest.

The seed is the test's own parameter: `-k 17` plays hour 17 again.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from fs_dialer.core import events as ev
from fs_dialer.core.call_words import Terms
from fs_dialer.core.definition import Campaign, GatewayDefinition
from fs_dialer.core.mode_port import Flow
from fs_dialer.core.model import AgentStatus, CampaignId, CampaignType, LegKind
from fs_dialer.core.queue_line import Line
from tests.core.builders import CARRIER, NAMES, a_campaign, an_agent, an_installation, modes
from tests.core.queued_hour import QueuedHour
from tests.core.scripted_switch import Chances, lead_numbers

SECONDS = 600.0
FLOWS = {
    CampaignType.PREDICTIVE: Flow(on_answer="music_then_agent", reserve_agent=False),
    CampaignType.CALLBACK: Flow(first_leg="agent"),
}
LEGS = pytest.mark.parametrize("leg", list(LegKind), ids=lambda leg: leg.value)


def a_line(name: str = "support", **more: object) -> Line:
    return Line(**{"name": name, "people": NAMES[:4], "max_wait_s": 40.0, "wrap_up_s": 2.0, "agent_ring_s": 10.0, **more})  # type: ignore[arg-type]


def play(
    seed: int,
    chances: Chances,
    *,
    leg: LegKind = LegKind.PER_CALL,
    agents: int = 4,
    campaigns: Sequence[Campaign] = (),
    lines: Sequence[Line] = (),
    every_s: float = 8.0,
    most: int = 40,
    cps: float = 10.0,
    press: float = 0.0,
) -> QueuedHour:
    leads = [lead for n, c in enumerate(campaigns) for lead in lead_numbers(CampaignId(c.id), 300, 1 + 1000 * n)]
    installation = an_installation(lines=most, cps=cps, gateways=[GatewayDefinition(id=CARRIER, lines=most, cps=cps)])
    crew = [an_agent(name, leg) for name in NAMES[:agents]]
    hour = QueuedHour(seed, crew, campaigns, leads, installation, modes(FLOWS, originate=3), chances, lines=lines or [a_line()], every_s=every_s, press=press)
    try:
        hour.play(SECONDS)
    except BaseException as wrong:
        print(f"seed {seed}, {hour.now:.3f}\n" + "\n".join(hour.log[-60:]))
        raise wrong
    return hour


def sharing(agents: int = 4, **more: object) -> list[Campaign]:
    """A campaign and a callback campaign that share the queue's agents."""
    people = NAMES[:agents]
    common = {"people": people, "gap_s": 100.0, "max_attempts": 9, "wrap_up_s": 2.0, "join": True, **more}
    return [a_campaign("spring", **common), a_campaign("back", type=CampaignType.CALLBACK, **common)]  # type: ignore[arg-type]


@LEGS
@pytest.mark.parametrize("seed", range(3))
def test_an_hour_of_callers_without_faults_comes_to_rest(seed: int, leg: LegKind) -> None:
    hour = play(seed, Chances(), leg=leg)
    whys = {a.why for a in hour.gone}
    assert {"served", "hung_up"} <= whys and "lost" not in whys and len(hour.gone) == len(hour.came)


@LEGS
@pytest.mark.parametrize("seed", range(100, 103))
def test_callers_and_campaigns_share_agents_in_peace(seed: int, leg: LegKind) -> None:
    hour = play(seed, Chances(doubled=0.2, lag_s=0.3, agent_misses=0.3, commands=True), leg=leg, campaigns=sharing())
    assert hour.served and len(hour.closed) > 5


@LEGS
@pytest.mark.parametrize("seed", range(200, 203))
def test_callers_outlive_lost_links_and_late_news(seed: int, leg: LegKind) -> None:
    spells = [(60.0 + 7 * (seed % 10), 5.0), (200.0, 50.0), (400.0, 0.5), (410.0, 12.0)]
    play(seed, Chances(doubled=0.1, lag_s=6.0, link_lost=spells, store_lost=[(120.0, 30.0)]), leg=leg, campaigns=sharing())


@pytest.mark.spec("D8")
@LEGS
@pytest.mark.parametrize("seed", range(300, 304))
def test_callers_of_a_killed_daemon_are_taken_over_or_fall_back(seed: int, leg: LegKind) -> None:
    play(seed, Chances(killed=[(50.0 + 11 * (seed % 10), 2.0), (300.0, 20.0), (330.0, 45.0)]), leg=leg, campaigns=sharing())


@pytest.mark.spec("D2", "S60")
@LEGS
@pytest.mark.parametrize(("most", "cps"), [(6, 30.0), (8, 0.7), (12, 2.0)])
def test_lines_and_rate_hold_with_callers_on_them_too(leg: LegKind, most: int, cps: float) -> None:
    """What comes in can not be refused, but what goes out counts it."""
    play(400 + most, Chances(agent_misses=0.3, commands=True), leg=leg, agents=2, campaigns=sharing(2), lines=[a_line(people=NAMES[:2])], most=most, cps=cps)


@LEGS
@pytest.mark.parametrize("seed", range(500, 503))
def test_all_agents_leave_at_once_with_calls_ringing_and_come_back(seed: int, leg: LegKind) -> None:
    """Callers wait on or are let go, callbacks keep their place, customers who answer then are missed: each once."""
    hour = a_shared_hour(seed, Chances(agent_misses=0.1), leg)
    for at in (100.0, 250.0, 400.0):
        hour.later(at, lambda: everyone(hour, AgentStatus.LOGGED_OUT))
        hour.later(at + 60.0, lambda: everyone(hour, AgentStatus.AVAILABLE))
    hour.play(SECONDS)
    assert {"served", "max_wait"} <= {a.why for a in hour.gone}


def a_shared_hour(seed: int, chances: Chances, leg: LegKind) -> QueuedHour:
    campaigns = sharing()
    leads = [lead for n, c in enumerate(campaigns) for lead in lead_numbers(CampaignId(c.id), 60 if c.id == "back" else 300, 1 + 1000 * n)]
    installation = an_installation(lines=40, cps=10.0, gateways=[GatewayDefinition(id=CARRIER, lines=40, cps=10.0)])
    crew = [an_agent(name, leg) for name in NAMES[:4]]
    return QueuedHour(seed, crew, campaigns, leads, installation, modes(FLOWS, originate=3), chances, lines=[a_line()], every_s=8.0)


def everyone(hour: QueuedHour, status: AgentStatus) -> None:
    for agent in hour.agents:
        hour.rows.statuses[agent.id] = status
        hour.tell(ev.SetAgentStatus("all", "olga", agent.id, status))  # type: ignore[arg-type]


def a_keyed_line(name: str = "support", **more: object) -> Line:
    terms = {"key_after_s": 5.0, "said_at_key": "thanks.wav", "said_wrong": "wrong.wav", "said_too_early": "early.wav", "announce_every_s": 10.0}
    return a_line(name, terms=Terms(name, place="place.wav", **{**terms, **more.pop("terms", {})}), **more)  # type: ignore[arg-type, dict-item]


@pytest.mark.spec("S72", "S73", "S74", "S77")
@LEGS
@pytest.mark.parametrize("seed", range(600, 603))
def test_who_asks_for_a_callback_by_the_key_is_called_back_or_served_and_never_both(seed: int, leg: LegKind) -> None:
    lines = [a_keyed_line(), a_keyed_line("sales", terms={"then": "voicemail", "then_at_most_s": 30.0})]
    hour = play(seed, Chances(agent_misses=0.2), leg=leg, agents=2, lines=lines, every_s=4.0, press=0.6)
    assert {"served", "callback"} <= {a.why for a in hour.gone} and len(hour.gone) == len(hour.came) and not hour.rows_kept


@pytest.mark.spec("D8")
@LEGS
@pytest.mark.parametrize("seed", range(700, 704))
def test_keys_outlive_killed_daemons_and_lost_links(seed: int, leg: LegKind) -> None:
    chances = Chances(doubled=0.1, lag_s=1.0, link_lost=[(60.0, 4.0), (200.0, 40.0)], killed=[(100.0 + seed % 7, 3.0), (300.0, 70.0)])
    lines = [a_keyed_line(), a_keyed_line("sales", terms={"then": "voicemail", "then_at_most_s": 30.0})]
    hour = play(seed, chances, leg=leg, agents=2, lines=lines, every_s=4.0, press=0.6)
    assert "callback" in {a.why for a in hour.gone} and any(a.found for a in hour.gone)


@pytest.mark.parametrize("seed", range(1000, 1010))
def test_any_hour_with_callers_comes_to_rest(seed: int) -> None:
    rng = Random(seed)

    def spells(most: int, longest_s: float) -> list[tuple[float, float]]:
        return [(rng.uniform(10.0, SECONDS - 20.0), rng.uniform(0.1, longest_s)) for _ in range(rng.randint(0, most))]

    agents, many, commands = rng.randint(1, 6), rng.randint(0, 2), rng.random() < 0.6
    people = NAMES[:agents]
    chances = Chances(
        doubled=rng.choice([0.0, 0.4]),
        lag_s=rng.choice([0.0, 0.3, 3.0, 9.0]),
        link_lost=spells(3, 60.0),
        killed=spells(2, 60.0),
        store_lost=spells(2, 60.0),
        agent_misses=rng.choice([0.0, 0.3, 0.8]),
        commands=commands and many > 0,
    )
    kinds = [CampaignType.PROGRESSIVE, *FLOWS]
    campaigns = [
        a_campaign(f"c{n}", people=people, type=rng.choice(kinds), gap_s=60.0, max_attempts=30, wrap_up_s=1.0, join=True, priority=rng.randint(-1, 1))
        for n in range(many)
    ]
    lines = [
        a_keyed_line(f"q{n}", people=people, priority=rng.randint(-1, 1), max_wait_s=rng.choice([1.0, 30.0, 120.0]), notice=rng.choice([None, "sorry.wav"]))
        for n in range(rng.randint(1, 2))
    ]
    leg, cps = rng.choice(list(LegKind)), rng.choice([0.7, 3.0, 30.0])
    most = max(agents + 1, rng.choice([2 * agents + 3, 15, 60]))
    play(seed, chances, leg=leg, agents=agents, campaigns=campaigns, lines=lines, every_s=rng.choice([2.0, 10.0, 40.0]), most=most, cps=cps, press=0.4)

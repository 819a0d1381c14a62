"""Half hours of chance in each mode: phones that fail, forks, impatient customers, agents who come, go, hold, skip and hang up, a cut link, a killed daemon.

After each, no agent was on two calls, every leg had its attempt, every attempt ended once and a missed call was counted once (Shift.end).
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from fs_dialer.core.model import AgentState, CampaignType
from fs_dialer.modes import predictive, preview
from fs_dialer.sim.people import Behaviour
from tests.core.virtual_shift import LEASE_S, NOTICE, Cast, Shift, a_shift_campaign

T = CampaignType
MODES = (T.MANUAL, T.PREVIEW, T.PROGRESSIVE, T.PREDICTIVE, T.CALLBACK)
AGENTS = ("ana", "bob", "eva", "dan")
HALF_HOUR_S = 1800.0
COMES = ("available", "open_screen", "resume_campaign")
GOES = ("not_available", "close_screen", "log_out", "pause_campaign", "end_wrap_up")
IN_CALL = ("hold", "resume", "hang_up", "hang_up", "not_available", "close_screen", "log_out", "skip", "dial", "disposed")


class Chancers(Cast):
    """Nobody does what he did before."""

    def __init__(self) -> None:
        super().__init__({}, Behaviour(), Behaviour())

    def behaviour(self, endpoint: str, variables: Mapping[str, str], rng: Random, now: float = 0.0) -> Behaviour:
        return self.phone(rng) if variables.get("fsd_role") == "agent" else self.customer(rng)

    @staticmethod
    def phone(rng: Random) -> Behaviour:
        what = rng.random()
        if what < 0.62:
            second = Behaviour("answer", rng.choice([0.0, 0.4, 4.0])) if rng.random() < 0.1 else None
            leaves = rng.uniform(0.0, 40.0) if rng.random() < 0.2 else None
            return Behaviour("answer", rng.choice([0.0, 0.4, 4.0, 14.99, 15.0]), talk_s=leaves, stay_s=leaves if rng.random() < 0.3 else None, second=second)
        if what < 0.75:
            return Behaviour("ring")
        if what < 0.85:
            return Behaviour("unreachable", 0.0, first_response=0, status=503)
        return Behaviour("refuse", rng.uniform(0.0, 3.0), status=rng.choice([480, 486, 603]))

    @staticmethod
    def customer(rng: Random) -> Behaviour:
        what = rng.random()
        if what < 0.6:
            patience = rng.choice([None, None, 0.0, 0.4, 4.0, 15.0])
            return Behaviour("answer", rng.choice([0.0, 1.0, 6.0]), patience_s=patience, talk_s=rng.uniform(0.0, 60.0), ends_talk=rng.random() < 0.6)
        if what < 0.75:
            return Behaviour("ring")
        return Behaviour("refuse", rng.uniform(0.0, 5.0), status=rng.choice([480, 486, 603, 404, 503]))


def options(type: CampaignType) -> dict[str, Any]:
    if type is T.PREVIEW:
        return {"options": preview.Options(preview=preview.Card(time_s=6.0, accept="agent", extend=(1, 5.0)))}
    if type is T.PREDICTIVE:
        return {"options": predictive.Options(missed=predictive.Missed(max=0.3), pickup_rate=0.5, remedy=True)}
    return {}


def somebody_acts(shift: Shift, rng: Random) -> None:
    """Somebody does something, whether it makes sense or not; refusals are answers too."""
    name = rng.choice(AGENTS)
    state = shift.agent(name).state
    if state in (AgentState.IDLE, AgentState.WRAP_UP, AgentState.LEG_DOWN):
        verb = "take" if shift.campaign.type is T.MANUAL and rng.random() < 0.5 else rng.choice(GOES if rng.random() < 0.1 else COMES)
    elif state is AgentState.PREVIEWING:
        verb = rng.choice(("accept", "dial", "dial", "skip", "extend_preview", "close_screen", "log_out"))
    else:
        verb = rng.choice(IN_CALL)
    args = (
        {"campaign": "spring"}
        if verb in ("take", "pause_campaign", "resume_campaign")
        else {"lease_s": rng.choice(["5", LEASE_S])}
        if verb == "open_screen"
        else {}
    )
    assert shift.tell(name, verb, **args).text


@pytest.mark.spec("D1", "D6", "D8", "X4")
@pytest.mark.parametrize("type", MODES)
@pytest.mark.parametrize("seed", range(2))
def test_whatever_agents_phones_link_and_daemon_do_every_call_ends_once(type: CampaignType, seed: int) -> None:
    rng = Random(f"{type.value} {seed}")
    nailed = tuple(name for name in AGENTS if rng.random() < 0.4)
    campaign = a_shift_campaign(type, agents=AGENTS, gap_s=300.0, at_most_s=20.0, notice=NOTICE, agent_ring_s=15.0, **options(type))
    shift = Shift(campaign, leads=120, nailed=nailed, seed=seed, lines=rng.choice([5, 9, 40]), people=Chancers())
    killed, end = False, shift.now + HALF_HOUR_S
    while shift.now < end:
        shift.wait(rng.expovariate(1 / 3.0))
        what = rng.random()
        if what < 0.985:
            somebody_acts(shift, rng)
        elif what < 0.993:
            shift.lose_link()
            shift.wait(rng.choice([0.1, 3.0, 20.0]))
            shift.link_again()
        elif what < 0.996:
            shift.switch_dies()
            shift.wait(rng.choice([0.1, 3.0, 20.0]))
            shift.link_again()
        else:
            shift.kill(dead_for_s=rng.choice([0.0, 2.0, 15.0]))
            killed = True
    for name in AGENTS:
        shift.tell(name, "hang_up")  # else a customer on hold may wait for ever
    assert len(shift.database.closed) > 3
    shift.end(killed=killed)

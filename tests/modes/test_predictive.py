"""Predictive as the engine meets it: which limit, hours and waiting time hold, and what is kept of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fs_dialer.core.mode_port import Clocks, Observation, View
from fs_dialer.core.model import CampaignType
from fs_dialer.core.resources import Hours, Profile
from fs_dialer.modes import predictive
from fs_dialer.modes.predictive import Memory, Missed, Options
from tests.core.builders import NOON, a_campaign

HOUR = 3600.0


def spring(**more: Any) -> Any:
    return a_campaign(type=CampaignType.PREDICTIVE, **more)


def a_view(idle: int = 2, ringing: int = 0, agents: int = 10, room: int = 1000, at: float = NOON, dialled: int | None = None) -> View:
    seen = ringing if dialled is None else dialled
    return View(idle, 0, ringing, agents, room, lambda: Clocks([(at, None)] * seen, [at - 60.0] * (agents - idle), []))


def an_hour(memory: Any, start: float = NOON, missed: int = 0, every_s: float = 8.0) -> Any:
    for n in range(int(HOUR / every_s)):
        now = start + n * every_s
        memory = predictive.observe(memory, Observation("launched"), now)
        memory = predictive.observe(memory, Observation("answered" if n % 4 == 0 else "ended", 9.0 if n % 4 == 0 else 26.0), now)
        if n % 4 == 0:
            memory = predictive.observe(memory, Observation("talk_ended", 100.0), now)
    for _ in range(missed):
        memory = predictive.observe(memory, Observation("abandoned"), start + HOUR)
    return memory


@pytest.mark.spec("S44", "S45")
def test_the_customer_is_called_first_and_hears_music_until_an_agent_is_there() -> None:
    flow = predictive.flow(spring())
    assert (flow.first_leg, flow.on_answer, flow.reserve_agent, flow.preview_s) == ("lead", "music_then_agent", False, None)


@pytest.mark.spec("S39", "S40", "D10")
@pytest.mark.parametrize(
    ("missed", "profile_max", "wanted"),
    [
        (Missed(max=0.03), None, 0.0285),
        (Missed(max=0.10), 0.03, 0.0285),
        (Missed(max=0.01), 0.03, 0.0095),
        (Missed(max=0.05, aim=0.02), None, 0.02),
        (Missed(max=0.05, aim=0.05), 0.03, 0.03),
    ],
)
def test_the_stricter_of_campaign_and_profile_holds_and_a_little_less_is_steered_for(missed: Missed, profile_max: float | None, wanted: float) -> None:
    campaign = spring(options=Options(missed=missed), compliance=Profile(missed_max=profile_max))
    assert predictive.limit_of(campaign) == pytest.approx(wanted)


def test_the_campaigns_pickup_rate_is_the_first_guess() -> None:
    memory = predictive.restore(spring(options=Options(pickup_rate=0.12)), None, NOON)
    assert predictive.explain(memory, NOON)["p_slow"] == pytest.approx(0.12)


@pytest.mark.spec("S5", "S6", "S9")
def test_the_day_ends_with_the_working_hours_or_the_campaign_whichever_is_first() -> None:
    week = (((0, 23 * 60),),) * 7

    def end(**more: Any) -> float | None:
        memory = predictive.restore(spring(**more), None, NOON)
        found = predictive.explain(memory, NOON)["window_end"]
        return None if found is None else float(found) - NOON

    assert end() is None
    assert end(end=NOON + 5 * HOUR) == 5 * HOUR
    by_hours = end(hours=Hours(week))
    assert by_hours is not None and 0 < by_hours <= 9 * HOUR
    assert end(hours=Hours(week), end=NOON + 600.0) == 600.0


@pytest.mark.spec("D1")
def test_the_time_an_agents_phone_rings_comes_off_the_customers_patience() -> None:
    campaign = spring(at_most_s=8.0)
    memory = predictive.restore(campaign, None, NOON)
    assert predictive.explain(memory, NOON)["max_wait_s"] == 8.0
    assert predictive.explain(predictive.restore(spring(at_most_s=45.0), None, NOON), NOON)["max_wait_s"] == predictive.PATIENT_S
    for ring_s in (3.0, 4.0, 5.0, 3.0, 4.0, 3.0, 3.0, 3.0, 4.0, 6.0, 3.0):
        memory = predictive.observe(memory, Observation("agent_answered", ring_s), NOON)
    predictive.decide(a_view(), NOON + 1, campaign, memory)
    assert predictive.explain(memory, NOON)["max_wait_s"] == 3.0
    predictive.observe(memory, Observation("agent_answered", float("nan")), NOON)
    assert memory.agent_answer_s == 5.0


def test_calls_placed_and_not_dialled_yet_count_as_ringing() -> None:
    campaign = spring()
    wanted = []
    for queued in (0, 6):
        memory = an_hour(predictive.new_memory(campaign))
        wanted.append(predictive.decide(a_view(3, queued, at=NOON + HOUR, dialled=0), NOON + HOUR, campaign, memory).originate)
    assert wanted[0] > wanted[1]


def test_a_memory_from_the_database_goes_on_warm_within_the_day() -> None:
    campaign = spring()
    memory = an_hour(predictive.new_memory(campaign), missed=2)
    now = NOON + HOUR
    predictive.decide(a_view(at=now), now, campaign, memory)
    saved = json.loads(json.dumps(predictive.save(memory), allow_nan=False))
    again = predictive.restore(campaign, saved, now + 1)
    before, after = predictive.explain(memory, now), predictive.explain(again, now)
    for figure in ("p_slow", "n_eff", "tok", "answered", "abandoned", "talk_mean_s", "window_start", "in_flight_bound"):
        assert figure == "talk_mean_s" or before[figure] == after[figure], figure
    view = a_view(at=now)
    assert predictive.decide(view, now + 1, campaign, again) == predictive.decide(view, now + 1, campaign, memory)


def test_a_plain_mapping_may_be_handed_to_observe_and_decide() -> None:
    campaign = spring()
    memory = an_hour(predictive.new_memory(campaign))
    now = NOON + HOUR
    predictive.decide(a_view(at=now), now, campaign, memory)
    saved = json.loads(json.dumps(predictive.save(memory)))
    assert predictive.decide(a_view(at=now), now + 1, campaign, saved).originate > 0
    live = predictive.observe(saved, Observation("launched"), now + 1)
    assert isinstance(live, Memory)
    predictive.decide(a_view(1, 1, at=now), now + 2, campaign, live)
    told = predictive.explain(live, now + 2)
    assert told["in_flight_bound"] is None and told["in_flight"] == 1 and told["answered"] == predictive.explain(memory, now)["answered"]


def test_the_next_day_has_a_budget_of_its_own_and_what_was_learnt() -> None:
    campaign = spring()
    memory = an_hour(predictive.new_memory(campaign), missed=3)
    predictive.decide(a_view(at=NOON + HOUR), NOON + HOUR, campaign, memory)
    today = predictive.explain(memory, NOON + HOUR)
    predictive.decide(a_view(at=NOON + 86400), NOON + 86400, campaign, memory)
    tomorrow = predictive.explain(memory, NOON + 86400)
    assert today["abandoned"] == 3 and tomorrow["abandoned"] == 0 and tomorrow["tok"] == 1.0
    assert tomorrow["window_start"] == NOON + 86400 and tomorrow["n_eff"] == today["n_eff"]


@pytest.mark.spec("D5")
def test_a_new_revision_with_another_ceiling_holds_at_once_and_keeps_what_was_learnt() -> None:
    memory = an_hour(predictive.new_memory(spring()), missed=1)
    predictive.decide(a_view(at=NOON + HOUR), NOON + HOUR, spring(), memory)
    stricter = spring(options=Options(missed=Missed(max=0.01)), revision=2)
    predictive.decide(a_view(at=NOON + HOUR), NOON + HOUR + 1, stricter, memory)
    told = predictive.explain(memory, NOON + HOUR + 1)
    assert told["limit"] == pytest.approx(0.0095) and told["answered"] > 100 and told["abandoned"] == 1


def test_the_true_counts_of_the_store_outweigh_a_saved_budget() -> None:
    memory = predictive.restore(spring(), None, NOON)
    predictive.recount(memory, 100, 5)
    told = predictive.explain(memory, NOON)
    assert (told["answered"], told["abandoned"]) == (100, 5) and told["tok"] < 0


def test_junk_from_the_database_is_begun_anew() -> None:
    for junk in ({"pacer": 7, "day": [], "started": "x", "agent_answer_s": "no"}, {"pacer": {"version": 9}}, {"unknown": True}):
        decision = predictive.decide(a_view(), NOON, spring(), junk)
        assert decision.because and decision.originate >= 0


def test_its_json_values_are_at_most_ten_seconds_old_and_save_gives_the_present_ones() -> None:
    campaign = spring()
    memory = predictive.new_memory(campaign)
    predictive.decide(a_view(), NOON, campaign, memory)
    for n in range(5):
        predictive.observe(memory, Observation("answered", 9.0), NOON + n)
    predictive.decide(a_view(), NOON + 9, campaign, memory)
    assert memory["pacer"]["budget"]["answered"] == 0
    assert predictive.save(memory)["pacer"]["budget"]["answered"] == 5
    predictive.observe(memory, Observation("answered", 9.0), NOON + 10)
    predictive.decide(a_view(), NOON + 20, campaign, memory)
    assert json.loads(json.dumps(memory, allow_nan=False))["pacer"]["budget"]["answered"] == 6

"""How likely one lead is answered: learnt where leads differ, and the campaign's own rate where they do not."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.core.model import CampaignId, Lead, LeadId
from fs_dialer.modes.lead_odds import LeadOdds
from tests.core.builders import NOON

ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
MORNING = NOON // 86400 * 86400 + 15 * 3600.0
SHIFT_S = 9 * 3600.0
SEEDS = range(12)

Force = Callable[[int], float]


class Score(NamedTuple):
    """Log-loss in nats per call of the campaign's rate, of what was said, and of the truth; the farthest and mean distance of what was said from the rate."""

    rate: float
    said: float
    truth: float
    farthest: float
    mean_said: float
    answered: float
    odds: LeadOdds


def calls(seed: int, count: int, force: Force, common: Callable[[int], float] = lambda n: -1.0) -> Iterator[tuple[Lead, bool, float, float]]:
    """A lead, whether a person answered it, when, and how likely that was. force: how much leads differ, 0 = not at all; common: log-odds of all."""
    rng, now = Random(seed), MORNING
    for n in range(count):
        now += 5.0
        if (now - MORNING) % 86400 > SHIFT_S:
            now += 86400 - SHIFT_S
        zone, attempts, kind = rng.choice(ZONES), rng.choices((0, 1, 2, 3), (4, 3, 2, 1))[0], rng.choice(("mobile", "fixed", ""))
        last = rng.choice(("no_answer", "busy", "machine")) if attempts else ""
        lead = Lead(LeadId(n), CampaignId("spring"), "+1", (zone,), attempts=attempts, last=last, kind=kind)
        late = datetime.fromtimestamp(now, ZoneInfo(zone)).hour >= 16
        differs = (0.4, 0.0, -0.4, -0.8)[attempts] + (0.8 if late else -0.3) + (0.4 if last == "busy" else 0.0) + (0.4 if kind == "mobile" else -0.2)
        chance = 1.0 / (1.0 + math.exp(-common(n) - force(n) * differs))
        yield lead, rng.random() < chance, now, chance


def score(seed: int, count: int, force: Force, *, after: int = 0, common: Callable[[int], float] = lambda n: -1.0) -> Score:
    odds = LeadOdds()
    rate = said = truth = mean_said = farthest = 0.0
    answers = 0
    for n, (lead, answered, now, chance) in enumerate(calls(seed, count, force, common)):
        plain, own = odds.rate, odds.of(lead, now)
        given = plain if own is None else own
        if n >= after:
            for_it = [p if answered else 1.0 - p for p in (plain, given, chance)]
            rate, said, truth = (total - math.log(p) for total, p in zip((rate, said, truth), for_it, strict=True))
            mean_said, answers, farthest = mean_said + given, answers + answered, max(farthest, abs(given / plain - 1.0))
        odds.learn(lead, answered, now)
    told = count - after
    return Score(rate / told, said / told, truth / told, farthest, mean_said / told, answers / told, odds)


@pytest.mark.parametrize("seed", SEEDS)
def test_where_leads_do_not_differ_nothing_is_worse_than_the_campaigns_rate(seed: int) -> None:
    found = score(seed, 2000, lambda n: 0.0)
    assert found.said <= found.rate * 1.001, f"seed {seed}"


@pytest.mark.parametrize("seed", range(100, 106))
def test_where_leads_do_not_differ_every_lead_has_the_campaigns_rate_after_two_thousand_calls(seed: int) -> None:
    assert score(seed, 4000, lambda n: 0.0, after=2000).farthest <= 0.01, f"seed {seed}"


@pytest.mark.parametrize("seed", range(3))
def test_where_leads_differ_it_comes_near_the_truth(seed: int) -> None:
    found = score(seed, 6000, lambda n: 1.0, after=3000)
    gained, possible = 1 - found.said / found.rate, 1 - found.truth / found.rate
    assert gained > 0.03 and gained > 0.6 * possible, f"seed {seed}: {gained:.4f} of {possible:.4f}"


@pytest.mark.parametrize("seed", range(3))
def test_in_the_mean_it_says_what_the_campaign_has_seen(seed: int) -> None:
    found = score(seed, 6000, lambda n: 1.0, after=2000)
    assert found.mean_said == pytest.approx(found.answered, rel=0.02), f"seed {seed}"


@pytest.mark.parametrize("seed", range(2))
def test_what_has_turned_round_is_not_believed_for_long_and_then_learnt_anew(seed: int) -> None:
    def force(n: int) -> float:
        return 1.0 if n < 4000 else -1.0

    turned = score(seed, 6000, force, after=4000)
    assert turned.said <= turned.rate * 1.03, f"seed {seed}"
    later = score(seed, 16000, force, after=12000)
    assert 1 - later.said / later.rate > 0.015, f"seed {seed}"


@pytest.mark.parametrize("seed", range(4))
def test_a_rate_that_moves_for_all_is_no_difference_between_leads(seed: int) -> None:
    steps = (-0.4, -1.7, 0.4, -0.85)
    found = score(seed, 6000, lambda n: 0.0, common=lambda n: steps[n // 1000 % 4])
    assert found.said <= found.rate * 1.001, f"seed {seed}"


def test_with_little_data_it_says_nothing() -> None:
    odds = LeadOdds()
    for lead, answered, now, _ in calls(1, 150, lambda n: 1.5):
        assert odds.of(lead, now) is None
        odds.learn(lead, answered, now)


def test_the_first_guess_is_the_campaigns_pickup_rate() -> None:
    assert LeadOdds(0.12).rate == pytest.approx(0.12) and LeadOdds(None).rate == 0.4


def test_what_it_says_is_made_of_features_that_multiply_the_odds() -> None:
    odds = score(2, 8000, lambda n: 1.0).odds
    base = Lead(LeadId(1), CampaignId("spring"), "+1", (ZONES[0],), attempts=0, kind="mobile")
    often = Lead(LeadId(1), CampaignId("spring"), "+1", (ZONES[0],), attempts=3, last="no_answer")
    parts = {part.feature: part for part in odds.parts(base, MORNING)}
    fewer = {part.feature: part for part in odds.parts(often, MORNING)}
    assert parts["attempts"].level == "0" and parts["attempts"].times > 1.0 > fewer["attempts"].times
    assert parts["kind"].level == "mobile" and parts["kind"].times > 1.0 and parts["kind"].calls > 500
    likely, unlikely = odds.of(base, MORNING), odds.of(often, MORNING)
    assert likely is not None and unlikely is not None and likely > 2 * unlikely


def test_the_hour_is_that_of_the_leads_own_zone() -> None:
    odds = LeadOdds()
    east, west = (Lead(LeadId(1), CampaignId("spring"), "+1", (zone,)) for zone in (ZONES[0], ZONES[3]))
    assert (int(odds.features(east, MORNING)[0]) - int(odds.features(west, MORNING)[0])) % 24 == 3
    assert odds.features(Lead(LeadId(1), CampaignId("spring"), "+1", ("Nowhere/Else",)), MORNING)[0] == "unknown"


def test_a_saved_state_goes_on_alike() -> None:
    odds = score(3, 4000, lambda n: 1.0).odds
    again = LeadOdds(state=json.loads(json.dumps(odds.state(), allow_nan=False)))
    for lead, answered, now, _ in calls(4, 200, lambda n: 1.0):
        assert again.of(lead, now) == odds.of(lead, now)
        odds.learn(lead, answered, now)
        again.learn(lead, answered, now)
    assert again.state() == odds.state()


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(("version", "calls", "common", "effects", "shown", "hour", "x")), inner)
    ),
    max_leaves=12,
)


@given(JUNK, st.floats(), st.text(max_size=8), st.integers(-5, 500))
def test_it_never_raises(junk: object, now: float, word: str, attempts: int) -> None:
    fresh = LeadOdds().state()
    for state in (junk, {**fresh, "effects": junk}, {**fresh, "common": junk}, {**fresh, "shown": junk}, {**fresh, "calls": junk}):
        odds = LeadOdds(state=state)
        lead = Lead(LeadId(1), CampaignId("spring"), "+1", (word,), attempts=attempts, last=word, kind=word)
        odds.learn(lead, True, now)
        said = odds.of(lead, now)
        assert said is None or 0.0 < said < 1.0
        odds.parts(lead, now)
        json.dumps(odds.state(), allow_nan=False)


def test_no_feature_grows_without_bound() -> None:
    odds = LeadOdds()
    for n in range(500):
        odds.learn(Lead(LeadId(n), CampaignId("spring"), "+1", ("UTC",), kind=f"kind {n}"), n % 3 == 0, MORNING)
    assert len(odds.state()["effects"]["kind"]) <= 65


def test_a_call_costs_tens_of_microseconds() -> None:
    told = list(calls(5, 3000, lambda n: 1.0))
    odds = LeadOdds()
    began = time.process_time()
    for lead, answered, now, _ in told:
        odds.of(lead, now)
        odds.learn(lead, answered, now)
    assert (time.process_time() - began) / len(told) < 200e-6

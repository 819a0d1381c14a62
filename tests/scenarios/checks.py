"""What must hold at the end of every scenario, whatever was killed on the way: asked of the database, of the switch, and of the witness, each for itself."""

from __future__ import annotations

from collections import Counter

from fs_dialer.runtime.journal import replay
from tests.scenarios.witness import at_once
from tests.scenarios.world import GAP_S, World, until

# Outcomes of calls that were nobody's at the far end: they consume no attempt, and their own short gaps hold (spec §4).
NOT_THE_CALLEES = ("cancelled", "ours", "network")
OURS_GAP_S = 60.0
SETTLE_S = 5.0


def check_everything(world: World, *, gap_s: float = GAP_S) -> None:
    """After a drain. D6, D8, X4."""
    check_database(world, gap_s=gap_s)
    until(lambda: world.channels() == 0, SETTLE_S, f"no channel is left over in the switch: {world.rig.ask_switch('api sim legs')}")
    check_witness(world)
    check_missed(world)
    check_equation(world)
    check_journals(world)


def check_database(world: World, *, gap_s: float = GAP_S) -> None:
    assert world.rows("SELECT id, number FROM all_attempts WHERE closed_at IS NULL") == [], "attempts stayed open"
    assert world.rows("SELECT id, number FROM leads WHERE status = 'in_progress'") == [], "leads stayed in progress"
    too_soon = world.rows(
        """
        SELECT number, before, ended_at, opened_at FROM (
            SELECT number, opened_at,
                   lag(outcome) OVER (PARTITION BY lead ORDER BY opened_at) AS before, lag(ended_at) OVER (PARTITION BY lead ORDER BY opened_at) AS ended_at
            FROM all_attempts) AS pairs
        WHERE ended_at IS NOT NULL
          AND opened_at < ended_at + make_interval(secs => CASE WHEN before = 'cancelled' THEN 0 WHEN before IN ('ours', 'network') THEN %s ELSE %s END)
        """,
        OURS_GAP_S,
        gap_s,
    )
    assert too_soon == [], "leads were called again inside their gap"
    wrongly_counted = world.rows(
        """
        SELECT leads.number, leads.attempts, count(attempts.id) FILTER (WHERE outcome <> ALL (%s))
        FROM leads LEFT JOIN all_attempts AS attempts ON attempts.lead = leads.id
        GROUP BY leads.id HAVING leads.attempts <> count(attempts.id) FILTER (WHERE outcome <> ALL (%s))
        """,
        list(NOT_THE_CALLEES),
        list(NOT_THE_CALLEES),
    )
    assert wrongly_counted == [], "leads whose count of attempts is not that of their attempts"


def check_witness(world: World) -> None:
    """Nobody was called twice, nobody talked to two, and every customer's leg is an attempt of ours."""
    legs = world.witness.legs()
    leads = [leg for leg in legs if leg.role == "lead"]
    attempts = dict(world.rows("SELECT leg::text, outcome FROM all_attempts"))
    assert [leg for leg in leads if leg.uuid not in attempts] == [], "customers' legs without an attempt"
    assert at_once(leads, "number") == [], "a number had two legs at once"
    assert at_once([leg for leg in legs if leg.role == "agent" and leg.answered_at], "agent") == [], "an agent was on two legs at once"
    met = {leg.uuid for leg in leads if leg.met}
    connected = {leg for leg, outcome in attempts.items() if outcome == "connected"}
    assert connected <= met, "attempts that count as connected and met nobody"
    # A conversation that began and ended while no daemon lived is known to the witness alone: unknown (D8).
    assert {attempts[uuid] for uuid in met} <= {"connected", "unknown"}, "conversations that count as something else"
    assert [leg for leg in leads if len(leg.met) > 1] == [], "a customer was taken from one agent to another"


def check_missed(world: World) -> None:
    """D1: missed is who answered and met nobody in time; counted once, in the row of his attempt. Its outcome is missed where he met nobody at all."""
    legs = world.witness.legs("lead")
    answered, met = {leg.uuid for leg in legs if leg.answered_at is not None}, {leg.uuid for leg in legs if leg.met}
    missed = dict(world.rows("SELECT leg::text, outcome FROM all_attempts WHERE missed"))
    assert set(missed) <= answered, "missed, and yet never answered"
    assert {leg for leg, outcome in world.rows("SELECT leg::text, outcome FROM all_attempts") if outcome == "missed"} == set(missed) - met


def check_equation(world: World) -> None:
    """Attempts = outcomes = the switch's calls + what it refused + what was never sent (an attempt committed by a daemon that died before sending)."""
    counters = world.rig.counters()
    outcomes = Counter(outcome for (outcome,) in world.rows("SELECT outcome FROM all_attempts"))
    never_sent = world.one("SELECT count(*) FROM all_attempts WHERE leg::text <> ALL (%s)", [leg.uuid for leg in world.witness.legs("lead")])
    assert counters["lead_legs"] == len(world.witness.legs("lead"))
    assert sum(outcomes.values()) == counters["lead_legs"] + never_sent


def check_journals(world: World) -> None:
    """X6: every daemon's day, those that were killed included, gives the same actions again."""
    for journal in world.journals():
        assert replay(journal).difference is None, f"{journal} differs"

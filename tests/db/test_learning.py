"""What the database says of a campaign's calls equals what was written there."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from fs_dialer.cli.people import load_people
from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignId, CampaignType
from fs_dialer.core.resources import CallerIds
from fs_dialer.db.learning import History, history
from fs_dialer.db.pool import Pool
from tests.cli.runner import applied, called

NOW = 1_772_442_900.0  # 2 March 2026, 9:15 UTC
SPRING = Campaign(id=CampaignId("spring"), type=CampaignType.PROGRESSIVE, caller_id=CallerIds(numbers=("+442079460100",)))
CALL = """
INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, agent, opened_at, outcome, cause, sip_status,
                      rang_at, answered_at, bridged_at, ended_at, missed, leg_seen, disposition, disposed_by, disposed_at)
VALUES (gen_random_uuid(), 'spring', 1, %(lead)s, 'new', 1, gen_random_uuid(), '+442079460101', 'trunk1', '+442079460100', %(agent)s,
        to_timestamp(%(at)s), %(outcome)s, '', %(sip)s, to_timestamp(%(at)s + 1), to_timestamp(%(at)s + %(answer)s), to_timestamp(%(at)s + %(bridge)s),
        to_timestamp(%(at)s + %(end)s), %(missed)s, %(seen)s, %(result)s, %(agent)s, to_timestamp(%(at)s + %(filed)s))
"""
USUAL: dict[str, object] = {"missed": False, "seen": True, "end": 20.0} | dict.fromkeys(("lead", "agent", "sip", "answer", "bridge", "result", "filed"))


class Calls:
    """Calls of spring that are over, written as the daemon would."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def add(self, *calls: tuple[str, float, dict[str, object]]) -> None:
        with closing(psycopg2.connect(self._dsn)) as connection, connection, connection.cursor() as cursor:
            for outcome, at, more in calls:
                cursor.execute("SELECT make_attempt_partitions(to_timestamp(%s), 0)", (at,))
                cursor.execute(CALL, {**USUAL, "at": at, "outcome": outcome, **more})


@pytest.fixture
def calls(pg_dsn: str, tmp_path: Path) -> Calls:
    applied(tmp_path, pg_dsn)
    return Calls(pg_dsn)


def seen(dsn: str, since: float = NOW - 3600, until: float = NOW + 86400) -> History:
    with closing(Pool(dsn, size=1, application="test")) as pool:
        return history(pool, SPRING, since, until)


def test_a_campaign_without_calls_says_nothing(pg_dsn: str, calls: Calls) -> None:
    found = seen(pg_dsn)
    assert (found.outcomes, found.times, found.waited, found.dispositions) == ([], {}, 0, {})


def test_outcomes_are_counted_by_quarter_and_by_call_to_the_lead(pg_dsn: str, calls: Calls) -> None:
    calls.add(("busy", NOW - 7200, {"lead": 7}))  # before the days looked at: it counts as the first call to the lead
    calls.add(("no_answer", NOW, {"lead": 7}))
    calls.add(("no_answer", NOW + 10, {"lead": 7}))
    calls.add(("ours", NOW + 20, {"lead": 7, "seen": False}))
    calls.add(("connected", NOW + 30, {"answer": 9.0, "bridge": 9.5, "end": 69.5}))
    quarter = int(NOW // 900)
    assert {(each.quarter, each.nth, each.outcome, each.many) for each in seen(pg_dsn).outcomes} == {
        (quarter, 2, "no_answer", 1), (quarter, 3, "no_answer", 1), (quarter, 0, "ours", 1), (quarter, 1, "connected", 1),
    }  # fmt: skip


def test_lengths_are_told_by_kind(pg_dsn: str, calls: Calls) -> None:
    calls.add(("connected", NOW, {"agent": "lan", "answer": 9.0, "bridge": 9.5, "end": 69.5, "result": "sold", "filed": 77.5}))
    calls.add(("connected", NOW + 100, {"agent": "lan", "answer": 5.0, "bridge": 8.0, "end": 28.0}))  # he had been free for 22 s when this customer answered
    calls.add(("connected", NOW + 129, {"agent": "lan", "answer": 1.5, "bridge": 4.0, "end": 14.0}))  # he was resting
    calls.add(("busy", NOW + 200, {"end": 2.0}))
    calls.add(("no_answer", NOW + 300, {"sip": 480, "end": 31.0}))
    calls.add(("no_answer", NOW + 400, {"end": 25.0}))  # we gave up
    calls.add(("early_hangup", NOW + 500, {"answer": 6.0, "end": 10.0}))
    found = seen(pg_dsn)
    means = {kind: (each.many, round(each.mean, 3)) for kind, each in found.times.items()}
    assert means["talk"] == (3, 30.0) and means["ring"] == (4, round((8 + 4 + 0.5 + 5) / 4, 3)) and means["refuse"] == (1, 2.0)
    assert means["ring_out"] == (1, 30.0) and means["patience"] == (1, 4.0) and means["result"] == (1, 8.0) and means["agent_answer"] == (1, 3.0)
    assert means["first_response"] == (7, 1.0) and len(found.times["talk"].quantiles) == 21
    assert (found.waited, found.waited_s) == (4, pytest.approx(0.5 + 3 + 2.5 + 4)) and found.dispositions == {"sold": 1}


def test_the_command_tells_writes_and_uses_what_it_learnt(pg_dsn: str, calls: Calls, tmp_path: Path) -> None:
    begin = time.time() - 7200
    for number in range(40):
        calls.add(("connected", begin + number, {"agent": "lan", "answer": 9.0, "bridge": 9.5, "end": 39.5}))
        calls.add(("no_answer", begin + number + 0.5, {}))
    people, campaign = tmp_path / "people.yml", tmp_path / "campaigns" / "spring.yml"
    done = called("simulate", "--learn", "spring", "--write-people", people, dsn=pg_dsn)
    assert done.code == 0, done.err
    assert "learnt from spring: 80 calls of 30 days" in done.out and "no_answer 50%, person 50%" in done.out and "too few: the usual holds" in done.out
    assert load_people(people).customers.talk is not None and people.read_text().startswith("# Learnt by fs-dialer from the campaign spring: 80 calls")
    day = called("simulate", campaign, "--learn", "spring", "--hours", "0.2", "--json", dsn=pg_dsn).json
    assert day["average_talk_s"] == pytest.approx(30.0, abs=0.5) and day["learnt"]["calls"] == 80
    from_file = called("simulate", campaign, "--people", people, "--hours", "0.2", "--json").json
    assert {**from_file, "learnt": day["learnt"]} == day, "what was written is what was used"
    people.write_text("customers: {}\n")
    refused = called("simulate", "--learn", "spring", "--write-people", people, dsn=pg_dsn)
    assert refused.code == 3 and "is not written over" in refused.err
    assert "there is no campaign sprin; nearest: spring" in called("simulate", "--learn", "sprin", dsn=pg_dsn).err

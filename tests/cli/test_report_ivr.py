"""report ivr, and the flow's part of report campaign: answers by node, where people left, the way of each call."""

from __future__ import annotations

import csv
import io
import uuid
from contextlib import closing
from dataclasses import replace

import pytest

from fs_dialer.core.definition import Window
from fs_dialer.core.flow import Ivr, Node, steps
from fs_dialer.core.model import (
    AgentId,
    Attempt,
    AttemptId,
    AttemptResult,
    CampaignId,
    CampaignState,
    CampaignType,
    GatewayId,
    LeadStatus,
    LeadUpdate,
    LegId,
    Outcome,
    SwitchId,
)
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.db.shapes import LeadRow
from fs_dialer.modes import autocall
from tests.cli.runner import called
from tests.cli.test_reference import covers, documented, paths
from tests.contract.store_backends import a_campaign
from tests.db.rows import Database

NINE = 1_795_597_200.0  # Wed 25 Nov 2026 09:00 UTC
DUES = CampaignId("dues")
DAY = ("--day", "2026-11-25")
FLOW = Ivr(
    name="dues-menu",
    nodes=(
        Node(name="main", do="menu", keys=(("1", "code"), ("2", "message"), ("9", "stop"))),
        Node(name="code", do="gather", answer="pin", next="bye"),
        Node(name="message", do="record", next="bye"),
        Node(name="stop", do="opt_out", next="bye"),
        Node(name="bye", do="end"),
    ),
)
ZONE = ("UTC",)


@pytest.fixture
def dsn(pg_dsn: str) -> str:
    """A day of calls: two enter a code, one leaves a message, one opts out, one hangs up in the menu, one meets an agent, one is a machine."""
    campaign = replace(a_campaign(DUES), type=CampaignType.AUTOCALL, window=Window(zone="UTC"), options=autocall.Options(ivr=FLOW))
    with closing(Backoffice(pg_dsn)) as office, closing(PostgresStore(pg_dsn)) as store:
        office.apply_definitions([campaign], [], None, "test")
        office.import_leads(DUES, [LeadRow(f"+4420794601{place:02}", ZONE, ready_at=NINE - 60) for place in range(8)], "test")
        assert store.take_epoch("test") is not None
        store.set_campaign_state(DUES, 1, CampaignState.RUNNING, True, "", "test")
        paths = (
            ("main=1;code=1234;bye=success", "", Outcome.CONNECTED, False),
            ("main=1;code=77;bye=success", "", Outcome.CONNECTED, False),
            ("main=2;message=12;bye=success", "", Outcome.CONNECTED, False),
            ("main=9;stop=yes;bye=success", "", Outcome.CONNECTED, False),
            ("main=", "main", Outcome.EARLY_HANGUP, False),
            ("main=1", "code", Outcome.CONNECTED, True),
            ("", "", Outcome.MACHINE, False),
        )
        for lead, (path, left_at, outcome, met) in zip(store.claim_leads(DUES, 7, [ZONE], NINE).leads, paths, strict=True):
            agent = AgentId("lan") if met else None
            attempt = Attempt(
                AttemptId(str(uuid.uuid4())), DUES, 1, lead.id, LegId(str(uuid.uuid4())), lead.number, GatewayId("north"), "+442079460100", None, NINE + lead.id
            )
            assert list(store.open_attempts([attempt])) == [None]
            at = attempt.opened_at
            result = AttemptResult(attempt.id, outcome, "NORMAL_CLEARING", 200, agent, at + 1, at + 5, at + 20 if met else None, at + 40, False, True)
            result = replace(result, ivr=steps(FLOW, path), left_at=left_at, switch=SwitchId("main"))
            store.close_attempts([(result, LeadUpdate(lead.id, LeadStatus.SUCCEEDED, 1, 0, at))])
    return pg_dsn


@pytest.mark.spec("S50", "S52", "M18", "D13")
def test_answers_are_counted_by_node_with_their_shares(dsn: str) -> None:
    found = called("report", "ivr", "dues", *DAY, "--json", dsn=dsn).json
    answers = [(each["node"], each["answer"], each["times"], round(each["share"], 3)) for each in found["answers"]]
    assert answers == [
        ("main", "1", 3, 0.5), ("main", "", 1, 0.167), ("main", "2", 1, 0.167), ("main", "9", 1, 0.167),
        ("code", "given", 2, 1.0), ("message", "given", 1, 1.0), ("stop", "yes", 1, 1.0), ("bye", "success", 4, 1.0),
    ]  # fmt: skip
    totals = {name: found[name] for name in ("persons", "machines", "met_agent", "messages", "opted_out", "ended_well")}
    assert totals == {"persons": 6, "machines": 1, "met_agent": 1, "messages": 1, "opted_out": 1, "ended_well": 4}


@pytest.mark.spec("S52")
def test_it_says_where_people_left(dsn: str) -> None:
    found = called("report", "ivr", "dues", *DAY, "--json", dsn=dsn).json["left"]
    assert {(each["node"], each["persons"], each["met_agent"]) for each in found} == {("", 4, 0), ("main", 1, 0), ("code", 1, 1)}


@pytest.mark.spec("S50", "S63", "S64")
def test_it_reads_as_a_sentence_and_two_tables(dsn: str) -> None:
    out = called("report", "ivr", "dues", *DAY, dsn=dsn).out
    assert "6 persons answered: 4 came to a good end, 1 met an agent, 1 left a message, 1 asked not to be called   1 answering machine besides" in out
    assert "(no answer)" in out and "50.0%" in out and "12 s each" in out and "(at an end)" in out
    assert "1234" not in out


@pytest.mark.spec("M18")
def test_the_detail_has_the_way_of_each_call(dsn: str) -> None:
    rows = list(csv.DictReader(io.StringIO(called("report", "ivr", "dues", *DAY, "--detail", "--csv", dsn=dsn).out)))
    assert [(row["path"], row["left_at"]) for row in rows][:2] == [("main=1;code=1234;bye=success", ""), ("main=1;code=77;bye=success", "")]
    assert len(rows) == 6
    calls = called("report", "ivr", "dues", *DAY, "--detail", "--json", dsn=dsn).json["calls"]
    assert calls[0]["steps"][1] == {"node": "code", "do": "gather", "name": "pin", "value": "1234"}
    assert "+44207946" not in called("report", "ivr", "dues", *DAY, "--detail", dsn=dsn).out


def test_what_programs_are_told_is_documented(dsn: str) -> None:
    for title, words in (("report ivr", ()), ("report ivr --detail", ("--detail",))):
        seen, patterns = set(paths(called("report", "ivr", "dues", *DAY, *words, "--json", dsn=dsn).json)), documented(f"fs-dialer {title}")
        assert [path for path in sorted(seen) if not any(covers(each, path) for each in patterns)] == []
        assert [each for each in sorted(patterns) if not any(covers(each, path) for path in seen)] == []


@pytest.mark.spec("S50")
def test_a_campaigns_report_tells_of_its_flow(dsn: str) -> None:
    assert called("report", "campaign", "dues", *DAY, "--json", dsn=dsn).json["flow"]["ended_well"] == 4
    assert "6 persons answered" in called("report", "campaign", "dues", *DAY, dsn=dsn).out


@pytest.mark.spec("M18")
def test_attempts_have_the_flows_answers_as_columns_and_filters(dsn: str) -> None:
    words = ("report", "attempts", "--campaign", "dues", *DAY, "--columns", "ivr.pin,path,left_at,switch", "--filter", "ivr.pin = 77", "--json")
    (row,) = called(*words, dsn=dsn).json["attempts"]
    assert row == {"ivr.pin": "77", "path": "main=1;code=77;bye=success", "left_at": "", "switch": "main"}


@pytest.mark.spec("M21")
def test_a_persons_timeline_tells_his_way_through_the_flow(dsn: str) -> None:
    out = called("lead", "timeline", "+442079460105", dsn=dsn).out
    assert "in the flow: main 1, left at code" in out


def test_a_campaign_without_a_flow_says_so(pg_dsn: str) -> None:
    Database(pg_dsn).campaign("spring")
    done = called("report", "ivr", "spring", dsn=pg_dsn)
    assert done.code == 1 and "spring has no IVR flow" in done.err

"""explain lead, campaign, gateway, callerid: what is told, where it comes from, and how it ends."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fs_dialer.cli.explain_lead import _gates, _tell
from fs_dialer.core.caller_ids import Health
from fs_dialer.core.leads import ORDER
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, CampaignId, CampaignState, CampaignType, GatewayId
from fs_dialer.core.snapshot import AgentView, BreakerView, CampaignView, GatewayView, Snapshot
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.explain import ExplainStore, Seen
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.db.shapes import LeadRow
from tests.cli.runner import ROOT, Done, a_folder, called
from tests.cli.test_reference import covers, paths
from tests.db.rows import Database

pytestmark = pytest.mark.spec("X1")

SPRING = CampaignId("spring")
LONDON = "Europe/London"
ADA, BEN, CAT = "+442079460101", "+442079460102", "+442079460103"
CALLER = "+442079460100"
VIEW = CampaignView(
    SPRING, CampaignType.PROGRESSIVE, CampaignState.RUNNING, 1, "one call for each of 2 free agents", 3, 20, 0, 5, {}, {}, 10, 8, 0, 8, 1.0, 2.0, 0,
    crew=12, staying=5, idle=3, promised=0,
)  # fmt: skip
LAN = AgentView(AgentId("lan"), "Lan", AgentStatus.AVAILABLE, AgentState.IDLE, 0.0, None, 3)
SEEN = Snapshot(1.0, True, True, False, 7, 60, (VIEW,), (LAN,), (GatewayView(GatewayId("trunk1"), 3, 30, 10.0, 27),), (), 0.0, 50)


@dataclass
class Office:
    """A database with the campaign spring and the leads of Ada, Ben and Cat; and a daemon's store, to publish what it sees."""

    dsn: str
    folder: Path
    store: PostgresStore
    database: Database

    def explain(self, *words: str) -> Done:
        return called("explain", *words, dsn=self.dsn)

    def lead(self, number: str = ADA, *words: str) -> Any:
        """The one lead of the answer, as JSON."""
        done = self.explain("lead", number, *words, "--json")
        assert done.code == 0, done.err
        (told,) = done.json["leads"]
        return told

    def headline(self, number: str = ADA, *words: str) -> str:
        return self.explain("lead", number, *words).out.splitlines()[1]

    def change(self, number: str, **columns: Any) -> None:
        """Of this number's lead; times in seconds from now."""
        for name, value in columns.items():
            value_sql = "now() + %s * interval '1 second'" if name == "ready_at" else "%s"
            self.database.rows(f"UPDATE leads SET {name} = {value_sql} WHERE number = %s", value, number)

    def run(self, **changes: Any) -> None:
        """A daemon runs and sees this."""
        self.store.publish(replace(SEEN, **changes))

    def redefine(self, extra: str) -> None:
        """A newer revision, approved."""
        assert called("apply", a_folder(self.folder, extra=extra), dsn=self.dsn).code == 0
        newest = self.database.one("SELECT newest_revision FROM campaigns WHERE name = 'spring'")
        self.store.set_campaign_state(SPRING, newest, CampaignState.RUNNING, True, "", "an.le")


@pytest.fixture
def office(tmp_path: Path, pg_dsn: str) -> Iterator[Office]:
    assert called("apply", a_folder(tmp_path), dsn=pg_dsn).code == 0
    with closing(Backoffice(pg_dsn)) as backoffice, closing(PostgresStore(pg_dsn)) as store:
        rows = [LeadRow(number, (LONDON,), name, ready_at=time.time() - 60) for number, name in ((ADA, "Ada"), (BEN, "Ben"), (CAT, "Cat"))]
        backoffice.import_leads(SPRING, rows, "test")
        store.take_epoch("test")
        store.set_campaign_state(SPRING, 1, CampaignState.RUNNING, True, "", "an.le")
        yield Office(pg_dsn, tmp_path, store, Database(pg_dsn))


@contextmanager
def database_of(office: Office) -> Iterator[Seen]:
    with closing(ExplainStore(office.dsn)) as store, store.moment() as seen:
        yield seen


def in_two_days() -> tuple[str, str]:
    """The weekday after tomorrow in London, as hours name it, and that day at eight as it is told."""
    then = datetime.now(ZoneInfo(LONDON)) + timedelta(days=2)
    return f"{then:%a}".lower(), f"{then:%a %-d %b}"


# --- a lead ---------------------------------------------------------------------------------------------------------------------------


def test_without_a_daemon_nothing_is_dialled_and_how_to_mend_it_is_told(office: Office) -> None:
    assert office.headline() == "NOT NOW: every gate is open, but no daemon is running: nothing is dialled   start it: fs-dialer run"
    assert office.lead()["verdict"] == "waiting"


def test_a_ready_lead_says_how_many_are_before_it(office: Office) -> None:
    office.run()
    assert office.headline(ADA) == "NOW: ready, the first in line"
    assert office.headline(CAT) == "NOW: ready, 2 leads are before it"
    office.database.rows("UPDATE leads SET claimed_epoch = 1 WHERE number = %s", ADA)
    assert office.headline(ADA) == "NOW: ready, in the daemon's hands: among the next to be called"


def test_every_gate_is_printed_with_what_it_rests_on(office: Office) -> None:
    office.run()
    office.change(ADA, attempts=2)
    lines = office.explain("lead", ADA).out.splitlines()
    assert lines[0].startswith("lead ") and lines[0].endswith(f"of spring: {ADA}  Ada")
    assert "  ok   campaign     running, r1 approved by an.le" in lines
    assert "  ok   attempts     2 of 3" in lines
    assert "  ok   caller id    +442079460100, no calls yet" in lines
    assert "  ok   agents       3 of 12 agents idle" in lines
    asked = [check["gate"] for check in office.lead()["checks"]]
    assert asked == [name for name in ORDER if name in asked] and len(asked) >= 14


def test_outside_hours_the_next_possible_dial_is_told_by_the_leads_clock_and_how_to_ask_ahead(office: Office) -> None:
    day, told = in_two_days()
    office.redefine(f"hours: {{{day}: 8:00-20:00}}\n")
    done = office.explain("lead", ADA, "-c", "spring")
    assert done.out.splitlines()[1] == f"NOT NOW: next possible dial {told} 08:00 ({LONDON}, from the number)   1 gate shut"
    assert f"SHUT hours        open {day} 8:00-20:00 by the clock of {LONDON}; opens {told} 08:00" in done.out
    assert f'--   caller id, lines, agents: not asked while a gate is shut            Ask ahead: --at "{day} 8:00"' in done.out
    ahead = office.explain("lead", ADA, "--at", f"{day} 8:00").out
    assert ahead.splitlines()[1] == f"AT {told} 08:00: YES: every gate is open then"
    assert office.headline(ADA, "--at", f"{day} 20:00").startswith(f"AT {told} 20:00: NOT THEN: next possible dial ")
    assert (office.lead(ADA)["verdict"], office.lead(ADA, "--at", f"{day} 8:00")["verdict"]) == ("later", "now")


@pytest.mark.spec("S11")
def test_a_gap_is_told_with_the_call_that_began_it(office: Office) -> None:
    office.change(ADA, ready_at=4 * 3600 - 600, ready_why="gap", status="retry", attempts=1)
    office.database.rows(
        """
        INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at, outcome, cause, ended_at, missed,
                              leg_seen)
        SELECT gen_random_uuid(), 'spring', 1, id, 'new', 1, gen_random_uuid(), number, 'trunk1', '+442079460100', now() - interval '630 seconds',
               'no_answer', 'NO_ANSWER', ready_at - interval '4 hours', false, true FROM leads WHERE number = %s
        """,
        ADA,
    )
    out = office.explain("lead", ADA).out
    assert "SHUT gap          4h after " in out
    assert "ok   attempts     1 of 3 (no_answer)" in out


@pytest.mark.spec("D14")
def test_a_number_on_a_list_is_never_dialled_and_the_entry_is_told(office: Office) -> None:
    office.database.rows("INSERT INTO do_not_call (number, list, reason, added_by) VALUES (%s, 'register', 'by letter', 'hoa')", ADA)
    office.change(ADA, status="blocked", held_by="do_not_call")
    done = office.explain("lead", ADA)
    assert done.out.splitlines()[1] == f"NEVER: on the list register   fs-dialer dnc show {ADA}"
    assert "SHUT do-not-call  on the list register since " in done.out and "by hoa: by letter" in done.out
    assert office.lead(ADA)["lists"][0]["added_by"] == "hoa"


def test_a_finished_lead_says_when_it_ended_and_one_in_a_call_that_it_is(office: Office) -> None:
    office.change(ADA, status="succeeded")
    office.change(BEN, status="in_progress")
    office.change(CAT, attempts=3)
    assert office.headline(ADA) == "NEVER: finished (succeeded)"
    assert office.headline(BEN) == "BEING CALLED: what comes next is known when the call is over"
    assert office.headline(CAT) == "NEVER: all calls are used up: 3 of 3"
    assert [office.lead(number)["verdict"] for number in (ADA, BEN, CAT)] == ["never", "in_call", "never"]


def test_a_paused_campaign_keeps_its_leads_until_somebody_starts_it(office: Office) -> None:
    office.store.set_campaign_state(SPRING, 1, CampaignState.PAUSED, False, "lunch", "hoa")
    assert office.headline() == "NOT NOW, and not by itself: spring is paused   fs-dialer start spring"
    assert "SHUT campaign     paused by hoa " in office.explain("lead", ADA).out
    assert office.lead()["verdict"] == "by_hand"


def test_what_the_engine_waits_for_is_named(office: Office) -> None:
    office.run(campaigns=(replace(VIEW, idle=0),))
    assert office.headline() == "NOT NOW: every gate that time opens is open, waits for agents"
    office.run(switch_up=False)
    assert office.headline().endswith("the switch is not connected: no new calls")


@pytest.mark.spec("D16", "S12")
def test_who_asked_not_to_be_called_is_told_with_until_when(office: Office) -> None:
    office.change(ADA, status="refused", ready_at=86400 * 3, ready_why="no_callback", held_by="no_callback", status_before="retry")
    office.database.rows(
        "INSERT INTO no_callback (number, campaign, until, reason, added_by) SELECT number, '', ready_at, 'no', 'lan' FROM leads WHERE number = %s",
        ADA,
    )
    out = office.explain("lead", ADA).out
    assert "1 gate shut" in out.splitlines()[1]
    assert "not to be called by any campaign until " in out and "(lan: no)" in out


@pytest.mark.spec("D4")
def test_of_two_zones_both_are_told_to_count(office: Office) -> None:
    office.change(ADA, zone_set="America/New_York|Europe/London")
    office.redefine(f"hours: {{{in_two_days()[0]}: 8:00-20:00}}\n")
    assert "(America/New_York, from its list; 2 zones must allow it)" in office.headline()


def test_a_lead_is_found_by_id_by_its_number_and_by_its_contacts_other_number(office: Office) -> None:
    id = office.lead()["lead"]
    assert office.lead(str(id))["number"] == ADA
    assert office.lead("020 7946 0101")["number"] == ADA
    office.database.rows("INSERT INTO contact_numbers (contact, place, number) SELECT contact, 1, '+442079460199' FROM leads WHERE number = %s", ADA)
    assert office.lead("+442079460199")["number"] == ADA


def test_a_number_in_several_campaigns_is_told_for_each(office: Office) -> None:
    assert called("apply", a_folder(office.folder, campaign="vip"), dsn=office.dsn).code == 0
    with closing(Backoffice(office.dsn)) as backoffice:
        backoffice.import_leads(CampaignId("vip"), [LeadRow(ADA, (LONDON,))], "test")
    assert [told["campaign"] for told in office.explain("lead", ADA, "--json").json["leads"]] == ["spring", "vip"]
    assert office.lead(ADA, "-c", "vip")["verdict"] == "by_hand"


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("lead", "999"), 1, "there is no lead 999"),
        (("lead", "+442079460177"), 1, "no lead has the number +442079460177"),
        (("lead", ADA, "-c", "sprong"), 1, "there is no campaign sprong; nearest: spring"),
        (("lead", "12"), 1, "there is no lead 12"),
        (("lead", "+44"), 3, "problem"),
        (("lead", ADA, "--at", "soon"), 2, "--at `soon` is not a moment"),
        (("lead", ADA, "--at", "2020-01-01 8:00"), 2, "explain asks about now or later"),
        (("campaign", "sprong"), 1, "there is no campaign sprong; nearest: spring"),
        (("gateway", "trunk2"), 1, "there is no gateway trunk2; nearest: trunk1"),
        (("callerid", "+442079460109"), 1, "no campaign has the caller id +442079460109; nearest: +442079460100"),
    ],
)
def test_what_there_is_not_is_said_with_what_comes_nearest(office: Office, words: tuple[str, ...], code: int, text: str) -> None:
    done = office.explain(*words)
    assert (done.code, done.out) == (code, "")
    assert text in done.err


def test_a_number_that_is_no_lead_but_listed_says_so(office: Office) -> None:
    office.database.rows("INSERT INTO do_not_call (number, list, added_by) VALUES ('+442079460177', 'register', 'hoa')")
    assert "it is on the do-not-call list register" in office.explain("lead", "+442079460177").err


def test_on_a_wide_terminal_two_gates_share_a_line_and_a_long_one_has_its_own(office: Office) -> None:
    with database_of(office) as seen:
        told = _tell(seen, seen.leads_named(number=ADA)[0], None, time.time())
    narrow, wide = _gates(told, 60, False), _gates(told, 130, False)
    assert len(narrow) == len(told.answer.checks) > len(wide) >= len(told.answer.checks) // 2
    assert all(len(line) <= 130 for line in wide)
    assert [word for line in wide for word in line.split()] == [word for line in narrow for word in line.split()]


def test_a_name_can_not_move_the_cursor(office: Office) -> None:
    office.database.rows("UPDATE contacts SET name = E'Ada\\x1b[2J' WHERE number = %s", ADA)
    assert "\x1b" not in office.explain("lead", ADA).out


# --- a campaign -----------------------------------------------------------------------------------------------------------------------


def test_the_first_line_is_the_answer_and_the_counts_add_up(office: Office) -> None:
    office.run()
    office.change(BEN, ready_at=3600, ready_why="gap", status="retry")
    office.change(CAT, status="succeeded")
    done = office.explain("campaign", "spring")
    lines = done.out.splitlines()
    assert lines[0] == "NOW: 1 lead is ready; one call for each of 2 free agents"
    assert lines[1].split() == ["LEADS", "HELD", "BY", "OPENS"]
    assert [line.split()[0] for line in lines[2:4]] == ["1", "1"] and "in the gap after a call" in lines[3]
    assert "2 not finished = 1 + 1" in lines and "1 finished = 1 succeeded" in lines
    told = office.explain("campaign", "spring", "--json").json
    assert (told["ready"], told["unfinished"], told["finished"]) == (1, 2, {"succeeded": 1})
    assert told["ready"] + sum(held["leads"] for held in told["held"]) == told["unfinished"]
    assert told["daemon"]["campaign"]["idle"] == 3


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"campaigns": (replace(VIEW, idle=0),)}, "WAITS for agents: 0 of 12 agents idle; 3 leads are ready"),
        ({"room": 0, "legs": 60}, "WAITS for lines: 60 of 60 lines are in use, or the calls per second are used up; 3 leads are ready"),
        ({"draining": True}, "NOT DIALLING: the daemon is stopping: no new calls"),
        ({"campaigns": ()}, "NOT DIALLING: the daemon has not read this campaign yet"),
    ],
)
def test_what_the_running_daemon_waits_for_is_the_answer(office: Office, changes: dict[str, Any], answer: str) -> None:
    office.run(**changes)
    assert office.explain("campaign", "spring").out.splitlines()[0] == answer


def test_without_a_daemon_a_campaign_does_not_dial(office: Office) -> None:
    assert office.explain("campaign", "spring").out.startswith("NOT DIALLING: no daemon is running: nothing is dialled   start it: fs-dialer run\n")


def test_with_no_lead_ready_the_next_possible_dial_is_told(office: Office) -> None:
    day, told = in_two_days()
    office.redefine(f"hours: {{{day}: 8:00-20:00}}\n")
    office.run()
    lines = office.explain("campaign", "spring").out.splitlines()
    assert lines[0] == f"NOT NOW: 3 of 12 agents idle: no lead is ready; next possible dial {told} 08:00 ({LONDON}), 3 leads"
    assert any("outside hours where the number lives" in line and line.endswith(f"{told} 08:00") for line in lines)
    ahead = office.explain("campaign", "spring", "--at", f"{day} 9:00").out
    assert ahead.startswith(f"AT {told} 09:00: 3 leads would be ready\n") and "nobody knows ahead" in ahead


@pytest.mark.spec("S24", "S25")
def test_an_unapproved_campaign_says_what_it_needs(office: Office) -> None:
    assert called("apply", a_folder(office.folder, campaign="vip"), dsn=office.dsn).code == 0
    assert office.explain("campaign", "vip").out.startswith("NOT DIALLING: vip is new, r1 is not approved: fs-dialer approve vip\n")


def test_a_campaign_that_is_through_says_so(office: Office) -> None:
    office.database.rows("UPDATE leads SET status = 'exhausted'")
    assert office.explain("campaign", "spring").out.startswith("DONE: every lead is finished\n")
    office.database.rows("DELETE FROM leads")
    assert office.explain("campaign", "spring").out.startswith("NOTHING TO DIAL: it has no leads\n")


# --- a way out ------------------------------------------------------------------------------------------------------------------------


RESTING = BreakerView("gateway", "trunk1", Health.OPEN.value, 0.0, 0.0, 8, 10, "8 of the last 10 calls failed (NORMAL_TEMPORARY_FAILURE); rests")


@pytest.mark.spec("S57", "X7")
def test_a_resting_gateway_says_since_when_until_when_for_which_calls_and_who_waits(office: Office) -> None:
    now = time.time()
    office.change(ADA, held_by="caller_id", ready_at=60, status="retry")
    office.database.rows(
        """
        INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at, outcome, cause, sip_status,
                              ended_at, missed, leg_seen)
        SELECT gen_random_uuid(), 'spring', 1, id, 'new', 1, gen_random_uuid(), number, 'trunk1', '+442079460100', now() - interval '60 seconds',
               'ours', 'NORMAL_TEMPORARY_FAILURE', 503, now(), false, true FROM leads WHERE number = %s
        """,
        ADA,
    )
    office.run(breakers=(replace(RESTING, opened_at=now - 60, until=now + 600),))
    out = office.explain("gateway", "trunk1").out
    assert out.startswith("trunk1: RESTS since ") and "8 of the last 10 calls failed (NORMAL_TEMPORARY_FAILURE); rests" in out.splitlines()[0]
    assert "  used by   spring" in out and "  lines     3 of 30 in use, 10 calls a second; lines and rate allow 27 more this moment" in out
    assert "  deferred  1 lead found no healthy way: 1 of spring; asked again from " in out
    assert "ours" in out.splitlines()[-1] and out.splitlines()[-1].endswith("NORMAL_TEMPORARY_FAILURE (503)")
    told = office.explain("gateway", "trunk1", "--json").json
    assert (told["health"], told["until"], told["campaigns"], told["calls"][0]["failed"]) == ("open", now + 600, ["spring"], True)
    assert office.headline(BEN) == "NOT NOW: every gate that time opens is open, waits for caller id"


def test_a_caller_id_is_found_however_it_is_written_and_its_health_told(office: Office) -> None:
    assert office.explain("callerid", CALLER).out.startswith(f"{CALLER}: NOT KNOWN: no daemon is running")
    office.run()
    assert office.explain("callerid", "44 20 7946 0100").out.startswith(f"{CALLER}: OK: not used since the daemon started\n")
    now = time.time()
    office.run(breakers=(BreakerView("caller_id", CALLER, "half_open", now - 900, now - 1, 8, 10, "8 of the last 10 calls failed; one call tries it"),))
    done = office.explain("callerid", CALLER)
    assert done.out.startswith(f"{CALLER}: ON TRIAL, it rested since ") and "  goes by   trunk1" in done.out
    office.run(breakers=(BreakerView("caller_id", CALLER, "closed", None, 0.0, 0, 10, "0 of the last 10 calls failed"),))
    assert office.explain("callerid", CALLER).out.startswith(f"{CALLER}: OK: 0 of the last 10 calls failed\n")
    assert office.explain("callerid", CALLER, "--json").json["until"] is None


# --- JSON -----------------------------------------------------------------------------------------------------------------------------


def test_the_page_names_every_key_of_the_json_and_no_other(office: Office) -> None:
    office.change(ADA, held_by="caller_id", ready_at=60, status="retry")
    office.change(CAT, status="succeeded")
    office.database.rows("INSERT INTO do_not_call (number, list, added_by) VALUES (%s, 'register', 'hoa')", ADA)
    office.database.rows(
        """
        INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at, outcome, cause, ended_at, missed,
                              leg_seen)
        SELECT gen_random_uuid(), 'spring', 1, id, 'new', 1, gen_random_uuid(), number, 'trunk1', '+442079460100', now(), 'busy', 'USER_BUSY', now(), false,
               true FROM leads WHERE number = %s
        """,
        ADA,
    )
    office.run(breakers=(RESTING,))
    page = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")
    for title, words in (("lead", ("lead", ADA)), ("campaign", ("campaign", "spring")), ("gateway, explain callerid", ("gateway", "trunk1"))):
        section = page.split(f"\n### explain {title}\n")[1].split("\n### ")[0]
        named = set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))
        found = set(paths(office.explain(*words, "--json").json))
        assert [path for path in found if not any(covers(pattern, path) for pattern in named)] == []
        assert [pattern for pattern in named if not any(covers(pattern, path) for path in found)] == []

"""report: every total is the sum of its rows, and both are those of the attempts that `report attempts` gives out."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2
import pytest

from fs_dialer.cli import report_attempts
from fs_dialer.core.model import AgentId, AgentTimes
from fs_dialer.core.stats import wilson
from fs_dialer.db import figures
from fs_dialer.db.embedded import EmbeddedPostgres
from fs_dialer.db.postgres import PostgresStore
from tests.cli.runner import Done, called
from tests.conftest import _database as database_of
from tests.db.random_attempts import AGENTS, CALLER_IDS, GATEWAYS, ZONES, fill, random_moment

SPRING = ("--from", "2024-02-01", "--until", "2024-06-01")  # all there is
PERSONS = ("connected", "missed", "early_hangup")
UNTOLD = ("network", "ours", "cancelled", "unknown")
Row = dict[str, Any]


@pytest.fixture(scope="module")
def dsn(pg_server: EmbeddedPostgres, pg_template: str) -> Iterator[str]:
    """Filled once: the tests only read."""
    for found in database_of(pg_server, pg_template):
        fill(found, Random(11), many=3000)
        yield found


@pytest.fixture(scope="module")
def rows(dsn: str) -> list[Row]:
    """Every attempt, as a program gets it."""
    found = called("report", "attempts", *SPRING, "--json", dsn=dsn).json
    assert (found["count"], found["more"], len(found["attempts"])) == (3010, False, 3010)
    return list(found["attempts"])


def recounted(rows: list[Row]) -> dict[str, Any]:
    """The figures of a report, counted from rows by the words of docs/reports.md and nothing of the program's."""
    over = [row for row in rows if row["outcome"] is not None]
    persons = [row for row in over if row["outcome"] in PERSONS]
    missed = [row for row in persons if row["missed"]]
    calls = [row for row in over if row["bridged_at"] is not None]
    told = [row for row in over if row["outcome"] not in UNTOLD]
    waited = sum(round((row["bridged_at"] - row["answered_at"]) * 1e6) for row in calls) / 1e6
    talked = sum(round((row["ended_at"] - row["bridged_at"]) * 1e6) for row in calls) / 1e6
    outcomes = Counter(row["outcome"] for row in over)
    return {
        "dialed": len(rows),
        "up": len(rows) - len(over),
        "person": len(persons),
        "machine": outcomes["machine"],
        "our_fault": outcomes["ours"] + outcomes["network"],
        "met_agent": sum(row["outcome"] == "connected" and row["bridged_at"] is not None and not row["missed"] for row in over),
        "served_by_flow": sum(row["outcome"] == "connected" and row["bridged_at"] is None for row in over),
        "missed": len(missed),
        "met_too_late": sum(row["bridged_at"] is not None for row in missed),
        "early_hangup": sum(row["outcome"] == "early_hangup" and not row["missed"] for row in over),
        "missed_rate": len(missed) / len(persons) if persons else 0.0,
        "missed_rate_95": list(wilson(len(missed), len(persons))),
        "answer_rate": (len(persons) + outcomes["machine"]) / len(told) if told else 0.0,
        "calls": len(calls),
        "waited_s": waited,
        "talked_s": talked,
        "average_wait_s": waited / len(calls) if calls else 0.0,
        "average_talk_s": talked / len(calls) if calls else 0.0,
        "no_result": sum(not row["disposition"] for row in calls),
        "without_leg": sum(not row["leg_seen"] for row in over),
        "outcomes": outcomes,
        "dispositions": dict(sorted(Counter(row["disposition"] for row in calls if row["disposition"]).items())),
    }


def figures_of(line: Row) -> Row:
    """A row of a report without what it is of; outcomes that did not occur are left out."""
    taken = {name: line[name] for name in recounted([])}
    return {**taken, "outcomes": Counter({name: count for name, count in line["outcomes"].items() if count})}


def hour(row: Row) -> object:
    local = datetime.fromtimestamp(row["opened_at"], ZoneInfo(ZONES[row["campaign"]]))
    return ZONES[row["campaign"]], local.replace(minute=0, second=0, microsecond=0, tzinfo=None), local.utcoffset()


def day(row: Row) -> object:
    return ZONES[row["campaign"]], str(datetime.fromtimestamp(row["opened_at"], ZoneInfo(ZONES[row["campaign"]])).date())


def hour_of(line: Row) -> object:
    at = datetime.fromisoformat(line["hour"])
    return line["zone"], at.replace(minute=0, tzinfo=None), at.utcoffset()


Key = Callable[[Row], object]


def by(*names: str) -> Key:
    return lambda row: tuple(row[name] for name in names)


REPORTS: list[tuple[str, str, Key, Key]] = [
    ("campaign", "", by("campaign"), by("campaign")),
    ("agent", "", by("agent"), by("agent")),
    ("caller-id", "", by("caller_id"), by("caller_id")),
    ("hour", "", hour, hour_of),
    ("gateway", "cause", by("gateway", "cause"), by("gateway", "cause")),
    ("gateway", "revision", by("gateway", "revision"), by("gateway", "revision")),
    ("campaign", "day", lambda row: (row["campaign"], day(row)), lambda line: (line["campaign"], (line["zone"], line["day"]))),
    ("campaign", "outcome,sip-status", by("campaign", "outcome", "sip_status"), by("campaign", "outcome", "sip_status")),
    ("agent", "disposition", by("agent", "disposition"), by("agent", "disposition")),
    ("caller-id", "hour,campaign", lambda row: (row["caller_id"], hour(row)), lambda line: (line["caller_id"], hour_of(line))),
]


@pytest.mark.spec("D1", "M17", "X8")
@pytest.mark.parametrize(("name", "more", "of_row", "of_line"), REPORTS, ids=[f"{name} {more}".strip() for name, more, _, _ in REPORTS])
def test_every_row_and_the_total_are_the_attempts_counted_one_by_one(name: str, more: str, of_row: Key, of_line: Key, dsn: str, rows: list[Row]) -> None:
    if name == "hour":  # thousands of hours: those of two zones will do
        rows = [row for row in rows if row["campaign"] in ("spring", "island")]
    only = [word for campaign in {row["campaign"] for row in rows} for word in ("--campaign", campaign)] if name != "campaign" else []
    report = called("report", name, "--by", more, *SPRING, *only, "--json", dsn=dsn).json
    assert figures_of(report["total"]) == recounted(rows)
    by_key: dict[object, list[Row]] = {}
    for row in rows:
        by_key.setdefault(of_row(row), []).append(row)
    counted = {of_line(line): figures_of(line) for line in report["rows"] if line["dialed"]}
    assert len(counted) == sum(line["dialed"] > 0 for line in report["rows"])
    assert counted == {key: recounted(some) for key, some in by_key.items()}
    for figure in ("dialed", "person", "missed", "met_agent", "calls", "no_result", "our_fault"):
        assert sum(line[figure] for line in report["rows"]) == report["total"][figure]


@pytest.mark.parametrize("seed", [1, 2])
def test_any_choice_of_campaigns_agents_ways_and_times_is_counted_as_its_attempts_are(seed: int, dsn: str, rows: list[Row]) -> None:
    print(f"seed {seed}")
    rng = Random(seed)
    for _ in range(6):
        campaigns = rng.sample(list(ZONES), rng.randrange(1, 4))
        agent, caller_id, gateway = rng.choice((None, AGENTS[0])), rng.choice((None, CALLER_IDS[1])), rng.choice((None, *GATEWAYS))
        since, until = sorted(random_moment(rng) for _ in range(2))
        words = [f"{datetime.fromtimestamp(at, ZoneInfo('UTC')):%Y-%m-%d %H:00}" for at in (since, until + 3600)]
        options = [word for name in campaigns for word in ("--campaign", name)]
        options += [word for name, given in (("--agent", agent), ("--caller-id", caller_id), ("--gateway", gateway)) if given for word in (name, given)]
        options += ["--from", words[0], "--until", words[1]]
        report = called("report", "hour", *options, "--json", dsn=dsn)
        if report.code == 2:  # a time that some zone's clock skips
            assert "does not exist" in report.err
            continue
        spans = {each["campaign"]: (each["since"], each["until"]) for each in report.json["campaigns"]}
        assert set(spans) == set(campaigns)
        for name, (begin, _) in spans.items():
            assert f"{datetime.fromtimestamp(begin, ZoneInfo(ZONES[name])):%Y-%m-%d %H:%M}" == words[0]
        meant = [
            row
            for row in rows
            if row["campaign"] in spans
            and spans[row["campaign"]][0] <= row["opened_at"] < spans[row["campaign"]][1]
            and agent in (None, row["agent"])
            and caller_id in (None, row["caller_id"])
            and gateway in (None, row["gateway"])
        ]
        assert figures_of(report.json["total"]) == recounted(meant)
        listed = called("report", "attempts", *options, "--columns", "id", "--json", dsn=dsn).json["attempts"]
        assert sorted(row["id"] for row in listed) == sorted(row["id"] for row in meant)


@pytest.mark.spec("D1", "D9")
def test_the_three_windows_end_with_what_is_asked_for_and_hold_their_raw_counts(dsn: str, rows: list[Row]) -> None:
    rng = Random(4)
    for _ in range(8):
        name = rng.choice(list(ZONES))
        zone = ZoneInfo(ZONES[name])
        until = datetime.fromtimestamp(random_moment(rng), zone).replace(second=0, microsecond=0)
        words = ("--from", "2024-01-01", "--until", f"{until:%Y-%m-%d %H:%M}")
        done = called("report", "campaign", name, *words, "--json", dsn=dsn)
        (windows,) = done.json["windows"]
        end = done.json["campaigns"][0]["until"]
        last = datetime.fromtimestamp(end - 1e-6, zone)
        midnight = datetime(last.year, last.month, last.day, tzinfo=zone).timestamp()
        for window, since in (("today", midnight), ("last_24_h", end - 86400), ("last_30_days", end - 30 * 86400)):
            found = windows[window]
            persons = [row for row in rows if row["campaign"] == name and since <= row["opened_at"] < end and row["outcome"] in PERSONS]
            missed = sum(row["missed"] for row in persons)
            assert (found["since"], found["until"], found["person"], found["missed"]) == (since, end, len(persons), missed), words
            assert found["missed_rate_95"] == list(wilson(missed, len(persons)))


def test_hours_of_a_day_on_which_clocks_change_are_23_and_24_and_a_half(dsn: str) -> None:
    london = called("report", "hour", "--campaign", "spring", "--day", "2024-03-31", "--json", dsn=dsn).json["rows"]
    assert len(london) == 23 and [line["hour"][11:] for line in london[:2]] == ["00:00:00+00:00", "02:00:00+01:00"]
    island = called("report", "hour", "--campaign", "island", "--day", "2024-04-07", "--json", dsn=dsn).json["rows"]
    assert [line["hour"][11:] for line in island[1:4]] == ["01:00:00+11:00", "01:30:00+10:30", "02:00:00+10:30"]


# --- for people -----------------------------------------------------------------------------------------------------------------------


def numbers(line: str) -> list[int]:
    """dialed 12 = a 5 + b 7 → [12, 5, 7]"""
    return [int(word.replace(",", "")) for word in line.split("    ")[0].split() if word.replace(",", "").isdigit()]


def test_sentences_add_up(dsn: str) -> None:
    done = called("report", "campaign", "spring", *SPRING, dsn=dsn)
    _, _, dialed, person, *_ = done.out.splitlines()
    assert dialed.startswith("dialed ") and person.startswith("person ")
    for line in (dialed, person):
        whole, *parts = numbers(line)
        assert whole == sum(parts) and len(parts) > 3
    assert "our_fault " in dialed and " (95%: " in person


def test_a_table_ends_with_its_total(dsn: str) -> None:
    *_, header, a, b, total = called("report", "gateway", *SPRING, "--columns", "dialed", dsn=dsn).out.splitlines()
    assert header.split() == ["GATEWAY", "DIALED"]
    assert [line.split()[0] for line in (a, b, total)] == ["north", "south", "total"]
    assert sum(int(line.split()[1].replace(",", "")) for line in (a, b)) == 3010 and total.split()[1] == "3,010"


def test_a_day_without_calls_says_so_in_figures_not_in_errors(dsn: str) -> None:
    done = called("report", "campaign", "spring", "--day", "2001-01-01", dsn=dsn)
    assert done.code == 0 and "dialed 0\n" in done.out and "Mon 1 Jan 2001, Europe/London" in done.out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("campaign", "sprng"), 1, "there is no campaign sprng; nearest: spring"),
        (("hour", "--campaign", "sprng"), 1, "there is no campaign sprng; nearest: spring"),
        (("agent", "lam"), 1, "there is no agent lam; nearest: lan"),
        (("agent", "--columns", "talk"), 2, "there is no column `talk`; nearest: talked_s"),
        (("agent", "--by", "gatway"), 2, "there is no `gatway` to count by; nearest: gateway"),
        (("agent", "--by", "xyz"), 2, "there is no `xyz` to count by: one of campaign, agent"),
        (("agent", "--by", "cause,outcome"), 2, "that is too fine"),
        (("hour", "--by", "day"), 2, "hours or days, not both"),
        (("hour", "--day", "tomorow"), 2, "`tomorow` is no day: write 2026-11-20, today or yesterday"),
        (("hour", "--day", "today", "--from", "8:00"), 2, "--day is a whole day"),
        (("hour", "--until", "8:00"), 2, "--until needs --from"),
        (("hour", "--from", "8:00", "--until", "7:00"), 2, "`7:00` does not come after `8:00`"),
        (("hour", "--from", "2024-03-31 1:30", "--until", "2024-03-31", "--campaign", "spring"), 2, "does not exist in Europe/London"),
        (("hour", "--from", "2010-01-01", "--until", "2024-01-01"), 2, "by the hour at most a year"),
        (("hour", "--csv", "--json"), 2, "--csv or --json, not both"),
        (("attempts", "--csv", "--json"), 2, "--csv or --json, not both"),
        (("attempts", "--columns", "tlk_s"), 2, "there is no column `tlk_s`; nearest: talk_s"),
        (("attempts", "--filter", "talks > 3"), 2, "there is no field `talks`; nearest: talk_s"),
        (("attempts", "--filter", "agent ="), 2, "a value is expected behind `=`"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_is_wrong_is_told_with_what_to_write_instead(words: tuple[str, ...], code: int, told: str, dsn: str) -> None:
    done = called("report", *words, dsn=dsn)
    assert (done.code, done.out) == (code, "") and told in " ".join(done.err.split())


def test_a_caller_id_that_no_call_showed_is_noted_with_the_nearest(dsn: str) -> None:
    done = called("report", "caller-id", "+44 20 7946 0109", *SPRING, dsn=dsn)
    assert done.code == 0 and "no attempt of this time showed the caller id +442079460109; nearest: +44207946010" in done.err


def test_a_number_may_be_written_as_people_do(dsn: str) -> None:
    assert called("report", "caller-id", "+44 20 7946 0100", *SPRING, "--json", dsn=dsn).json["total"]["dialed"] > 1000


# --- attempts -------------------------------------------------------------------------------------------------------------------------


def csv_rows(done: Done) -> list[list[str]]:
    assert done.code == 0, done.err
    return list(csv.reader(io.StringIO(done.out)))


@pytest.mark.spec("M24", "M18", "X8")
def test_columns_are_those_chosen_script_answers_and_the_persons_attributes_too(dsn: str, rows: list[Row]) -> None:
    columns = "id,answers.renew,answers.extras,answers.none,attributes.plan,attributes.tried_evening,name,gates,wait_s,missed"
    header, *found = csv_rows(called("report", "attempts", *SPRING, "--columns", columns, "--csv", dsn=dsn))
    assert header == columns.split(",") and len(found) == len(rows)
    by_id = {row["id"]: row for row in rows}
    for cells in found:
        row, shown = by_id[cells[0]], dict(zip(header, cells, strict=True))
        answer = row["answers"].get("renew", "")
        assert shown["answers.renew"] == ("'@later" if answer == "@later" else answer)
        assert shown["answers.extras"] == ("tv, phone" if row["answers"] else "") and shown["answers.none"] == ""
        assert shown["attributes.tried_evening"] == ("yes" if row["number"].endswith("03") else "")
        assert shown["missed"] == {True: "yes", False: "no", None: ""}[row["missed"]]
        assert shown["gates"] == '[["hours", "ok"], ["do_not_call", "ok"]]'


@pytest.mark.spec("D7")
def test_no_cell_of_a_csv_can_be_taken_for_a_formula(dsn: str) -> None:
    done = called("report", "attempts", *SPRING, "--columns", "number,disposition,attributes.cell,answers.renew,caller_id", "--csv", dsn=dsn)
    cells = {cell for row in csv_rows(done) for cell in row}
    assert {"'=cmd()", "'=1+1", "'@later", "'+442079460100"} <= cells
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in cells)
    header, *_ = csv_rows(called("report", "agent", *SPRING, "--csv", dsn=dsn))
    assert "disposition.=cmd()" in header


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ("outcome = busy", lambda row: row["outcome"] == "busy"),
        ("talk_s > 60 and answers.renew = yes", lambda row: (row["talk_s"] or 0) > 60 and row["answers"].get("renew") == "yes"),
        ("missed = yes or not has agent", lambda row: bool(row["missed"]) or not row["agent"]),
        ("sip_status in (486, 200) and revision = 2", lambda row: row["sip_status"] in (486, 200) and row["revision"] == 2),
        ("not has outcome", lambda row: row["outcome"] is None),
        ("opened_at >= 2024-04-07 and campaign = spring", lambda row: row["campaign"] == "spring" and row["opened_at"] >= 1712444400.0),
        ("`answers.renew` starts with '@'", lambda row: row["answers"].get("renew", "").startswith("@")),
    ],
)
def test_a_filter_picks_the_rows_that_meet_it(where: str, holds: Callable[[Row], bool], dsn: str, rows: list[Row]) -> None:
    found = called("report", "attempts", *SPRING, "--filter", where, "--json", dsn=dsn).json["attempts"]
    wanted = [row["id"] for row in rows if holds(row)]
    assert wanted and [row["id"] for row in found] == wanted


@pytest.mark.spec("D7")
def test_a_hostile_filter_is_a_text_like_any(dsn: str) -> None:
    done = called("report", "attempts", *SPRING, "--filter", 'number = "\'; DROP TABLE attempts; --"', "--agent", "x' OR '1'='1", "--json", dsn=dsn)
    assert done.code == 1 and "there is no agent" in done.err
    found = called("report", "attempts", *SPRING, "--filter", 'number = "\'; DROP TABLE attempts; --"', "--gateway", "x' OR '1'='1", "--json", dsn=dsn)
    assert found.json["attempts"] == []


def test_rows_are_read_page_by_page_and_a_limit_says_that_there_is_more(dsn: str, rows: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "PAGE", 7)
    found = called("report", "attempts", *SPRING, "--limit", "20", "--json", dsn=dsn).json
    assert (found["attempts"], found["count"], found["more"]) == (rows[:20], 20, True)
    assert len(csv_rows(called("report", "attempts", *SPRING, "--limit", "20", "--csv", dsn=dsn))) == 21


def test_on_the_screen_numbers_are_masked_and_it_ends_somewhere(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_attempts, "ON_SCREEN", 5)
    done = called("report", "attempts", "--campaign", "spring", *SPRING, dsn=dsn)
    header, *lines = done.out.splitlines()
    assert header.split()[:2] == ["OPENED", "AT"] and len(lines) == 5 and "+4420794601" not in done.out and "+442***10" in done.out
    assert "The first 5 attempts; there are more." in done.err


@pytest.mark.parametrize("command", ["campaign", "agent", "caller-id", "gateway", "hour", "attempts"])
def test_before_there_is_a_campaign_a_report_is_empty_and_fine(command: str, pg_dsn: str) -> None:
    assert called("report", command, dsn=pg_dsn).code == 0
    assert called("report", command, "--json", dsn=pg_dsn).code == 0


# --- agents' hours ------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def worked(pg_dsn: str) -> str:
    """Lan worked on two days, Hoa on one and missed offers; nobody had a call. 2024-03-04 begins at 00:00 UTC in spring's zone or near it."""
    with closing(psycopg2.connect(pg_dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute('INSERT INTO agents (id, definition) VALUES (\'lan\', \'{"id": "lan", "dial_string": "user/1"}\')')
        definition = '{"id": "spring", "type": "progressive", "window": {"zone": "UTC"}, "caller_id": {"numbers": ["+34910000000"]}}'
        cursor.execute(
            "INSERT INTO campaigns (name, newest_revision) VALUES ('spring', 1);"
            "INSERT INTO campaign_revisions (campaign, revision, type, definition, created_by) VALUES ('spring', 1, 'progressive', %s, 'test')",
            (definition,),
        )
    store = PostgresStore(pg_dsn)
    try:
        for agent, day, open_s, missed in (("lan", 4, 3000.0, 0), ("lan", 5, 600.0, 1), ("hoa", 4, 1800.0, 2)):
            hour = datetime(2024, 3, day, 9, tzinfo=ZoneInfo("UTC")).timestamp()
            spent = (("screen_open", open_s), ("ready", open_s / 2), ("wrap_up", 90.0), ("talking", 7.0))
            store.save_agent_times([AgentTimes(AgentId(agent), hour, hour + 3600, spent, missed_offers=missed)])
    finally:
        store.close()
    return pg_dsn


def test_agents_hours_stand_beside_their_calls_and_add_up(worked: str) -> None:
    found = called("report", "agent", "--from", "2024-03-04", "--until", "2024-03-05", "--json", dsn=worked).json
    shown = [(row["agent"], row["open_s"], row["ready_s"], row["wrap_up_s"], row["missed_offers"], row["calls"], row["talked_s"]) for row in found["rows"]]
    assert shown == [("hoa", 1800.0, 900.0, 90.0, 2, 0, 0.0), ("lan", 3600.0, 1800.0, 180.0, 1, 0, 0.0)]
    assert (found["total"]["open_s"], found["total"]["missed_offers"]) == (5400.0, 3)
    assert "talking_s" not in found["rows"][0]


def test_agents_hours_are_told_by_day_and_of_one_agent(worked: str) -> None:
    found = called("report", "agent", "lan", "--from", "2024-03-04", "--until", "2024-03-05", "--by", "day", "--json", dsn=worked).json
    assert [(row["agent"], row["day"], row["open_s"]) for row in found["rows"]] == [("lan", "2024-03-04", 3000.0), ("lan", "2024-03-05", 600.0)]


def test_the_table_of_agents_shows_open_ready_talk_and_wrap_up(worked: str) -> None:
    done = called("report", "agent", "--day", "2024-03-04", dsn=worked)
    header, hoa = (next(line for line in done.out.splitlines() if line.startswith(name)) for name in ("AGENT", "hoa"))
    assert re.split(r"\s{2,}", header) == ["AGENT", "OPEN", "READY", "TALK", "WRAP", "CALLS", "NO RESULT", "MISSED OFFERS"]
    assert hoa.split() == ["hoa", "30:00", "15:00", "0:00", "1:30", "0", "0", "2"]


def test_agents_hours_belong_to_no_campaign_and_no_trunk(worked: str) -> None:
    by_campaign = called("report", "agent", "--from", "2024-03-04", "--until", "2024-03-05", "--by", "campaign", "--json", dsn=worked).json
    assert (by_campaign["rows"], "open_s" in by_campaign["total"]) == ([], False)


def test_agents_hours_come_as_csv_under_their_names(worked: str) -> None:
    done = called("report", "agent", "--day", "2024-03-04", "--csv", "--columns", "open_s,missed_offers", dsn=worked)
    assert list(csv.reader(io.StringIO(done.out))) == [["agent", "open_s", "missed_offers"], ["hoa", "1800.0", "2"], ["lan", "3000.0", "0"]]


def test_columns_of_agents_hours_are_unknown_to_other_reports(worked: str) -> None:
    assert "there is no column `open_s`" in called("report", "gateway", "--columns", "open_s", dsn=worked).err

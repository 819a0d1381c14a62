"""plan: what would change and what that would do, before anything changes (ux: plan and apply)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.cli.runner import CAMPAIGN, a_folder, applied, called

pytestmark = pytest.mark.spec("X5")

PREDICTIVE = "type: predictive\ncaller_id: +44 20 7946 0100\nwindow: {zone: Europe/London}\nagents: {people: [lan]}\n"


def sql(dsn: str, statement: str, *words: Any) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement, words)
        return cursor.fetchall() if cursor.description else []


def running(dsn: str) -> None:
    sql(dsn, "UPDATE campaigns SET state = 'running', started = true, approved_revision = newest_revision")


def spring(folder: Path, extra: str) -> Path:
    path = folder / "campaigns" / "spring.yml"
    path.write_text(CAMPAIGN + extra)
    return path


def test_a_plan_of_new_files_counts_what_it_adds_and_says_what_comes_next(tmp_path: Path, pg_dsn: str) -> None:
    done = called("plan", a_folder(tmp_path), dsn=pg_dsn)
    assert done.code == 0, done.err
    *lines, last = done.out.splitlines()
    assert lines == [
        "installation, new: 4 settings",
        "2 agents, new: hoa, lan",
        "spring  progressive, new: 4 settings, no leads yet, any of 60 free lines",
    ]
    assert last.startswith("Plan p-") and "0 to change, 4 to add, 0 to end, 0 unchanged." in last
    assert last.endswith(f"Next: fs-dialer apply {last.split()[1].rstrip(':')}")


def test_a_plan_changes_nothing(tmp_path: Path, pg_dsn: str) -> None:
    called("plan", a_folder(tmp_path), dsn=pg_dsn)
    assert sql(pg_dsn, "SELECT (SELECT count(*) FROM campaigns), (SELECT count(*) FROM definitions), (SELECT count(*) FROM audit)") == [(0, 0, 0)]


def test_every_setting_is_shown_old_and_new_in_the_files_own_words(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    running(pg_dsn)
    path = spring(folder, "attempts: {gap: 2h}\ntitle: In spring\nlines: 20\n")
    lines = called("plan", path, dsn=pg_dsn).out.splitlines()
    assert lines[0].split() == ["spring", "progressive,", "running", "r1", "->", "r2", str(path)]
    assert lines[1:-1] == [
        "  + title         In spring",
        "  ~ attempts.gap  4h -> 2h  changes nothing for leads that wait now",
        "  + lines         20        of 60 that other running campaigns leave",
        "  . r1 dials on; r2 needs approval again",
    ]


def test_the_effect_is_counted_in_leads(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    running(pg_dsn)
    sql(pg_dsn, "INSERT INTO contacts (number) SELECT '+4420794601' || n FROM generate_series(10, 14) AS n")
    sql(
        pg_dsn,
        "INSERT INTO leads (campaign, contact, number, status, attempts, ready_at, ready_why)"
        " SELECT 'spring', id, number, 'retry', 2, now() + interval '1 hour', 'gap' FROM contacts",
    )
    sql(
        pg_dsn,
        "INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at, outcome, cause, ended_at, missed,"
        " leg_seen) SELECT gen_random_uuid(), 'spring', 1, id, 'new', 1, gen_random_uuid(), number, 'north', '', now() - interval '3 hours', 'no_answer', '',"
        " now() - interval '3 hours', false, true FROM leads",
    )
    done = called("plan", spring(folder, "attempts: {gap: 2h, max: 2}\n"), "--json", dsn=pg_dsn).json
    (change,) = done["changes"]
    assert {each["setting"]: (each["old"], each["new"], each["effect"], each["warns"]) for each in change["differences"]} == {
        "attempts.max": ("3", "2", "5 leads have had 2 calls or more: exhausted, not called any more", True),
        "attempts.gap": ("4h", "2h", "5 leads become ready at once", False),
    }


def test_a_ceiling_that_is_passed_already_is_marked(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path)
    path = folder / "campaigns" / "spring.yml"
    path.write_text(PREDICTIVE)
    assert called("apply", folder, dsn=pg_dsn).code == 0
    running(pg_dsn)
    sql(
        pg_dsn,
        "INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at, outcome, cause, ended_at, missed,"
        " leg_seen) SELECT gen_random_uuid(), 'spring', 1, n, 'new', 1, gen_random_uuid(), '', 'north', '', now() - interval '1 day' * mod(n, 20),"
        " CASE WHEN mod(n, 40) = 0 THEN 'missed' ELSE 'connected' END, '', now(), mod(n, 40) = 0, true FROM generate_series(1, 1000) AS n",
    )
    path.write_text(PREDICTIVE + "missed: {max: 2%}\n")
    out = called("plan", path, dsn=pg_dsn).out
    assert "  ~ missed.max  3% -> 2%  ! 25 missed of 1,000 (2.5%): over the new limit at once, so it would run as progressive until about " in out


@pytest.mark.spec("D5")
def test_a_schedule_that_changes_says_which_campaigns_need_an_approval(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path, extra="hours: office\n")
    (folder / "campaigns" / "any-time.yml").write_text(CAMPAIGN)
    schedules = folder / "schedules.yml"
    schedules.write_text("schedules:\n  office: {hours: {mon-fri: 8:00-20:00}}\n")
    assert called("apply", folder, dsn=pg_dsn).code == 0
    running(pg_dsn)
    schedules.write_text("schedules:\n  office: {hours: {mon-sat: 8:00-20:00}}\n")
    lines = called("plan", schedules, dsn=pg_dsn).out.splitlines()
    assert lines[0].split() == ["schedule", "office", "r1", "->", "r2", str(schedules)]
    assert lines[1:3] == ["  + hours.sat  8:00-20:00", "  . spring rests on it: new revisions below"]
    assert lines[3].split() == ["spring", "progressive,", "running", "r1", "->", "r2"]
    assert lines[4].startswith("  + hours.sat  8:00-20:00  first effect Sat ")
    assert lines[5:7] == ["  . because of schedule office", "  . r1 dials on; r2 needs approval again"]
    assert "2 to change, 0 to add, 0 to end, 0 unchanged" in lines[-1]


@pytest.mark.spec("D5")
def test_a_team_that_changes_needs_nobodys_approval(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path)
    (folder / "campaigns" / "spring.yml").write_text(CAMPAIGN.replace("people: [lan, hoa]", "teams: [sales]"))
    teams = folder / "teams.yml"
    teams.write_text("teams:\n  sales: [lan]\n")
    assert called("apply", folder, dsn=pg_dsn).code == 0
    teams.write_text("teams:\n  sales: [lan, hoa]\n")
    lines = called("plan", teams, dsn=pg_dsn).out.splitlines()
    assert lines[1] == "  + people  hoa"
    assert "1 to change, 0 to add, 0 to end, 0 unchanged" in lines[-1]


def test_the_defaults_change_every_campaign_that_takes_them(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path)
    (folder / "campaigns" / "own.yml").write_text(CAMPAIGN + "ring: 30s\n")
    defaults = folder / "defaults.yml"
    defaults.write_text("ring: 20s\n")
    assert called("apply", folder, dsn=pg_dsn).code == 0
    defaults.write_text("ring: 22s\n")
    found = called("plan", defaults, "--json", dsn=pg_dsn).json["changes"]
    assert [(each["kind"], each["name"], each["because"]) for each in found] == [("defaults", "", []), ("campaign", "spring", ["defaults"])]
    assert found[0]["differences"] == [{"setting": "ring", "old": "20s", "new": "22s", "effect": "", "warns": False}]


def test_what_is_written_otherwise_and_means_the_same_needs_no_approval(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    running(pg_dsn)
    out = called("plan", spring(folder, "ring: 25s\n"), dsn=pg_dsn).out
    assert "r1, the same in other words: needs no approval" in out
    assert "0 to change, 0 to add, 0 to end, 1 in other words, 0 unchanged" in out


def test_a_campaign_that_is_in_none_of_the_folders_files_is_told_and_left_alone(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    (folder / "campaigns" / "spring.yml").rename(folder / "campaigns" / "summer.yml")
    out = called("plan", folder, dsn=pg_dsn).out
    assert "spring  in none of these files: left alone   (--prune would end it)" in out and "0 to end" in out
    assert "left alone" not in called("plan", folder / "campaigns" / "summer.yml", dsn=pg_dsn).out


@pytest.mark.spec("M19")
def test_state_ended_in_a_file_plans_the_campaigns_end(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    running(pg_dsn)
    out = called("plan", spring(folder, "state: ended\n"), dsn=pg_dsn).out
    assert "spring  progressive, running: it ends, for good" in out and "0 to change, 0 to add, 1 to end" in out


def test_another_state_in_a_file_is_refused(tmp_path: Path, pg_dsn: str) -> None:
    done = called("plan", a_folder(tmp_path, extra="state: running\n"), dsn=pg_dsn)
    assert done.code == 3 and "state: only `ended` can stand here" in done.err


def test_prune_ends_campaigns_and_removes_things_of_the_kinds_that_the_files_define(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    (folder / "campaigns" / "spring.yml").rename(folder / "campaigns" / "summer.yml")
    (folder / "agents.yml").write_text("agents:\n  lan: {dial: user/1001, leg: nailed, name: Lan}\n  tam: {dial: user/1003}\n")
    (folder / "campaigns" / "summer.yml").write_text(CAMPAIGN.replace("hoa", "tam"))
    out = called("plan", folder, "--prune", dsn=pg_dsn).out
    assert "1 agent, removed: hoa" in out and "spring  progressive, new: it ends, for good, no file names it" in out
    assert "0 to change, 2 to add, 1 to end, 1 to remove, 2 unchanged" in out
    only_campaigns = called("plan", folder / "campaigns", folder / "agents.yml", "--prune", "--json", dsn=pg_dsn).json
    assert only_campaigns["counts"]["remove"] == 1, "the installation stays"


def test_what_is_still_named_can_not_be_pruned(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    (folder / "agents.yml").write_text("agents:\n  lan: {dial: user/1001, leg: nailed, name: Lan}\n")
    done = called("plan", folder / "agents.yml", "--prune", dsn=pg_dsn)
    assert done.code == 3 and "agent hoa is removed by --prune but named by campaign spring" in done.err
    assert sql(pg_dsn, "SELECT count(*) FROM plans WHERE applied_at IS NULL") == [(0,)]


def test_a_campaign_that_has_ended_is_left_aside_and_told(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    sql(pg_dsn, "UPDATE campaigns SET state = 'ended'")
    out = called("plan", spring(folder, "ring: 20s\n"), dsn=pg_dsn).out
    assert "spring  has ended, and never changes again" in out and "Nothing to do" in out
    unchanged = spring(folder, "")
    assert "spring  has ended" in called("apply", unchanged, dsn=pg_dsn).out, "whoever names the file wants to know"
    assert "has ended" not in called("plan", folder, dsn=pg_dsn).out, "in a folder it may lie about"


def test_nothing_to_do_makes_no_plan(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    done = called("plan", folder, "--json", dsn=pg_dsn)
    assert done.json["plan"] is None and done.json["changes"] == []
    assert called("plan", folder, dsn=pg_dsn).out == "Nothing to do: the database says what these files say (4 unchanged).\n"


def test_the_exit_code_tells_changes_only_where_it_is_asked_for(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path)
    assert called("plan", folder, dsn=pg_dsn).code == 0
    assert called("plan", folder, "--detailed-exitcode", dsn=pg_dsn).code == 5
    applied(folder, pg_dsn)
    assert called("plan", folder, "--detailed-exitcode", dsn=pg_dsn).code == 0


def test_full_shows_every_setting_with_its_origin(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path, extra="attempts: {max: 4}\n")
    (folder / "defaults.yml").write_text("attempts:\n  gap: 2h\n")
    lines = [line.split() for line in called("plan", folder, "--full", dsn=pg_dsn).out.splitlines()]
    assert ["attempts.max", "4", "spring.yml:5"] in lines
    assert ["attempts.gap", "2h", "defaults.yml:2"] in lines
    assert ["ring", "25s", "built", "in"] in lines


def test_files_with_problems_make_no_plan(tmp_path: Path, pg_dsn: str) -> None:
    done = called("plan", a_folder(tmp_path, extra="wrapup: 10s\n"), dsn=pg_dsn)
    assert done.code == 3 and done.out == "" and "spring.yml:5:1  `wrapup` is no setting" in done.err
    assert sql(pg_dsn, "SELECT count(*) FROM plans") == [(0,)]


def test_words_of_a_file_can_not_move_the_terminals_cursor(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path, extra='title: "\\e[2Jgone"\n')
    done = called("plan", folder, dsn=pg_dsn)
    assert "\x1b" not in done.out + done.err


@pytest.mark.spec("S21")
def test_a_new_campaign_says_how_many_leads_its_group_gives(tmp_path: Path, pg_dsn: str) -> None:
    sql(pg_dsn, "INSERT INTO contacts (number) SELECT '+4420794601' || n FROM generate_series(10, 14) AS n")
    sql(pg_dsn, "INSERT INTO group_members (contact_group, contact) SELECT 'gold', id FROM contacts")
    sql(pg_dsn, "INSERT INTO do_not_call (number, added_by) VALUES ('+442079460110', 'x')")
    folder = a_folder(tmp_path, extra="leads: {group: gold}\nlines: 40\n")
    (folder / "groups.yml").write_text("groups:\n  gold: {}\n")
    assert "spring  progressive, new: 6 settings, 5 leads (1 do-not-call), 40 lines of 60 free" in called("plan", folder, dsn=pg_dsn).out

"""apply: files or a plan into the database, all of it or nothing, and back again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from fs_dialer.db.backoffice import Backoffice
from tests.cli.runner import AGENTS, CAMPAIGN, a_folder, applied, called

pytestmark = pytest.mark.spec("X5")


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


def a_plan(dsn: str, *words: str | Path) -> str:
    done = called("plan", *words, "--json", dsn=dsn)
    assert done.code == 0, done.err
    return str(done.json["plan"])


def revisions(dsn: str, campaign: str = "spring") -> list[tuple[Any, ...]]:
    return sql(dsn, "SELECT revision, definition ->> 'ring_timeout_s' FROM campaign_revisions WHERE campaign = %s ORDER BY revision", campaign)


# --- files ----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S23", "S24")
def test_apply_creates_then_leaves_unchanged_then_changes(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path)
    first = called("apply", folder, "--json", dsn=pg_dsn).json["changes"]
    assert {(each["kind"], each["name"]): each["what"] for each in first} == {
        ("installation", ""): "created",
        ("agent", "hoa"): "created",
        ("agent", "lan"): "created",
        ("campaign", "spring"): "created",
    }
    assert {each["what"] for each in called("apply", folder, "--json", dsn=pg_dsn).json["changes"]} == {"unchanged"}
    spring(folder, "ring: 20s\n")
    third = {each["name"]: each for each in called("apply", folder, "--json", dsn=pg_dsn).json["changes"]}
    assert third["spring"] == {"kind": "campaign", "name": "spring", "what": "changed", "revision": 2, "needs_approval": True, "leads": None}
    assert third["lan"]["what"] == "unchanged"


def test_apply_prints_the_plan_and_what_was_stored(tmp_path: Path, pg_dsn: str) -> None:
    lines = called("apply", a_folder(tmp_path), dsn=pg_dsn).out.splitlines()
    assert lines[2].startswith("spring  progressive, new: ")
    assert lines[3:6] == ["ok spring  r1 stored, unapproved: fs-dialer approve spring", "ok installation created", "ok 2 agents created: hoa, lan"]
    assert lines[6].startswith("Applied 4 of 4.     Undo: fs-dialer apply --revert p-")


@pytest.mark.spec("D5")
def test_a_changed_definition_waits_for_approval_while_the_old_one_dials(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    running(pg_dsn)
    assert "ok spring  r2 stored, r1 dials on until: fs-dialer approve spring@2" in called("apply", spring(folder, "ring: 20s\n"), dsn=pg_dsn).out
    assert sql(pg_dsn, "SELECT state, approved_revision, newest_revision FROM campaigns") == [("running", 1, 2)]


def test_one_problem_anywhere_and_nothing_is_stored(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path)
    (folder / "campaigns" / "summer.yml").write_text(CAMPAIGN + "wrapup: 10s\n")
    done = called("apply", folder, dsn=pg_dsn)
    assert done.code == 3 and done.out == "" and "summer.yml:5:1  `wrapup` is no setting" in done.err
    assert called("campaign", "list", "--json", dsn=pg_dsn).json == {"campaigns": []}
    assert called("agent", "list", "--json", dsn=pg_dsn).json == {"agents": []}


@pytest.mark.spec("S23")
def test_what_a_path_does_not_name_is_left_alone(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    (folder / "campaigns" / "summer.yml").write_text(CAMPAIGN)
    done = called("apply", folder / "campaigns" / "summer.yml", "--json", dsn=pg_dsn)
    assert [each["name"] for each in done.json["changes"]] == ["summer"]
    assert [each["name"] for each in called("campaign", "list", "--json", dsn=pg_dsn).json["campaigns"]] == ["spring", "summer"]


def test_a_campaign_may_name_agents_and_trunks_that_are_stored_already(tmp_path: Path, pg_dsn: str) -> None:
    applied(tmp_path / "one", pg_dsn)
    alone = tmp_path / "two" / "summer.yml"
    alone.parent.mkdir()
    alone.write_text(CAMPAIGN + "gateways: [trunk1]\n")
    assert called("apply", alone, dsn=pg_dsn).code == 0


def test_a_campaign_whose_agents_are_in_a_file_beside_it_says_how_to_apply_both(tmp_path: Path, pg_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = called("apply", "campaigns/spring.yml", "--json", dsn=pg_dsn)
    assert done.code == 3
    assert done.json["error"]["advice"][-1] == "fs-dialer apply campaigns/spring.yml agents.yml installation.yml"
    assert len(done.json["error"]["problems"]) == 2


@pytest.mark.spec("S19")
def test_apply_prints_the_line_that_imports_a_campaigns_leads(tmp_path: Path, pg_dsn: str) -> None:
    a_folder(tmp_path, extra="leads: {csv: my list.csv}\n")
    (tmp_path / "campaigns" / "my list.csv").write_text("phone\n")
    done = called("apply", tmp_path, dsn=pg_dsn)
    assert f"leads of spring: fs-dialer lead import '{tmp_path}/campaigns/my list.csv' --campaign spring" in done.out


def test_settings_of_the_program_in_the_folder_are_left_aside_and_told(tmp_path: Path, pg_dsn: str) -> None:
    a_folder(tmp_path)
    (tmp_path / "fs-dialer.yml").write_text("log: {level: info}\n")
    done = called("apply", tmp_path, dsn=pg_dsn)
    assert done.code == 0 and "fs-dialer.yml" in done.err and "fs-dialer.yml" not in done.out


def test_agents_are_named_as_people_count(tmp_path: Path, pg_dsn: str) -> None:
    path = tmp_path / "agents.yml"
    path.write_text("agents:\n" + "".join(f"  agent-{n}: {{dial: user/{1000 + n}}}\n" for n in range(1, 13)))
    assert "ok 12 agents created: agent-1, agent-2, agent-3, agent-4, agent-5 and 7 more" in called("apply", path, dsn=pg_dsn).out


def test_who_applied_and_why_stands_in_the_audit(tmp_path: Path, pg_dsn: str) -> None:
    called("apply", a_folder(tmp_path), "--why", "the season begins", dsn=pg_dsn, SUDO_USER="an.le")
    with closing(Backoffice(pg_dsn)) as office:
        assert {(line.who, line.why) for line in office.audit_list()} == {("an.le", "the season begins")}


def test_apply_of_agents_alone_needs_no_campaign(tmp_path: Path, pg_dsn: str) -> None:
    (tmp_path / "agents.yml").write_text(AGENTS)
    assert called("apply", tmp_path / "agents.yml", dsn=pg_dsn).out.splitlines()[:2] == ["2 agents, new: hoa, lan", "ok 2 agents created: hoa, lan"]


@pytest.mark.spec("S21", "M2")
def test_a_new_campaign_gets_the_leads_of_its_group(tmp_path: Path, pg_dsn: str) -> None:
    sql(pg_dsn, "INSERT INTO contacts (number) SELECT '+4420794601' || n FROM generate_series(10, 14) AS n")
    sql(pg_dsn, "INSERT INTO group_members (contact_group, contact) SELECT 'gold', id FROM contacts")
    folder = a_folder(tmp_path, extra="leads: {group: gold}\n")
    (folder / "groups.yml").write_text("groups:\n  gold: {}\n")
    assert "ok spring  r1 stored, unapproved, 5 leads joined: fs-dialer approve spring" in called("apply", folder, dsn=pg_dsn).out
    assert sql(pg_dsn, "SELECT count(*) FROM leads WHERE status = 'new'") == [(5,)]


def test_an_older_file_again_is_a_revision_of_its_own(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path)
    for extra in ("", "ring: 20s\n", ""):
        spring(folder, extra)
        assert called("apply", folder, dsn=pg_dsn).code == 0
    assert revisions(pg_dsn) == [(1, "25.0"), (2, "20.0"), (3, "25.0")]


def test_a_secret_is_stored_by_reference_only(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path)
    (folder / "installation.yml").write_text("lines: 60\ncps: 10\nwebhook_hosts: [crm.example.com]\ngateways:\n  trunk1: {lines: 30}\n")
    hooks = folder / "webhooks.yml"
    hooks.write_text("webhooks:\n  crm: {url: https://crm.example.com/calls, secret: hunter2}\n")
    refused = called("apply", folder, dsn=pg_dsn)
    assert refused.code == 3 and "write env:NAME or file:/path" in refused.err
    hooks.write_text("webhooks:\n  crm: {url: https://crm.example.com/calls, secret: env:CRM_SECRET}\n")
    assert called("apply", folder, dsn=pg_dsn, CRM_SECRET="hunter2").code == 0
    assert sql(pg_dsn, "SELECT definition ->> 'secret' FROM definitions WHERE kind = 'webhooks'") == [("env:CRM_SECRET",)]
    everything = sql(pg_dsn, "SELECT string_agg(d::text, '') FROM definition_revisions d") + sql(pg_dsn, "SELECT string_agg(p::text, '') FROM plans p")
    assert "hunter2" not in str(everything)


# --- plans ----------------------------------------------------------------------------------------------------------------------------------


def test_a_plan_is_applied_as_it_was_made_whatever_its_files_say_by_now(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    plan = a_plan(pg_dsn, spring(folder, "ring: 20s\n"))
    spring(folder, "ring: 30s\n")
    done = called("apply", plan, "--json", dsn=pg_dsn)
    assert done.code == 0 and done.json["plan"] == plan
    assert revisions(pg_dsn) == [(1, "25.0"), (2, "20.0")]
    assert sql(pg_dsn, "SELECT plan FROM campaign_revisions WHERE revision = 2") == [(plan,)]


def test_a_plan_of_another_world_is_refused_and_says_who_moved_it(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    plan = a_plan(pg_dsn, spring(folder, "ring: 20s\n"))
    (folder / "campaigns" / "summer.yml").write_text(CAMPAIGN)
    called("apply", folder / "campaigns" / "summer.yml", dsn=pg_dsn, SUDO_USER="an.le")
    done = called("apply", plan, dsn=pg_dsn)
    assert done.code == 3 and done.out == ""
    assert f"refused: {plan} is stale, an.le applied summer at " in done.err and "Nothing was changed." in done.err
    assert revisions(pg_dsn) == [(1, "25.0")]


@pytest.mark.spec("M19")
def test_a_pause_makes_a_plan_stale(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    running(pg_dsn)
    plan = a_plan(pg_dsn, spring(folder, "ring: 20s\n"))
    sql(pg_dsn, "UPDATE campaigns SET state = 'paused'")
    details = """'{"from": "running", "to": "paused", "revision": 1}'"""
    sql(pg_dsn, f"INSERT INTO audit (who, what, target, details) VALUES ('an.le', 'campaign_state', 'spring', {details})")
    assert "is stale, an.le paused spring at " in called("apply", plan, dsn=pg_dsn).err


def test_a_plan_is_applied_once(tmp_path: Path, pg_dsn: str) -> None:
    plan = a_plan(pg_dsn, a_folder(tmp_path))
    assert called("apply", plan, dsn=pg_dsn).code == 0
    again = called("apply", plan, dsn=pg_dsn)
    assert again.code == 3 and f"{plan} was applied by" in again.err and f"fs-dialer apply --revert {plan}" in again.err


def test_an_unknown_plan_names_the_nearest(tmp_path: Path, pg_dsn: str) -> None:
    none = called("apply", "p-0000", dsn=pg_dsn)
    assert none.code == 3 and "none was made yet" in none.err
    assert "there is no plan p-zzzz" in called("apply", "p-zzzz", dsn=pg_dsn).err
    plan = a_plan(pg_dsn, a_folder(tmp_path))
    other = plan[:-1] + ("0" if plan[-1] != "0" else "1")
    done = called("apply", other, dsn=pg_dsn)
    assert done.code == 3 and f"there is no plan {other}; nearest: {plan}" in done.err


def test_the_reason_of_a_plan_is_that_of_its_apply(tmp_path: Path, pg_dsn: str) -> None:
    plan = a_plan(pg_dsn, a_folder(tmp_path), "--why", "spring sale")
    called("apply", plan, dsn=pg_dsn)
    assert sql(pg_dsn, "SELECT DISTINCT why FROM audit") == [("spring sale",)]


# --- ends and removals ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M19", "D11")
def test_an_end_asks_for_the_name_and_goes_to_the_daemon(tmp_path: Path, pg_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    running(pg_dsn)
    path = spring(folder, "state: ended\n")
    asked = called("apply", path, dsn=pg_dsn)
    assert asked.code == 2 and "spring ends for good: say --confirm spring, or --yes" in asked.err
    assert called("apply", path, "--confirm", "sprong", dsn=pg_dsn).code == 2
    assert sql(pg_dsn, "SELECT count(*) FROM commands") == [(0,)]
    monkeypatch.setattr("fs_dialer.cli.campaigns.REPLY_TIMEOUT_S", 0.0)
    said = called("apply", path, "--yes", dsn=pg_dsn).out
    assert "for good (no undo). To go on with its leads: fs-dialer campaign clone spring NEW" in said and "--revert" not in said
    sql(pg_dsn, "DELETE FROM commands")
    done = called("apply", path, "--yes", "--json", dsn=pg_dsn).json
    assert [(each["campaign"], each["result"]) for each in done["ending"]] == [("spring", "queued")]
    assert sql(pg_dsn, "SELECT verb, target FROM commands") == [("end", "spring")]
    assert sql(pg_dsn, "SELECT state FROM campaigns") == [("running",)], "a state is the daemon's to change"


def test_what_is_pruned_has_to_be_confirmed_by_its_number_even_with_yes(tmp_path: Path, pg_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    (folder / "campaigns" / "spring.yml").rename(folder / "campaigns" / "summer.yml")
    (folder / "campaigns" / "summer.yml").write_text(CAMPAIGN.replace(", hoa", ""))
    (folder / "agents.yml").write_text("agents:\n  lan: {dial: user/1001, leg: nailed, name: Lan}\n")
    refused = called("apply", folder, "--prune", "--yes", dsn=pg_dsn)
    assert refused.code == 2 and "spring ends for good and agent hoa goes: say --confirm 2." in refused.err
    monkeypatch.setattr("fs_dialer.cli.campaigns.REPLY_TIMEOUT_S", 0.0)
    done = called("apply", folder, "--prune", "--confirm", "2", dsn=pg_dsn)
    assert done.code == 0, done.err
    assert sql(pg_dsn, "SELECT id FROM agents") == [("lan",)]
    assert sql(pg_dsn, "SELECT target FROM commands") == [("spring",)]


def test_a_pruning_plan_is_confirmed_when_it_is_applied(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    (folder / "schedules.yml").write_text("schedules:\n  office: {hours: {mon: 8:00-9:00}}\n  late: {hours: {tue: 8:00-9:00}}\n")
    called("apply", folder, dsn=pg_dsn)
    (folder / "schedules.yml").write_text("schedules:\n  office: {hours: {mon: 8:00-9:00}}\n")
    plan = a_plan(pg_dsn, folder / "schedules.yml", "--prune")
    assert called("apply", plan, "--yes", dsn=pg_dsn).code == 2
    assert called("apply", plan, "--confirm", "late", dsn=pg_dsn).code == 0
    assert sql(pg_dsn, "SELECT name FROM definitions WHERE kind = 'schedules'") == [("office",)]


# --- the way back ---------------------------------------------------------------------------------------------------------------------------


def undo(dsn: str, *words: str) -> Any:
    (plan,) = sql(dsn, "SELECT id FROM plans WHERE applied_at IS NOT NULL ORDER BY applied_at DESC LIMIT 1")[0]
    return called("apply", "--revert", plan, *words, dsn=dsn)


@pytest.mark.spec("D5")
def test_a_reverted_change_is_a_new_revision_of_what_was_before(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    running(pg_dsn)
    called("apply", spring(folder, "ring: 20s\n"), dsn=pg_dsn)
    done = undo(pg_dsn)
    assert done.code == 0 and "  ~ ring  20s -> 25s" in done.out and "ok spring  r3 stored, r1 dials on" in done.out
    assert revisions(pg_dsn) == [(1, "25.0"), (2, "20.0"), (3, "25.0")]
    assert "r3, the same" not in called("plan", spring(folder, ""), dsn=pg_dsn).out
    assert undo(pg_dsn).code == 0
    assert revisions(pg_dsn)[-1] == (4, "20.0"), "a revert can be reverted"


def test_what_a_plan_made_is_taken_away_again(tmp_path: Path, pg_dsn: str) -> None:
    applied(a_folder(tmp_path), pg_dsn)
    refused = undo(pg_dsn)
    assert refused.code == 2 and "--confirm 4" in refused.err
    done = undo(pg_dsn, "--confirm", "4")
    assert done.code == 0, done.err
    assert sql(pg_dsn, "SELECT (SELECT count(*) FROM campaigns), (SELECT count(*) FROM agents), (SELECT count(*) FROM definitions)") == [(0, 0, 0)]


def test_a_change_that_went_through_a_schedule_is_reverted_with_it(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path, extra="hours: office\n")
    schedules = folder / "schedules.yml"
    schedules.write_text("schedules:\n  office: {hours: {mon-fri: 8:00-20:00}}\n")
    called("apply", folder, dsn=pg_dsn)
    schedules.write_text("schedules:\n  office: {hours: {mon-sat: 8:00-20:00}}\n")
    called("apply", schedules, dsn=pg_dsn)
    assert undo(pg_dsn).code == 0
    hours = "SELECT definition #> '{hours,week}' FROM campaign_revisions WHERE campaign = 'spring' AND revision IN (1, 3)"
    assert len({str(row) for row in sql(pg_dsn, hours)}) == 1 and len(revisions(pg_dsn)) == 3


def test_what_was_changed_since_can_not_be_reverted(tmp_path: Path, pg_dsn: str) -> None:
    folder = applied(a_folder(tmp_path), pg_dsn)
    plan = called("apply", spring(folder, "ring: 20s\n"), "--json", dsn=pg_dsn).json["plan"]
    called("apply", spring(folder, "ring: 30s\n"), dsn=pg_dsn)
    done = called("apply", "--revert", plan, dsn=pg_dsn)
    assert done.code == 3 and f"refused: spring changed since {plan} was applied. Nothing was changed." in done.err
    assert "fs-dialer history spring;" in done.err
    assert len(revisions(pg_dsn)) == 3


def test_a_new_campaign_that_was_approved_since_is_not_taken_away(tmp_path: Path, pg_dsn: str) -> None:
    applied(a_folder(tmp_path), pg_dsn)
    running(pg_dsn)
    done = undo(pg_dsn, "--confirm", "4")
    assert done.code == 1 and "can not be taken away any more" in done.err
    assert sql(pg_dsn, "SELECT (SELECT count(*) FROM campaigns), (SELECT count(*) FROM agents)") == [(1, 2)]


def test_a_plan_that_was_not_applied_has_no_way_back(tmp_path: Path, pg_dsn: str) -> None:
    plan = a_plan(pg_dsn, a_folder(tmp_path))
    done = called("apply", "--revert", plan, dsn=pg_dsn)
    assert done.code == 3 and "was not applied" in done.err


@pytest.mark.parametrize("words", [("--revert", "conf/"), ("p-0000", "--prune"), ("p-0000", "--full")])
def test_words_that_do_not_go_together_are_misuse(pg_dsn: str, words: tuple[str, ...]) -> None:
    assert called("apply", *words, dsn=pg_dsn).code == 2

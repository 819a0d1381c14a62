"""Flows and queues through check, plan and apply: what an admin reads, and what a changed flow means for the campaigns that keep it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from fs_dialer.cli.doctor.wanted import wanted
from fs_dialer.config.load import load_paths
from fs_dialer.core.definition import Installation
from fs_dialer.paths import conf_dir
from tests.cli.runner import called

FLOW = "ivrs:\n  dues:\n    nodes:\n      hello: {do: play, sound: hello.wav, next: bye}\n      bye: {do: end}\n"
CAMPAIGN = "type: autocall\ncaller_id: +44 20 7946 0100\nivr: dues\n"


def a_folder(folder: Path) -> Path:
    (folder / "campaigns").mkdir(parents=True)
    (folder / "campaigns" / "reminder.yml").write_text(CAMPAIGN)
    (folder / "ivrs.yml").write_text(FLOW)
    return folder


@pytest.mark.spec("S52", "D5", "X5")
def test_a_changed_flow_is_a_new_revision_of_its_campaigns_and_the_plan_says_which_step_changed(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path)
    first = called("apply", folder, dsn=pg_dsn)
    assert first.code == 0 and "ok 1 ivr created: dues" in first.out
    with closing(psycopg2.connect(pg_dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE campaigns SET state = 'running', started = true, approved_revision = newest_revision")
    (folder / "ivrs.yml").write_text(FLOW.replace("next: bye}", "next: ask}\n      ask: {do: menu, sound: keys.wav, keys: {1: bye}, tries: 2}"))
    plan = called("plan", folder / "ivrs.yml", dsn=pg_dsn).out
    assert "ivr dues" in plan and "reminder rests on it: new revisions below" in plan
    assert "~ ivr.nodes.hello.next  bye -> ask" in plan and "+ ivr.nodes.ask" in plan and "because of ivr dues" in plan
    done = called("apply", folder / "ivrs.yml", dsn=pg_dsn)
    assert done.code == 0 and "ok reminder  r2 stored, r1 dials on until: fs-dialer approve reminder@2" in done.out


@pytest.mark.spec("S52")
def test_a_flow_that_is_stored_may_be_named_and_one_in_use_can_not_be_taken_away(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path)
    assert called("apply", folder, dsn=pg_dsn).code == 0
    other = folder / "campaigns" / "second.yml"
    other.write_text(CAMPAIGN)
    assert called("apply", other, dsn=pg_dsn).code == 0
    (folder / "ivrs.yml").write_text(FLOW.replace("dues:", "other:"))
    gone = called("plan", folder / "ivrs.yml", "--prune", dsn=pg_dsn)
    assert gone.code == 3 and "`dues` is no ivr we know" in gone.err and "ivr dues is removed by --prune but named by campaign reminder" in gone.err


@pytest.mark.spec("S71", "X5")
def test_a_queue_needs_no_approval_and_its_changes_are_told_setting_by_setting(tmp_path: Path, pg_dsn: str) -> None:
    path = tmp_path / "queues.yml"
    path.write_text("queues: {support: {music: m.wav, max_wait: 2m}}\n")
    assert called("apply", path, dsn=pg_dsn).code == 0
    path.write_text("queues: {support: {music: m.wav, max_wait: 3m, callback: {key: star, after: 30s}}}\n")
    plan = called("plan", path, dsn=pg_dsn).out
    assert "queue support" in plan and "~ max_wait" in plan and "2m -> 3m" in plan and "+ callback" in plan and "{key: star, after: 30s}" in plan


@pytest.mark.spec("S45", "S75", "X9")
def test_the_sounds_of_flows_and_queues_are_among_those_that_doctor_looks_for() -> None:
    found = load_paths([conf_dir()])
    campaigns = [(campaign, ()) for campaign in found.campaigns]
    queues = [value for (kind, _), value in found.library.named.items() if kind == "queues"]
    sounds = wanted(found.installation or Installation(), campaigns, found.agents, (), queues).sounds
    assert sounds["fs-dialer/dues/reference.wav"] == ("campaign autocall",) == sounds["fs-dialer/dues/not-understood.wav"]
    assert sounds["fs-dialer/queue/music.wav"] == ("queue support",) == sounds["fs-dialer/queue/we-call-you.wav"]


def test_check_tells_warnings_and_is_content(tmp_path: Path) -> None:
    path = tmp_path / "queues.yml"
    path.write_text("queues:\n  support: {music: m.wav, callback: {key: 1}}\n")
    done = called("check", path)
    assert done.code == 0 and "! " in done.err + done.out and "nobody serves this queue" in done.err + done.out
    warned = called("check", path, "--json").json
    assert warned["problems"] == [] and [each["path"] for each in warned["warnings"]] == ["queues.support.agents"]


def test_check_is_silent_about_what_was_only_read_beside_a_campaign(tmp_path: Path) -> None:
    """The trigger that its queue needs is not read with it."""
    assert called("check", conf_dir() / "campaigns" / "callback.yml", "--json").json["warnings"] == []
    assert called("check", conf_dir() / "queues.yml", "--json").json["warnings"] == []
    assert called("check", conf_dir(), "--json").json["warnings"] == []

"""init, check, apply."""

from __future__ import annotations

from pathlib import Path

import pytest

from fs_dialer.cli.definitions import EXAMPLES
from fs_dialer.paths import conf_dir
from tests.cli.runner import AGENTS, CAMPAIGN, a_folder, called, run

FIVE = """\
type: progresive
caller_id: call me
attempts: {max: 3, gap: 4}
wrapup: 10s
agents:
  people: [lan, hoa, nobody]
"""


# --- init -----------------------------------------------------------------------------------------------------------------------------


def test_init_writes_a_set_that_check_finds_right_and_simulate_can_run(tmp_path: Path) -> None:
    done = run("init", "calls", cwd=tmp_path)
    assert done.code == 0, done.err
    assert sorted(str(path.relative_to(tmp_path / "calls")) for path in (tmp_path / "calls").rglob("*.*")) == sorted(name for name, _, _ in EXAMPLES)
    assert (tmp_path / "calls" / "agents.yml").read_bytes() == (conf_dir() / "agents.yml").read_bytes()
    assert run("check", ".", cwd=tmp_path / "calls").out.startswith("No problems in 1 campaign, 10 agents, the installation")
    assert run("simulate", "campaigns/progressive.yml", "--hours", "0.1", cwd=tmp_path / "calls").code == 0


def test_init_says_what_comes_next(tmp_path: Path) -> None:
    out = called("init", tmp_path / "new").out
    assert out.index("Next:") < out.index("fs-dialer check .") < out.index("fs-dialer db migrate") < out.index("fs-dialer lead import")


def test_init_never_overwrites_and_then_writes_nothing_at_all(tmp_path: Path) -> None:
    (tmp_path / "agents.yml").write_text("mine")
    done = called("init", tmp_path, "--json")
    assert done.code == 1 and f"is there already: {tmp_path / 'agents.yml'}" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["agents.yml"] and (tmp_path / "agents.yml").read_text() == "mine"


def test_init_into_a_file_says_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = called("init", tmp_path / "file")
    assert done.code == 1 and "file" in done.err and "Traceback" not in done.err


# --- check ----------------------------------------------------------------------------------------------------------------------------


def test_five_mistakes_are_five_problems_with_file_line_and_column(tmp_path: Path) -> None:
    a_folder(tmp_path)
    file = tmp_path / "campaigns" / "spring.yml"
    file.write_text(FIVE)
    done = called("check", file)
    assert done.code == 3
    places = [line.split("  ")[0].removeprefix(f"{file}:") for line in done.out.splitlines() if line.startswith(str(file))]
    assert places == ["1:7", "2:12", "3:25", "4:1", "6:22"]
    assert "5 problems." in done.out
    assert "    4 | wrapup: 10s" in done.out


def test_check_json_has_the_same_problems_and_nothing_else_on_stdout(tmp_path: Path) -> None:
    a_folder(tmp_path)
    (tmp_path / "campaigns" / "spring.yml").write_text(FIVE)
    done = called("check", tmp_path, "--json")
    assert done.code == 3
    assert [(each["line"], each["column"]) for each in done.json["problems"]] == [(1, 7), (2, 12), (3, 25), (4, 1), (6, 22)]
    assert done.json["problems"][3]["text"] == "`wrapup` is no setting; nearest: wrap_up"


def test_a_campaign_is_judged_with_the_agents_one_folder_above(tmp_path: Path) -> None:
    a_folder(tmp_path)
    assert called("check", tmp_path / "campaigns" / "spring.yml").code == 0


def test_problems_of_all_files_are_told_at_once_settings_and_people_included(tmp_path: Path) -> None:
    a_folder(tmp_path, extra="wrapup: 10s\n")
    (tmp_path / "fs-dialer.yml").write_text("esl: {prot: 8021}\n")
    (tmp_path / "people.yml").write_text("customers:\n  talk: very long\n")
    done = called("check", tmp_path)
    assert done.code == 3
    told = [line.split("  ")[0].removeprefix(f"{tmp_path}/") for line in done.out.splitlines() if line.startswith(str(tmp_path))]
    assert told == ["campaigns/spring.yml:5:1", "fs-dialer.yml:1:7", "people.yml:2:9"]
    assert "3 problems in 3 files." in done.out


def test_the_environment_does_not_change_what_check_says(tmp_path: Path) -> None:
    a_folder(tmp_path)
    assert called("check", tmp_path, FS_DIALER_LOG_LEVEL="shouting").code == 0


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    done = called("check", tmp_path / "nosuch.yml")
    assert done.code == 3 and "nosuch.yml  no such file or folder" in done.out


def test_the_shipped_examples_have_no_problems() -> None:
    assert called("check", conf_dir(), "--json").json["problems"] == []


# --- apply ----------------------------------------------------------------------------------------------------------------------------


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
    (folder / "campaigns" / "spring.yml").write_text(CAMPAIGN + "ring: 20s\n")
    third = {each["name"]: each for each in called("apply", folder, "--json", dsn=pg_dsn).json["changes"]}
    assert third["spring"] == {"kind": "campaign", "name": "spring", "what": "changed", "revision": 2, "needs_approval": True}
    assert third["lan"]["what"] == "unchanged"


def test_a_changed_definition_waits_for_approval(tmp_path: Path, pg_dsn: str) -> None:
    """D5."""
    folder = a_folder(tmp_path)
    called("apply", folder, dsn=pg_dsn)
    (folder / "campaigns" / "spring.yml").write_text(CAMPAIGN + "ring: 20s\n")
    assert "changed   r2  waits for: fs-dialer approve spring" in called("apply", folder, dsn=pg_dsn).out


def test_one_problem_anywhere_and_nothing_is_stored(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path)
    (folder / "campaigns" / "summer.yml").write_text(CAMPAIGN + "wrapup: 10s\n")
    done = called("apply", folder, dsn=pg_dsn)
    assert done.code == 3 and done.out == "" and "summer.yml:5:1  `wrapup` is no setting" in done.err
    assert called("campaign", "list", "--json", dsn=pg_dsn).json == {"campaigns": []}
    assert called("agent", "list", "--json", dsn=pg_dsn).json == {"agents": []}


def test_what_a_path_does_not_name_is_left_alone(tmp_path: Path, pg_dsn: str) -> None:
    folder = a_folder(tmp_path)
    called("apply", folder, dsn=pg_dsn)
    (folder / "campaigns" / "summer.yml").write_text(CAMPAIGN)
    done = called("apply", folder / "campaigns" / "summer.yml", "--json", dsn=pg_dsn)
    assert [each["name"] for each in done.json["changes"]] == ["summer"]
    assert [each["name"] for each in called("campaign", "list", "--json", dsn=pg_dsn).json["campaigns"]] == ["spring", "summer"]


def test_a_campaign_may_name_agents_and_trunks_that_are_stored_already(tmp_path: Path, pg_dsn: str) -> None:
    called("apply", a_folder(tmp_path / "one"), dsn=pg_dsn)
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
    assert "12 agents created: agent-1, agent-2, agent-3, agent-4, agent-5 and 7 more" in called("apply", path, dsn=pg_dsn).out


def test_who_applied_stands_in_the_audit(tmp_path: Path, pg_dsn: str) -> None:
    from fs_dialer.db.reports import Reports

    called("apply", a_folder(tmp_path), dsn=pg_dsn, SUDO_USER="an.le")
    reports = Reports(pg_dsn)
    assert {line.who for line in reports.audit_list()} == {"an.le"}
    reports.close()


def test_apply_of_agents_alone_needs_no_campaign(tmp_path: Path, pg_dsn: str) -> None:
    (tmp_path / "agents.yml").write_text(AGENTS)
    assert called("apply", tmp_path / "agents.yml", dsn=pg_dsn).out.splitlines() == ["2 agents created: hoa, lan", "Applied: 2 created."]

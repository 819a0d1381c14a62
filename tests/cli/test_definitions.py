"""init, check."""

from __future__ import annotations

from pathlib import Path

from fs_dialer.cli.definitions import examples
from fs_dialer.paths import conf_dir
from tests.cli.runner import a_folder, called, run

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
    assert sorted(str(path.relative_to(tmp_path / "calls")) for path in (tmp_path / "calls").rglob("*.*")) == sorted(examples())
    assert (tmp_path / "calls" / "agents.yml").read_bytes() == (conf_dir() / "agents.yml").read_bytes()
    assert run("check", ".", cwd=tmp_path / "calls").out.startswith("No problems in 6 campaigns, 10 agents, the installation")
    assert run("simulate", "campaigns/progressive.yml", "--hours", "0.1", cwd=tmp_path / "calls").code == 0


def test_init_says_what_comes_next(tmp_path: Path) -> None:
    out = called("init", tmp_path / "new").out
    assert out.index("Next:") < out.index("fs-dialer check .") < out.index("fs-dialer plan .") < out.index("fs-dialer lead import")


def test_init_says_of_every_file_what_it_is(tmp_path: Path) -> None:
    lines = called("init", tmp_path / "new").out.split("Next:")[0].splitlines()[1:]
    said = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines if line}
    assert set(said) == set(examples())
    assert said["campaigns/progressive.yml"] == "A progressive campaign"
    assert "an example of it" not in said.values() and not any(words.startswith("yaml-language-server") for words in said.values())


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

"""ivr list, check, render, draw: flows looked at before anybody is called (S52)."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.cli.runner import CAMPAIGN, ROOT, a_folder, called
from tests.cli.test_reference import covers, documented, paths

pytestmark = pytest.mark.spec("S52")
FLOW = """ivrs:
  dues:
    title: Reminder of dues
    nodes:
      main: {do: menu, text: "You owe {due}", keys: {1: adviser, 9: stop}, otherwise: later}
      adviser: {do: connect, otherwise: later}
      stop: {do: opt_out}
      later: {do: end, success: no}
  broken:
    nodes:
      main: {do: menu, text: Hello, keys: {1: nowhere}, otherwise: main}
"""
RIGHT = FLOW.partition("  broken:")[0]
ALL = """ivrs:
  all:
    nodes:
      main: {do: menu, text: "You owe {due}", keys: {1: ask}, otherwise: stop}
      ask: {do: http, url: https://example.com/x, take: [paid], next: mark, otherwise: mark}
      mark: {do: set, set: {asked: yes}, next: stopping}
      stopping: {do: menu, text: Hello, keys: {9: stop}, otherwise: stop}
      stop: {do: opt_out}
"""
AUTOCALL = CAMPAIGN.replace("type: progressive", "type: autocall") + "ivr: dues\n"


def a_file(folder: Path, text: str = RIGHT) -> Path:
    path = a_folder(folder) / "ivrs.yml"
    path.write_text(text, encoding="utf-8")
    return path


# --- list -----------------------------------------------------------------------------------------------------------------------------


def test_the_list_tells_who_uses_a_flow_and_its_name_in_the_switch(tmp_path: Path) -> None:
    a_file(tmp_path)
    (tmp_path / "campaigns" / "reminder.yml").write_text(AUTOCALL)
    done = called("ivr", "list", "--from", tmp_path, "--json")
    (flow,) = done.json["flows"]
    assert (flow["flow"], flow["campaigns"], flow["attributes"], flow["nodes"]) == ("dues", ["reminder"], ["due"], 4)
    assert flow["extension"].startswith("dues.") and flow["extension"] in called("ivr", "list", "--from", tmp_path).out


def test_where_there_is_no_flow_it_is_told_how_to_make_one(tmp_path: Path) -> None:
    assert "conf/ivrs.yml" in called("ivr", "list", "--from", a_folder(tmp_path)).out


# --- check ----------------------------------------------------------------------------------------------------------------------------


def test_a_right_flow_is_walked_through(tmp_path: Path) -> None:
    done = called("ivr", "check", a_file(tmp_path))
    assert done.code == 0 and "No problems in 1 flow." in done.out
    (flow,) = called("ivr", "check", a_file(tmp_path), "--json").json["flows"]
    assert flow["paths"] > 4 and 0 < flow["succeed"] < flow["paths"]


def test_a_mistake_is_told_with_its_line_and_the_others_too(tmp_path: Path) -> None:
    file = a_file(tmp_path, FLOW.replace("otherwise: later}\n      stop", "otherwise: ladder}\n      stop"))
    done = called("ivr", "check", file, "--json")
    assert done.code == 3
    assert {(problem["line"], problem["path"].split(".")[1]) for problem in done.json["problems"]} >= {(6, "dues"), (11, "broken")}
    assert f"{file}:6:" in called("ivr", "check", file).out


def test_a_flow_by_its_name_is_judged_without_the_others(tmp_path: Path) -> None:
    file = a_file(tmp_path, FLOW)
    assert called("ivr", "check", "dues", "--from", file).code == 0
    assert called("ivr", "check", "broken", "--from", file).code == 3


def test_an_unknown_flow_is_told_with_the_nearest(tmp_path: Path) -> None:
    done = called("ivr", "check", "due", "--from", a_file(tmp_path))
    assert done.code == 1 and "there is no flow due; nearest: dues" in done.err


def test_a_mistake_in_a_campaign_does_not_keep_a_flow_from_being_looked_at(tmp_path: Path) -> None:
    a_file(tmp_path)
    (tmp_path / "campaigns" / "spring.yml").write_text("type: progressive\nnonsense: 1\n")
    assert called("ivr", "check", tmp_path).code == 0


# --- render ---------------------------------------------------------------------------------------------------------------------------


def test_the_dialplan_of_a_flow_is_whole_xml_with_an_extension_for_each_node(tmp_path: Path) -> None:
    done = called("ivr", "render", "dues", "--from", a_file(tmp_path))
    names = {each.get("name") for each in ET.fromstring(done.out).iter("extension")}
    (entry,) = {name for name in names if name and name.startswith("dues.") and name.count(".") == 1}
    assert {f"{entry}.{node}" for node in ("main", "adviser", "stop", "later")} <= names


def test_it_may_be_written_into_a_file(tmp_path: Path) -> None:
    done = called("ivr", "render", "dues", "--from", a_file(tmp_path), "--out", tmp_path / "dues.xml", "--json")
    assert (tmp_path / "dues.xml").read_text() == done.json["xml"] and done.json["file"] == str(tmp_path / "dues.xml")


# --- draw -----------------------------------------------------------------------------------------------------------------------------


def test_a_flow_is_drawn_into_a_file_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = a_file(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert called("ivr", "draw", "dues", "--from", file).err == "drawn: dues.svg\n"
    assert "Reminder of dues" in (tmp_path / "dues.svg").read_text()


def test_another_kind_of_picture_is_misuse(tmp_path: Path) -> None:
    done = called("ivr", "draw", "dues", "--from", a_file(tmp_path), "--out", "dues.jpg")
    assert done.code == 2 and ".svg or .png" in done.err


def test_a_png_is_drawn_where_matplotlib_is(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra `plots` is not installed")
    assert called("ivr", "draw", "dues", "--from", a_file(tmp_path), "--out", tmp_path / "dues.png").code == 0
    assert (tmp_path / "dues.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_it_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = called("ivr", "draw", "dues", "--from", a_file(tmp_path), "--out", tmp_path / "dues.png")
    assert done.code == 1 and "pip install 'fs-dialer[plots]'" in done.err
    assert not (tmp_path / "dues.png").exists()


# --- what is shipped, and what is stored ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("check",), ("draw", "--out", "{}/a.svg"), ("render",), ("try", "--keys", "2,4711,#,t,5")])
def test_every_command_takes_the_flow_that_is_shipped(words: tuple[str, ...], tmp_path: Path) -> None:
    done = called("ivr", words[0], "dues-menu", "--from", ROOT / "conf", *(word.format(tmp_path) for word in words[1:]))
    assert done.code == 0, done.err


def test_a_flow_is_found_in_the_database(tmp_path: Path, pg_dsn: str) -> None:
    a_file(tmp_path)
    (tmp_path / "campaigns" / "reminder.yml").write_text(AUTOCALL)
    assert called("apply", tmp_path, dsn=pg_dsn).code == 0
    assert called("ivr", "list", "--json", dsn=pg_dsn).json["flows"][0]["campaigns"] == ["reminder"]
    assert called("ivr", "check", "dues", dsn=pg_dsn).code == 0
    assert called("ivr", "check", "no-such", dsn=pg_dsn).code == 1


def test_without_a_database_it_is_told(tmp_path: Path) -> None:
    assert called("ivr", "draw", "dues", dsn="host=127.0.0.1 port=1 dbname=none connect_timeout=1").code == 4


# --- json -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("list", ("--from", "{}")),
        ("check", ("{}/ivrs.yml",)),
        ("draw", ("dues", "--from", "{}", "--out", "{}/a.svg")),
        ("render", ("dues", "--from", "{}")),
        ("try", ("all", "--from", "{}", "--set", "due=55", "--keys", "1,a:paid=yes,9")),
    ],
)
def test_every_key_is_documented_and_there(title: str, words: tuple[str, ...], tmp_path: Path) -> None:
    a_file(tmp_path)
    (tmp_path / "campaigns" / "reminder.yml").write_text(AUTOCALL)
    (tmp_path / "all.yml").write_text(ALL)
    (tmp_path / "installation.yml").write_text((tmp_path / "installation.yml").read_text() + "webhook_hosts: [example.com]\n")
    printed = called("ivr", title, *(word.format(tmp_path) for word in words), "--json").json
    told = documented(f"fs-dialer ivr {title}")
    seen = {path for path in paths(printed) if not path.startswith(("inputs[].values[", "waits_for."))}
    empty = {"problems[]", "warnings[]", "waits_for", "inputs[].values"}
    assert [path for path in sorted(seen) if not any(covers(each, path) for each in told)] == []
    assert [each for each in sorted(told - empty) if not any(covers(each, path) for path in seen)] == []


# --- what the pages show --------------------------------------------------------------------------------------------------------------

AROUND = """groups: {customers: {}}
teams: {support: [lan], collections: [lan]}
schedules: {office: {hours: {mon-fri: 8:00-20:00}}}
sounds:
"""


def test_the_examples_of_the_pages_are_right(tmp_path: Path) -> None:
    """docs/ivr.md, docs/modes/autocall.md and docs/queues.md, put together as an admin would who copies from them."""
    examples: list[str] = []
    for page in ("ivr.md", "modes/autocall.md", "queues.md"):
        examples += re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL)
    sounds = sorted({name for text in examples for name in re.findall(r"\b(?:dues|queue)-[a-z-]+|please-hold|sorry", text)} - {"dues-menu"})
    (tmp_path / "around.yml").write_text(AROUND + "".join(f"  {name}: fs-dialer/{name}.wav\n" for name in sounds))
    a_folder(tmp_path)
    (tmp_path / "campaigns" / "spring.yml").unlink()
    (tmp_path / "installation.yml").write_text((tmp_path / "installation.yml").read_text() + "webhook_hosts: [crm.example.com]\n")
    flows = 0
    for number, text in enumerate(examples):
        first = text.split("\n", 1)[0]
        name = first.removeprefix("# ") if first.startswith("# ") else f"example{number}.yml"
        again = "  dues-menu:\n" in text and flows > 0  # the same flow, shown for its voice
        flows += "  dues-menu:\n" in text
        (tmp_path / name).write_text(text.replace("  dues-menu:\n", "  other-menu:\n") if again else text)
    done = called("check", tmp_path)
    assert done.code == 0, done.out
    walked = called("ivr", "check", tmp_path, "--json").json["flows"]
    assert {flow["flow"] for flow in walked} == {"dues-menu", "every-kind", "other-menu"}

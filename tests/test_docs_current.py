"""The docs say what the code says: generated pages are current, signatures and file names are those that exist, links lead somewhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from docs import _generate
from fs_dialer.core.model import Outcome
from fs_dialer.dialplans import files
from fs_dialer.esl.translate import SUBSCRIBE, SUBSCRIBE_CUSTOM
from fs_dialer.runtime import kept_rows, switch_port

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
CAPTURES = ROOT / "tests" / "captures"


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


# --- generated pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", _generate.PAGES)
def test_a_generated_page_is_what_the_code_makes(name: str) -> None:
    assert text(f"reference/{name}") == _generate.PAGES[name](), "python -m docs._generate"


def test_an_outdated_page_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_generate, "REFERENCE", tmp_path)
    assert _generate.outdated() == list(_generate.PAGES)
    assert _generate.main([]) == 0
    assert _generate.outdated() == []
    (tmp_path / "events.md").write_text("something else")
    assert _generate.main(["--check"]) == 1


def test_every_outcome_is_described() -> None:
    assert set(_generate.WHEN) == set(Outcome)


@pytest.mark.parametrize("recording", sorted(CAPTURES.glob("s02j_code_*.log")), ids=lambda path: path.stem)
def test_the_causes_of_sip_answers_are_those_recorded(recording: Path) -> None:
    code = int(recording.stem.rpartition("_")[2])
    recorded = set(re.findall(r"^Hangup-Cause: (\w+)", recording.read_text(encoding="utf-8", errors="replace"), re.MULTILINE))
    assert recorded == {_generate.SIP_CAUSES[code]}


# --- written pages ----------------------------------------------------------------------------------------------------


def test_the_ports_page_has_every_method_with_its_signature() -> None:
    page = text("reference/ports.md").replace("\\|", "|")
    wanted, shown = [], set(re.findall(r"^\| `(\w+\(.*?\) -> [^`]+)`", page, re.MULTILINE))
    for cls in ast.parse((ROOT / "fs_dialer" / "runtime" / "ports.py").read_text(encoding="utf-8")).body:
        if isinstance(cls, ast.ClassDef):
            assert f"\n## {cls.name}\n" in page
            for method in cls.body:
                if isinstance(method, ast.FunctionDef) and method.returns is not None:
                    arguments = ast.unparse(method.args).removeprefix("self").removeprefix(", ")
                    wanted.append(f"{method.name}({arguments}) -> {ast.unparse(method.returns)}")
    assert shown == set(wanted)


def test_the_switch_page_names_every_command_that_is_sent() -> None:
    """An engineer must be able to see what a client with all rights does with them."""
    page = text("switch.md")
    source = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in (switch_port, kept_rows))
    sent = set(re.findall(r"\bcommands\.([a-z_]+)\(", source)) - {"gateway_endpoint", "agent_endpoint"}
    words = {"show_channels_json": "show channels", "uuid_dump_json": "uuid_dump", "uuid_park_both": "uuid_transfer -both"}
    words |= {"originate_to_extension": "originate", "uuid_announce": "uuid_broadcast", "xml_locate_context": "xml_locate"}
    words |= {"kept_list": "db list", "kept_select": "db select", "kept_delete": "db delete", "kept_count": "db count"}
    assert sent >= {"originate", "uuid_bridge"}
    assert [name for name in sorted(sent) if f"`{words.get(name, name)}`" not in page] == []


def test_the_switch_page_counts_the_events_that_are_subscribed() -> None:
    assert sum(name.startswith("CHANNEL_") for name in SUBSCRIBE) == 9
    assert {name for name in SUBSCRIBE if not name.startswith("CHANNEL_")} == {"BACKGROUND_JOB", "PLAYBACK_STOP", "RECORD_START", "RECORD_STOP", "RELOADXML"}
    assert all(f"`{name}`" in text("switch.md") for name in SUBSCRIBE_CUSTOM)
    assert "BACKGROUND_JOB, PLAYBACK_STOP, RECORD_START, RECORD_STOP and nine CHANNEL_ events" in text("switch.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("name", ["flow.md", "switch.md", "reference/ports.md"])
def test_every_file_that_is_named_exists(name: str) -> None:
    """`core/call.py` means fs_dialer/core/call.py, other paths start at the top; what stands below $CONF is the engineer's."""
    page = re.sub(r"\$CONF/\S+", "", text(name)).replace("$FSD", "conf/freeswitch")
    named = set(re.findall(r"(?<![\w/.-])\w[\w./-]*/[\w-]+\.(?:conf\.xml\.example|py|sql|xml)\b", page))
    assert named
    installed = {files.FALLBACK, files.FLOWS, files.QUEUES, files.PUBLIC}
    assert sorted(path for path in named - installed if not any((base / path).exists() for base in (ROOT, ROOT / "fs_dialer"))) == []

"""--reload: the switch reads the files, and where it does not take them all is as before. The switch here is an event socket that knows a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.runner import Done, a_folder, called
from tests.cli.switch_tree import Switch, a_switch, a_tree, seen
from tests.cli.test_switch_install import IVRS, QUEUES


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = a_folder(tmp_path / "definitions")
    (folder / "ivrs.yml").write_text(IVRS)
    (folder / "queues.yml").write_text(QUEUES)
    return folder


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    with a_switch(a_tree(tmp_path), tmp_path / "scripts") as switch:
        yield switch


def call(switch: Switch, *words: str | Path) -> Done:
    return called("switch", *words, **switch.environ())


def a_leg(dest: str, context: str, callstate: str = "ACTIVE", direction: str = "inbound") -> str:
    return json.dumps([{"uuid": "1", "dest": dest, "context": context, "callstate": callstate, "direction": direction}])


def test_the_switch_names_its_own_folders_and_has_everything_afterwards(switch: Switch, files: Path) -> None:
    done = call(switch, "install", "--from", files, "--reload", "--json")
    assert done.code == 0 and done.json["reloaded"] and done.json["conf_dir"] == str(switch.conf)
    assert 'name="support"' in switch.read and (switch.scripts / "fsd.lua").exists()
    assert "alias stickyadd fsd lua fsd.lua" in switch.asked


def test_what_the_switch_refuses_is_taken_back_and_told_in_its_words(switch: Switch, files: Path) -> None:
    assert call(switch, "install", "--from", files, "--reload").code == 0
    before = seen(switch.conf, switch.scripts)
    (files / "queues.yml").write_text(QUEUES.replace("sales", "orders"))
    switch.broken = "[error near line 12]: unexpected closing tag </context>"
    done = call(switch, "install", "--from", files, "--reload")
    assert done.code == 1 and "unexpected closing tag" in done.err and "files of before are back" in done.err
    assert seen(switch.conf, switch.scripts) == before and switch.reloads == 3


def test_a_first_installation_that_is_refused_leaves_nothing(switch: Switch, files: Path) -> None:
    before = seen(switch.conf, switch.scripts)
    switch.broken = "no"
    assert call(switch, "install", "--from", files, "--reload").code == 1
    assert seen(switch.conf, switch.scripts) == before


def test_files_that_the_switch_does_not_include_are_no_success(switch: Switch, files: Path) -> None:
    """It answers that all is well: it never saw them."""
    before = seen(switch.conf)
    switch.includes = False
    done = call(switch, "install", "--from", files, "--reload")
    assert done.code == 1 and "fsd_fallback" in done.err and "dialplan/*.xml" in done.err and seen(switch.conf) == before


def test_without_a_switch_nothing_is_written_with_reload(tmp_path: Path, files: Path) -> None:
    conf = a_tree(tmp_path)
    before = seen(conf)
    done = called("switch", "install", "--conf-dir", conf, "--from", files, "--reload")
    assert done.code == 4 and "not reachable" in done.err and seen(conf) == before


def test_reload_is_for_what_is_installed(switch: Switch, files: Path) -> None:
    done = call(switch, "reload", "--from", files)
    assert done.code == 1 and "nothing of fs-dialer is installed" in done.err
    call(switch, "install", "--from", files, "--reload")
    (files / "ivrs.yml").write_text(IVRS.replace("dues.wav", "other.wav"))
    assert call(switch, "reload", "--from", files).code == 0 and "other.wav" in switch.read


def test_a_flow_with_a_call_in_it_stays_until_the_call_is_over(switch: Switch, files: Path) -> None:
    (flow,) = call(switch, "install", "--from", files, "--reload", "--json").json["flows"]
    (files / "ivrs.yml").write_text(IVRS.replace("dues.wav", "other.wav"))
    switch.channels = a_leg(f"{flow}.main", "fsd_ivr")
    assert call(switch, "reload", "--from", files, "--json").json["kept_for_callers"] == [flow] and f'name="{flow}.main"' in switch.read
    switch.channels = "[]"
    assert call(switch, "reload", "--from", files, "--json").json["kept_for_callers"] == [] and f'name="{flow}.main"' not in switch.read


def test_a_call_that_rings_may_be_on_its_way_to_any_flow(switch: Switch, files: Path) -> None:
    (flow,) = call(switch, "install", "--from", files, "--reload", "--json").json["flows"]
    (files / "ivrs.yml").write_text(IVRS.replace("dues.wav", "other.wav"))
    switch.channels = a_leg("447700900100", "default", "RINGING", "outbound")
    assert call(switch, "reload", "--from", files, "--json").json["kept_for_callers"] == [flow]


def test_it_is_not_taken_out_under_a_callers_feet(switch: Switch, files: Path) -> None:
    call(switch, "install", "--from", files, "--reload")
    before = seen(switch.conf)
    switch.channels = a_leg("support", "fsd_queue")
    done = call(switch, "uninstall", "--reload")
    assert done.code == 3 and "1 call in our contexts" in done.err and seen(switch.conf) == before


def test_taken_out_the_switch_has_forgotten_it(switch: Switch, files: Path) -> None:
    before = seen(switch.conf, switch.scripts)
    call(switch, "install", "--from", files, "--reload")
    assert call(switch, "uninstall", "--reload").code == 0
    assert seen(switch.conf, switch.scripts) == before and "fsd_queue" not in switch.read and "alias del fsd" in switch.asked


def test_a_switch_that_refuses_while_we_leave_has_our_files_back(switch: Switch, files: Path) -> None:
    call(switch, "install", "--from", files, "--reload")
    before = seen(switch.conf, switch.scripts)
    switch.broken = "no"
    assert call(switch, "uninstall", "--reload").code == 1 and seen(switch.conf, switch.scripts) == before


def test_one_of_several_switches_is_named(tmp_path: Path, switch: Switch, files: Path) -> None:
    settings = tmp_path / "fs-dialer.yml"
    host, _, port = switch.address.partition(":")
    settings.write_text(f"switches:\n  north: {{host: {host}, port: {port}, password: env:NORTH}}\n")
    done = called(f"--config={settings}", "switch", "install", "--switch", "north", "--from", files, "--reload", "--json", NORTH="of its own")
    assert done.code == 0 and 'name="support"' in switch.read
    assert "no switch south; nearest: north" in called(f"--config={settings}", "switch", "reload", "--switch", "south", "--from", files).err

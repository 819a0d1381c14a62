"""switch install, diff, reload and uninstall on the switch itself, and `fsd status` in it. No daemon runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.runner import Done, a_folder, called
from tests.cli.switch_tree import seen
from tests.freeswitch.callers import Sipps
from tests.freeswitch.told import Told
from tests.freeswitch.watch import Address, Line

IVRS = "ivrs:\n  dues:\n    nodes:\n      main: {do: menu, sound: silence_stream://500, keys: {1: stop}, otherwise: stop}\n      stop: {do: opt_out}\n"
DOOR = "+15550002009"
QUEUES = f"queues:\n  fsdtest: {{numbers: ['{DOOR}'], agents: {{people: [lan]}}, callback: 1}}\n"
BROKEN = '<include>\n  <context name="broken">\n    <extension>\n</include>\n'
EVIL = "x${system(touch /tmp/fsd-was-run)}'"


class Installed:
    """A switch whose folders have nothing of ours, and the command line that knows it."""

    def __init__(self, told: Told, address: Address, conf: Path, scripts: Path, files: Path) -> None:
        self.told, self.address, self.conf, self.scripts, self.files = told, address, conf, scripts, files

    def call(self, *words: str) -> Done:
        environ = {"FS_DIALER_ESL": f"{self.address.host}:{self.address.port}", "FS_DIALER_ESL_PASSWORD": self.address.password}
        source = () if "uninstall" in words else ("--from", self.files)
        return called("switch", *words, *source, **environ)

    def typed(self, command: str) -> str:
        """As fs_cli sends it: aliases are expanded."""
        with closing(Line(self.address)) as line:
            return line.ask(f"api {command}\nconsole_execute: true")

    def seen(self) -> dict[str, tuple[str, int, str]]:
        return seen(self.conf, self.scripts)


@pytest.fixture
def switch(address: Address, tmp_path: Path) -> Iterator[Installed]:
    files = a_folder(tmp_path / "definitions")
    (files / "ivrs.yml").write_text(IVRS)
    (files / "queues.yml").write_text(QUEUES)
    with closing(Told(address)) as told:
        conf, scripts = Path(told.api("global_getvar conf_dir")), Path(told.api("global_getvar script_dir"))
        if not (os.access(conf / "dialplan", os.W_OK) and os.access(scripts, os.W_OK)):
            pytest.skip(f"needs to write to {conf / 'dialplan'} and {scripts}")
        others = {each: each.read_bytes() for each in (*conf.glob("dialplan/fsd*.xml"), *conf.glob("dialplan/public/*fsd*.xml"))}
        for each in others:
            each.unlink()
        try:
            yield Installed(told, address, conf, scripts, files)
        finally:
            (conf / "dialplan/zz_broken.xml").unlink(missing_ok=True)
            told.api("hupall normal_clearing fsd_queue fsdtest")
            if (conf / "fsd.manifest.json").exists():
                called("switch", "uninstall", "--conf-dir", conf, "--force")
            for each, data in others.items():
                each.write_bytes(data)
            told.api("reloadxml")


def test_installed_it_is_there_and_taken_out_the_folders_are_as_before(switch: Installed) -> None:
    before = switch.seen()
    done = switch.call("install", "--reload", "--json")
    assert done.code == 0, done.err
    (flow,) = done.json["flows"]
    assert flow in switch.told.api("xml_locate dialplan context name fsd_ivr")
    assert switch.call("diff", "--detailed-exitcode").code == 0
    assert switch.call("uninstall", "--reload").code == 0
    assert switch.seen() == before and flow not in switch.told.api("xml_locate dialplan context name fsd_ivr")


def test_what_the_switch_can_not_read_is_taken_back_and_it_keeps_what_it_had(switch: Installed) -> None:
    (flow,) = switch.call("install", "--reload", "--json").json["flows"]
    (switch.conf / "dialplan/zz_broken.xml").write_text(BROKEN)
    before = switch.seen()
    (switch.files / "ivrs.yml").write_text(IVRS.replace("500", "600"))
    done = switch.call("reload")
    assert done.code == 1 and "did not take the files" in done.err and switch.seen() == before
    assert flow in switch.told.api("xml_locate dialplan context name fsd_ivr")
    (switch.conf / "dialplan/zz_broken.xml").unlink()
    assert switch.call("reload").code == 0
    assert flow not in switch.told.api("xml_locate dialplan context name fsd_ivr")


@pytest.mark.spec("D7")
def test_fsd_status_tells_who_waits_and_runs_nothing_of_what_his_telephone_says(switch: Installed, tmp_path: Path) -> None:
    ran = Path("/tmp/fsd-was-run")
    ran.unlink(missing_ok=True)
    assert switch.call("install", "--reload").code == 0
    assert "in queues       0 waiting" in switch.typed("fsd status")
    with closing(Sipps(tmp_path)) as sipps:
        sipps.caller(DOOR, ("wait", 60.0), number="+442079460000", display=EVIL)
        switch.told.until(lambda: "in queues       1 waiting" in switch.typed("fsd status"), "the caller waits")
        told = switch.typed("fsd queue")
        assert "fsdtest" in told and "callers: 1" in told and "touch" not in told and "442079460000" not in told
        assert not ran.exists()
        refused = switch.call("uninstall", "--reload")
    assert refused.code == 3 and "in our contexts" in refused.err


def test_a_word_that_it_does_not_know_is_answered_with_those_it_does(switch: Installed) -> None:
    assert switch.call("install", "--reload").code == 0
    assert switch.typed("fsd nonsense").strip().endswith("fsd status | fsd queue")

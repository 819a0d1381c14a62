"""switch install and uninstall: files of ours into a FreeSWITCH's folders, and out again, byte for byte."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fs_dialer.cli import switch_folder
from tests.cli.runner import ROOT, a_folder, called
from tests.cli.switch_tree import a_tree, seen
from tests.db.rows import Database

IVRS = """ivrs:
  dues:
    nodes:
      main: {do: menu, sound: dues.wav, keys: {1: stop, 2: later}, otherwise: later}
      stop: {do: opt_out}
      later: {do: end, success: no}
"""
QUEUES = "queues:\n  support: {numbers: [+44 20 7946 0200], agents: {people: [lan]}, callback: 1}\n  sales: {agents: {people: [hoa]}}\n"
OURS = ["dialplan/fsd.xml", "dialplan/fsd_ivr.xml", "dialplan/fsd_queue.xml", "dialplan/public/00_fsd_queues.xml", "fsd.manifest.json"]


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return a_tree(tmp_path)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = a_folder(tmp_path / "definitions")
    (folder / "ivrs.yml").write_text(IVRS)
    (folder / "queues.yml").write_text(QUEUES)
    return folder


def words(conf: Path, files: Path) -> tuple[str | Path, ...]:
    return "--conf-dir", conf, "--from", files


def below(conf: Path) -> list[str]:
    return sorted(str(each.relative_to(conf)) for each in conf.rglob("*fsd*"))


# --- in, and out again ----------------------------------------------------------------------------------------------------------------------


def test_after_install_and_uninstall_the_folders_are_as_before_file_by_file(conf: Path, files: Path) -> None:
    scripts = conf.parent / "scripts"
    before = seen(conf, scripts)
    assert called("switch", "install", *words(conf, files), "--scripts-dir", scripts).code == 0
    assert below(conf) == OURS and [each.name for each in scripts.iterdir()] == ["fsd.lua"]
    assert called("switch", "uninstall", "--conf-dir", conf).code == 0
    assert seen(conf, scripts) == before


def test_folders_that_were_made_are_gone_again(tmp_path: Path, files: Path) -> None:
    conf = a_tree(tmp_path, without=("dialplan/public/",))
    before = seen(conf)
    assert called("switch", "install", *words(conf, files)).code == 0
    assert (conf / "dialplan/public").stat().st_mode & 0o777 == 0o750
    assert called("switch", "uninstall", "--conf-dir", conf).code == 0
    assert seen(conf) == before


def test_a_folder_that_was_made_stays_where_somebody_uses_it_since(tmp_path: Path, files: Path) -> None:
    conf = a_tree(tmp_path, without=("dialplan/public/",))
    called("switch", "install", *words(conf, files))
    (conf / "dialplan/public/10_theirs.xml").write_text("<include/>\n")
    assert called("switch", "uninstall", "--conf-dir", conf).code == 0
    assert [each.name for each in (conf / "dialplan/public").iterdir()] == ["10_theirs.xml"]


def test_no_file_of_somebody_elses_is_touched(conf: Path, files: Path) -> None:
    before = seen(conf)
    called("switch", "install", *words(conf, files))
    after = seen(conf)
    assert {path: after[path] for path in before} == before


def test_a_dry_run_writes_nothing_and_tells_what_it_would(conf: Path, files: Path) -> None:
    before = seen(conf)
    done = called("switch", "install", *words(conf, files), "--dry-run")
    assert done.code == 0 and "fsd_queue.xml" in done.out and "Nothing was written" in done.out
    assert seen(conf) == before
    called("switch", "install", *words(conf, files))
    installed = seen(conf)
    assert "would be removed" in called("switch", "uninstall", "--conf-dir", conf, "--dry-run").out
    assert seen(conf) == installed


def test_installing_twice_changes_nothing(conf: Path, files: Path) -> None:
    called("switch", "install", *words(conf, files))
    once = seen(conf)
    done = called("switch", "install", *words(conf, files), "--json")
    assert seen(conf) == once and {each["state"] for each in done.json["files"]} == {"same"}


def test_files_have_the_mode_of_their_folder(conf: Path, files: Path) -> None:
    called("switch", "install", *words(conf, files))
    assert {(conf / path).stat().st_mode & 0o777 for path in OURS} == {0o640}


def test_a_queue_whose_number_is_taken_away_loses_its_door(conf: Path, files: Path) -> None:
    called("switch", "install", *words(conf, files))
    (files / "queues.yml").write_text(QUEUES.replace("numbers: [+44 20 7946 0200], ", ""))
    assert called("switch", "install", *words(conf, files)).code == 0
    assert "dialplan/public/00_fsd_queues.xml" not in below(conf)


def test_what_was_chosen_is_remembered(conf: Path, files: Path) -> None:
    called("switch", "install", *words(conf, files), "--notice", "sorry.wav", "--release-after", "45s")
    called("switch", "install", *words(conf, files))
    text = (conf / "dialplan/fsd.xml").read_text()
    assert 'data="sorry.wav"' in text and 'data="+45 ALLOTTED_TIMEOUT"' in text


def test_a_sound_that_the_switch_would_expand_is_misuse(conf: Path, files: Path) -> None:
    assert called("switch", "install", *words(conf, files), "--notice", "${system(id)}").code == 2
    assert called("switch", "install", *words(conf, files), "--release-after", "2h").code == 2
    assert below(conf) == []


# --- what stands in the way -----------------------------------------------------------------------------------------------------------------


def test_a_file_that_somebody_changed_stops_everything(conf: Path, files: Path) -> None:
    called("switch", "install", *words(conf, files))
    (conf / "dialplan/fsd.xml").write_text("<include/>\n")
    (files / "ivrs.yml").write_text(IVRS.replace("dues.wav", "other.wav"))
    before = seen(conf)
    for verb in (("install", *words(conf, files)), ("uninstall", "--conf-dir", conf)):
        done = called("switch", *verb)
        assert done.code == 3 and f"{conf}/dialplan/fsd.xml was changed by somebody" in done.err and "--force" in done.err
    assert seen(conf) == before


def test_a_file_that_is_not_ours_stops_everything(conf: Path, files: Path) -> None:
    (conf / "dialplan/fsd_ivr.xml").write_text("<include/>\n")
    before = seen(conf)
    done = called("switch", "install", *words(conf, files))
    assert done.code == 3 and "not ours" in done.err and seen(conf) == before


def test_by_force_it_is_put_aside_and_comes_back_in_the_end(conf: Path, files: Path) -> None:
    (conf / "dialplan/fsd_ivr.xml").write_text("<include/>\n")
    before = seen(conf)
    assert called("switch", "install", *words(conf, files), "--force").code == 0
    assert (conf / "dialplan/fsd_ivr.xml.fsd-kept").read_text() == "<include/>\n"
    assert called("switch", "uninstall", "--conf-dir", conf).code == 0
    assert seen(conf) == before


def test_a_changed_file_is_kept_beside_when_it_is_taken_out_by_force(conf: Path, files: Path) -> None:
    called("switch", "install", *words(conf, files))
    (conf / "dialplan/fsd.xml").write_text("<include/>\n")
    assert called("switch", "uninstall", "--conf-dir", conf, "--force").code == 0
    assert below(conf) == ["dialplan/fsd.xml.fsd-kept"]


def test_what_was_kept_before_is_never_written_over(conf: Path, files: Path) -> None:
    (conf / "dialplan/fsd.xml").write_text("theirs\n")
    (conf / "dialplan/fsd.xml.fsd-kept").write_text("of before\n")
    before = seen(conf)
    done = called("switch", "install", *words(conf, files), "--force")
    assert done.code == 3 and "there already" in done.err and seen(conf) == before


@pytest.mark.parametrize("path", ["dialplan/fsd.xml", "dialplan/public", "fsd.manifest.json"])
def test_nothing_is_written_through_a_link(conf: Path, files: Path, path: str) -> None:
    elsewhere = conf.parent / "elsewhere"
    if path == "dialplan/public":
        (conf / path).rename(elsewhere)
    else:
        elsewhere.write_text("theirs\n")
    (conf / path).symlink_to(elsewhere)
    before = seen(conf, conf.parent)
    done = called("switch", "install", *words(conf, files), "--force")
    assert done.code == 3 and "is a link" in done.err and seen(conf, conf.parent) == before


def test_a_folder_that_is_no_freeswitch_is_refused(tmp_path: Path, files: Path) -> None:
    done = called("switch", "install", *words(tmp_path / "nowhere", files))
    assert done.code == 3 and "no folder of this machine" in done.err
    (tmp_path / "empty").mkdir()
    assert "freeswitch.xml" in called("switch", "install", *words(tmp_path / "empty", files)).err


def test_without_a_switch_to_ask_the_folder_has_to_be_named(files: Path) -> None:
    done = called("switch", "install", "--from", files)
    assert done.code == 3 and "--conf-dir" in done.err


def test_a_manifest_that_was_spoilt_stops_everything(conf: Path, files: Path) -> None:
    called("switch", "install", *words(conf, files))
    manifest = conf / "fsd.manifest.json"
    spoilt = json.loads(manifest.read_text())
    spoilt["files"]["dialplan/default.xml"] = ["0" * 64]
    manifest.write_text(json.dumps(spoilt))
    before = seen(conf)
    done = called("switch", "uninstall", "--conf-dir", conf, "--force")
    assert done.code == 3 and "can not be ours" in done.err and seen(conf) == before


def test_what_is_not_installed_can_not_be_taken_out(conf: Path) -> None:
    done = called("switch", "uninstall", "--conf-dir", conf)
    assert done.code == 1 and "nothing of fs-dialer is installed" in done.err


def test_a_file_that_is_gone_already_does_not_keep_the_others(conf: Path, files: Path) -> None:
    before = seen(conf)
    called("switch", "install", *words(conf, files))
    (conf / "dialplan/fsd_queue.xml").unlink()
    assert called("switch", "uninstall", "--conf-dir", conf).code == 0
    assert seen(conf) == before


# --- all or nothing -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", range(1, 8))
def test_a_write_that_fails_takes_back_what_was_done(conf: Path, files: Path, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    called("switch", "install", *words(conf, files))
    (files / "queues.yml").write_text(QUEUES.replace("sales", "orders").replace("0200", "0201"))
    (files / "ivrs.yml").write_text(IVRS.replace("dues.wav", "other.wav"))
    before, renames, real = seen(conf), [0], os.rename

    def failing(old: Path, new: Path) -> None:
        renames[0] += 1
        if renames[0] == at:
            raise OSError(28, "No space left on device", str(new))
        real(old, new)

    monkeypatch.setattr(switch_folder.os, "rename", failing)
    done = called("switch", "install", *words(conf, files))
    if renames[0] >= at:
        assert done.code == 1 and "No space left" in done.err and seen(conf) == before
    else:
        assert done.code == 0


def test_what_can_not_be_put_back_is_told(conf: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called("switch", "install", *words(conf, files))
    (files / "queues.yml").write_text(QUEUES.replace("sales", "orders").replace("0200", "0201"))
    renames, real = [0], os.rename

    def failing(old: Path, new: Path) -> None:
        renames[0] += 1
        if renames[0] >= 3:
            raise OSError(30, "Read-only file system", str(new))
        real(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(switch_folder.os, "rename", failing)
        done = called("switch", "install", *words(conf, files))
    assert done.code == 1 and "not all could be put back" in done.err and "Read-only file system" in done.err
    assert called("switch", "install", *words(conf, files)).code == 0


@pytest.mark.parametrize("at", range(1, 7))
def test_one_that_was_killed_in_between_can_be_repeated_or_taken_out(tmp_path: Path, files: Path, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    conf = a_tree(tmp_path)
    before, renames, real = seen(conf), [0], os.rename

    def killed(old: Path, new: Path) -> None:
        renames[0] += 1
        if renames[0] == at:
            raise Killed
        real(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(switch_folder.os, "rename", killed)
        patch.setattr(switch_folder.Undo, "back", lambda self: None)  # whoever is killed takes nothing back
        try:
            called("switch", "install", *words(conf, files))
        except Killed:
            pass
    if not (conf / "fsd.manifest.json").exists():
        assert called("switch", "install", *words(conf, files)).code == 0
    assert called("switch", "uninstall", "--conf-dir", conf).code == 0
    assert seen(conf) == before


def test_two_at_a_time_do_not_meet(conf: Path, files: Path) -> None:
    with switch_folder.locked(switch_folder.opened(conf)):
        done = called("switch", "install", *words(conf, files))
    assert done.code == 1 and "somebody else" in done.err and below(conf) == []


# --- out of the database --------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("D5")
def test_a_flow_waiting_for_approval_and_the_approved_one_are_both_there(tmp_path: Path, conf: Path, files: Path, pg_dsn: str) -> None:
    campaign = (files / "campaigns/spring.yml").read_text().replace("progressive", "autocall")
    (files / "campaigns/reminder.yml").write_text(campaign.partition("agents:")[0] + "ivr: dues\n")
    assert called("apply", files, dsn=pg_dsn).code == 0
    assert called("switch", "install", "--conf-dir", conf, dsn=pg_dsn).code == 0
    (old,) = called("ivr", "list", "--json", dsn=pg_dsn).json["flows"]
    Database(pg_dsn).rows("UPDATE campaigns SET approved_revision = 1, state = 'approved' WHERE name = 'reminder'")
    (files / "ivrs.yml").write_text(IVRS.replace("dues.wav", "other.wav"))
    assert called("apply", files, "--yes", dsn=pg_dsn).code == 0
    (new,) = called("ivr", "list", "--json", dsn=pg_dsn).json["flows"]
    done = called("switch", "install", "--conf-dir", conf, "--json", dsn=pg_dsn)
    assert set(done.json["flows"]) == {old["extension"], new["extension"]} and old["extension"] != new["extension"]
    assert called("switch", "diff", "--conf-dir", conf, "--detailed-exitcode", dsn=pg_dsn).code == 0


def test_a_flow_that_can_not_be_rendered_stops_everything(conf: Path, files: Path) -> None:
    (files / "queues.yml").write_text(QUEUES.replace("callback: 1", "callback: 1, then: voicemail"))
    done = called("switch", "install", *words(conf, files), FS_DIALER_RECORDINGS_DIR="/var/lib/${system(id)}")
    assert done.code == 3 and "nothing was written" in done.err and below(conf) == []


# --- what is told ---------------------------------------------------------------------------------------------------------------------------


def test_what_is_the_engineers_to_do_is_told_with_the_lines(conf: Path, files: Path) -> None:
    done = called("switch", "install", *words(conf, files))
    assert '<list name="fs_dialer" default="deny">' in done.out and 'value="127.0.0.1"' in done.out
    assert '<action application="transfer" data="sales XML fsd_queue"/>' in done.out and 'data="support XML' not in done.out
    assert "mod_db" in done.out and "reloadxml" in done.out


def test_a_configuration_that_includes_nothing_is_told(conf: Path, files: Path) -> None:
    (conf / "freeswitch.xml").write_text("<document/>\n")
    (conf / "dialplan/public.xml").unlink()
    tasks = called("switch", "install", *words(conf, files), "--json").json["to_do"]
    lines = [line for task in tasks for line in task["lines"]]
    assert '<X-PRE-PROCESS cmd="include" data="dialplan/*.xml"/>' in lines and '<X-PRE-PROCESS cmd="include" data="public/*.xml"/>' in lines


def test_the_script_is_the_one_that_ships(conf: Path, files: Path) -> None:
    scripts = conf.parent / "scripts"
    called("switch", "install", *words(conf, files), "--scripts-dir", scripts)
    assert (scripts / "fsd.lua").read_bytes() == (ROOT / "conf/freeswitch/scripts/fsd.lua").read_bytes()


def test_the_script_runs_nothing_and_writes_nothing() -> None:
    text = (ROOT / "conf/freeswitch/scripts/fsd.lua").read_text(encoding="utf-8")
    code = "\n".join(line.partition("--")[0] for line in text.splitlines())
    risky = "os. io. load( loadstring loadfile dofile require system executeString cid_num cid_name originate setvar insert/ delete/".split()
    assert [word for word in risky if word in code] == []

"""switch diff: what is installed against what would be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.runner import a_folder, called
from tests.cli.switch_tree import a_tree, seen
from tests.cli.test_switch_install import IVRS, QUEUES


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return a_tree(tmp_path)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = a_folder(tmp_path / "definitions")
    (folder / "ivrs.yml").write_text(IVRS)
    (folder / "queues.yml").write_text(QUEUES)
    return folder


def differences(conf: Path, files: Path) -> dict[str, str]:
    told = called("switch", "diff", "--conf-dir", conf, "--from", files, "--json").json
    return {each["path"]: each["state"] for each in told["files"] if each["state"] != "same"}


def install(conf: Path, files: Path) -> None:
    assert called("switch", "install", "--conf-dir", conf, "--from", files).code == 0


def test_after_an_installation_nothing_differs(conf: Path, files: Path) -> None:
    install(conf, files)
    done = called("switch", "diff", "--conf-dir", conf, "--from", files, "--detailed-exitcode")
    assert done.code == 0 and "4 files" in done.out and "as they should be" in done.out


def test_before_one_everything_does(conf: Path, files: Path) -> None:
    done = called("switch", "diff", "--conf-dir", conf, "--from", files, "--detailed-exitcode")
    assert done.code == 5 and "Nothing of fs-dialer is installed" in done.out and set(differences(conf, files).values()) == {"new"}


def test_a_changed_definition_is_shown_line_by_line(conf: Path, files: Path) -> None:
    install(conf, files)
    (files / "queues.yml").write_text(QUEUES.replace("0200", "0201"))
    done = called("switch", "diff", "--conf-dir", conf, "--from", files, "--detailed-exitcode")
    assert done.code == 5 and "is of older definitions" in done.out
    lines = done.out.splitlines()
    assert any(line.startswith("-") and "0200" in line for line in lines) and any(line.startswith("+") and "0201" in line for line in lines)


def test_what_somebody_changed_removed_or_put_there_is_told_apart(conf: Path, files: Path) -> None:
    install(conf, files)
    (conf / "dialplan/fsd.xml").write_text("<include/>\n")
    (conf / "dialplan/fsd_ivr.xml").unlink()
    (files / "queues.yml").unlink()
    assert differences(conf, files) == {
        "dialplan/fsd.xml": "changed",
        "dialplan/fsd_ivr.xml": "gone",
        "dialplan/public/00_fsd_queues.xml": "stale",
    }
    out = called("switch", "diff", "--conf-dir", conf, "--from", files).out
    assert all(words in out for words in ("was changed by somebody", "was removed by somebody", "is wanted no more"))


def test_queues_that_nobody_can_ask_about_stay_and_are_no_difference(conf: Path, files: Path) -> None:
    """Without the switch it is not known whether somebody waits in them."""
    install(conf, files)
    (files / "queues.yml").write_text(QUEUES.replace("sales", "orders"))
    told = called("switch", "diff", "--conf-dir", conf, "--from", files, "--json").json
    assert told["kept_for_callers"] == ["sales"]
    install(conf, files)
    assert differences(conf, files) == {}


def test_it_writes_nothing(conf: Path, files: Path) -> None:
    before = seen(conf)
    called("switch", "diff", "--conf-dir", conf, "--from", files)
    assert seen(conf) == before

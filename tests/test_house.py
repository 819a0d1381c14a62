"""The house: what every file keeps to, what an installation carries, and the commands in bin/ that set it up."""

from __future__ import annotations

import ast
import configparser
import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from bench.__main__ import main as bench_main
from bench.__main__ import titles
from fs_dialer import __main__ as entry
from fs_dialer import paths
from fs_dialer.errors import FsDialerError

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ("demo", "test", "bench", "fs-dialer")
# Names that tell nothing about what is inside.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "tools"}


def modules() -> list[Path]:
    return sorted((ROOT / "fs_dialer").rglob("*.py"))


# --- every file -------------------------------------------------------------------------------------------------------


def test_every_module_says_what_it_knows() -> None:
    assert [str(path) for path in modules() if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))] == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in modules() if path.stem in EMPTY_NAMES] == []


def test_every_test_file_stands_where_the_module_it_tests_does() -> None:
    """tests/core/test_call.py tests fs_dialer/core/…; contract, scenarios and freeswitch are about several."""
    free = {"contract", "scenarios", "freeswitch", "captures"}
    folders = {path.relative_to(ROOT / "tests").parent for path in (ROOT / "tests").rglob("test_*.py")}
    mirrored = {folder for folder in folders if folder.parts and folder.parts[0] not in free}
    assert [str(folder) for folder in mirrored if not (ROOT / "fs_dialer" / folder).is_dir()] == []


def test_the_licence_is_apache_2() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text()


# --- what an installation carries -------------------------------------------------------------------------------------


def test_a_wheel_carries_every_file_of_sql_and_conf() -> None:
    """setup.cfg needs a line for each folder; this names the files that none covers."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    wrong = []
    for folder, patterns in config["options.data_files"].items():
        for pattern in patterns.split():
            if f"share/fs-dialer/{Path(pattern).parent}" != folder:
                wrong.append(f"{pattern} would be installed to {folder}")
    carried = {path for patterns in config["options.data_files"].values() for pattern in patterns.split() for path in ROOT.glob(pattern)}
    for top in ("sql", "conf"):
        wrong += [f"{path.relative_to(ROOT)} is left out" for path in (ROOT / top).rglob("*") if path.is_file() and path not in carried]
    assert wrong == []


def test_a_checkout_finds_its_own_folders() -> None:
    assert paths.checkout() == ROOT
    for find, name in ((paths.sql_dir, "sql"), (paths.conf_dir, "conf")):
        if (ROOT / name).is_dir():
            assert find() == ROOT / name


def test_an_installation_without_its_folders_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "fs_dialer")
    with pytest.raises(FsDialerError, match="install fs-dialer again"):
        paths.sql_dir()


def test_state_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FS_DIALER_STATE_DIR", str(tmp_path))
    assert paths.state_dir() == tmp_path
    monkeypatch.delenv("FS_DIALER_STATE_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert paths.state_dir() == tmp_path / "fs-dialer"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert paths.state_dir() == Path("/var/lib/fs-dialer")


# --- the entry point --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["run", "demo --for 60", "--log-level=debug run", "agent console 1001", "agent --json console", "run --help"])
def test_commands_with_a_loop_are_cooperative(line: str) -> None:
    assert entry.is_cooperative(line.split())


@pytest.mark.parametrize("line", ["", "--help", "simulate demo", "campaign show run", "agent list", "agent available console", "db migrate"])
def test_all_other_commands_stay_unpatched(line: str) -> None:
    assert not entry.is_cooperative(line.split())


def test_importing_the_entry_point_imports_neither_gevent_nor_the_product() -> None:
    watched = ("gevent", "psycopg2", "click", "fs_dialer")
    program = f"import sys, fs_dialer.__main__; print(sorted(m for m in sys.modules if m.split('.')[0] in {watched}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "['fs_dialer', 'fs_dialer.__main__']\n"


# --- bin/ -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [f"bin/{name}" for name in SCRIPTS] + [".ci/run"])
def test_scripts_can_be_run_and_are_plain_sh(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)
    assert (ROOT / name).read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", ROOT / name], check=True)


def test_ci_does_what_a_person_does() -> None:
    assert "/bin/test" in (ROOT / ".ci" / "run").read_text()


class Checkout:
    """A checkout of only what the set-up reads, with a Python of our making in front of the real one."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a checkout"
        (self.root / "bin").mkdir(parents=True)
        for name in ("bin/_setup.sh", "bin/fs-dialer", "setup.cfg", "pyproject.toml"):
            shutil.copy(ROOT / name, self.root / name)
        self.path = folder / "path"
        self.path.mkdir()
        self.home = folder / "home"
        self.home.mkdir()
        for tool in "sh cat chmod command cut dirname find flock id ln mkdir pwd readlink rm sha256sum".split():
            if found := shutil.which(tool):
                (self.path / tool).symlink_to(found)

    def python(self, script: str) -> None:
        """A `python3` that is this shell script; $real is the interpreter that runs these tests."""
        program = self.path / "python3"
        program.write_text(f"#!/bin/sh\nreal='{sys.executable}'\n" + textwrap.dedent(script))
        program.chmod(0o755)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.path), "HOME": str(self.home)}
        return subprocess.run([self.root / "bin" / "fs-dialer", *arguments], env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert (done.returncode, done.stdout) == (1, "")
    for word in words:
        assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_no_python_is_answered_with_the_apt_line(checkout: Checkout) -> None:
    assert_refused(checkout.run(), "there is no python3 here", "apt install -y python3 python3-venv")


def test_an_old_python_is_named_and_told_what_to_do(checkout: Checkout) -> None:
    checkout.python("""
        case "$1" in -V) echo "Python 3.9.2" ;; *) exit 1 ;; esac
    """)
    assert_refused(checkout.run(), "Python 3.11 or later", "python3 is Python 3.9.2", "PYTHON=")


def test_a_missing_python3_venv_is_answered_with_the_apt_line(checkout: Checkout) -> None:
    """Debian's python3 without python3-venv imports venv and fails on ensurepip."""
    checkout.python("""
        case "$2" in
            *ensurepip*) echo "ModuleNotFoundError: No module named 'ensurepip'" >&2; exit 1 ;;
            *_base_executable*) echo "$0"; echo "3 11 2 /usr" ;;
            *) exec "$real" "$@" ;;
        esac
    """)
    assert_refused(checkout.run(), "cannot make virtual environments", "apt install -y python3-venv")


def test_what_pip_says_reaches_the_user_and_a_second_run_tries_again(checkout: Checkout) -> None:
    """A virtual environment whose pip always fails stands for a machine without a network."""
    checkout.python("""
        case "$2" in
            *_base_executable*) echo "$0"; echo "3 11 2 /usr" ;;
            venv) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" 2>/dev/null || cat "$0" >"$3/bin/python"; chmod 755 "$3/bin/python" ;;
            pip) echo "no matching distribution" >&2; exit 1 ;;
        esac
    """)
    for _ in range(2):
        assert_refused(checkout.run(), "no matching distribution", "pip could not install")


def test_a_second_run_builds_nothing_and_a_changed_setup_cfg_installs_again(checkout: Checkout) -> None:
    checkout.python("""
        case "$2" in
            *_base_executable*) echo "$0"; echo "3 11 2 /usr" ;;
            venv) mkdir -p "$3/bin"; cat "$0" >"$3/bin/python"; chmod 755 "$3/bin/python" ;;
            -m) echo "the command: $*" ;;
        esac
    """)
    first, second = checkout.run("status"), checkout.run("status")
    assert first.stdout == second.stdout == "the command: -P -m fs_dialer status\n"
    assert "installing" in first.stderr
    assert second.stderr == ""
    with open(checkout.root / "setup.cfg", "a") as file:
        file.write("# changed\n")
    third = checkout.run("status")
    assert "installing" in third.stderr
    assert "making" not in third.stderr


def test_a_checkout_without_room_for_an_environment_is_set_up_in_the_cache(checkout: Checkout) -> None:
    """A file in the place of .venv stands for a folder that cannot be written: it stops root too."""
    checkout.python("""
        case "$2" in
            *_base_executable*) echo "$0"; echo "3 11 2 /usr" ;;
            venv) mkdir -p "$3/bin"; cat "$0" >"$3/bin/python"; chmod 755 "$3/bin/python" ;;
            -m) echo done ;;
        esac
    """)
    (checkout.root / ".venv").touch()
    assert checkout.run("status").stdout == "done\n"
    (venv,) = (checkout.home / ".cache" / "fs-dialer").iterdir()
    assert (venv / "checkout" / "setup.cfg").resolve() == checkout.root / "setup.cfg"


def test_an_environment_someone_else_made_is_not_wiped(checkout: Checkout) -> None:
    (checkout.root / ".venv").mkdir()
    (checkout.root / ".venv" / "mine.txt").write_text("keep")
    checkout.python("""
        case "$2" in
            *_base_executable*) echo "$0"; echo "3 11 2 /usr" ;;
            venv) mkdir -p "$3/bin"; cat "$0" >"$3/bin/python"; chmod 755 "$3/bin/python" ;;
        esac
    """)
    assert checkout.run("status").returncode == 0
    assert (checkout.root / ".venv" / "mine.txt").read_text() == "keep"


# --- bench/ -----------------------------------------------------------------------------------------------------------


def test_every_benchmark_has_a_title() -> None:
    assert set(titles()) == {path.stem for path in (ROOT / "bench").glob("[!_]*.py")}


def test_an_unknown_benchmark_is_misuse_and_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_main(["no_such_benchmark"]) == 2
    assert capsys.readouterr().out == ""


def test_a_benchmarks_talk_stays_out_of_its_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import bench

    (tmp_path / "made_up.py").write_text(
        'TITLE = "Made up"\n'
        "def run():\n    print('talk')\n    return {'figure': 1.5, 'not_taken': None}\n"
        "def table(figures):\n    return f\"figure {figures['figure']}\"\n"
    )
    monkeypatch.setattr(bench, "__path__", [str(tmp_path)])
    monkeypatch.setattr("bench.__main__.FOLDER", tmp_path)
    monkeypatch.setattr("bench.__main__.titles", lambda: {"made_up": "Made up"})
    assert bench_main(["made_up", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"bench": "made_up", "figures": {"figure": 1.5, "not_taken": None}}
    assert said.err == "talk\n"
    assert bench_main(["made_up"]) == 0
    assert capsys.readouterr().out == "figure 1.5\n"

"""Several switches in installation.yml and in fs-dialer.yml, and the environment over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fs_dialer.config.as_written import as_written
from fs_dialer.config.codec import installation_from_json, installation_to_json
from fs_dialer.config.daemon import DaemonSettings, load_settings
from fs_dialer.config.load import load_texts
from fs_dialer.errors import ConfigError

TWO = "switches:\n  north: {host: 10.0.0.2, port: 8022, password: env:NORTH_PASSWORD}\n"


def settings(folder: Path, text: str, **environ: str) -> DaemonSettings:
    path = folder / "fs-dialer.yml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, environ)


def problems(folder: Path, text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        settings(folder, text, **environ)
    return [f"{problem.path}: {problem.text}" for problem in caught.value.problems]


def test_a_further_switch_has_a_place_and_a_password(tmp_path: Path) -> None:
    found = settings(tmp_path, TWO, NORTH_PASSWORD="quiet")
    assert (found.switches["north"].host, found.switches["north"].port, found.switches["north"].client) == ("10.0.0.2", 8022, "native")
    assert found.switch_password("north") == "quiet"
    assert "quiet" not in repr(found)


def test_the_environment_goes_over_the_file(tmp_path: Path) -> None:
    found = settings(tmp_path, TWO, FS_DIALER_SWITCH_NORTH="192.0.2.7:99", FS_DIALER_SWITCH_NORTH_PASSWORD="loud", FS_DIALER_SWITCH_NORTH_CLIENT="greenswitch")
    north = found.switches["north"]
    assert (north.host, north.port, north.client, found.switch_password("north")) == ("192.0.2.7", 99, "greenswitch", "loud")


def test_a_password_file_goes_over_it_too(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("from a file\n", encoding="utf-8")
    (tmp_path / "pw").chmod(0o600)
    assert settings(tmp_path, TWO, FS_DIALER_SWITCH_NORTH_PASSWORD_FILE=str(tmp_path / "pw")).switch_password("north") == "from a file"


def test_a_missing_password_names_the_variable(tmp_path: Path) -> None:
    found = settings(tmp_path, "switches: {north: {host: 10.0.0.2}}\n")
    with pytest.raises(ConfigError, match="FS_DIALER_SWITCH_NORTH_PASSWORD"):
        found.switch_password("north")


@pytest.mark.parametrize(
    ("text", "environ", "told"),
    [
        ("switches: {main: {host: a}}\n", {}, "switches.main: main is the one below `esl`"),
        ("switches: {north: {host: 'a b'}}\n", {}, "switches.north.host: is not a host's name or address"),
        ("switches: {north: {password: secret1}}\n", {}, "switches.north.password: a password does not belong in this file"),
        ("switches: [north]\n", {}, "switches: names are expected below"),
        (TWO, {"FS_DIALER_SWITCH_NORTH": "here"}, ""),
        (TWO, {"FS_DIALER_SWITCH_NORTH": "a b"}, "FS_DIALER_SWITCH_NORTH: `a b` is not host:port"),
        (TWO, {"FS_DIALER_SWITCH_NORTH_CLIENT": "perl"}, "FS_DIALER_SWITCH_NORTH_CLIENT: `perl` is none of native"),
        (TWO, {"FS_DIALER_SWITCH_NORTH_PASSWORD": "a", "FS_DIALER_SWITCH_NORTH_PASSWORD_FILE": "b"}, "FS_DIALER_SWITCH_NORTH_PASSWORD: FS_DIALER_SWITCH"),
        ("switches: {no-1: {host: a}, no_1: {host: b}}\n", {}, "switches: two of them have the same variables"),
    ],
)
def test_mistakes_are_told_by_their_place(tmp_path: Path, text: str, environ: dict[str, str], told: str) -> None:
    if not told:
        assert settings(tmp_path, text, **environ).switches["north"].host == "here"
    else:
        assert any(line.startswith(told) for line in problems(tmp_path, text, **environ))


INSTALLATION = """lines: 400
gateways: {trunk1: {}, trunk2: {}}
switches:
  main: {weight: 2, lines: 200, cps: 20}
  north: {gateways: [trunk1]}
"""


def test_an_installation_declares_switches_and_reads_back_what_it_wrote() -> None:
    found = load_texts({"installation.yml": INSTALLATION}).installation
    assert found is not None
    main, north = found.switches
    assert (main.id, main.weight, main.lines, main.cps, main.gateways) == ("main", 2, 200, 20.0, ())
    assert (north.id, north.weight, north.lines, north.gateways) == ("north", 1, None, ("trunk1",))
    assert installation_from_json(installation_to_json(found)) == found
    assert as_written(found)["switches"]["north"] == {"gateways": ["trunk1"]}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[trunk1]", "[trunk9]", "there is no gateway trunk9 below gateways"),
        ("  main:", "  south:", "one of them must be named main"),
        ("lines: 400", "switch: fs1\nlines: 400", "with several switches it is named main"),
        ("weight: 2", "weight: 0", "weight"),
    ],
)
def test_a_mistake_in_the_installation_is_told(old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_texts({"installation.yml": INSTALLATION.replace(old, new)})
    assert any(told in f"{problem.path} {problem.text}" for problem in caught.value.problems)

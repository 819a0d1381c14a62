"""switch list and switch drain, and what status says of switches that get no calls."""

from __future__ import annotations

from typing import Any

from fs_dialer.cli.doctor import several
from fs_dialer.cli.doctor.wanted import Wanted
from fs_dialer.cli.switches import not_ready, state_of
from fs_dialer.config.daemon import DaemonSettings, EslSettings
from fs_dialer.core.definition import SwitchDefinition
from fs_dialer.core.model import SwitchId


def a_switch(id: str = "main", **more: Any) -> dict[str, Any]:
    return {"id": id, "up": True, "ready": True, "given_up": False, "drained_since": None, **more}


def test_a_switch_is_told_by_one_word() -> None:
    assert state_of(a_switch()) == "ready"
    assert state_of(a_switch(ready=False)) == "connecting"
    assert state_of(a_switch(drained_since=1.0)) == "drained"
    assert state_of(a_switch(up=False, ready=False)) == "away"
    assert state_of(a_switch(up=False, ready=False, given_up=True)) == "given up"


def test_status_names_those_that_get_no_calls() -> None:
    assert not_ready({"switches": [a_switch(), a_switch("north")]}) == ""
    assert not_ready({"switches": [a_switch(), a_switch("north", drained_since=1.0)]}) == "north drained"
    assert not_ready({"switches": [a_switch(drained_since=1.0)]}) == "main drained"
    assert not_ready({"switches": [a_switch(up=False)]}) == "", "that line says so already"
    assert not_ready({}) == ""


TWO = (SwitchDefinition(id=SwitchId("main"), lines=30), SwitchDefinition(id=SwitchId("north"), cps=5.0, gateways=("t2",)))
WANTED = Wanted(100, 20.0, {"t1": ("installation.yml",), "t2": ("installation.yml",)}, switches=TWO)


def test_the_doctor_asks_of_each_switch_what_its_definition_says() -> None:
    main, north = several.of_switch(WANTED, "main"), several.of_switch(WANTED, "north")
    assert main is not None and (main.lines, main.cps, set(main.gateways)) == (30, 20.0, {"t1", "t2"})
    assert north is not None and (north.lines, north.cps, set(north.gateways)) == (100, 5.0, {"t2"})
    assert several.of_switch(Wanted(7, 1.0), "main") == Wanted(7, 1.0), "with one switch nothing is different"


def test_the_doctor_tells_a_switch_that_stands_in_one_file_only() -> None:
    checks = several.compare(DaemonSettings(switches={"south": EslSettings()}), WANTED)
    assert [(check.id, check.verdict.value) for check in checks] == [("north.switch.reachable", "bad"), ("south.switch.declared", "warn")]
    assert several.compare(DaemonSettings(), Wanted(7, 1.0)) == []

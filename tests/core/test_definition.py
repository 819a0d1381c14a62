"""The definitions: each setting has help, a kind, a default inside its bounds, and a key of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any

import pytest

from fs_dialer.core.definition import (
    GAPPED,
    AgentDefinition,
    Attempts,
    BusyRetry,
    Campaign,
    CampaignAgents,
    GatewayDefinition,
    Hours,
    Installation,
    LeadsSource,
    Waiting,
    Window,
)
from fs_dialer.core.model import CampaignType
from fs_dialer.core.options import KINDS, declared
from tests.core.builders import a_campaign

DEFINITIONS = (Campaign, Window, Attempts, BusyRetry, Waiting, LeadsSource, CampaignAgents, AgentDefinition, GatewayDefinition, Installation)


def settings() -> Iterator[tuple[str, Field[Any]]]:
    for cls in DEFINITIONS:
        for key, one in declared(cls).items():
            yield f"{cls.__name__}.{key}", one


@pytest.mark.parametrize(("name", "one"), list(settings()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_setting_explains_itself(name: str, one: Field[Any]) -> None:
    meta = one.metadata
    assert meta["kind"] in KINDS
    assert len(meta["help"]) > 10 and meta["help"][0].isupper() | (meta["help"][0] == "`") and meta["help"].endswith((".", ")", "…"))
    assert set(meta["types"]) <= {t.value for t in CampaignType}
    assert (meta["kind"] == "choice") == bool(meta["choices"])


@pytest.mark.parametrize(("name", "one"), list(settings()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_default_lies_inside_its_own_bounds(name: str, one: Field[Any]) -> None:
    low, high, default = one.metadata["low"], one.metadata["high"], one.default
    if default is MISSING or default is None or not isinstance(default, int | float):
        return
    assert low is None or low <= default
    assert high is None or default <= high
    assert low is None or high is None or low < high


@pytest.mark.parametrize("cls", DEFINITIONS, ids=lambda cls: cls.__name__)
def test_no_two_settings_share_a_key(cls: type) -> None:
    assert len(declared(cls)) == sum(1 for f in fields(cls) if "kind" in f.metadata)


@pytest.mark.spec("D18")
def test_durations_carry_their_unit_in_their_name() -> None:
    assert [name for name, one in settings() if one.metadata["kind"] == "duration" and not one.name.endswith("_s")] == []


@pytest.mark.spec("S11")
def test_manual_has_no_gap_S11() -> None:
    assert "manual" not in GAPPED and declared(Attempts)["gap"].metadata["types"] == GAPPED


@pytest.mark.spec("D1")
def test_connect_within_is_the_wait_D1() -> None:
    assert a_campaign(at_most_s=12.0).connect_within_s == 12.0


@pytest.mark.spec("D11")
def test_an_empty_week_is_any_time_S9() -> None:
    assert Hours().any_time and not Hours((((540, 600),),) + ((),) * 6).any_time

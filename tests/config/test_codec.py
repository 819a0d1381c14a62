"""Definitions ↔ JSON: nothing is lost, and nothing unknown is passed over."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.config.codec import agent_from_json, agent_to_json, campaign_from_json, campaign_to_json, installation_from_json, installation_to_json
from fs_dialer.core.definition import (
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
from fs_dialer.core.model import CampaignType, LegKind
from fs_dialer.core.resources import CallerIds, CallerRoute
from fs_dialer.errors import ConfigError
from fs_dialer.modes import OFFERED

texts = st.text(max_size=8)
seconds = st.floats(min_value=0, max_value=1e9)
counts = st.integers(min_value=0, max_value=10**6)
span = st.tuples(st.integers(0, 1440), st.integers(0, 1440))
weeks = st.lists(st.lists(span, max_size=2).map(tuple), min_size=7, max_size=7).map(tuple)


def campaigns() -> st.SearchStrategy[Campaign]:
    return st.builds(
        Campaign,
        id=texts,
        type=st.just(CampaignType.PROGRESSIVE),
        revision=counts,
        title=texts,
        window=st.builds(Window, start=st.none() | seconds, end=st.none() | seconds, zone=texts),
        hours=st.builds(Hours, week=weeks),
        leads=st.builds(LeadsSource, csv=st.none() | texts, new_rows=texts),
        agents=st.builds(CampaignAgents, people=st.lists(texts).map(tuple)),
        caller_id=st.builds(CallerIds, numbers=st.lists(texts, min_size=1).map(tuple), routes=st.lists(st.builds(CallerRoute, texts)).map(tuple)),
        attempts=st.builds(Attempts, max=counts, gap_s=seconds, busy=st.builds(BusyRetry, gap_s=seconds)),
        early_media=st.booleans(),
        waiting=st.builds(Waiting, at_most_s=seconds, notice=st.none() | texts),
        lines=st.none() | counts,
        options=st.just(OFFERED[CampaignType.PROGRESSIVE].Options()),
    )


def through_json(data: dict[str, Any]) -> Any:
    return json.loads(json.dumps(data))


@given(campaigns())
@settings(deadline=None)
def test_a_campaign_comes_back_from_json_as_it_was(campaign: Campaign) -> None:
    assert campaign_from_json(through_json(campaign_to_json(campaign))) == campaign


@given(st.builds(AgentDefinition, id=texts, dial_string=texts, leg=st.sampled_from(LegKind), name=texts))
def test_an_agent_comes_back_from_json_as_it_was(agent: AgentDefinition) -> None:
    assert agent_from_json(through_json(agent_to_json(agent))) == agent


gateways = st.builds(GatewayDefinition, id=texts, lines=st.none() | counts, cps=st.none() | seconds, plus=st.booleans(), prefix=texts)


@given(st.builds(Installation, lines=counts, cps=seconds, region=texts, switch=texts, gateways=st.lists(gateways, max_size=3).map(tuple)))
def test_an_installation_comes_back_from_json_as_it_was(installation: Installation) -> None:
    assert installation_from_json(through_json(installation_to_json(installation))) == installation


def test_caller_ids_as_an_older_version_stored_them_are_read() -> None:
    """They were a list of numbers before they became a group of settings."""
    assert campaign_from_json(SMALL).caller_id == CallerIds(numbers=("123",))


SMALL: dict[str, Any] = {"id": "spring", "type": "progressive", "caller_id": ["123"]}


def test_missing_keys_take_defaults() -> None:
    """A definition that an older version stored."""
    spring = campaign_from_json(SMALL)
    assert spring.attempts == Attempts() and spring.waiting == Waiting() and spring.hours == Hours()


def test_whole_numbers_do_for_decimal_ones() -> None:
    """jsonb gives 25 for 25.0."""
    ring = campaign_from_json(SMALL | {"ring_timeout_s": 25}).ring_timeout_s
    assert ring == 25.0 and isinstance(ring, float)


@pytest.mark.parametrize(
    ("data", "path", "text"),
    [
        (SMALL | {"pace": 3}, "pace", "a newer fs-dialer stored it"),
        (SMALL | {"attempts": {"min": 3}}, "attempts.min", "a newer fs-dialer stored it"),
        (SMALL | {"options": {"boost": 1}}, "options.boost", "a newer fs-dialer stored it"),
        (SMALL | {"type": "telepathic"}, "type", "unknown to this version"),
        ({"id": "spring", "type": "progressive"}, "caller_id", "is missing"),
        (SMALL | {"lines": "3"}, "lines", "int was expected"),
        (SMALL | {"lines": True}, "lines", "int was expected"),
        (SMALL | {"ring_timeout_s": None}, "ring_timeout_s", "float was expected"),
        (SMALL | {"caller_id": "123"}, "caller_id.numbers", "a list was expected"),
        (SMALL | {"attempts": 3}, "attempts", "settings were expected"),
        (SMALL | {"hours": {"week": [[[1, 2, 3]]]}}, "hours.week", "2 values were expected"),
    ],
)
def test_what_another_version_stored_is_refused_by_name_and_never_passed_over(data: dict[str, Any], path: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        campaign_from_json(data)
    (problem,) = caught.value.problems
    assert (problem.file, problem.path) == ("campaign spring as stored", path) and text in problem.text

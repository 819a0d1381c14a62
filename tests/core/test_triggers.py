"""Which trigger fires at which event."""

from __future__ import annotations

from typing import Any

import pytest

from fs_dialer.core.resources import EVENTS, Trigger, TriggerAction
from fs_dialer.core.triggers import FIELDS, actions, judge, meets

BACK = TriggerAction(add_to="back")
CRM = TriggerAction(webhook="crm")


def a_trigger(*then: TriggerAction, on: str = "ticket_created", name: str = "call-back", **when: str) -> Trigger:
    return Trigger(name=name, on=on, when=tuple(when.items()), then=then or (BACK,))


@pytest.mark.spec("S79", "S80", "S81", "S82")
def test_all_conditions_must_hold() -> None:
    trigger = a_trigger(channel="callback", queue="support")
    assert judge(trigger, "ticket_created", {"channel": "callback", "queue": "support"}).fires
    assert judge(trigger, "ticket_created", {"channel": "callback", "queue": "sales"}).why_not == "queue is sales, not support"
    assert judge(trigger, "ticket_created", {"channel": "call", "queue": "sales"}).why_not == "channel is call, not callback"


def test_another_kind_of_event_is_not_heard() -> None:
    assert judge(a_trigger(), "attempt_ended", {}).why_not == "it listens for ticket_created"


def test_without_conditions_every_event_of_the_kind_fires() -> None:
    assert judge(a_trigger(), "ticket_created", {}).fires


def test_a_field_that_the_event_does_not_have_meets_nothing() -> None:
    assert judge(a_trigger(color=""), "ticket_created", {"channel": "call"}).why_not == "the event has no field color"


@pytest.mark.parametrize(
    ("value", "wanted", "met"),
    [
        ("callback", "call|callback", True),
        ("Callback", " CALLBACK ", True),
        ("call", "callback", False),
        ("callback", "call", False),
        (True, "yes", True),
        (True, "True", True),
        (True, "no", False),
        (False, "no|x", True),
        (None, "", True),
        (None, "lan", False),
        ("", "|lan", True),
        (7, "7", True),
        (7.0, "7", True),
        (7, "07", False),
        (["a", "b"], "b", True),
        ([], "", True),
        ([], "a", False),
        ({"a": 1}, "a", False),
        ("Straße", "STRASSE", True),
    ],
)
def test_values_are_compared_as_text_without_case(value: Any, wanted: str, met: bool) -> None:
    assert meets(value, wanted) is met


def test_actions_come_in_the_order_of_triggers_and_each_once() -> None:
    found = actions(
        [a_trigger(BACK, CRM, name="a"), a_trigger(CRM, TriggerAction(set=(("x", "1"),)), name="b"), a_trigger(BACK, on="lead_finished")], "ticket_created", {}
    )
    assert found == (("a", BACK), ("a", CRM), ("b", TriggerAction(set=(("x", "1"),))))


def test_every_kind_of_event_has_its_fields_told() -> None:
    assert tuple(FIELDS) == EVENTS

"""Desks and cards as the agent interface tells them, for tests of the console: values that a real engine's picture gives, changed where a test says so."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from fs_dialer.cli.agent_console_keys import Known
from fs_dialer.core.agent_picture import AgentPicture, CallPicture, CampaignDesk, LastCall
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, AttemptId, CallState, CampaignId, CampaignType, LeadId
from fs_dialer.db.agent_desk import Card, CardCall, CardDisposition, CardItem, CardTicket

NOON = 1_795_262_400.0
CALL = "6f1d0a52-7a0e-4d5e-9d0e-3f6c1d2b4a59"
WINBACK = CampaignDesk(CampaignId("winback"), CampaignType.MANUAL, True, False, True, "agents take their customers themselves")
LAN = AgentPicture(
    AgentId("lan"), "Lan Nguyen", AgentStatus.AVAILABLE, "", AgentState.IDLE, NOON - 42, NOON + 20, False, 0, None, 0, 7, None, None, (WINBACK,), ("take",)
)
TALK = CallPicture(
    *(AttemptId(CALL), CampaignId("winback"), LeadId(812), "+442079460101", CallState.BRIDGED, NOON - 90), bridged_at=NOON - 87, answered_at=NOON - 89
)
LAST = LastCall(AttemptId(CALL), CampaignId("winback"), LeadId(812), True)
SCRIPT = (
    CardItem("Your plan ends on 30 November.", "", "", "text", (), False, None, None),
    CardItem("", "Renew?", "renew", "choice", ("yes", "later", "no"), True, None, None),
    CardItem("", "Which extras?", "extras", "choices", ("roaming", "data"), False, None, None),
    CardItem("", "Which plan?", "plan", "text", (), False, None, None),
)
RESULTS = (
    CardDisposition("sold", "Sold", "success", True, "Sold: done, no more calls"),
    CardDisposition("later", "Later", "callback", True, "Later: called again at the time you promise"),
)
ADA = Card(
    campaign="winback", title="Win back", type="manual", lead=812, number="+442079460101", zone="Europe/London", name="Ada Example", owner="",
    attributes={"plan": "Gold"}, parameters={}, status="retry", attempts=1, attempts_max=3,
    calls=(CardCall("c0", "winback", NOON - 86400, NOON - 86380, "busy", "hoa", None, "mornings are better", None, False),),
    script=SCRIPT, answers={}, missing=("renew",), note="", dispositions=RESULTS, promised=(),
    tickets=(CardTicket(5, "callback", "support", None, NOON - 600, "pressed the key", None),), attempt=CALL,
)  # fmt: skip


def desk(**changes: Any) -> dict[str, Any]:
    """A picture as JSON's values."""
    return dict(orjson.loads(orjson.dumps({**{name: getattr(LAN, name) for name in LAN.__slots__}, **changes})))


def card(**changes: Any) -> dict[str, Any]:
    return dict(orjson.loads(orjson.dumps({**asdict(ADA), "call": CALL, **changes})))


def known(*, with_card: bool | dict[str, Any] = False, **changes: Any) -> Known:
    """What a console knows. `with_card`: Ada's, or another."""
    shown = card() if with_card is True else with_card or None
    return Known(desk(**changes), shown, 0.0, True, "")


def talking(**changes: Any) -> Known:
    """In conversation with Ada."""
    answers = changes.pop("answers", {})
    can = changes.pop("can", ("hang_up", "hold", "transfer", "record", "dispose", "not_available", "close_screen"))
    return known(with_card=card(answers=answers), state="talking", call=TALK, can=can, **changes)

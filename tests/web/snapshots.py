"""An engine's state for the faces that show one."""

from __future__ import annotations

from dataclasses import replace

from fs_dialer.core.model import AgentId, AgentState, AgentStatus, CallState, CampaignId, CampaignState, CampaignType, Outcome
from fs_dialer.core.snapshot import AgentView, BreakerView, CampaignView, Snapshot

SPRING = CampaignView(
    id=CampaignId("spring"),
    type=CampaignType.PROGRESSIVE,
    state=CampaignState.RUNNING,
    revision=3,
    because="dialling",
    lines=6,
    lines_limit=20,
    waiting=1,
    hopper=40,
    calls_by_state={CallState.BRIDGED: 4, CallState.DIALING: 2},
    outcomes={Outcome.CONNECTED: 30, Outcome.MISSED: 2, Outcome.BUSY: 8},
    attempts=40,
    answered=32,
    missed=2,
    bridged=30,
    talked_s=1800.5,
    waited_s=12.5,
    refused_without_leg=0,
    crew=5,
    staying=4,
    idle=0,
    promised=0,
)
RESTED = replace(SPRING, id=CampaignId("rest"), state=CampaignState.PAUSED, because="paused by an.le", lines=0, lines_limit=None, staying=0, calls_by_state={})
LAN = AgentView(AgentId("lan"), "Lan", AgentStatus.AVAILABLE, AgentState.TALKING, 0.0, None, 3)
ENGINE = Snapshot(
    now=1_800_000_000.0,
    switch_up=True,
    store_up=True,
    draining=False,
    legs=10,
    legs_limit=60,
    campaigns=(SPRING, RESTED),
    agents=(LAN, replace(LAN, id=AgentId("hoa")), replace(LAN, id=AgentId("huy"), status=AgentStatus.NOT_AVAILABLE, state=AgentState.IDLE)),
    breakers=(BreakerView("caller_id", "+442079460100", "open", 1.0, 2.0, 10, 10, "10 of 10 failed"),),
)

"""Callback: who pressed the key in a queue is called back, agent first (S65–S70, S83–S90).

One callback for each free agent whose campaign screen is open: his phone is answered first, then the customer is dialled, so nobody is called back into a
waiting line. Which customer is next is the store's order (S89: first asked, first called back); what comes before what when agents are few stands in
core/sharing.py (S86).
"""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignType
from fs_dialer.core.options import option
from fs_dialer.modes.base import Decision, Flow, Observation, View

TYPE = CampaignType.CALLBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    from_queue: str = option("", kind="ref", of="queues", help="The queue whose callers it calls back; a trigger may add others.", spec="S65 S67")


def flow(campaign: Campaign) -> Flow:
    return Flow(first_leg="agent", on_answer="reserved_agent", reserve_agent=True)


def new_memory(campaign: Campaign) -> None:
    return None


def observe(memory: None, seen: Observation, now: float) -> None:
    return None


def decide(view: View, now: float, campaign: Campaign, memory: None) -> Decision:
    """One call for each free agent; nothing is dialled ahead of him (S66)."""
    wanted = view.idle
    if not view.agents:
        screen = " with the campaign screen open" if campaign.needs_screen else ""
        return Decision(because=f"no agent is available{screen}")
    if not wanted:
        return Decision(because="every agent is busy or has a callback already")
    if view.room < wanted:
        return Decision(originate=max(0, view.room), because=f"{_free(wanted)}, but lines or calls per second allow {max(0, view.room)}")
    return Decision(originate=wanted, because=f"one callback for {'the free agent' if wanted == 1 else f'each of {_free(wanted)}'}, the agent is rung first")


def _free(agents: int) -> str:
    return "1 free agent" if agents == 1 else f"{agents} free agents"

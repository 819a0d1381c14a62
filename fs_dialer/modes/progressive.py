"""Progressive: one call for each free agent (S38).

Every originate reserves an idle agent, so an answered customer has an agent of his own; a missed call needs an agent who vanished.
"""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignType
from fs_dialer.modes.base import Decision, Flow, Observation, View

TYPE = CampaignType.PROGRESSIVE


@dataclass(frozen=True, slots=True)
class Options:
    """Progressive has no settings beyond those common to all types (S38)."""


def flow(campaign: Campaign) -> Flow:
    return Flow(first_leg="lead", on_answer="reserved_agent", reserve_agent=True)


def new_memory(campaign: Campaign) -> None:
    return None


def observe(memory: None, seen: Observation, now: float) -> None:
    return None


def decide(view: View, now: float, campaign: Campaign, memory: None) -> Decision:
    wanted = view.idle
    if not view.agents:
        return Decision(because="no agent is logged in and available")
    if not wanted:
        return Decision(because="every agent is busy or has a call being dialled for him")
    if view.room < wanted:
        return Decision(originate=max(0, view.room), because=f"{_free(wanted)}, but lines or calls per second allow {max(0, view.room)}")
    return Decision(originate=wanted, because=f"one call for {'the free agent' if wanted == 1 else f'each of {_free(wanted)}'}")


def _free(agents: int) -> str:
    return "1 free agent" if agents == 1 else f"{agents} free agents"

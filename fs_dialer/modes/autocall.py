"""Autocall: an IVR speaks with the customer, and an agent only where a key asks for one (S50–S64).

As many calls at a time as lines allow; whoever answers is in the flow at once. No agent is waited for, and none is kept free.
"""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.definition import Campaign
from fs_dialer.core.flow import Ivr, extension
from fs_dialer.core.model import CampaignType
from fs_dialer.core.options import option, section
from fs_dialer.modes.base import Decision, Flow, Observation, View

TYPE = CampaignType.AUTOCALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """What is done about answering machines. A detector is a module of the switch that is not ours, and none is right always: off by default."""

    detect: str = option("off", kind="choice", choices=("off", "amd", "avmd"), help="`amd`: by how they speak; `avmd`: by their beep.")
    then: str = option(
        "hang_up", kind="choice", choices=("hang_up", "message", "go_on"), help="Let it go, leave a message after the beep, or go on as with a person."
    )
    message: str | None = option(None, kind="sound", of="sounds", help="The message.")
    succeeds: bool = option(False, kind="flag", help="`yes`: a message that was left counts as reached (D13).", spec="D13")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    ivr: Ivr = option(kind="ref", of="ivrs", help="The IVR flow that the customer meets.", spec="S52")
    machines: Machines = section(Machines, short="detect", help="Answering machines.")


def flow(campaign: Campaign) -> Flow:
    """Without settings of its own it has no flow, and nothing of it is dialled."""
    options = campaign.options
    if not isinstance(options, Options):
        return Flow(on_answer="ivr", reserve_agent=False)
    machines = options.machines
    return Flow(
        on_answer="ivr",
        reserve_agent=False,
        ivr=extension(options.ivr),
        script=options.ivr,
        detect="" if machines.detect == "off" else machines.detect,
        machines=machines.then,
        message=machines.message,
        message_succeeds=machines.succeeds,
    )


def new_memory(campaign: Campaign) -> None:
    return None


def observe(memory: None, seen: Observation, now: float) -> None:
    return None


def decide(view: View, now: float, campaign: Campaign, memory: None) -> Decision:
    if view.room <= 0:
        return Decision(because="every line that the campaign may use is taken, or the calls per second are used up")
    more = "1 more call" if view.room == 1 else f"{view.room} more calls"
    return Decision(originate=view.room, because=f"{more}: as many as lines and calls per second allow")

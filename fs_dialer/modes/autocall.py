"""Autocall: an IVR speaks with the customer, no agent (S50–S64). Here: its settings."""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.flow import Ivr
from fs_dialer.core.model import CampaignType
from fs_dialer.core.options import option, section

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

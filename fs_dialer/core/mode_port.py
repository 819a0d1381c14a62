"""The border between the engine and the campaign types: what a type must say, and the values that cross.

It stands in the core because modes/ may import the core and never the other way. A mode decides targets and has no effects; limits, gates and budgets of
the installation come after it. Its memory is its own: opaque to the engine, JSON-able, changed in place if it likes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from fs_dialer.core.definition import Campaign
from fs_dialer.core.flow import Ivr
from fs_dialer.core.model import CampaignType


@dataclass(frozen=True, slots=True)
class Flow:
    """How a call of this type runs; the call machine is parametrised by it.

    first_leg: who is rung first. on_answer: what an answered customer meets. reserve_agent: each originate takes one idle agent at once.
    preview_s: the agent sees the lead for this long before it is dialled; None = no preview, inf = until he dials. preview_end: what is done when that time
    is over: dial, skip, not_available. accept: the time runs from the agent's acceptance (D17). extend: how often he may prolong it, and by how much.
    pull: agents take leads themselves; nothing is handed out. ivr: the extension of the flow that on_answer "ivr" leads into, script: what it is made of.
    detect: what listens for answering machines (amd, avmd; "" = nothing does), machines: what is done about one (hang_up, message, go_on), message: what is
    played to it, message_succeeds: whether that counts as reached.
    """

    first_leg: Literal["lead", "agent"] = "lead"
    on_answer: Literal["reserved_agent", "music_then_agent", "ivr"] = "reserved_agent"
    reserve_agent: bool = True
    preview_s: float | None = None
    ivr: str = ""
    preview_end: str = "dial"
    accept: bool = False
    extend: tuple[int, float] = (0, 0.0)
    pull: bool = False
    script: Ivr | None = None
    detect: str = ""
    machines: str = "hang_up"
    message: str | None = None
    message_succeeds: bool = False


@dataclass(frozen=True, slots=True)
class Clocks:
    """Start times, for modes that weigh ages. ringing: (started_at, the lead's own answer probability or None)."""

    ringing: Sequence[tuple[float, float | None]]
    talking: Sequence[float]
    wrapping: Sequence[float]


@dataclass(frozen=True, slots=True)
class View:
    """One campaign as its mode sees it. `idle`: agents leased to it and free; `on_hold`: answered customers without an agent; `ringing`: calls placed
    and not yet answered; `agents`: logged in and staying; `room`: lines and originates per second still allowed now."""

    idle: int
    on_hold: int
    ringing: int
    agents: int
    room: int
    clocks: Callable[[], Clocks]


@dataclass(frozen=True, slots=True)
class Decision:
    """Targets, never effects. `because` is one sentence in the operator's words."""

    originate: int = 0
    previews: int = 0
    because: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing a pacer learns from. kind: launched, answered, ended, machine, talk_ended, wrap_ended, abandoned; age_s: ring, talk or wrap-up age."""

    kind: str
    age_s: float | None = None


class NotDialled:
    """Stands in for a type that can be defined and stored, and that this version does not dial: never asks for a call."""

    TYPE = CampaignType.MANUAL  # of no meaning: nobody asks it of a type that is not dialled
    Options: type = object

    def flow(self, campaign: Campaign) -> Flow:
        return Flow()

    def new_memory(self, campaign: Campaign) -> None:
        return None

    def observe(self, memory: Any, seen: Observation, now: float) -> Any:
        return memory

    def decide(self, view: View, now: float, campaign: Campaign, memory: Any) -> Decision:
        return Decision(because=f"this version does not dial {campaign.type.value} campaigns")


NOT_DIALLED = NotDialled()


class Mode(Protocol):
    """A campaign type: one module of modes/ with these names."""

    TYPE: CampaignType
    Options: type

    def flow(self, campaign: Campaign) -> Flow: ...
    def new_memory(self, campaign: Campaign) -> Any: ...
    def observe(self, memory: Any, seen: Observation, now: float) -> Any: ...
    def decide(self, view: View, now: float, campaign: Campaign, memory: Any) -> Decision: ...

"""Preview: the agent sees the customer first, then the number is dialled (S36, S37, M5, D17).

Each free agent has one lead on his card. He dials sooner, passes it over, or lets the time run out; then his own phone is called first, so that no customer
ever waits for him.
"""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignType
from fs_dialer.core.options import option, section
from fs_dialer.modes.base import Decision, Flow, Observation, View

TYPE = CampaignType.PREVIEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    allowed: int | None = option(
        None, kind="per_hour", low=0, high=1000, help="How many customers an agent may pass over an hour: `3/hour`; none = any number."
    )
    reason: str = option("optional", kind="choice", choices=("optional", "required"), help="Whether a reason must be given.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The time before the call."""

    time_s: float = option(
        30.0, kind="duration", key="time", low=1, high=3600, help="How long the customer is shown before the number is dialled.", spec="S36 M5"
    )
    accept: str = option(
        "auto", kind="choice", choices=("auto", "agent"), help="`auto`: the time runs from the offer; `agent`: from the moment the agent accepts.", spec="D17"
    )
    at_end: str = option(
        "dial", kind="choice", choices=("dial", "skip", "not_available"), help="What happens when the time is over and the agent did nothing.", spec="S36"
    )
    extend: tuple[int, float] = option((0, 15.0), kind="extend", help="How often the agent may prolong it, and by how much: `2 x 15s`.")
    skip: Skip = section(Skip, help="Passing a customer over.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    preview: Card = section(Card, short="time", help="What the agent may do before the number is dialled.", spec="S36 M5")


def flow(campaign: Campaign) -> Flow:
    card = campaign.options.preview if isinstance(campaign.options, Options) else Card()
    return Flow(
        first_leg="agent", on_answer="reserved_agent", preview_s=card.time_s, preview_end=card.at_end, accept=card.accept == "agent", extend=card.extend
    )


def new_memory(campaign: Campaign) -> None:
    return None


def observe(memory: None, seen: Observation, now: float) -> None:
    return None


def decide(view: View, now: float, campaign: Campaign, memory: None) -> Decision:
    if not view.agents:
        return Decision(because="no agent is available with his campaign screen open")
    if not view.idle:
        return Decision(because="every agent is busy or has a customer on his card")
    return Decision(previews=view.idle, because=f"one customer for {'the free agent' if view.idle == 1 else f'each of {view.idle} free agents'} to look at")

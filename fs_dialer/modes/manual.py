"""Manual: the agent takes customers one by one and dials (S29–S35).

Nothing is handed out: a lead comes on its agent's card when he takes it, and is dialled when he says so, his own phone first.
"""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignType
from fs_dialer.core.options import option, section
from fs_dialer.modes.base import Decision, Flow, Observation, View

TYPE = CampaignType.MANUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many customers an agent may take a day (S30). Customers are counted, not calls: calling one again costs nothing."""

    each: int | None = option(None, kind="per_day", low=1, high=10_000, help="The same for all agents: `50/day`.", spec="S30 S31")
    apart: tuple[tuple[str, int], ...] = option(
        (), kind="by_name", of="per_day", key="except", low=1, high=10_000, help="Other numbers for some: `{hoa: 80/day}`.", spec="S32 S33"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    quota: Quota = section(Quota, short="each", help="Most customers an agent may take a day; none = no limit.", spec="S30 D16")
    own_customer: bool = option(False, kind="flag", help="`yes`: the agent who takes a customer becomes the contact's owner.", spec="S34")


def flow(campaign: Campaign) -> Flow:
    return Flow(first_leg="agent", on_answer="reserved_agent", preview_s=float("inf"), pull=True)


def new_memory(campaign: Campaign) -> None:
    return None


def observe(memory: None, seen: Observation, now: float) -> None:
    return None


def decide(view: View, now: float, campaign: Campaign, memory: None) -> Decision:
    return Decision(because="agents take their customers themselves" if view.agents else "no agent is available with his campaign screen open")

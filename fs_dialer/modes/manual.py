"""Manual: the agent takes customers one by one and dials (S29–S35). Here: its settings."""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.model import CampaignType
from fs_dialer.core.options import option, section

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

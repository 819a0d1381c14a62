"""Autocall: an IVR speaks with the customer, no agent (S50–S64). Here: its settings."""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.model import CampaignType
from fs_dialer.core.options import option

TYPE = CampaignType.AUTOCALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    ivr: str = option(kind="name", help="The IVR flow that the customer meets.", spec="S52")

"""Predictive: more calls than free agents, so that agents hardly wait, under a ceiling of missed calls (S39–S49, M6). Here: its settings."""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.model import CampaignType
from fs_dialer.core.options import option, section

TYPE = CampaignType.PREDICTIVE

DAY_S = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """The ceiling of missed calls (D1)."""

    max: float = option(0.03, kind="rate", low=0.001, high=0.5, help="Most missed calls among those a person answered.", spec="S39 S40")
    aim: float | None = option(None, kind="rate", low=0.0005, high=0.5, help="What the pacer steers for; left out = a little below max.", spec="S40 S43")
    over_s: float = option(30 * DAY_S, kind="duration", key="over", low=DAY_S, high=366 * DAY_S, help="Over which time the ceiling holds.", spec="D1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    missed: Missed = section(Missed, short="max", help="How many calls may be missed.", spec="S39")
    remedy: bool = option(
        False, kind="flag", help="`yes`: whose call was missed is called again first, with an agent kept free for him, as soon as gap and profile allow."
    )
    by_lead: bool = option(True, kind="flag", help="`yes`: how likely each lead answers is learnt from hour, attempts and earlier outcomes; `no`: all alike.")
    pickup_rate: float | None = option(
        None, kind="rate", low=0.01, high=1.0, help="How likely a customer answers, as a first guess; what is seen soon outweighs it.", spec="M6 M7"
    )

"""What an admin's YAML defines: campaigns, agents, gateways, the installation. Each field is declared once, with all its metadata.

Pure data. config/ reads YAML into these, db/ stores them as JSON, the engine obeys them. Spec numbers stand beside each field.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fs_dialer.core.model import AgentId, CampaignId, CampaignType, GatewayId, LegKind, SwitchId
from fs_dialer.core.options import option, section

SECOND, MINUTE, HOUR, DAY = 1.0, 60.0, 3600.0, 86400.0
GAPPED = ("preview", "progressive", "predictive", "autocall", "callback")
RESTED = ("preview", "progressive", "predictive", "callback")


@dataclass(frozen=True, slots=True)
class Hours:
    """Weekly working hours: seven days from Monday, each a tuple of (start, end) in minutes after midnight, end up to 1440. Empty week = any time."""

    week: tuple[tuple[tuple[int, int], ...], ...] = ((),) * 7

    @property
    def any_time(self) -> bool:
        return not any(self.week)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    start: float | None = option(None, kind="moment", key="from", help="Dialling begins at this time, once started (S5).", spec="S5")
    end: float | None = option(None, kind="moment", key="until", help="The campaign ends at this time, finished or not (S6).", spec="S6")
    zone: str = option("UTC", kind="zone", help="The campaign's time zone: its days, and the clock of window and hours (D9).", spec="D9")


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyRetry:
    gap_s: float = option(20 * MINUTE, kind="duration", key="gap", low=0, high=30 * DAY, help="Break before a busy number is called again.", spec="§4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    max: int = option(3, kind="count", low=1, high=100, help="How often one lead may be called; a lead that met an agent is not called again.", spec="S10")
    gap_s: float = option(
        4 * HOUR, kind="duration", key="gap", low=0, high=365 * DAY, types=GAPPED, help="Break between two calls to the same lead.", spec="S11"
    )
    busy: BusyRetry = section(BusyRetry, types=GAPPED, help="What is different after a busy signal.")
    no_callback_s: float = option(
        180 * DAY, kind="duration", key="no_callback", low=0, high=3650 * DAY, help="How long a lead who asked not to be called back is left alone.", spec="S12"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    music: str = option("local_stream://moh", kind="sound", help="What the customer hears until an agent is there.", spec="S45")
    at_most_s: float = option(
        60 * SECOND, kind="duration", key="at_most", low=1, high=30 * MINUTE, help="A customer without an agent by then is let go: missed.", spec="S47"
    )
    notice: str | None = option(None, kind="sound", key="then", help="A notice played before the customer is let go.", spec="D10")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadsSource:
    csv: str | None = option(None, kind="text", help="A CSV file beside the campaign file: the campaign's leads are imported from it.", spec="S19")
    new_rows: str = option(
        "leave", kind="choice", choices=("leave", "join"), help="`join`: the campaign waits for leads added later instead of ending (goal none).", spec="M9 M10"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignAgents:
    people: tuple[str, ...] = option((), kind="names", help="The agents who serve this campaign, by their key in agents.yml.", spec="S22")


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One campaign's definition at one revision. `options` are its mode's own settings (modes/*.py: Options)."""

    id: CampaignId
    type: CampaignType
    revision: int = 0
    title: str = option("", kind="text", help="A name for people; the file name is the campaign's name.", spec="S3")
    description: str = option("", kind="text", help="What it is for.", spec="S4")
    window: Window = section(Window, help="When it may run.")
    hours: Hours = option(Hours(), kind="hours", help="Working hours, by the clock where the number lives. None = any time.", spec="S9 D4")
    leads: LeadsSource = section(LeadsSource, help="Whom to call.", types=("manual", "preview", "progressive", "predictive", "autocall"))
    agents: CampaignAgents = section(CampaignAgents, help="Who serves it.")
    gateways: tuple[str, ...] = option((), kind="names", help="SIP trunks to call out by, in order of preference; none = all of the installation.")
    caller_id: tuple[str, ...] = option(kind="phones", help="The number shown to the customer; several: one at random per call.", spec="S8")
    attempts: Attempts = section(Attempts, help="How often and how soon one lead is called.")
    ring_timeout_s: float = option(25 * SECOND, kind="duration", key="ring", low=5, high=120, help="How long the customer's phone may ring.")
    early_media: bool = option(False, kind="flag", help="`yes` lets the agent hear the network's own ringing and announcements.")
    wrap_up_s: float = option(
        10 * SECOND, kind="duration", key="wrap_up", low=0, high=HOUR, types=RESTED, help="An agent's rest after each call, for notes.", spec="S13"
    )
    agent_ring_s: float = option(
        30 * SECOND, kind="duration", key="agent_ring", low=5, high=120, help="How long an agent's phone rings before the next agent is tried.", spec="S46"
    )
    waiting: Waiting = section(Waiting, help="What a customer meets who answered and has no agent yet.")
    lines: int | None = option(
        None, kind="count", low=1, high=100_000, help="Most calls of this campaign at a time; never above the installation's.", spec="S41 S58"
    )
    priority: int = option(0, kind="count", low=-100, high=100, help="An idle agent of several campaigns goes to the highest first.")
    weight: int = option(1, kind="count", low=1, high=1000, help="Share of idle agents among campaigns of equal priority.")
    options: object = field(default=None)

    @property
    def connect_within_s(self) -> float:
        """D1: an answered call that meets no agent within this is missed."""
        return self.waiting.at_most_s


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDefinition:
    id: AgentId
    dial_string: str = option(kind="dial_string", key="dial", help="How the switch reaches the agent: user/1001, sofia/gateway/pbx/1001 …")
    leg: LegKind = option(
        LegKind.PER_CALL,
        kind="choice",
        choices=("per_call", "nailed"),
        help="`nailed`: called once at log-in, then connected without ringing; `per_call`: rung for each call.",
    )
    name: str = option("", kind="text", help="The agent's name for people.")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDefinition:
    id: GatewayId
    lines: int | None = option(None, kind="count", low=1, high=100_000, help="Most calls at a time through this trunk.", spec="D2")
    cps: float | None = option(None, kind="number", low=0.1, high=10_000, help="Most originates per second through this trunk.", spec="D2")
    plus: bool = option(True, kind="flag", help="Send the + of an E.164 number to the trunk.")
    prefix: str = option("", kind="phone", help="Digits put before the number.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One database = one installation (D2)."""

    lines: int = option(100, kind="count", low=1, high=1_000_000, help="Most legs at a time in all, ours or not.", spec="D2 S59 S60")
    cps: float = option(30.0, kind="number", low=0.1, high=10_000, help="Most originates per second in all.", spec="D2")
    region: str = option("", kind="text", help="Two-letter country of national numbers in imports; none = numbers must carry a country code.")
    switch: SwitchId = SwitchId("main")
    gateways: tuple[GatewayDefinition, ...] = ()

"""What an admin's YAML defines: campaigns, agents, gateways, the installation. Each field is declared once, with all its metadata.

Pure data. config/ reads YAML into these, db/ stores them as JSON, the engine obeys them. Spec numbers stand beside each field.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fs_dialer.core.model import AgentId, CampaignId, CampaignType, GatewayId, LegKind, SwitchId
from fs_dialer.core.options import option, section
from fs_dialer.core.resources import DAY, HOUR, MINUTE, SECOND, CallerIds, Disposition, Hours, Profile, Rule, Script

GAPPED = ("preview", "progressive", "predictive", "autocall", "callback")
RESTED = ("preview", "progressive", "predictive", "callback")
LEAD_FIRST = ("progressive", "predictive", "autocall")  # an answered customer may have to wait for an agent
SCRIPTED = ("manual", "preview", "progressive", "predictive")


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
        180 * DAY,
        kind="duration",
        key="no_callback",
        low=0,
        high=3650 * DAY,
        help="How long a lead who asked not to be called back is left alone, counted 24 h a day from when he said so.",
        spec="S12 D16",
    )
    no_callback_scope: str = option(
        "campaign",
        kind="choice",
        key="no_callback_for",
        choices=("campaign", "all"),
        help="Who must leave him alone: this campaign, or every campaign.",
        spec="D16",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    music: str = option("local_stream://moh", kind="sound", of="sounds", help="What the customer hears until an agent is there.", spec="S45")
    at_most_s: float = option(
        60 * SECOND, kind="duration", key="at_most", low=1, high=30 * MINUTE, help="A customer without an agent by then is let go: missed.", spec="S47"
    )
    notice: str | None = option(None, kind="sound", of="sounds", key="then", help="A notice played before the customer is let go.", spec="D10")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUp:
    """The rest after a call. When it runs out without a result, the call has none: never an invented one."""

    time_s: float = option(10 * SECOND, kind="duration", key="time", low=0, high=HOUR, help="How long it lasts.", spec="S13")
    extend: tuple[int, float] = option((0, 30.0), kind="extend", help="How often the agent may prolong it, and by how much: `1 x 30s`.", spec="S13")
    at_end: str = option(
        "ready",
        kind="choice",
        choices=("ready", "not_available"),
        help="What an agent is whose time ran out before he filed a result; with a result he is ready.",
        spec="S13",
    )
    early: bool = option(True, kind="flag", help="`yes`: filing a result ends it.", spec="S13")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Files are named after the attempt: STATE_DIR/recordings/CAMPAIGN/YYYY-MM-DD/ATTEMPT.wav."""

    calls: str = option(
        "off",
        kind="choice",
        choices=("off", "answered", "all", "on_demand"),
        help="`answered`: from the customer's answer; `all`: his ringing too, where early media comes; `on_demand`: when the agent says so.",
    )
    stereo: bool = option(False, kind="flag", help="`yes`: the customer left, the agent right.")
    pause: bool = option(True, kind="flag", help="Whether the agent may silence it for a while, as for a card number.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadsSource:
    """Where leads come from. A group, a filter, or both: the contacts of the group that meet the filter."""

    csv: str | None = option(
        None, kind="text", help="A file (CSV, TSV or XLSX) beside the campaign file: the campaign's leads are imported from it.", spec="S19"
    )
    group: str = option("", kind="ref", of="groups", help="A group of contacts: they become leads when the campaign is applied.", spec="S21 M2")
    filter: str = option(
        "", kind="filter", of="filters", help="Only contacts who meet this condition; the name of a saved filter, or the condition itself.", spec="S18 M3 M14"
    )
    twice: str = option(
        "keep-first",
        kind="choice",
        choices=("keep-first", "keep-all", "update"),
        help="What a second row of one number means: nothing, a lead of its own, or newer facts.",
        spec="S19",
    )
    new_rows: str = option(
        "leave",
        kind="choice",
        choices=("leave", "join"),
        help="`join`: contacts who come into the group later become leads too, and the campaign waits for them instead of ending (goal none).",
        spec="M9 M10",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignAgents:
    people: tuple[str, ...] = option((), kind="refs", of="agents", help="The agents who serve this campaign, by their key below agents.", spec="S22")
    teams: tuple[str, ...] = option((), kind="refs", of="teams", help="Teams who serve it: whoever is in them at the time.", spec="S22 M8")
    next: str = option(
        "longest_idle",
        kind="choice",
        choices=("longest_idle", "fewest_calls", "round_robin", "random", "skill_first"),
        help="Which of several free agents gets the next call; `skill_first`: who has most of the skills in `prefer`, then the longest idle.",
    )
    prefer: tuple[str, ...] = option((), kind="names", help="Skills that help here; an agent without any of them serves too, later if next is skill_first.")
    sticky: bool = option(False, kind="flag", help="`yes`: a lead who has met an agent gets the same one again, where he is free.")
    screen: str = option(
        "by_type",
        kind="choice",
        choices=("by_type", "needed", "not_needed"),
        help="Whether an agent gets calls only while his campaign screen is open; by_type: needed for manual, preview and callback.",
        spec="S83 S84",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One campaign's definition at one revision. `options` are its mode's own settings (modes/*.py: Options)."""

    id: CampaignId
    type: CampaignType
    revision: int = 0
    title: str = option("", kind="text", help="A name for people; the file name is the campaign's name.", spec="S3")
    description: str = option("", kind="text", help="What it is for.", spec="S4")
    window: Window = section(Window, help="When it may run.")
    hours: Hours = option(
        Hours(),
        kind="hours",
        of="schedules",
        help="Working hours, by the clock where the number lives: days and times, or the name of a schedule. None = any time.",
        spec="S9 D4",
    )
    compliance: Profile = option(
        Profile(),
        kind="ref",
        of="profiles",
        help="A compliance profile; it can only tighten what the campaign says: none, us-tsr, uk-ofcom, or your own.",
        spec="D10",
    )
    leads: LeadsSource = section(
        LeadsSource, help="Whom to call.", types=("manual", "preview", "progressive", "predictive", "autocall"), short="group", spec="S16"
    )
    agents: CampaignAgents = section(CampaignAgents, help="Who serves it.")
    gateways: tuple[str, ...] = option(
        (), kind="refs", of="gateways", help="SIP trunks to call out by, in order of preference; none = all of the installation."
    )
    caller_id: CallerIds = section(None, cls=CallerIds, short="from", help="The number shown to the customer, or several.", spec="S8 S53 S61 M13")
    attempts: Attempts = section(Attempts, help="How often and how soon one lead is called.")
    ring_timeout_s: float = option(25 * SECOND, kind="duration", key="ring", low=5, high=120, help="How long the customer's phone may ring.")
    rules: tuple[Rule, ...] = option(
        (),
        kind="sections",
        cls=Rule,
        of="rule_sets",
        help="What is done after a call, before attempts.* decides: rules, or the name of a rule set.",
        spec="M11 M12 D14",
    )
    dispositions: tuple[Disposition, ...] = option(
        (), kind="refs", of="dispositions", help="The results an agent may choose from; none named = all below dispositions.", spec="M12"
    )
    script: Script | None = option(
        None, kind="ref", of="scripts", types=SCRIPTED, help="What the agent says and asks; left out = the script named default.", spec="S14 M23"
    )
    tickets: str = option(
        "no",
        kind="choice",
        choices=("no", "yes", "on_agent_or_voicemail"),
        types=("manual", "preview", "progressive", "predictive", "autocall"),
        help="`yes`: a ticket for each call; autocall: for a call that met an agent or left voice mail.",
        spec="S15 S63",
    )
    early_media: bool = option(False, kind="flag", help="`yes` lets the agent hear the network's own ringing and announcements.")
    wrap_up: WrapUp = section(WrapUp, types=RESTED, short="time", help="An agent's rest after each call, for notes.", spec="S13")
    agent_ring_s: float = option(
        30 * SECOND,
        kind="duration",
        key="agent_ring",
        low=5,
        high=120,
        types=(*LEAD_FIRST, "callback"),
        help="How long an agent's phone rings before the next agent is tried.",
        spec="S46",
    )
    waiting: Waiting = section(Waiting, types=LEAD_FIRST, help="What a customer meets who answered and has no agent yet.")
    recording: Recording = section(Recording, short="calls", help="Whether calls are recorded.")
    agent_hears: str | None = option(
        None, kind="sound", of="sounds", key="agent_hears", help="A beep or a few words that the agent hears before the customer is connected."
    )
    lines: int | None = option(
        None, kind="count", low=1, high=100_000, help="Most calls of this campaign at a time; never above the installation's.", spec="S41 S58"
    )
    priority: int = option(0, kind="count", low=-100, high=100, help="An idle agent of several campaigns goes to the highest first.")
    weight: int = option(1, kind="count", low=1, high=1000, help="Share of idle agents among campaigns of equal priority.")
    options: object = field(default=None)

    @property
    def wrap_up_s(self) -> float:
        """An agent's rest after a call; in manual campaigns he takes the next customer when he likes, and autocall has none (S62)."""
        return 0.0 if self.type in (CampaignType.MANUAL, CampaignType.AUTOCALL) else self.wrap_up.time_s

    @property
    def needs_screen(self) -> bool:
        """Whether an agent must have his campaign screen open to get a call (S83–S85)."""
        by_type = self.type in (CampaignType.MANUAL, CampaignType.PREVIEW, CampaignType.CALLBACK)
        return by_type if self.agents.screen == "by_type" else self.agents.screen == "needed"

    @property
    def connect_within_s(self) -> float:
        """D1: an answered call that meets no agent within this is missed; a profile may be stricter (D10)."""
        within = self.compliance.connect_within_s
        return self.waiting.at_most_s if within is None else min(within, self.waiting.at_most_s)

    @property
    def least_ring_s(self) -> float:
        """How long the customer's phone rings before we give up: as the campaign says, and not shorter than its profile allows (D10)."""
        return max(self.ring_timeout_s, self.compliance.ring_at_least_s or 0.0)


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
    skills: tuple[str, ...] = option((), kind="names", help="What he is good at, for campaigns that ask for it.")
    priority: int = option(0, kind="count", low=-100, high=100, help="Among free agents the highest gets the next call first.")
    auto_answer: bool = option(False, kind="flag", help="`yes`: his phone is asked to answer by itself, by the header that most phones know.")
    quota: int | None = option(
        None, kind="per_day", low=1, high=10_000, help="Most customers he may take in manual campaigns a day, in all of them together.", spec="S30 S33 D16"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDefinition:
    id: GatewayId
    lines: int | None = option(None, kind="count", low=1, high=100_000, help="Most calls at a time through this trunk.", spec="D2")
    cps: float | None = option(None, kind="number", low=0.1, high=10_000, help="Most originates per second through this trunk.", spec="D2")
    plus: bool = option(True, kind="flag", help="Send the + of an E.164 number to the trunk.")
    prefix: str = option("", kind="phone", help="Digits put before the number.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchDefinition:
    """One FreeSWITCH of several. How it is reached stands in fs-dialer.yml, under the same name: it is the daemon's own, and has a password."""

    id: SwitchId
    weight: int = option(1, kind="count", low=1, high=1000, help="Its share of new calls among switches with room.")
    lines: int | None = option(None, kind="count", low=1, high=1_000_000, help="Most legs at a time on it, ours or not; its max-sessions or less.", spec="D2")
    cps: float | None = option(None, kind="number", low=0.1, high=10_000, help="Most originates per second by it; its sessions-per-second or less.", spec="D2")
    gateways: tuple[str, ...] = option((), kind="refs", of="gateways", help="The trunks that it has; none named = all of the installation.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One database = one installation (D2)."""

    lines: int = option(100, kind="count", low=1, high=1_000_000, help="Most legs at a time in all, ours or not.", spec="D2 S59 S60")
    cps: float = option(30.0, kind="number", low=0.1, high=10_000, help="Most originates per second in all.", spec="D2")
    campaigns: bool = option(True, kind="flag", help="`no` switches every campaign off: nobody is called; calls that are up go on.", spec="M1")
    region: str = option("", kind="text", help="Two-letter country of national numbers in imports; none = numbers must carry a country code.")
    webhook_hosts: tuple[str, ...] = option(
        (),
        kind="hosts",
        help="Hosts that webhooks may be sent to, with `local:` in front where one may lead to this machine or your own network; none named = none at all.",
        spec="M25",
    )
    keep_attempts_s: float | None = option(
        None,
        kind="duration",
        key="keep_attempts",
        low=30 * DAY,
        high=36500 * DAY,
        help="How long attempts are kept; whole months are dropped. None = for ever.",
    )
    switch: SwitchId = SwitchId("main")
    gateways: tuple[GatewayDefinition, ...] = ()
    switches: tuple[SwitchDefinition, ...] = ()  # () = the one named `switch`, with the installation's limits

"""What campaigns are made of and refer to by name: schedules, caller ids, sounds, scripts, dispositions, rules, compliance profiles, and the rest.

Pure data, each field declared once (options.py). Named things stand in YAML below the plural of their kind, `schedules: {office: {…}}`, in any file.

What a campaign needs to judge a lead (its schedule, rules, dispositions, script, profile, caller ids) becomes part of the campaign's revision when it is
applied, so that an approval covers all of it (D5). What people change while it runs (teams, groups, do-not-call lists, webhooks) is looked up by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from fs_dialer.core.options import option, section

SECOND, MINUTE, HOUR, DAY = 1.0, 60.0, 3600.0, 86400.0
OUTCOMES = (
    "connected", "missed", "early_hangup", "machine", "no_answer", "busy", "rejected",
    "unreachable", "bad_number", "network", "ours", "cancelled", "unknown",
)  # fmt: skip


# --- when -----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days on which nobody is called. `first` and `last` as 2026-12-25, or 12-25 for every year; both inclusive."""

    name: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Hours:
    """Weekly hours: seven days from Monday, each a tuple of (start, end) in minutes after midnight, end up to 1440. Empty week = any time.

    They hold on the clock where the number lives (D4); where `zone` is set, on that clock as well, because the people who call work there.
    """

    week: tuple[tuple[tuple[int, int], ...], ...] = ((),) * 7
    holidays: tuple[Holiday, ...] = ()
    zone: str = ""
    schedule: str = ""  # the name it was declared under, "" where it stands in the campaign itself

    @property
    def any_time(self) -> bool:
        return not any(self.week) and not self.holidays


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Working hours and holidays under a name, for several campaigns."""

    name: str = ""
    title: str = option("", kind="text", help="What people call it.")
    hours: Hours = option(Hours(), kind="hours", help="Days and times of day, by the clock where the number lives.", spec="S9 D4")
    holidays: tuple[Holiday, ...] = option(
        (), kind="holidays", help="Days without calls: `Christmas: 12-25` every year, `Tet: 2027-02-05..2027-02-10` once.", spec="S9"
    )
    zone: str = option("", kind="zone", help="The hours must be open on this clock too: where your agents work.", spec="S9 D9")


# --- who is called by which number ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerIdDefinition:
    """A number that customers see, with the trunks that may send it."""

    name: str = ""  # the number itself
    title: str = option("", kind="text", help="What people call it.")
    gateways: tuple[str, ...] = option((), kind="refs", of="gateways", help="The trunks that may send this number; none named = all.", spec="S8")


@dataclass(frozen=True, slots=True)
class CallerRoute:
    """A caller id as a campaign uses it. `gateways` () = every trunk of the campaign."""

    number: str
    gateways: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerIds:
    """Which numbers customers see (S8, S53–S57, M13)."""

    numbers: tuple[str, ...] = option(
        (), kind="phones", key="from", of="caller_ids", help="One number or several; `all` = every one below caller_ids.", spec="S8 S54 S56 M13"
    )
    order: str = option(
        "random", kind="choice", choices=("random", "fixed"), help="`random`: one by chance for each call; `fixed`: the first that is healthy.", spec="S55"
    )
    sticky: bool = option(False, kind="flag", help="`yes`: a lead sees the same number at every call, as long as it is healthy.")
    routes: tuple[CallerRoute, ...] = ()  # the numbers with their trunks, settled when the campaign is applied


# --- sounds, scripts, dispositions ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    name: str = ""
    title: str = option("", kind="text", help="What is heard.")
    file: str = option(kind="sound", help="A file on every switch, or one of its streams.", spec="S45")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptItem:
    """A sentence to say, or a question to answer."""

    say: str = option("", kind="text", help="A fixed sentence for the agent.", spec="M23")
    ask: str = option("", kind="text", help="A question for the agent to put.", spec="S14 M23")
    key: str = option("", kind="name", key="as", help="Under which name the answer is kept, for reports and rules; needed with `ask`.", spec="M24")
    kind: str = option(
        "text", kind="choice", key="answer", choices=("text", "choice", "choices", "number", "date"), help="What kind of answer is expected.", spec="S14"
    )
    options: tuple[str, ...] = option((), kind="texts", help="What may be chosen, for `choice` (one) and `choices` (several).", spec="M23")
    required: bool = option(False, kind="flag", help="Must be answered before the result is complete.")
    low: float | None = option(None, kind="number", key="least", low=-1e12, high=1e12, help="The least number that is accepted.")
    high: float | None = option(None, kind="number", key="most", low=-1e12, high=1e12, help="The greatest number that is accepted.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What the agent says and asks. The one named `default` is every campaign's that names none (S14)."""

    name: str = ""
    title: str = option("", kind="text", help="What people call it.")
    items: tuple[ScriptItem, ...] = option(kind="sections", cls=ScriptItem, help="Sentences and questions, in their order.", spec="S14 M23")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """A result that an agent, or a rule, gives a call."""

    name: str = ""  # its code
    label: str = option("", kind="text", help="What the agent reads on the button; left out = the code.")
    outcome_class: str = option(
        kind="choice",
        key="class",
        choices=("success", "refused", "callback", "retry", "wrong_number", "neutral"),
        help="What it makes of the lead: `refused` = not called for no_callback, `callback` = a time is asked for, `retry` = called again, "
        "`wrong_number` = this number is left out.",
        spec="S12 D14 M12",
    )
    final: bool = option(True, kind="flag", help="`no`: the lead may be called again although it met an agent.", spec="S10 D14")


# --- whom to call ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A named list of contacts (S21): filled by imports, by hand, or from a filter."""

    name: str = ""
    title: str = option("", kind="text", help="What people call it.")
    description: str = option("", kind="text", help="Who is in it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFilter:
    """A condition on contacts under a name (S18, M3)."""

    name: str = ""
    title: str = option("", kind="text", help="What people call it.")
    where: str = option(kind="filter", help="Which contacts: `tier in (gold, silver) and city = Hanoi`.", spec="S18 M3 M14")


@dataclass(frozen=True, slots=True, kw_only=True)
class DncList:
    """A do-not-call list. Every list holds for every campaign."""

    name: str = ""
    title: str = option("", kind="text", help="Whose list it is.")
    stale_after_s: float | None = option(
        None, kind="duration", key="stale_after", low=HOUR, high=3650 * DAY, help="How old its newest import may be before doctor and explain warn."
    )


# --- rules ----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """All that is named must hold (M12)."""

    outcomes: tuple[str, ...] = option((), kind="choices", key="outcome", choices=OUTCOMES, help="How the call ended: one of these.", spec="M12 D3")
    dispositions: tuple[str, ...] = option((), kind="refs", of="dispositions", key="disposition", help="What the agent chose: one of these.", spec="M12")
    connected: bool | None = option(None, kind="flag", help="Whether the customer and an agent spoke.", spec="M12")
    attempts: str = option("", kind="compare", help="How many calls so far, this one included: `>= 3`, `1`.", spec="M12")
    missed: bool | None = option(None, kind="flag", help="Whether it was a missed call (D1).", spec="D1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """What becomes of the lead (M11). One of again, at, remove, stop, or only set."""

    again_s: float | None = option(None, kind="duration", key="again", low=MINUTE, high=365 * DAY, help="Call again after this long.", spec="M11 M12")
    at_minute: int | None = option(None, kind="time_of_day", key="at", help="Call again at the next such time where the number lives.", spec="M11")
    next_number: bool = option(False, kind="flag", help="`yes`: the next call goes to the contact's next number.", spec="M13")
    remove: bool = option(False, kind="flag", help="`yes`: the contact leaves this campaign and the group it came from.", spec="M11")
    stop: bool = option(False, kind="flag", help="`yes`: no more calls to this lead.", spec="M11")
    set: tuple[tuple[str, str], ...] = option((), kind="words", help="Parameters to set on the lead: `{tried_evening: yes}`.", spec="M11")
    beyond_maximum: bool = option(False, kind="flag", help="`yes`: this call does not count against attempts.max.", spec="D14")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The first rule whose `when` holds decides."""

    name: str = option("", kind="name", help="For explain and the timeline.")
    when: When = section(When, help="When it holds; empty = always.")
    then: Then = section(None, cls=Then, help="What it does.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Rules under a name, for several campaigns."""

    name: str = ""
    title: str = option("", kind="text", help="What people call it.")
    rules: tuple[Rule, ...] = option(kind="sections", cls=Rule, help="In their order: the first that holds decides.", spec="M11 M12")


# --- compliance -----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptCap:
    """At most so many calls to one number, by all campaigns together, within any such span."""

    max: int = option(kind="count", low=1, high=1000, help="At most so many calls to one number.", spec="D10")
    within_s: float = option(kind="duration", key="in", low=HOUR, high=366 * DAY, help="Within any span of this length.", spec="D10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A compliance profile (D10). The stricter of profile and campaign wins."""

    name: str = ""
    title: str = option("", kind="text", help="Whose rules these are.")
    source: str = option("", kind="text", help="Where they are written.")
    connect_within_s: float | None = option(
        None,
        kind="duration",
        key="connect_within",
        low=0.5,
        high=HOUR,
        help="An agent must be there so soon after the answer, else it is missed.",
        spec="D1 D10",
    )
    ring_at_least_s: float | None = option(None, kind="duration", key="ring_at_least", low=1, high=120, help="The least time a phone must ring.", spec="D10")
    hours: Hours = option(Hours(), kind="hours", of="schedules", help="When calls are allowed, by the clock where the number lives.", spec="D10")
    holidays: tuple[Holiday, ...] = option((), kind="holidays", help="Days without calls.", spec="D10")
    attempts: tuple[AttemptCap, ...] = option((), kind="sections", cls=AttemptCap, help="Most calls to one number within spans of time.", spec="D10")
    missed_max: float | None = option(None, kind="rate", low=0.0001, high=0.5, help="The ceiling of missed calls.", spec="D10 S39")
    missed_over_s: float = option(30 * DAY, kind="duration", key="missed_over", low=DAY, high=366 * DAY, help="Over which time the ceiling is counted.")
    notice_on_missed: bool = option(False, kind="flag", help="`yes`: a missed customer must hear a message (waiting.then).", spec="D10")
    early_hangup_is_missed: bool = option(False, kind="flag", help="`yes`: who hangs up before an agent is there counts as missed.", spec="D1")
    recall_after_missed_s: float | None = option(
        None, kind="duration", key="recall_after_missed", low=MINUTE, high=30 * DAY, help="A missed customer is not called again before this."
    )


# --- what happens by itself -----------------------------------------------------------------------------------------------------------


EVENTS = ("ticket_created", "attempt_ended", "lead_finished", "disposition_set", "campaign_state")


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerAction:
    """One of these."""

    add_to: str = option(
        "", kind="ref", of="campaigns", help="Add the customer to this campaign; once while an unfinished lead of that number exists.", spec="S82 D12"
    )
    webhook: str = option("", kind="ref", of="webhooks", help="Send the event to this webhook.", spec="M25")
    set: tuple[tuple[str, str], ...] = option((), kind="words", help="Attributes to set on the contact.", spec="M11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """When an event of this kind meets all conditions, all actions are done, each once (S79–S82)."""

    name: str = ""
    title: str = option("", kind="text", help="What people call it.")
    on: str = option(kind="choice", choices=EVENTS, help="What must happen.", spec="S80")
    when: tuple[tuple[str, str], ...] = option(
        (), kind="words", help="All of these must hold: a field of the event and its value, or a list of values: `{channel: callback}`.", spec="S79 S81"
    )
    then: tuple[TriggerAction, ...] = option(kind="sections", cls=TriggerAction, help="What is done.", spec="S82")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that is told of events: signed, at least once, with retries."""

    name: str = ""
    title: str = option("", kind="text", help="Whose it is.")
    url: str = option(kind="url", help="https://…; its host must be among webhook_hosts of the installation.", spec="M25")
    secret: str = option(kind="secret", help="What signs the body (HMAC-SHA256): `env:NAME` or `file:/path`, never the secret itself.")
    timeout_s: float = option(10.0, kind="duration", key="timeout", low=1, high=60, help="How long an answer is waited for.")


# --- who works ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Agents under one name (S22). Who is in it may change at any time, without an approval."""

    name: str = ""
    title: str = option("", kind="text", help="What people call it.")
    people: tuple[str, ...] = option((), kind="refs", of="agents", help="The agents in it, by their key below agents.", spec="S22 M8")


def compare(text: str, value: int) -> bool:
    """Does `value` meet a condition as the kind "compare" keeps it: an operator and a number, as in ">=3"?"""
    operator, number = ("".join(part) for _, part in groupby(text, key=str.isdigit))
    bound = int(number)
    return {"=": value == bound, ">=": value >= bound, "<=": value <= bound, ">": value > bound, "<": value < bound}[operator]

"""From how a leg ended to the outcome of its attempt (spec §4, D1, D3).

Never by the cause alone: the same cause means different things by SIP status, by whether the far end was reached (it rang), by whether there was a leg at
all, and by who hung up. Knows nothing of leads and retries. Causes are FreeSWITCH's names (switch_types.h SWITCH_CAUSE_*, after ITU-T Q.850); the SIP
codes behind them are those measured in docs/reference/outcomes.md.
"""

from __future__ import annotations

from fs_dialer.core.changed import value
from fs_dialer.core.model import Outcome


@value
class Evidence:
    """All that is known of one lead leg's end. Times are epoch seconds. `cause` is "" and `certain` False where nothing told us how it ended."""

    cause: str
    sip_status: int | None
    q850: int | None
    leg_seen: bool
    rang: bool
    answered_at: float | None
    bridged_at: float | None
    ended_at: float
    we_cancelled: bool  # the dialer decided to hang up before the answer
    we_hung_up: bool  # the dialer hung up, before or after the answer
    machine: bool = False
    ivr_success: bool = False
    certain: bool = True
    in_flow: bool = False  # he met an IVR flow, and an agent only where he wanted one
    wanted_at: float | None = None  # then: when he wanted an agent first, None = never


CALLEE_BUSY = frozenset({"USER_BUSY"})
BAD_NUMBER = frozenset({"UNALLOCATED_NUMBER", "INVALID_NUMBER_FORMAT", "NUMBER_CHANGED"})
BAD_NUMBER_STATUS = frozenset({404, 410, 484, 485, 604})
OUR_STATUS = frozenset({401, 403, 407})
NETWORK_Q850 = frozenset({34, 38, 41, 42, 44})
NETWORK = frozenset(
    {
        "NORMAL_CIRCUIT_CONGESTION",
        "NETWORK_OUT_OF_ORDER",
        "NORMAL_TEMPORARY_FAILURE",
        "SWITCH_CONGESTION",
        "REQUESTED_CHAN_UNAVAIL",
        "RECOVERY_ON_TIMER_EXPIRE",
        "SERVICE_UNAVAILABLE",
        "EXCHANGE_ROUTING_ERROR",
        "INTERWORKING",
        "NO_ROUTE_TRANSIT_NET",
        "PROGRESS_TIMEOUT",
        "MEDIA_TIMEOUT",
    }
)
OURS = frozenset(
    {
        "GATEWAY_DOWN",
        "INVALID_GATEWAY",
        "INVALID_PROFILE",
        "INVALID_URL",
        "CHAN_NOT_IMPLEMENTED",
        "USER_NOT_REGISTERED",
        "USER_CHALLENGE",
        "SYSTEM_SHUTDOWN",
        "CRASH",
        "INCOMPATIBLE_DESTINATION",
        "SERVICE_NOT_IMPLEMENTED",
        "FACILITY_NOT_SUBSCRIBED",
        "FACILITY_REJECTED",
        "OUTGOING_CALL_BARRED",
        "BEARERCAPABILITY_NOTAUTH",
        "BEARERCAPABILITY_NOTAVAIL",
        "BEARERCAPABILITY_NOTIMPL",
        "MANDATORY_IE_MISSING",
        "SWITCH_LOST",
    }
)
SWITCH_ENDED = frozenset({"SYSTEM_SHUTDOWN", "CRASH"})  # nobody hung up: the switch went away with everybody who was on it
NOT_ANSWERED_IF_RANG = frozenset({"NO_ANSWER", "NO_USER_RESPONSE", "ALLOTTED_TIMEOUT", "NORMAL_CLEARING", "NORMAL_UNSPECIFIED"})
HUNG_UP_BEFORE_ANSWER = frozenset({"ORIGINATOR_CANCEL", "LOSE_RACE", "MANAGER_REQUEST"})

CONSUMES_ATTEMPT = frozenset(set(Outcome) - {Outcome.NETWORK, Outcome.OURS, Outcome.CANCELLED})
FEEDS_ESTIMATE = frozenset(set(Outcome) - {Outcome.NETWORK, Outcome.OURS, Outcome.CANCELLED, Outcome.UNKNOWN})
ANSWERED_BY_PERSON = frozenset({Outcome.CONNECTED, Outcome.MISSED, Outcome.EARLY_HANGUP})


def outcome(e: Evidence, connect_within_s: float) -> Outcome:
    """The class of an attempt. `connect_within_s`: how soon after the answer an agent must be there (D1)."""
    if e.answered_at is not None:
        return _answered(e, e.answered_at, connect_within_s)
    if not e.certain:
        return Outcome.UNKNOWN
    if e.we_cancelled:
        return Outcome.CANCELLED
    return _unanswered(e)


def was_missed(e: Evidence, result: Outcome, connect_within_s: float) -> bool:
    """D1: a person answered and was not bridged within connect_within_s. One who hung up sooner is an early hang-up, not missed. In a flow the time runs from
    the moment in which he wanted an agent."""
    if result is Outcome.MISSED:
        return True
    since = e.wanted_at if e.in_flow else e.answered_at
    if result is not Outcome.CONNECTED or since is None or e.bridged_at is None:
        return False
    return e.bridged_at - since > connect_within_s


def _answered(e: Evidence, answered_at: float, connect_within_s: float) -> Outcome:
    if e.bridged_at is not None or e.ivr_success:
        return Outcome.CONNECTED
    if e.machine:
        return Outcome.MACHINE
    if e.in_flow and not e.certain:
        return Outcome.UNKNOWN  # he may have come to the end of it while nobody listened
    since = e.wanted_at if e.in_flow else answered_at
    if e.cause in SWITCH_ENDED and (since is None or e.ended_at - since < connect_within_s):
        return Outcome.OURS
    if since is None:
        return Outcome.EARLY_HANGUP  # D13: he left the flow before its end
    if e.we_hung_up or e.ended_at - since >= connect_within_s:
        return Outcome.MISSED
    return Outcome.EARLY_HANGUP


def _unanswered(e: Evidence) -> Outcome:
    cause, status = e.cause, e.sip_status
    if cause in CALLEE_BUSY:
        return Outcome.BUSY
    if cause == "CALL_REJECTED":
        return _rejected(e)
    if cause in BAD_NUMBER:
        return Outcome.BAD_NUMBER
    if cause == "NO_ROUTE_DESTINATION":
        if status in BAD_NUMBER_STATUS:
            return Outcome.BAD_NUMBER
        return Outcome.NETWORK if e.leg_seen else Outcome.OURS
    if cause == "DESTINATION_OUT_OF_ORDER":
        return _out_of_order(e)
    if cause == "SUBSCRIBER_ABSENT":
        return Outcome.UNREACHABLE
    if cause in OURS:
        return Outcome.NETWORK if status is not None and 500 <= status < 600 else Outcome.OURS  # a 5xx is the carrier's word, whatever the switch makes of it
    if cause in HUNG_UP_BEFORE_ANSWER and status is None:
        return Outcome.CANCELLED  # somebody at the switch's own console did it
    if cause in NOT_ANSWERED_IF_RANG:
        if e.rang:
            return Outcome.NO_ANSWER
        if status == 480:
            return Outcome.UNREACHABLE
        return Outcome.NETWORK
    if cause in NETWORK or e.q850 in NETWORK_Q850:
        return Outcome.NETWORK
    return _by_status(e)


def _rejected(e: Evidence) -> Outcome:
    if e.sip_status == 603:
        return Outcome.REJECTED
    if e.sip_status in OUR_STATUS:
        return Outcome.OURS
    return Outcome.REJECTED if e.rang else Outcome.OURS


def _out_of_order(e: Evidence) -> Outcome:
    if not e.leg_seen:
        return Outcome.OURS  # session limit, rate limit or pause of the switch
    return Outcome.UNREACHABLE if e.sip_status is not None else Outcome.NETWORK


def _by_status(e: Evidence) -> Outcome:
    """A cause without a rule of its own: the SIP status decides, then whether there was a leg."""
    status = e.sip_status
    if status is None:
        return Outcome.NETWORK if e.leg_seen else Outcome.OURS
    if status in BAD_NUMBER_STATUS:
        return Outcome.BAD_NUMBER
    if status in OUR_STATUS:
        return Outcome.OURS
    return Outcome.REJECTED if 600 <= status < 700 else Outcome.NETWORK

"""From an originate to an answered leg, or to the reason why not.

Knows endpoints and what is wrong with them, the limits of the switch, the SIP responses of the far end, timeouts of whole clock seconds, early media,
retries and the uuid rules (freeswitch.md 16-23, measured). Who answers and when comes from people; what the leg does then from applications.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from fs_dialer.sim import applications, causes, digits, ending, listing, marks, picture
from fs_dialer.sim.leg import ANSWERED, DIALLING, EARLY, HUNG_UP, RINGING, Leg
from fs_dialer.sim.people import Behaviour, number_of

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch

DEFAULT_TIMEOUT_S: Final = 60
Result = Callable[[str, float], None]
"""Takes the text that answers the originate (`+OK uuid\\n`, `-ERR CAUSE\\n`) and when."""


@dataclass(frozen=True, slots=True)
class Originate:
    """One originate command. `target`: `&park()`, or `extension dialplan context`."""

    endpoint: str
    variables: Mapping[str, str]
    target: str
    result: Result
    uuid: str | None = None
    timeout_s: int = DEFAULT_TIMEOUT_S
    leg_timeout_s: int | None = None
    retries: int = 1
    retry_sleep_s: float = 1.0
    made_by: Leg | None = None  # the leg whose bridge application this is


@dataclass(frozen=True, slots=True)
class Place:
    """An endpoint, resolved."""

    kind: str
    profile: str
    channel_name: str
    number: str
    host: str
    port: str
    uri: str


def timeouts(given: Mapping[str, str]) -> tuple[int, int | None, int, float]:
    """timeout_s, leg_timeout_s, retries and retry_sleep_s as the variables ask. call_timeout is not among them: originate ignores it (20)."""
    def number(name: str) -> int | None:
        text = given.get(name, "")
        return int(text) if text.isdecimal() else None

    sleep_ms = number("originate_retry_sleep_ms")
    return (
        number("originate_timeout") or DEFAULT_TIMEOUT_S, number("leg_timeout"), number("originate_retries") or 1,
        1.0 if sleep_ms is None else sleep_ms / 1000)


def originate(sw: SimSwitch, order: Originate, now: float) -> None:
    """Begin. The result comes through order.result, at once or after at most the timeout."""
    place, cause, stillborn = _resolve(sw, order.endpoint)
    if cause or place is None:
        if cause == "DESTINATION_OUT_OF_ORDER" or not stillborn or not _may_make_a_leg(sw, now):
            _no_leg(sw, order, cause if not stillborn else "DESTINATION_OUT_OF_ORDER", now)
        else:
            _stillborn(sw, order, cause, now)
        return
    uuid = order.uuid or order.variables.get("origination_uuid") or sw.new_uuid()
    if not _may_make_a_leg(sw, now):
        _no_leg(sw, order, "DESTINATION_OUT_OF_ORDER", now)
        return
    if uuid in sw.legs:
        if place.kind == "sofia" and sw.settings.duplicate_uuid == "by_endpoint":
            _no_leg(sw, order, "DESTINATION_OUT_OF_ORDER", now)
            return
        uuid = sw.new_uuid()
    _make_leg(sw, order, place, uuid, now)


def _may_make_a_leg(sw: SimSwitch, now: float) -> bool:
    """fsctl pause, max_sessions and the rate. The rate is counted down before it is compared: one less than it says (s02v)."""
    if sw.paused or len(sw.legs) >= sw.max_sessions:
        return False
    second = int(now + 0.12)
    if second != sw.rate_second:
        sw.rate_second, sw.rate_left = second, sw.sessions_per_second
    sw.rate_left -= 1
    return sw.rate_left > 0


def _no_leg(sw: SimSwitch, order: Originate, cause: str, now: float) -> None:
    """The reply alone ends it: no event names a leg (18)."""
    sw.counters.refused_without_leg += 1
    sw.at(now + 0.0005, lambda _, later: order.result(f"-ERR {cause}\n", later))


def _stillborn(sw: SimSwitch, order: Originate, cause: str, now: float) -> None:
    """A lone CHANNEL_DESTROY with a random uuid, then the reply (18)."""
    sw.counters.refused_without_leg += 1
    leg = Leg(sw.new_uuid(), sw.next_session(), "sofia", "N/A", "", {}, Behaviour(), now, sw.detailed)
    leg.state_number = 0

    def fail(_: SimSwitch, later: float) -> None:
        sw.emit(leg, "CHANNEL_DESTROY", later)
        order.result(f"-ERR {cause}\n", later)

    sw.at(now + 0.0005, fail)


def _resolve(sw: SimSwitch, endpoint: str) -> tuple[Place | None, str, bool]:
    """(place, "", False), or (None, cause, whether the switch makes and drops a leg before it finds out)."""
    settings = sw.settings
    kind, _, rest = endpoint.partition("/")
    if kind == "user":
        user = rest.partition("@")[0]
        if settings.users is not None and user not in settings.users:
            return None, "SUBSCRIBER_ABSENT", False
        uri = rest if "@" in rest else f"{user}@{settings.domain}"
        return Place("sofia", "internal", f"sofia/internal/{uri}", user, settings.domain, "5060", uri), "", False
    if kind == "error":
        return None, causes.read_cause(rest), False
    if kind == "null":
        return Place("null", "", endpoint, rest, "", "", rest), "", False
    if kind != "sofia":
        return None, ("DESTINATION_OUT_OF_ORDER" if endpoint.startswith(("{", "[")) else "CHAN_NOT_IMPLEMENTED"), False
    profile, _, target = rest.partition("/")
    if profile == "gateway":
        gateway, _, target = target.partition("/")
        up = sw.gateways.get(gateway, None if settings.gateways is not None else True)
        if up is None:
            return None, "INVALID_GATEWAY", True
        if not up:
            return None, "GATEWAY_DOWN", True
        number, domain = number_of(target), settings.domain
        return Place("sofia", f"gateway/{gateway}", f"sofia/external/{target}", number, domain, "5060", f"{number}@{domain}"), "", False
    if settings.profiles is not None and profile not in settings.profiles:
        return None, "INVALID_PROFILE", True
    address = target.partition("@")[2] or settings.domain
    host, _, port = address.partition(":")
    return Place("sofia", profile, f"sofia/{profile}/{target}", number_of(target), host, port or "5060", target), "", False


def _make_leg(sw: SimSwitch, order: Originate, place: Place, uuid: str, now: float) -> None:
    """OUTGOING ... CONSUME_MEDIA, the INVITE is out, and the first thing that will happen is known."""
    behaviour = sw.people.behaviour(order.endpoint, order.variables, sw.rng, now) if place.kind == "sofia" else Behaviour(after_s=0.0, first_response=0)
    if behaviour.second is None:
        _invite(sw, order, place, uuid, behaviour, now, None)
        return
    race: list[Leg] = []
    _invite(sw, order, place, uuid, replace(behaviour, second=None), now, race)
    _invite(sw, order, place, sw.new_uuid(), behaviour.second, now, race)


def _invite(sw: SimSwitch, order: Originate, place: Place, uuid: str, behaviour: Behaviour, now: float, race: list[Leg] | None) -> None:
    """One phone's leg. `race`: the legs of a user with several phones, of which one will have the call; each is added to it."""
    variables = order.variables
    leg = Leg(uuid, sw.next_session(), place.kind, place.channel_name, place.number, variables, behaviour, now, sw.detailed)
    leg.endpoint, leg.profile, leg.host, leg.port, leg.destination = order.endpoint, place.profile, place.host, place.port, place.uri
    if place.profile.startswith("gateway/"):
        leg.put_variable("sip_gateway_name", place.profile.removeprefix("gateway/"))
    sw.legs[uuid] = leg
    sw.count(leg)
    if order.made_by is not None:
        parent = order.made_by
        leg.bond = parent
        leg.cid_name, leg.cid_number = parent.cid_name, parent.cid_number
        leg.put("Other-Leg-Unique-ID", parent.uuid)
        leg.note(picture.originated_by, marks.other_leg("originator", parent, True), parent.uuid)
    leg.originator = _Outcome(sw, order, leg) if race is None else _Race(sw, order, leg, race)
    sw.emit(leg, "CHANNEL_OUTGOING", now)
    leg.state = "CS_INIT"
    sw.emit(leg, "CHANNEL_STATE", now)
    leg.state_number = 2
    sw.emit(leg, "CHANNEL_CREATE", now)
    sw.emit(leg, "CHANNEL_ORIGINATE", now)
    leg.state = "CS_ROUTING"
    sw.emit(leg, "CHANNEL_STATE", now)
    sw.enter(leg, "CS_CONSUME_MEDIA", now)
    _foresee(sw, order, leg, now)


def _foresee(sw: SimSwitch, order: Originate, leg: Leg, now: float) -> None:
    """Put on the clock what comes: the first response, and whichever ends the waiting first. A kill may still come before either."""
    did = leg.behaviour
    # originate_timeout counts whole seconds of the clock: N ends between N-1 and N; leg_timeout waits one more (20).
    ends_at, end = int(now) + order.timeout_s + 0.017, _timed_out
    if order.leg_timeout_s is not None and int(now) + order.leg_timeout_s + 1.017 < ends_at:
        ends_at, end = int(now) + order.leg_timeout_s + 1.017, _leg_timed_out
    if did.final == "silent" and now + sw.settings.sip_timer_b_s < ends_at:
        ends_at, end = now + sw.settings.sip_timer_b_s, _no_response
    elif did.final == "unreachable":
        ends_at, end = now + 0.001, _unreachable
    elif did.final in ("answer", "refuse") and now + did.after_s < ends_at:
        ends_at, end = now + did.after_s, _answers if did.final == "answer" else _refuses
    if did.first_response in (180, 183) and did.final not in ("silent", "unreachable") and now + did.first_response_s <= ends_at:
        sw.at(now + did.first_response_s, _early if did.first_response == 183 else _rings, leg)
    sw.at(ends_at, end, leg)


# ---- what the far end says

def _rings(sw: SimSwitch, leg: Leg, now: float) -> None:
    if leg.phase != DIALLING:
        return
    leg.phase, leg.progress_at = RINGING, now
    leg.note(picture.ringing, now)
    sw.emit(leg, "CHANNEL_PROGRESS", now)
    sw.call_state(leg, "RINGING", "2", now)


def _early(sw: SimSwitch, leg: Leg, now: float) -> None:
    """183 with media. Unless it is to be ignored the originate has succeeded, long before any answer (19)."""
    if leg.phase != DIALLING:
        return
    leg.phase, leg.progress_media_at, leg.answer_state = EARLY, now, "early"
    leg.note(picture.early_media, now)
    leg.put_variable("endpoint_disposition", "EARLY MEDIA")
    sw.emit(leg, "CHANNEL_PROGRESS_MEDIA", now)
    applications.execute_on(sw, leg, "execute_on_media", "EARLY MEDIA", now)
    sw.call_state(leg, "EARLY", "3", now)
    _codecs(sw, leg, now)
    if leg.variables.get("ignore_early_media") not in ("true", "yes", "on", "1", "consume", "ring_ready"):
        sw.at(now + sw.settings.tick_s, _settle, leg)


def _codecs(sw: SimSwitch, leg: Leg, now: float) -> None:
    if sw.wants("CODEC"):
        leg.note(picture.media)
        pairs = (("-codec-name", "PCMU"), ("-codec-rate", "8000"), ("-codec-bit-rate", "64000"))
        sw.emit(leg, "CODEC", now, tail=tuple(("channel-read" + name, value) for name, value in pairs))
        sw.emit(leg, "CODEC", now, tail=(
            ("Channel-Write-Codec-Name", "PCMU"), ("Channel-Write-Codec-Rate", "8000"), ("Channel-Write-codec-bit-rate", "64000")))


def _answers(sw: SimSwitch, leg: Leg, now: float) -> None:
    """200. The ANSWER event still shows the call state of before (16); the originate's result follows within a tick."""
    if leg.phase in (ANSWERED, HUNG_UP):
        return
    if sw.detailed:  # `show` is written behind (37)
        leg.row, leg.row_until = listing.row(sw, leg), now + 1.0
    if leg.kind == "sofia" and leg.phase != EARLY:
        _codecs(sw, leg, now)
    sw.counters.answered += 1
    leg.phase, leg.answered_at, leg.answer_state = ANSWERED, now, "answered"
    leg.note(picture.answered, now)
    sw.emit(leg, "CHANNEL_ANSWER", now)
    applications.execute_on(sw, leg, "execute_on_answer", "ANSWER", now)
    sw.call_state(leg, "ACTIVE", "4", now)
    leg.put_variable("endpoint_disposition", "ANSWER")
    did = leg.behaviour
    if did.stay_s is not None:
        sw.at(now + did.stay_s, ending.left, leg)
    for after_s, digit in did.keys:
        sw.at(now + after_s, digits.press, leg, digit, did.key_source)
    ending.waits(sw, leg, now)
    if leg.originator is None:  # early media had made the originate succeed
        leg.note(picture.disposed, "ANSWER")
    else:
        sw.at(now + sw.settings.tick_s * sw.rng.random(), _settle, leg)


def _refuses(sw: SimSwitch, leg: Leg, now: float) -> None:
    did = leg.behaviour
    _fail(sw, leg, did.status, causes.phrase_of_status(did.status), causes.cause_of_status(did.status, did.reason_q850), now)


def _no_response(sw: SimSwitch, leg: Leg, now: float) -> None:
    _fail(sw, leg, 408, "Request Timeout", "RECOVERY_ON_TIMER_EXPIRE", now, synthetic=True)


def _unreachable(sw: SimSwitch, leg: Leg, now: float) -> None:
    # Also the end of a name that has no address.
    phrase = "DNS Error" if any(char.isalpha() for char in leg.host) else "Service Unavailable"
    _fail(sw, leg, 503, phrase, "NORMAL_TEMPORARY_FAILURE", now, synthetic=True)


def _fail(sw: SimSwitch, leg: Leg, status: int, phrase: str, cause: str, now: float, synthetic: bool = False) -> None:
    if leg.phase in (ANSWERED, HUNG_UP):
        return
    leg.sip_status = status
    leg.note(marks.refused, status, phrase, cause, synthetic)
    leg.put_variable("sip_term_status", str(status))
    leg.put_variable("sip_invite_failure_status", str(status))
    leg.put_variable("sip_hangup_disposition", "recv_refuse")
    ending.hangup(sw, leg, cause, now, by_them=True)


def _timed_out(sw: SimSwitch, leg: Leg, now: float) -> None:
    if leg.originator is not None and leg.phase != ANSWERED:
        ending.hangup(sw, leg, "NO_ANSWER", now, result_first=not sw.rarely())


def _leg_timed_out(sw: SimSwitch, leg: Leg, now: float) -> None:
    if leg.originator is not None and leg.phase != ANSWERED:
        ending.hangup(sw, leg, "ALLOTTED_TIMEOUT", now)


# ---- how the originate ends

def _settle(sw: SimSwitch, leg: Leg, now: float) -> None:
    """The originate has its leg: caller id flips, the result is told, the target runs. PARK and the result race (16)."""
    originator = leg.originator
    if originator is None or leg.phase == HUNG_UP:
        return
    assert isinstance(originator, _Outcome)
    leg.note(picture.disposed, "ANSWER" if leg.phase == ANSWERED else "EARLY MEDIA")
    leg.row_until = now + sw.settings.channels_lag_s
    if originator.order.made_by is not None or originator.order.target.startswith("&"):
        applications.flip(sw, leg, now)  # a leg that goes to the dialplan does it on the way
    if originator.order.made_by is not None:
        originator("", now)
        return
    if sw.rarely():
        leg.originator = None
        _run_target(sw, leg, originator.order.target, now)
        originator("", now)
    else:
        originator("", now)
        leg.originator = None
        _run_target(sw, leg, originator.order.target, now)


def _run_target(sw: SimSwitch, leg: Leg, target: str, now: float) -> None:
    if target.startswith("&"):
        name, _, data = target[1:].partition("(")
        leg.applications = [(name, data.removesuffix(")"))]
        sw.enter(leg, "CS_EXECUTE", now)
        applications.run_next(sw, leg, now)
    else:
        extension, dialplan, context = (*target.split(), "", "", "")[:3]
        dialplan, context = dialplan or "XML", context or "default"
        applications.transfer_note(sw, leg, extension, dialplan, context, now)
        sw.route(leg, extension, dialplan, context, now)


class _Outcome:
    """Tells the one who originated, once; retries before it tells of a failure, with the same uuid (22)."""

    __slots__ = ("leg", "order", "sw", "told")

    def __init__(self, sw: SimSwitch, order: Originate, leg: Leg) -> None:
        self.sw, self.order, self.leg, self.told = sw, order, leg, False

    def __call__(self, cause: str, now: float) -> None:
        """`cause` "" = the leg is up."""
        if self.told:
            return
        self.told = True
        if not cause:
            self.order.result(f"+OK {self.leg.uuid}\n", now)
            return
        if self.order.retries > 1:  # originate_retries=2 makes two attempts (s02p)
            again = replace(self.order, retries=self.order.retries - 1, uuid=self.leg.uuid)
            # Attempts start at least a second apart, whatever the sleep says (s02p).
            self.sw.at(max(now + self.order.retry_sleep_s, self.leg.created_at + 1.0), _again, again)
            return
        self.order.result(f"-ERR {cause}\n", now)


class _Race(_Outcome):
    """Of one of several phones that ring at once: the first to answer has the call, the others end LOSE_RACE; it has failed when the last one has."""

    __slots__ = ("race",)

    def __init__(self, sw: SimSwitch, order: Originate, leg: Leg, race: list[Leg]) -> None:
        super().__init__(sw, order, leg)
        self.race = race
        race.append(leg)

    def __call__(self, cause: str, now: float) -> None:
        if self.leg not in self.race:
            return  # lost already
        self.race.remove(self.leg)
        if cause and self.race:
            return
        losers = list(self.race)
        self.race.clear()
        super().__call__(cause, now)
        for loser in losers:
            loser.originator = None
            ending.hangup(self.sw, loser, "LOSE_RACE", now)


def _again(sw: SimSwitch, order: Originate, now: float) -> None:
    originate(sw, order, now)


# ---- the bridge application

def bridge_application(sw: SimSwitch, leg: Leg, data: str, now: float) -> bool:
    """`bridge` originates a second leg; when that is up the two talk, when it fails the call ends or goes on (continue_on_fail)."""
    order = sw.read_originate(data)
    if order is None:
        leg.app_response = "_none_"
        return True

    def result(text: str, later: float) -> None:
        if leg.phase == HUNG_UP:
            return
        if text.startswith("+OK"):
            other = sw.legs[text[4:].strip()]
            other.originator = None
            sw.join(leg, other, later)
            return
        cause = text[5:].strip()
        if leg.journal is not None:
            made = next((other for other in sw.legs.values() if other.bond is leg and other.phase == HUNG_UP), None)
            leg.note(marks.called, made.uuid if made is not None else "", "Outbound Call", number_of(order.endpoint), cause)
        sw.set_variable(leg, "last_bridge_hangup_cause", cause)
        sw.set_variable(leg, "originate_disposition", cause)
        sw.set_variable(leg, "DIALSTATUS", {"NO_ANSWER": "NOANSWER", "USER_BUSY": "BUSY"}.get(cause, cause))
        sw.set_variable(leg, "originate_failed_cause", cause)
        if leg.variables.get("continue_on_fail") == "true":
            applications.run_next(sw, leg, later)
        else:
            ending.hangup(sw, leg, cause, later)

    timeout_s = order.timeout_s
    if "originate_timeout" not in order.variables and leg.variables.get("call_timeout", "").isdecimal():
        timeout_s = int(leg.variables["call_timeout"])
    variables = {**order.variables}
    if "effective_caller_id_number" in leg.variables:
        variables.setdefault("origination_caller_id_number", leg.variables["effective_caller_id_number"])
    if "ignore_early_media" in leg.variables:
        variables.setdefault("ignore_early_media", leg.variables["ignore_early_media"])
    originate(sw, replace(order, variables=variables, result=result, made_by=leg, timeout_s=timeout_s), now)
    return False

"""Between agents' screens and the engine: who follows whom, what each is told, what was asked and answered.

The engine's loop calls `shown` and `replied`, which only write down and wake; nothing a screen does can hold it up. A screen reads at its own pace from the
agent's log, and one that falls too far behind is let go with a reason. Knows no HTTP and no database: cards come from `card_of`, in greenlets of its own.

The engine shows an agent only while somebody looks (WatchAgent). We look on for LINGER_S after the last screen has gone, so that a page that is loaded again
finds every event in between. While an agent's own screen is up its lease is renewed (AgentHeard, S83–S85); a supervisor's look renews nothing.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gevent
import orjson
from gevent.event import AsyncResult
from gevent.event import Event as Flag
from gevent.queue import Queue

from fs_dialer.core import agent_events as ag
from fs_dialer.core.agent_picture import AgentPicture
from fs_dialer.core.agent_verbs import BadVerb, event_of
from fs_dialer.core.events import Event
from fs_dialer.core.model import AgentId, CommandId
from fs_dialer.errors import StoreError
from fs_dialer.runtime.agent_log import CARD, DESK, REPLY, EventLog, first_number
from fs_dialer.runtime.agent_screen import Screen
from fs_dialer.runtime.web_ports import Answer, Refused

log = logging.getLogger("fs_dialer.agents")

PREFIX = "web-"  # of the ids of our commands: their replies are ours
LEASE_S = 30.0
HEARD_EVERY_S = 10.0
LOOK_EVERY_S = 2.0
LINGER_S = 30.0
PICTURE_S = 5.0
REPLY_S = 5.0
REPEAT_S = 15.0  # how long a repeated request waits for the first one that is still under way
MOST_SCREENS = 6  # of one agent
MOST_KEYS = 200
FORGOTTEN_S = 600.0  # a command that the engine never answered
CARD_WORKERS = 2
CARD_AGAIN_S = 1.0  # after a change: by then what the engine has asked of the database is written
DOCS = "docs/agent-interface.md"

CardOf = Callable[[str, str | None, int | None], Mapping[str, Any] | None]
"""agent, call, lead → what is known of the person; None = nothing that is his to see."""


@dataclass(frozen=True, slots=True)
class Told:
    """The engine's answer to a command."""

    ok: bool
    text: str


@dataclass(slots=True)
class _Kept:
    """A request that was answered, or is being answered, under a key."""

    fingerprint: str
    answer: AsyncResult[Answer]


@dataclass(slots=True, eq=False)
class _Seat:
    """One agent."""

    agent: AgentId
    log: EventLog
    watched: bool = False
    used_at: float = 0.0
    heard_at: float = 0.0
    picture: AgentPicture | None = None
    seen: Flag = field(default_factory=Flag)  # there is a picture
    card_for: tuple[str, int] | None = None  # whom the card is of: call and lead
    card: Mapping[str, Any] | None = None
    phase: str = ""  # how far that call has come
    card_due: float | None = None  # when the card is read once more
    screens: list[Screen] = field(default_factory=list)
    keys: OrderedDict[str, _Kept] = field(default_factory=OrderedDict)


@dataclass(slots=True)
class _Asked:
    seat: _Seat
    verb: str
    key: str
    who: str
    at: float
    told: AsyncResult[Told]


class AgentHub:
    """`put`: into the engine's inbox. `is_active`: whether this daemon is the one that dials. `knows`: whether there is such an agent."""

    def __init__(
        self,
        put: Callable[[Event], None],
        card_of: CardOf,
        *,
        is_active: Callable[[], bool] = lambda: True,
        knows: Callable[[str], bool] = lambda agent: True,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._put, self._card_of, self.is_active, self.knows = put, card_of, is_active, knows
        self._now, self._wall = now, wall
        self._first = first_number(wall())
        self._seats: dict[AgentId, _Seat] = {}
        self._asked: dict[CommandId, _Asked] = {}
        self._cards: Queue[_Seat] = Queue()
        self._stopped = ""

    # --- a part of the daemon ---------------------------------------------------------------------------------------------------------

    def start(self, spawn: Callable[..., Any]) -> None:
        """live.Service."""
        spawn(self._look)
        for _ in range(CARD_WORKERS):
            spawn(self._fetch_cards)

    def stop(self) -> None:
        """Every screen is told goodbye, and has a moment to hear it."""
        self._stopped = "the daemon ends; connect again, the next one goes on where this one stopped"
        for seat in self._seats.values():
            for screen in seat.screens:
                screen.end(self._stopped)
        gevent.sleep(0.05)

    # --- from the engine --------------------------------------------------------------------------------------------------------------

    def shown(self, picture: AgentPicture) -> None:
        """The desk of an agent has changed."""
        seat = self._seats.get(picture.agent)
        if seat is None or not seat.watched:
            return
        seat.picture = picture
        seat.seen.set()
        about, phase = _about(picture), _phase(picture)
        if about != seat.card_for:
            seat.card_for, seat.card = about, None
        if about is not None and (seat.card is None or phase != seat.phase):
            self._cards.put(seat)
            seat.card_due = self._now() + CARD_AGAIN_S
        seat.phase = phase
        self._tell(seat, DESK, {"now": self._wall(), "desk": picture})

    def replied(self, command_id: str, ok: bool, text: str) -> None:
        """The engine's answer to a command of ours. One that came too late for whoever asked is still told to his screens."""
        asked = self._asked.pop(CommandId(command_id), None)
        if asked is None:
            return
        agent = asked.seat.agent
        told = Told(ok, text.removeprefix(f"{agent}: "))
        asked.told.set(told)
        key = asked.key.rpartition(" ")[2]  # as it was sent, without whose it is
        self._tell(asked.seat, REPLY, {"command": command_id, "verb": asked.verb, "key": key, "who": asked.who, "ok": ok, "text": told.text})

    def _tell(self, seat: _Seat, kind: str, body: Mapping[str, Any]) -> None:
        try:
            data = orjson.dumps(body)
        except TypeError as error:  # the engine's loop must not end for what a screen can not be shown
            log.error("agent_event_not_written agent=%s kind=%s error=%s", seat.agent, kind, error)
            return
        seat.log.add(kind, data, self._now())
        for screen in seat.screens:
            screen.woken.set()

    # --- looking ----------------------------------------------------------------------------------------------------------------------

    def picture(self, agent: str) -> AgentPicture:
        """His desk now; whoever asks looks on for a while. Refused where the engine shows nothing in time."""
        picture = self._watched(agent).picture
        assert picture is not None
        return picture

    def desk(self, agent: str) -> bytes:
        """JSON of the picture, the card and the number behind which to go on."""
        return self.fresh(self._watched(agent), reset=None)

    def fresh(self, seat: _Seat, *, reset: bool | None) -> bytes:
        said = {} if reset is None else {"reset": reset}
        card = None if seat.card is None else {"call": seat.card_for and seat.card_for[0], **seat.card}
        return orjson.dumps({"now": self._wall(), "number": seat.log.newest, **said, "desk": seat.picture, "card": card})

    def follow(self, agent: str, after: int | None, *, own: bool, gone: Callable[[], bool] = lambda: False) -> Screen:
        """A screen more; the oldest of too many is closed. `own`: it is the agent's, and keeps his campaign screen open."""
        seat = self._watched(agent)
        screen = Screen(seat.agent, seat.log, after, own=own, gone=gone, fresh=lambda: self.fresh(seat, reset=True), left=lambda it: self.left(seat, it))
        seat.screens.append(screen)
        if len(seat.screens) > MOST_SCREENS:
            seat.screens[0].end(f"more than {MOST_SCREENS} screens of this agent are up; the oldest was closed", again=False)
        if own:
            self._hear(seat)
        return screen

    def left(self, seat: _Seat, screen: Screen) -> None:
        """A screen has gone."""
        if screen in seat.screens:
            seat.screens.remove(screen)
        seat.used_at = self._now()

    def refresh_card(self, agent: str) -> None:
        """What is known of the person has changed: a result, an answer, a promise."""
        seat = self._seats.get(AgentId(agent))
        if seat is not None and seat.card_for is not None:
            self._cards.put(seat)

    def _watched(self, agent: str) -> _Seat:
        self.ready(agent)
        seat = self._seat(AgentId(agent))
        seat.used_at = self._now()
        if not seat.watched:
            seat.watched = True
            seat.picture, seat.card_for, seat.card = None, None, None
            seat.seen.clear()
            seat.log.torn()
            self._put(ag.WatchAgent(seat.agent, True))
        if not seat.seen.wait(PICTURE_S):
            raise Refused(503, "busy", "the dialler did not show this agent in time", "try again in a moment", retry_after_s=1)
        return seat

    def _seat(self, agent: AgentId) -> _Seat:
        seat = self._seats.get(agent)
        if seat is None:
            seat = self._seats[agent] = _Seat(agent, EventLog(self._first))
        return seat

    def ready(self, agent: str) -> None:
        """Refused where nobody can be served just now, or not this one."""
        if self._stopped:
            raise Refused(503, "stopping", "this daemon ends", "connect again in a moment", retry_after_s=1)
        if not self.is_active():
            raise Refused(503, "standing_by", "this daemon stands by, another is the active one", "ask the active one", retry_after_s=5)
        if not self.knows(agent):
            raise Refused(404, "no_such_agent", "there is no such agent, or he was taken out of the definitions", "fs-dialer agent list")

    # --- acting -----------------------------------------------------------------------------------------------------------------------

    def act(self, agent: str, verb: str, args: Mapping[str, str], who: str, *, key: str, fingerprint: str) -> Answer:
        """Ask the engine, once for each key, and wait for its answer. Refused 400 for what is no good, 503 where no answer comes in time: it may
        still have been done, and the same key tells."""
        seat = self._ready_seat(agent)
        if (kept := seat.keys.get(key)) is not None:
            return self._again(kept, fingerprint)
        command, event = self._event(agent, verb, args, who)
        kept = self._keep(seat, key, fingerprint)
        told = self._ask(seat, command, event, verb, key, who)
        told.rawlink(lambda done: kept.answer.set(_answer(done.value, command)))
        try:
            return kept.answer.get(timeout=REPLY_S)
        except gevent.Timeout:
            raise _no_answer() from None

    def ask(self, agent: str, verb: str, args: Mapping[str, str], who: str, *, key: str = "") -> Told | None:
        """Ask the engine without a key; None where no answer comes in time."""
        seat = self._ready_seat(agent)
        command, event = self._event(agent, verb, args, who)
        try:
            return self._ask(seat, command, event, verb, key, who).get(timeout=REPLY_S)
        except gevent.Timeout:
            return None

    def once(self, agent: str, key: str, fingerprint: str, work: Callable[[], Answer]) -> Answer:
        """Do this work once for each key. What failed on our side is not kept: the key may be used for it again."""
        seat = self._ready_seat(agent)
        if (kept := seat.keys.get(key)) is not None:
            return self._again(kept, fingerprint)
        kept = self._keep(seat, key, fingerprint)
        try:
            answer = work()
        except BaseException as error:
            if not isinstance(error, Refused) or error.status >= 500:
                seat.keys.pop(key, None)
            kept.answer.set_exception(error if isinstance(error, Refused | StoreError) else StoreError("the first request with this key failed"))
            raise
        kept.answer.set(answer)
        return answer

    def _ready_seat(self, agent: str) -> _Seat:
        self.ready(agent)
        return self._seat(AgentId(agent))

    @staticmethod
    def _event(agent: str, verb: str, args: Mapping[str, str], who: str) -> tuple[CommandId, Event]:
        command = CommandId(f"{PREFIX}{uuid.uuid4()}")
        try:
            return command, event_of(command, who, AgentId(agent), verb, args)
        except BadVerb as error:
            raise Refused(400, "bad_argument", str(error), f"{DOCS} lists every verb and what it takes") from None

    def _ask(self, seat: _Seat, command: CommandId, event: Event, verb: str, key: str, who: str) -> AsyncResult[Told]:
        told: AsyncResult[Told] = AsyncResult()
        self._asked[command] = _Asked(seat, verb, key, who, self._now(), told)
        self._put(event)
        return told

    @staticmethod
    def _keep(seat: _Seat, key: str, fingerprint: str) -> _Kept:
        kept = seat.keys[key] = _Kept(fingerprint, AsyncResult())
        while len(seat.keys) > MOST_KEYS:
            seat.keys.popitem(last=False)
        return kept

    @staticmethod
    def _again(kept: _Kept, fingerprint: str) -> Answer:
        if kept.fingerprint != fingerprint:
            text = "this Idempotency-Key was used for another request"
            raise Refused(409, "key_reused", text, "take a new key for every request, and the same one only to repeat a request unchanged")
        try:
            answer = kept.answer.get(timeout=REPEAT_S)
        except gevent.Timeout:
            raise _no_answer() from None
        return Answer(answer.status, answer.body, replayed=True)

    # --- greenlets --------------------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """For ever: who is still there, whose lease is due, whom nobody follows any more."""
        while True:
            gevent.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """One round of it."""
        now = self._now()
        for command in [id for id, asked in self._asked.items() if now - asked.at > FORGOTTEN_S]:
            del self._asked[command]
        for seat in list(self._seats.values()):
            for screen in [each for each in seat.screens if each.gone()]:
                screen.end("the connection was closed at the other end")
                self.left(seat, screen)
            if now - seat.heard_at >= HEARD_EVERY_S and any(screen.own for screen in seat.screens):
                self._hear(seat)
            if seat.card_due is not None and now >= seat.card_due:
                seat.card_due = None
                if seat.watched:
                    self._cards.put(seat)
            if seat.watched and not seat.screens and now - seat.used_at >= LINGER_S:
                seat.watched = False
                self._put(ag.WatchAgent(seat.agent, False))

    def _hear(self, seat: _Seat) -> None:
        seat.heard_at = self._now()
        self._put(ag.AgentHeard(seat.agent, LEASE_S))

    def _fetch_cards(self) -> None:
        """For ever: read the cards that are due. Where the database is away the screen shows none, and the next change asks again."""
        while True:
            seat = self._cards.get()
            about = seat.card_for
            if about is None:
                continue
            try:
                found = self._card_of(seat.agent, *about)
            except (StoreError, Refused) as error:
                log.warning("agent_card_not_read agent=%s error=%s", seat.agent, error)
                continue
            except Exception:  # one card that can not be made must not take the others with it
                log.exception("agent_card_failed agent=%s", seat.agent)
                continue
            if seat.card_for == about and seat.watched and found != seat.card:
                seat.card = found
                self._tell(seat, CARD, {"call": about[0], "card": found})


def _about(picture: AgentPicture) -> tuple[str, int] | None:
    """Whose card belongs to the desk: of the call, else of the call that has no result yet."""
    if picture.call is not None:
        return picture.call.id, picture.call.lead
    return (picture.last.id, picture.last.lead) if picture.last is not None else None


def _phase(picture: AgentPicture) -> str:
    """What is known of a customer grows when his call is dialled, answered and over: then the card is read again. The database hears of it a little later."""
    call = picture.call
    if call is None:
        return "over"
    return "answered" if call.answered_at is not None else "dialled" if call.dialed_at is not None else "before"


def _answer(told: Told, command: str) -> Answer:
    if told.ok:
        return Answer(200, {"ok": True, "text": told.text, "command": command})
    mend = "`can` of the desk says what is open to him now"
    return Answer(409, {"error": "refused", "why": told.text or "not now", "mend": mend})


def _no_answer() -> Refused:
    why = "the dialler did not answer in time; it may still have been done"
    return Refused(503, "no_answer", why, "ask again with the same Idempotency-Key, or look at the desk", retry_after_s=1)

"""A queue of inbound callers as the engine knows it: who serves it and on which terms, what has become of its callers, and how it is told.

Pure values; waiting and being served are the call machine's, which agent is next for whom is callers.py's. No attempt row exists for a caller: all that the
shell ever hears of him are CallerServed and CallerLeft.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fs_dialer.core.actions import CallerLeft, CallerServed
from fs_dialer.core.call_words import Call, Terms
from fs_dialer.core.definition import Campaign, CampaignAgents, LeadsSource, Recording, Waiting, WrapUp
from fs_dialer.core.hangup import Evidence
from fs_dialer.core.model import AttemptId, CampaignId, CampaignType
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.core.resources import CallerIds
from fs_dialer.core.switch_names import KEPT_RELEASED, KEPT_VOICEMAIL, kept_row
from fs_dialer.core.waiting_times import Pace

PREFIX = "queue:"  # no campaign is named so: a campaign's name is a file's
ELSEWHERE = frozenset({"voicemail", "overflow", "released"})  # an extension of the switch had him last
MISSED = frozenset({"max_wait", "released"})  # let go without having met anybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a queue says of itself. people, teams: its agents. max_wait_s: then a caller is let go, after the notice where there is one, or goes where the terms
    say; let go he counts as missed.

    number: the queue's own, shown by agents' phones; "" = theirs to choose. priority: against campaigns that share its agents, on their scale: above it a
    campaign comes first, and where it is the same the queue does; callbacks always come first (S86).
    """

    name: str
    people: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    number: str = ""
    priority: int = 0
    music: str = "local_stream://moh"
    max_wait_s: float = 120.0
    notice: str | None = None
    agent_ring_s: float = 30.0
    wrap_up_s: float = 10.0
    next: str = "longest_idle"
    recording: Recording = Recording()
    terms: Terms = Terms()

    @property
    def id(self) -> CampaignId:
        return CampaignId(PREFIX + self.name)

    def definition(self) -> Campaign:
        """The queue in the words of a campaign, which agents, waiting and rest are written in: it never dials and never ends by itself."""
        return Campaign(
            id=self.id,
            type=CampaignType.PREDICTIVE,
            title=self.name,
            caller_id=CallerIds(numbers=(self.number,) if self.number else ()),
            agents=CampaignAgents(people=self.people, teams=self.teams, next=self.next, screen="not_needed"),
            leads=LeadsSource(new_rows="join"),
            waiting=Waiting(music=self.music, at_most_s=self.max_wait_s, notice=self.notice),
            wrap_up=WrapUp(time_s=self.wrap_up_s),
            recording=self.recording,
            agent_ring_s=self.agent_ring_s,
            priority=self.priority,
        )


def line_of(queue: QueueDefinition) -> Line:
    """What an admin wrote, as the engine takes it."""
    key, then = queue.callback, queue.overflow
    terms = Terms(
        queue.name,
        None if key is None else key.after_s,
        None if key is None else key.say,
        None if key is None else key.too_early,
        None if key is None else key.wrong,
        queue.announce.every_s,
        queue.announce.position,
        queue.announce.wait,
        queue.announce.minutes,
        then.do,
        then.at_most_s if then.do == "voicemail" else None,
    )
    return Line(
        name=queue.name,
        people=queue.agents.people,
        teams=queue.agents.teams,
        number=queue.number,
        priority=queue.priority,
        music=queue.music,
        max_wait_s=queue.max_wait_s,
        notice=then.sound if then.do == "hang_up" else None,
        agent_ring_s=queue.agents.ring_s,
        wrap_up_s=queue.wrap_up.time_s,
        next=queue.agents.next,
        recording=queue.recording,
        terms=terms,
    )


@dataclass(slots=True)
class Queue:
    """A queue since the daemon started. came = served + hung_up + missed + called_back + overflowed + released + lost + those who wait or talk now."""

    line: Line
    closed: bool = False  # it stands in no definition any more: nobody new is taken in
    came: int = 0
    served: int = 0
    hung_up: int = 0  # before an agent was there
    missed: int = 0  # let go by us: the longest wait was over
    called_back: int = 0  # asked for a callback
    overflowed: int = 0  # to voice mail, or put through elsewhere
    released: int = 0  # by the fallback in the switch
    lost: int = 0  # gone, and nobody knows how
    waited_s: float = 0.0  # of the served
    talked_s: float = 0.0
    pace: Pace = field(default_factory=Pace)
    stood: dict[AttemptId, None] = field(default_factory=dict)  # who found nobody free when he came

    @property
    def gone(self) -> int:
        return self.served + self.hung_up + self.missed + self.called_back + self.overflowed + self.released + self.lost

    def met(self, call: Call, now: float) -> CallerServed:
        """An agent is on the line."""
        assert call.agent is not None
        if call.id in self.stood:
            self.pace.served(now)
        return CallerServed(call.id, self.line.name, call.lead.number, call.agent, _waited_s(call, now), now)

    def over(self, call: Call, how: Evidence | None, now: float) -> CallerLeft:
        """The caller's leg is over; counted here, once."""
        self.stood.pop(call.id, None)
        waited_s = _waited_s(call, now if call.bridged_at is None else call.bridged_at)
        talked_s = 0.0 if call.bridged_at is None else max(0.0, now - call.bridged_at)
        why = _why(call, how)
        if why == "served":
            self.served += 1
            self.waited_s += waited_s
            self.talked_s += talked_s
            self.pace.held(talked_s + self.line.wrap_up_s)
        elif why == "callback":
            self.called_back += 1
        elif why in ("voicemail", "overflow"):
            self.overflowed += 1
        elif why == "released":
            self.released += 1
        elif why == "lost":
            self.lost += 1
        elif why == "max_wait":
            self.missed += 1
        else:
            self.hung_up += 1
        return CallerLeft(
            call.id,
            self.line.name,
            call.lead.number,
            why,
            call.last_agent,
            waited_s,
            talked_s,
            why in MISSED,
            now,
            switch=call.switch,
            asked_at=call.key_at if why == "callback" else None,
            kept=_kept(call, why),
        )


def _why(call: Call, how: Evidence | None) -> str:
    """What is known of him goes before how his leg ended: one who asked for a callback has asked, whoever hung up then."""
    if call.bridged_at is not None:
        return "served"
    if call.leaving in ELSEWHERE and how is not None and how.certain:
        return _elsewhere(call)
    if call.leaving:
        return call.leaving
    if call.key_at is not None:
        return "callback"  # he pressed while an agent was being connected, and was gone before that came about
    if how is not None and how.certain and (there := _done_there(call)):
        return there  # the fallback of his queue had him while we stood still
    if how is None or not how.certain:
        return "lost"
    return "max_wait" if call.we_hung_up else "hung_up"


def _elsewhere(call: Call) -> str:
    """What the extension of the switch that had him says. Where it says nothing he met nobody there either."""
    return _done_there(call) or ("released" if call.leaving == "released" else "max_wait")


def _done_there(call: Call) -> str:
    """A message of some length, a number that answered; "" = neither."""
    words = dict(word.partition("=")[::2] for word in call.path.split(";"))
    if words.get("voicemail", "0").strip("0"):
        return "voicemail"
    return "overflow" if words.get("number") == "answered" else ""


def _kept(call: Call, why: str) -> tuple[str, ...]:
    """The rows that are settled with him; where an extension of the switch had him, whatever that has left there."""
    there = (KEPT_RELEASED, KEPT_VOICEMAIL) if why in ("voicemail", "overflow") else ()
    return tuple(dict.fromkeys((*call.kept, *(kept_row(call.lead_leg, what) for what in there))))


def _waited_s(call: Call, until: float) -> float:
    return max(0.0, until - (until if call.answered_at is None else call.answered_at))

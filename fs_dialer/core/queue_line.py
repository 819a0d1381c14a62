"""A queue of inbound callers as the engine knows it: who serves it and on which terms, what has become of its callers, and how it is told.

Pure values; waiting and being served are the call machine's, which agent is next for whom is callers.py's. No attempt row exists for a caller: all that the
shell ever hears of him are CallerServed and CallerLeft.
"""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.actions import CallerLeft, CallerServed
from fs_dialer.core.call_words import Call
from fs_dialer.core.definition import Campaign, CampaignAgents, LeadsSource, Waiting, WrapUp
from fs_dialer.core.hangup import Evidence
from fs_dialer.core.model import CampaignId, CampaignType
from fs_dialer.core.resources import CallerIds

PREFIX = "queue:"  # no campaign is named so: a campaign's name is a file's


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a queue says of itself. people, teams: its agents. max_wait_s: then a caller is let go, after the notice where there is one; counted as missed.

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
            agent_ring_s=self.agent_ring_s,
            priority=self.priority,
        )


@dataclass(slots=True)
class Queue:
    """A queue since the daemon started. came = served + hung_up + missed + lost + those who wait or talk now."""

    line: Line
    came: int = 0
    served: int = 0
    hung_up: int = 0  # before an agent was there
    missed: int = 0  # let go by us: the longest wait was over
    lost: int = 0  # gone, and nobody knows how
    waited_s: float = 0.0  # of the served
    talked_s: float = 0.0

    def met(self, call: Call, now: float) -> CallerServed:
        """An agent is on the line."""
        assert call.agent is not None
        return CallerServed(call.id, self.line.name, call.lead.number, call.agent, _waited_s(call, now), now)

    def over(self, call: Call, how: Evidence | None, now: float) -> CallerLeft:
        """The caller's leg is over; counted here, once."""
        waited_s = _waited_s(call, now if call.bridged_at is None else call.bridged_at)
        talked_s = 0.0 if call.bridged_at is None else max(0.0, now - call.bridged_at)
        if call.bridged_at is not None:
            why = "served"
            self.served += 1
            self.waited_s += waited_s
            self.talked_s += talked_s
        elif how is None or not how.certain:
            why = "lost"
            self.lost += 1
        elif call.we_hung_up:
            why = "max_wait"
            self.missed += 1
        else:
            why = "hung_up"
            self.hung_up += 1
        return CallerLeft(call.id, self.line.name, call.lead.number, why, call.last_agent, waited_s, talked_s, why == "max_wait", now)


def _waited_s(call: Call, until: float) -> float:
    return max(0.0, until - (until if call.answered_at is None else call.answered_at))

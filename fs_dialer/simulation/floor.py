"""The modelled agents at work: they log in, take breaks, look at cards, dial, skip, write notes and file results.

Values in, the engine's own events out: what an agent sees is his AgentPicture (core/agent_picture.py), what he does one of core/agent_events.py, drawn from his
Staff (sim/staff.py). An act is given only if the agent still sees what he planned it upon. Knows no clock but the one it is handed, and no engine.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Any

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.agent_picture import AgentPicture
from fs_dialer.core.definition import AgentDefinition, Campaign
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, AttemptId, CallState, CampaignType, CommandId
from fs_dialer.sim.people import PeopleModel
from fs_dialer.sim.staff import Staff

WHO = "model"
TAKE_AGAIN_S = 30.0  # after no lead was to be had
LEAST_BREAK_S = 60.0  # between breaks, and of one
NOTES_MARGIN_S = 0.5  # before the rest runs out
RESULT = "served"  # filed where the model names no results
AVAILABLE, AWAY, OUT = AgentStatus.AVAILABLE, AgentStatus.NOT_AVAILABLE, AgentStatus.LOGGED_OUT
Made = Callable[[CommandId], ev.Event]


@dataclass(slots=True)
class _Person:
    definition: AgentDefinition
    staff: Staff
    rng: Random
    wanted: AgentStatus = AVAILABLE  # what he last declared himself
    status: AgentStatus = AVAILABLE  # what the engine knows
    picture: AgentPicture | None = None
    sees: object = None  # what his plans are made upon


@dataclass(order=True, slots=True)
class _Act:
    at: float
    number: int
    agent: AgentId = field(compare=False)
    sees: object = field(compare=False)  # None = whatever he sees
    made: Made = field(compare=False)


class Floor:
    """All agents of one simulated campaign. `span`: from when until when the day lasts, epoch seconds."""

    def __init__(self, campaign: Campaign, agents: Sequence[AgentDefinition], people: PeopleModel, span: tuple[float, float], seed: int) -> None:
        self._campaign, self._people, self._span = campaign, people, span
        self._acts: list[_Act] = []
        self._count = 0
        self._taking: dict[CommandId, AgentId] = {}
        self._notes: dict[AttemptId, float] = {}  # when they will be written
        self.rest_ends: dict[AttemptId, float] = {}  # where they were seen to end
        self.filed: dict[str, int] = {}
        self.refused = 0  # acts that came too late, or were not allowed
        self.skipped = 0
        self._cards: dict[AttemptId, tuple[float, bool]] = {}  # until when each is looked at, and whether it is passed over then
        self._people_of = {each.id: _Person(each, people.staff_at(each.dial_string), Random(f"fs-dialer agent {seed} {each.id}")) for each in agents}
        for agent, person in self._people_of.items():
            self._plan_the_day(agent, person)

    # --- for the loop -----------------------------------------------------------------------------------------------------------------

    @property
    def sees_pictures(self) -> bool:
        """Whether any of them does what he must see his desk for."""
        acts = self._campaign.type in (CampaignType.MANUAL, CampaignType.PREVIEW)
        return acts or any(person.staff.wrap_up is not None for person in self._people_of.values())

    @property
    def cards(self) -> int:
        """How many were looked at."""
        return len(self._cards)

    def status_at_start(self, agent: AgentId) -> AgentStatus:
        return self._people_of[agent].status

    def begin(self) -> Iterator[ev.Event]:
        """The first events of the day: screens are opened, desks looked at."""
        for agent in self._people_of:
            if self._campaign.needs_screen:
                yield ag.OpenScreen(self._command(), WHO, agent, lease_s=self._span[1] - self._span[0] + 86400.0)
            if self.sees_pictures:
                yield ag.WatchAgent(agent)

    def next_at(self) -> float | None:
        """When somebody does something next, if nothing happens before."""
        acts = self._acts
        while acts and not self._stands(acts[0]):
            heapq.heappop(acts)
        return acts[0].at if acts else None

    def due(self, now: float) -> ev.Event | None:
        """What somebody does now; asked again until it is None."""
        at = self.next_at()
        if at is None or at > now:
            return None
        return heapq.heappop(self._acts).made(self._command())

    def handlers(self) -> dict[type[act.Action], Callable[[Any, float], None]]:
        """What it wants to hear of the engine's actions."""
        return {act.ShowAgent: self._shown, act.StoreAgentStatus: self._status, act.Reply: self._reply}

    # --- the clock --------------------------------------------------------------------------------------------------------------------

    def _plan_the_day(self, agent: AgentId, person: _Person) -> None:
        start, end = self._span
        spans = [(start, end)]
        if person.staff.shift:
            person.wanted = person.status = OUT
            spans = [
                (max(begin, start) + person.staff.late.draw(person.rng), over) for begin, over in self._shifts(person.staff) if over > start and begin < end
            ]
        for begin, over in spans:
            if begin >= over:
                continue
            if person.staff.shift:
                self._declare(begin, agent, AVAILABLE, "")
                self._declare(over, agent, OUT, "end of shift")
            self._plan_breaks(agent, person, begin, over)

    def _plan_breaks(self, agent: AgentId, person: _Person, begin: float, over: float) -> None:
        every = person.staff.break_every
        at = begin
        while every is not None:
            at += max(LEAST_BREAK_S, every.draw(person.rng))
            back = at + max(LEAST_BREAK_S, person.staff.break_for.draw(person.rng))
            if back >= over:
                return
            self._declare(at, agent, AWAY, "break")
            self._declare(back, agent, AVAILABLE, "")
            at = back

    def _shifts(self, staff: Staff) -> Iterator[tuple[float, float]]:
        """Every span of the days around ours, on the people's clocks."""
        start, end = self._span
        midnight = start - start % 60 - self._people.minute(start) * 60
        for day in range(-1, int((end - start) // 86400) + 2):
            for begin, over in sorted(staff.shift):
                length = (over - begin) % 1440 or 1440
                at = midnight + day * 86400 + begin * 60
                at += ((begin - self._people.minute(at) + 720) % 1440 - 720) * 60  # the clocks may have changed since
                yield at, at + length * 60

    def _declare(self, at: float, agent: AgentId, status: AgentStatus, reason: str) -> None:
        def made(command: CommandId) -> ev.Event:
            self._people_of[agent].wanted = status
            return ev.SetAgentStatus(command, WHO, agent, status, reason)

        self._plan(at, agent, made)

    # --- what he sees -----------------------------------------------------------------------------------------------------------------

    def _status(self, action: act.StoreAgentStatus, now: float) -> None:
        person = self._people_of.get(action.agent)
        if person is None:
            return
        person.status = action.status
        if action.status is not AVAILABLE and person.wanted is AVAILABLE:  # the dialler's doing: he missed his calls, or filed nothing

            def back(command: CommandId) -> ev.Event:
                if person.wanted is AVAILABLE and person.status is not AVAILABLE:
                    return ev.SetAgentStatus(command, WHO, action.agent, AVAILABLE, "back")
                return ev.Tick()

            self._plan(now + person.staff.back.draw(person.rng), action.agent, back)

    def _shown(self, action: act.ShowAgent, now: float) -> None:
        picture = action.picture
        person = self._people_of.get(picture.agent)
        if person is None:
            return
        before, person.picture = person.picture, picture
        if before is not None and before.state is AgentState.WRAP_UP and picture.state is not AgentState.WRAP_UP and before.last is not None:
            self.rest_ends.setdefault(before.last.id, now)
        sees = _seen(picture)
        if sees == person.sees:
            return
        person.sees = sees
        if picture.state is AgentState.PREVIEWING:
            self._look_at_card(person, picture, now)
        elif picture.state is AgentState.WRAP_UP:
            self._write_notes(person, picture, now)
        elif picture.state is AgentState.IDLE and self._campaign.type is CampaignType.MANUAL:
            self._take_next(person, picture, now)

    def _look_at_card(self, person: _Person, picture: AgentPicture, now: float) -> None:
        call, agent, staff, rng = picture.call, picture.agent, person.staff, person.rng
        if call is None or call.state is not CallState.PREVIEWING:
            return
        if not call.accepted and "accept" in picture.can:
            self._plan(now + staff.accept.draw(rng), agent, lambda command: ag.AcceptPreview(command, WHO, agent, call.id), person.sees)
            return
        if call.id not in self._cards:
            self._cards[call.id] = (now + staff.think.draw(rng), rng.random() < staff.skip)
        looked, passes = self._cards[call.id]
        if passes and "skip" in picture.can:

            def skip(command: CommandId) -> ev.Event:
                self.skipped += 1
                return ag.SkipLead(command, WHO, agent, call.id, "not now")

            self._plan(max(now, looked), agent, skip, person.sees)
        elif "dial" in picture.can:
            self._plan(max(now, looked), agent, lambda command: ag.DialNow(command, WHO, agent, call.id), person.sees)

    def _write_notes(self, person: _Person, picture: AgentPicture, now: float) -> None:
        """He files a result when his notes are written, and asks for more time where that would be too late."""
        last, agent = picture.last, picture.agent
        if last is None or last.disposed or person.staff.wrap_up is None:
            return
        done = self._notes.setdefault(last.id, now + person.staff.wrap_up.draw(person.rng))
        rest_until = picture.rest_until
        if rest_until is not None and done > rest_until - NOTES_MARGIN_S and picture.wrap_up_extensions > 0 and "extend_wrap_up" in picture.can:
            self._plan(max(now, rest_until - NOTES_MARGIN_S), agent, lambda command: ag.ExtendWrapUp(command, WHO, agent), person.sees)
            return
        self._file(max(now, done), person, last.id, person.sees)

    def _file(self, at: float, person: _Person, call: AttemptId, sees: object) -> None:
        agent = person.definition.id

        def made(command: CommandId) -> ev.Event:
            code = _drawn(person.staff.dispositions, person.rng) or RESULT
            self.filed[code] = self.filed.get(code, 0) + 1
            return ag.Disposed(command, WHO, agent, call, code)

        self._plan(at, agent, made, sees)

    def _take_next(self, person: _Person, picture: AgentPicture, now: float) -> None:
        """Manual: notes on the last customer, then the next one."""
        at, last = now, picture.last
        if last is not None and last.met and not last.disposed and person.staff.wrap_up is not None:
            at = max(now, self._notes.setdefault(last.id, now + person.staff.wrap_up.draw(person.rng)))
            self.rest_ends[last.id] = at
            self._file(at, person, last.id, person.sees)
        if picture.status is AVAILABLE:
            self._take(at + person.staff.take.draw(person.rng), person)

    def _take(self, at: float, person: _Person) -> None:
        agent = person.definition.id

        def made(command: CommandId) -> ev.Event:
            self._taking[command] = agent
            return ag.TakeLead(command, WHO, agent, self._campaign.id)

        self._plan(at, agent, made, person.sees)

    def _reply(self, action: act.Reply, now: float) -> None:
        agent = self._taking.pop(action.command_id, None)
        if not action.ok and agent is not None:
            self._take(now + TAKE_AGAIN_S, self._people_of[agent])
        elif not action.ok:
            self.refused += 1

    # --- plans ------------------------------------------------------------------------------------------------------------------------

    def _plan(self, at: float, agent: AgentId, made: Made, sees: object = None) -> None:
        self._count += 1
        heapq.heappush(self._acts, _Act(at, self._count, agent, sees, made))

    def _stands(self, planned: _Act) -> bool:
        return planned.sees is None or planned.sees == self._people_of[planned.agent].sees

    def _command(self) -> CommandId:
        self._count += 1
        return CommandId(f"{WHO}-{self._count}")


def _seen(picture: AgentPicture) -> object:
    """What plans are made upon: when this changes, they are made anew."""
    call = picture.call
    return (
        picture.state,
        picture.status is AVAILABLE,
        picture.since,
        picture.rest_until if picture.state is AgentState.WRAP_UP else None,
        (call.id, call.accepted, call.state) if call is not None else None,
    )


def _drawn(weights: Sequence[tuple[str, float]], rng: Random) -> str:
    if not weights:
        return ""
    ends = list(accumulate(weight for _, weight in weights))
    return weights[min(bisect_right(ends, rng.random() * ends[-1]), len(weights) - 1)][0]

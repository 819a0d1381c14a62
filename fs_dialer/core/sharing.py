"""Who comes first when agents are few, and how far a campaign may count on agents whom it shares with others (S83–S88, blending).

    the order of work: callbacks ─► queued callers ─► campaigns that dial        (S86; of equal priority; a higher `priority` goes first)

A callback campaign never stands behind a queue that has callers, whatever their priorities. Pure questions to the world: nothing here changes it. What is
done with the answers stands in callers.py (which caller gets an agent) and placing.py (leases, forecasts).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from fs_dialer.core.agent import IN_TALK, Agent
from fs_dialer.core.model import AgentId, AgentState, CampaignId, CampaignType
from fs_dialer.core.promises import PROMISE_S
from fs_dialer.core.retry import REMEDY
from fs_dialer.core.world import Run, World

Standing = tuple[int, int]  # −priority, rank: the smaller comes first
CALLBACK, QUEUE, DIALLING = 0, 1, 2
BUSY = frozenset({*IN_TALK, AgentState.WRAP_UP})


def standings(w: World) -> dict[CampaignId, Standing]:
    """The place of every campaign and queue in the order of work."""
    highest = max((run.definition.priority for run in w.runs.values() if run.queue is not None and run.waiting), default=None)
    places: dict[CampaignId, Standing] = {}
    for id, run in w.runs.items():
        priority = run.definition.priority
        if run.definition.type is CampaignType.CALLBACK:
            places[id] = -(priority if highest is None else max(priority, highest)), CALLBACK
        else:
            places[id] = -priority, QUEUE if run.queue is not None else DIALLING
    return places


@dataclass(frozen=True, slots=True)
class Wanted:
    """Agents whom a campaign could use now. anyone: so many, whoever they are; infinite = it dials ahead of its agents. own: idle agents, each for a callback
    that he promised: for these nobody else will do."""

    anyone: float
    own: frozenset[AgentId] = frozenset()

    @property
    def nobody(self) -> bool:
        return not (self.anyone or self.own)


def demand(w: World, run: Run) -> Wanted:
    """What it could do with agents now. A callback whose agent is away wants nobody before it is overdue."""
    if run.queue is not None:
        return Wanted(len(run.waiting))
    if not run.dials:
        return Wanted(0)
    if run.plan.in_flow:
        return Wanted(len(run.waiting))  # it dials without agents
    ready, own = len(run.hopper), set[AgentId]()
    for lead in run.promised.values():
        if lead.ready_why == REMEDY or lead.agent is None:
            ready += 1
        elif lead.agent in w.idle and lead.agent not in own and _may_have(w, run, lead.agent):
            own.add(lead.agent)
        elif w.now >= lead.ready_at + PROMISE_S:
            ready += 1
    if not run.flow.reserve_agent:
        return Wanted(inf if ready or own or run.waiting else 0)
    if run.definition.lines is not None:
        lines = max(0, run.definition.lines - len(run.calls))
        own = set(sorted(own)[:lines])
        ready = min(ready, lines - len(own))
    return Wanted(ready, frozenset(own))


def _may_have(w: World, run: Run, agent_id: AgentId) -> bool:
    return run.definition.id in w.serves.get(agent_id, ()) and w.eligible(run, agent_id)


def claims(w: World, places: dict[CampaignId, Standing], able: set[CampaignId]) -> dict[AgentId, Standing]:
    """Idle agents whom a campaign will dial for at once, with its place: a queue behind it leaves them alone. As many as it has leads and lines for;
    `able`: the campaigns that neither their own lines nor a rest of all their trunks hold."""
    taken: dict[AgentId, Standing] = {}
    lines = w.ledger.lines_left()
    order = sorted(able, key=lambda c: places[c])
    wanted = {id: demand(w, w.runs[id]) for id in order}

    def take(agent_id: AgentId, id: CampaignId) -> bool:
        nonlocal lines
        needed = 1 if w.agents[agent_id].nailed else 2
        if agent_id in taken or lines < needed:
            return False
        taken[agent_id] = places[id]
        lines -= needed
        return True

    for id in order:
        for agent_id in sorted(wanted[id].own):
            take(agent_id, id)
    left = sorted((a for a in w.idle if a not in taken), key=lambda a: (w.agents[a].idle_since, a))
    for id in order:
        run, more = w.runs[id], wanted[id].anyone
        for agent_id in left:
            if more <= 0 or lines <= 0:
                break
            if _may_have(w, run, agent_id) and take(agent_id, id):
                more -= 1
        left = [a for a in left if a not in taken]
    return taken


# --- forecasts ------------------------------------------------------------------------------------------------------------------------


def counted_on(w: World, run: Run) -> tuple[list[Agent], int]:
    """For a campaign that dials ahead of its agents: the busy ones on whom it may count when they become free, and how many agents are its own in all.

    An agent shared with campaigns of the same place counts with the probability that he will be given to this one: its weight among theirs. Who is wanted
    by a callback or a queued caller, or by a campaign of higher priority, does not count: of those it shares as many as wait there, whoever will probably
    be free first; nor who promised a callback that waits for him. Nobody counts who is about to leave, has closed a screen that is needed, or is paused
    here.
    """
    if run.staying == len(run.crew):
        crew = [w.agents[p] for p in run.crew]
    else:
        crew = [a for p in run.crew if (a := w.agents.get(p)) is not None and a.staying and w.eligible(run, p)]
    places = standings(w)
    mine = places[run.definition.id]
    rivals = [other for other in w.runs.values() if other is not run and places[other.definition.id] <= mine and not demand(w, other).nobody]
    promised = _have_promised(w, run)
    if not (rivals or promised) or all(len(w.serves[a.id]) == 1 for a in crew):
        return [a for a in crew if a.state in BUSY], len(crew)
    gone = promised | _taken(w, [a for a in crew if a.id not in promised], [r for r in rivals if places[r.definition.id] < mine])
    equals = [r for r in rivals if places[r.definition.id] == mine]
    shares = [(a, _share(w, run, equals, a)) for a in crew if a.id not in gone]
    total = sum(share for _, share in shares)
    counted, sum_before = [], 0.0
    for agent, share in sorted(((a, s) for a, s in shares if a.state in BUSY), key=lambda each: (each[0].since, each[0].id)):
        # Every so manieth of them, spread evenly over the ages: a forecast takes whole agents, and so the expected number is right.
        if int(sum_before + share + 0.5) > int(sum_before + 0.5):
            counted.append(agent)
        sum_before += share
    return counted, max(1, round(total)) if crew else 0


def _share(w: World, run: Run, equals: list[Run], agent: Agent) -> float:
    serves = w.serves.get(agent.id, ())
    others = sum(r.definition.weight for r in equals if r.definition.id in serves and w.eligible(r, agent.id))
    return run.definition.weight / (run.definition.weight + others)


def _have_promised(w: World, run: Run) -> set[AgentId]:
    """Who will be given to another campaign as soon as he is free, for a callback of his own there."""
    return {
        lead.agent
        for other in w.runs.values()
        if other is not run and other.dials
        for lead in other.promised.values()
        if lead.agent is not None and lead.ready_why != REMEDY and _may_have(w, other, lead.agent)
    }


def _taken(w: World, crew: list[Agent], above: list[Run]) -> set[AgentId]:
    """Who will go to those that stand above: the rest after a call ends sooner than a talk, and what began first ends first."""
    gone: set[AgentId] = set()
    if not above:
        return gone
    soonest = sorted((a for a in crew if a.state in BUSY), key=lambda a: (a.state is not AgentState.WRAP_UP, a.since, a.id))
    for other in above:
        wanted = demand(w, other).anyone
        for agent in soonest:
            if wanted <= 0:
                break
            if agent.id not in gone and _may_have(w, other, agent.id):
                gone.add(agent.id)
                wanted -= 1
    return gone

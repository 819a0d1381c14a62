"""Which agent gets the next customer: who may have him, and in which order the campaign wants them asked."""

from __future__ import annotations

from collections.abc import Collection

from fs_dialer.core.fleet import NO_SWITCH
from fs_dialer.core.model import (
    AgentId,
    Lead,
    SwitchId,
)
from fs_dialer.core.switches import reachable
from fs_dialer.core.world import Run, World


def next_agent(
    w: World, run: Run, lead: Lead | None, kept: Collection[AgentId] = (), switch: SwitchId = NO_SWITCH, among: Collection[AgentId] | None = None
) -> AgentId | None:
    """An answered customer may take any eligible idle agent, whoever leased him; which one, the campaign says. One who must be rung needs a line.
    `kept`: agents who are left alone. `switch`: where the customer is, where that matters. `among`: only these."""
    may_ring = w.ledger.room(w.now) > 0
    able = [a for a in w.idle if (may_ring or w.agents[a].nailed) and a not in kept and run.definition.id in w.serves.get(a, ()) and w.eligible(run, a)]
    if among is not None:
        able = [a for a in able if a in among]
    if w.several and switch:
        able = reachable(w, able, switch)
    if len(able) > 1:
        return in_turn(w, run, able, lead)[0]
    return able[0] if able else None


def in_turn(w: World, run: Run, able: list[AgentId], lead: Lead | None = None) -> list[AgentId]:
    """The order in which free agents get the campaign's calls: the one whom the lead has met, where it is sticky; then by priority; then as `next` says."""
    wanted = run.definition.agents
    met = lead.met if lead is not None and wanted.sticky else None
    if wanted.next == "random":
        able = sorted(able)
        w.rng.shuffle(able)
        keys: dict[AgentId, tuple[float, ...]] = {a: (float(n),) for n, a in enumerate(able)}
    elif wanted.next == "round_robin":
        place = {a: n for n, a in enumerate(run.crew)}
        keys = {a: (float((place.get(a, 0) - run.turn) % max(1, len(run.crew))),) for a in able}
    elif wanted.next == "fewest_calls":
        keys = {a: (float(w.agents[a].calls), w.agents[a].idle_since) for a in able}
    elif wanted.next == "skill_first":
        skills = frozenset(wanted.prefer)
        keys = {a: (-float(len(skills.intersection(w.agents[a].definition.skills))), w.agents[a].idle_since) for a in able}
    else:
        keys = {a: (w.agents[a].idle_since,) for a in able}
    return sorted(able, key=lambda a: (a != met, -w.agents[a].definition.priority, keys[a], a))


def took_turn(w: World, run: Run, agent_id: AgentId) -> None:
    """Round robin goes on behind him."""
    if run.definition.agents.next == "round_robin" and agent_id in run.crew:
        run.turn = run.crew.index(agent_id) + 1

"""What people ask of the daemon through the database: commands, changed definitions, new leads. Hints wake it; every 30 s it looks anyway."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Set
from typing import Any

from fs_dialer.core import events as ev
from fs_dialer.core.agent_events import LeadWithdrawn, QueueLoaded, QueueRemoved
from fs_dialer.core.agent_verbs import MOST_DIGITS, BadVerb, event_of
from fs_dialer.core.model import AgentId, AgentStatus, CampaignId, CampaignState, CommandId, LeadId, SwitchId
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.core.queue_line import line_of
from fs_dialer.core.snapshot import Snapshot
from fs_dialer.core.stored import StoredAgent, StoredCampaign, StoredCommand
from fs_dialer.errors import ConfigError, StoreError
from fs_dialer.runtime.ports import DaemonStore

log = logging.getLogger("fs_dialer.desk")

LOOK_EVERY_S = 30.0
APPROVABLE = (CampaignState.APPROVED, CampaignState.RUNNING, CampaignState.PAUSED)


class Desk:
    """Turns rows into events. `listener.hints(timeout_s)`: what may have changed."""

    def __init__(self, store: DaemonStore, listener: Any, put: Callable[[ev.Event], None], now: Callable[[], float]) -> None:
        self._store, self._listener, self._put, self._now = store, listener, put, now
        self._given: set[CommandId] = set()  # handed to the engine, not answered yet as far as we have read
        self._campaigns: dict[CampaignId, tuple[int, tuple[tuple[str, ...], ...]]] = {}
        self._agents: dict[AgentId, StoredAgent] = {}
        self._teams: Mapping[str, tuple[AgentId, ...]] = {}
        self._queues: Mapping[str, QueueDefinition] = {}
        self._last_look = 0.0
        self.on_happenings: Callable[[], None] = lambda: None  # something happened that a trigger may wait for

    def knows(self, agent: str) -> bool:
        """Whether such an agent is defined, as far as we have read."""
        return AgentId(agent) in self._agents

    def seen_at_start(self) -> None:
        """The definitions were loaded a moment ago."""
        self._campaigns = {s.campaign.id: (s.campaign.revision, tuple(s.zone_sets)) for s in self._store.campaigns()}
        self._agents = {s.agent.id: s for s in self._store.agents()}
        self._teams = self._store.teams()
        self._queues = {queue.name: queue for queue in self._store.queues()}
        self._last_look = self._now()

    def listen(self) -> None:
        """For ever: wait for hints, read what they point at."""
        self._look(everything=False)
        while True:
            hints = self._listener.hints(LOOK_EVERY_S / 6)
            kinds = {hint.kind for hint in hints}
            if kinds & {"happenings", "all"}:
                self.on_happenings()
                kinds.discard("happenings")
            everything = "all" in kinds or self._now() - self._last_look >= LOOK_EVERY_S
            leads = {CampaignId(hint.name) for hint in hints if hint.kind == "leads" and hint.name}
            for hint in hints:
                if hint.kind == "withdrawn":
                    self._withdrawn(hint.name)
            kinds.discard("withdrawn")
            if everything or kinds & {"campaign", "agents", "teams", "queues", "installation", "leads", "command", "do_not_call"}:
                self._look(everything=everything or bool(kinds - {"command"}), changed_leads=leads)

    def _look(self, *, everything: bool, changed_leads: Set[CampaignId] = frozenset()) -> None:
        try:
            if everything:
                self._last_look = self._now()
                self._definitions(changed_leads)
            self._commands()
        except StoreError as error:
            log.warning("could not read the database: %s", error)
        except ConfigError as error:
            log.error("a stored definition can't be used: %s", error)

    def _definitions(self, changed_leads: Set[CampaignId]) -> None:
        self._put(ev.InstallationLoaded(self._store.installation()))
        agents = {stored.agent.id: stored for stored in self._store.agents()}
        for agent_id, stored in agents.items():
            known = self._agents.get(agent_id)
            if known is None or known.agent != stored.agent:
                self._put(ev.AgentLoaded(stored.agent, stored.status))
        for agent_id in self._agents.keys() - agents.keys():
            self._put(ev.AgentRemoved(agent_id))
        self._agents = agents
        teams = self._store.teams()
        if teams != self._teams:
            self._teams = teams
            self._put(ev.TeamsLoaded(teams))
        self._changed_queues()
        for stored_campaign in self._store.campaigns():
            self._campaign(stored_campaign, stored_campaign.campaign.id in changed_leads)

    def _changed_queues(self) -> None:
        queues = {queue.name: queue for queue in self._store.queues()}
        for name, queue in queues.items():
            if self._queues.get(name) != queue:
                self._put(QueueLoaded(line_of(queue)))
        for name in self._queues.keys() - queues.keys():
            self._put(QueueRemoved(name))
        self._queues = queues

    def _withdrawn(self, name: str) -> None:
        """`CAMPAIGN/LEAD`: its customer was served otherwise, or its time is over; the store has stopped it already (D12)."""
        campaign, _, lead = name.rpartition("/")
        if lead.isascii() and lead.isdigit() and len(lead) <= MOST_DIGITS:
            self._put(LeadWithdrawn(CampaignId(campaign), LeadId(int(lead))))

    def _campaign(self, stored: StoredCampaign, leads_changed: bool) -> None:
        mark = (stored.campaign.revision, tuple(stored.zone_sets))
        if leads_changed or self._campaigns.get(stored.campaign.id) != mark:
            self._campaigns[stored.campaign.id] = mark
            self._put(ev.CampaignLoaded(stored.campaign, stored.state, stored.started, tuple(stored.zone_sets), stored.memory, stored.today))

    # --- commands ---------------------------------------------------------------------------------------------------------------------

    def _commands(self) -> None:
        pending = self._store.pending_commands()
        waiting = {command.id for command in pending}
        self._given &= waiting
        for command in pending:
            if command.id not in self._given:
                self._given.add(command.id)
                self._command(command)

    def _command(self, c: StoredCommand) -> None:
        """A refusal by the store is the answer; a store that went away in the middle is asked again. No row may end the daemon, whatever stands in it."""
        try:
            self._carry_out(c)
        except StoreError as error:
            if error.lost:
                self._given.discard(c.id)
                raise
            self._store.reply(c.id, False, str(error))
        except ConfigError as error:
            self._store.reply(c.id, False, f"a stored definition can't be used: {error}")
        except Exception as error:
            log.exception("command_failed id=%s verb=%s", c.id, c.verb)
            self._store.reply(c.id, False, f"the daemon could not carry this out: {type(error).__name__}; its log says more")

    def _carry_out(self, c: StoredCommand) -> None:
        log.info("command %s %s by %s", c.verb, c.target, c.who)
        campaign = CampaignId(c.target)
        if c.verb in ("approve", "start", "pause", "end") and campaign not in self._campaigns:
            self._definitions({campaign})
        if c.verb == "approve":
            self._approve(c, campaign)
        elif c.verb == "start":
            self._put(ev.StartCampaign(c.id, c.who, campaign))
        elif c.verb == "pause":
            self._put(ev.PauseCampaign(c.id, c.who, campaign, c.args.get("reason", "")))
        elif c.verb == "end":
            self._put(ev.EndCampaign(c.id, c.who, campaign, c.args.get("reason", "")))
        elif c.verb == "agent_status":
            self._agent_status(c)
        elif c.verb == "drain_switch":
            self._put(ev.DrainSwitch(c.id, c.who, SwitchId(c.target), c.args.get("on") != "no"))
        elif c.verb == "agent":
            self._agent(c)
        else:
            self._store.reply(c.id, False, f"this daemon does not know the command {c.verb}")

    def _approve(self, c: StoredCommand, campaign: CampaignId) -> None:
        """A newer revision of a campaign that lives is approved in the store, and dials from the next call on (D5); a new campaign in the engine."""
        stored = self._store.campaign(campaign)
        asked = c.args.get("revision", "")
        revision = int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= MOST_DIGITS else None
        if stored is not None and stored.state in APPROVABLE and stored.newest_revision > stored.campaign.revision:
            if revision is not None and revision != stored.newest_revision:
                self._store.reply(c.id, False, f"revision {revision} is not the newest; {stored.newest_revision} is")
                return
            self._store.approve_revision(campaign, stored.newest_revision, c.who)
            self._definitions({campaign})
            self._store.reply(c.id, True, f"{campaign}: revision {stored.newest_revision} approved; it stays {stored.state.value}")
            return
        self._put(ev.ApproveCampaign(c.id, c.who, campaign, revision))

    def _agent_status(self, c: StoredCommand) -> None:
        try:
            status = AgentStatus(c.args.get("status", ""))
        except ValueError:
            self._store.reply(c.id, False, f"no such agent status: {c.args.get('status', '')}")
            return
        if AgentId(c.target) not in self._agents:
            self._definitions(set())
        self._put(ev.SetAgentStatus(c.id, c.who, AgentId(c.target), status, c.args.get("reason", "")))

    def _agent(self, c: StoredCommand) -> None:
        """A verb of the agent interface, asked for through the database."""
        words = {name: str(value) for name, value in c.args.items() if name != "verb"}
        try:
            event = event_of(c.id, c.who, AgentId(c.target), str(c.args.get("verb", "")), words)
        except BadVerb as error:
            self._store.reply(c.id, False, str(error))
            return
        if AgentId(c.target) not in self._agents:
            self._definitions(set())
        self._put(event)

    # --- what others may see ----------------------------------------------------------------------------------------------------------

    def publish(self, snapshot: Snapshot) -> None:
        """For `fs-dialer status`; whoever finds an old one knows that no daemon is running."""
        try:
            self._store.publish(snapshot)
        except StoreError as error:
            log.debug("status not published: %s", error)

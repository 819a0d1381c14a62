"""The back office of a store in memory: definitions, leads, lists and marks, commands, and questions about all of them.

What db/backoffice.py and its neighbours do to PostgreSQL, as far as simulation and tests need it. Plain Python, neither psycopg2 nor gevent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from fs_dialer.core.definition import AgentDefinition, Campaign, Installation
from fs_dialer.core.model import AgentId, AgentStatus, AttemptResult, CampaignId, CampaignState, CommandId, LeadId, LeadStatus
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.core.stored import StoredAgent, StoredCommand
from fs_dialer.db.codec import UNFINISHED, zone_set, zones
from fs_dialer.db.memory_callers import call_back
from fs_dialer.db.memory_data import KeptCampaign, KeptCommand, KeptLead, MemoryDatabase
from fs_dialer.db.shapes import Imported, LeadRow, Listed
from fs_dialer.errors import StoreError


class MemoryOffice:
    """The back office of a MemoryDatabase. `clock`: epoch seconds, for stamps and for leads that are ready at once."""

    def __init__(self, clock: Callable[[], float], database: MemoryDatabase | None = None) -> None:
        self._clock = clock
        self._db = database or MemoryDatabase()

    def set_installation(self, installation: Installation) -> None:
        self._db.installation = installation

    def add_campaign(self, campaign: Campaign, state: CampaignState = CampaignState.NEW, *, started: bool = False, who: str = "simulate") -> int:
        """A new campaign, or a new revision where the definition changed; its newest revision. A state other than new approves it at once."""
        kept = self._db.campaigns.get(campaign.id)
        if kept is None:
            kept = self._db.campaigns[campaign.id] = KeptCampaign([])
        if not kept.revisions or replace(kept.revisions[-1], revision=0) != replace(campaign, revision=0):
            kept.revisions.append(replace(campaign, revision=len(kept.revisions) + 1))
            self._note(who, "apply_campaign", campaign.id, "")
        if state is not CampaignState.NEW:
            kept.state, kept.started, kept.approved = state, started, len(kept.revisions)
        return len(kept.revisions)

    def add_agents(self, agents: Iterable[AgentDefinition], status: AgentStatus = AgentStatus.NOT_AVAILABLE) -> None:
        """New agents with this status; a known one keeps what he declared."""
        for agent in agents:
            kept = self._db.agents.get(agent.id)
            self._db.agents[agent.id] = StoredAgent(agent, status, "") if kept is None else replace(kept, agent=agent)

    def set_teams(self, teams: Mapping[str, Sequence[str]]) -> None:
        """Who is in which team, all of them."""
        self._db.teams = {name: tuple(map(AgentId, people)) for name, people in teams.items()}

    def set_queues(self, queues: Iterable[QueueDefinition]) -> None:
        """All of them."""
        self._db.queues = {queue.name: queue for queue in queues}

    def call_back(self, campaign: CampaignId) -> list[LeadId]:
        """What a trigger does that adds who asked for a callback to this campaign; the new leads."""
        return call_back(self._db, campaign, self._clock())

    def withdrawn(self) -> list[tuple[CampaignId, LeadId]]:
        """Leads that were stopped since this was asked last, because their customers were served otherwise or had waited too long."""
        found, self._db.withdrawn = self._db.withdrawn, []
        return found

    def add_leads(self, campaign: CampaignId, leads: Iterable[LeadRow], who: str = "simulate") -> Imported:
        """Leads into a campaign that exists; a row without ready_at is ready since now. StoreError when there is no such campaign."""
        kept = self._db.campaigns.get(campaign)
        if kept is None:
            raise StoreError(f"there is no campaign {campaign}; apply its definition first")
        counts: Counter[str] = Counter()
        seen: set[str] = set()
        for number, row_zones, _, attributes, ready_at in leads:
            counts["rows"] += 1
            self._db.attributes.setdefault(number, {}).update(attributes)
            if number not in seen:
                text = self._db.contact_zones[number] = self._db.contact_zones.get(number) or zone_set(row_zones)
            if number in seen:
                counts["twice"] += 1
            elif (campaign, number) in self._db.lead_of or any(lead.campaign == campaign for lead in self._db.leads_of(number)):
                counts["known"] += 1
            else:
                lead = self._add_lead(campaign, kept, number, text, self._clock() if ready_at is None else ready_at)
                counts["new" if lead.status is LeadStatus.NEW else "do_not_call"] += 1
            seen.add(number)
        self._note(who, "import_leads", campaign, "")
        return Imported(counts["rows"], counts["new"], counts["do_not_call"], counts["known"], counts["twice"])

    def _add_lead(self, campaign: CampaignId, kept: KeptCampaign, number: str, text: str, ready_at: float) -> KeptLead:
        """`text`: the zone set of the contact, which a list does not change once it is known."""
        blocked = self._db.is_forbidden(number)
        id = LeadId(len(self._db.leads) + 1)
        status = LeadStatus.BLOCKED if blocked else LeadStatus.NEW
        queue = kept.queues.setdefault(text, [])
        lead = KeptLead(id, campaign, number, zones(text), queue, status, ready_at, self._db.next_position(), contact=number)
        lead.held_by = "do_not_call" if blocked else ""
        self._db.leads[id] = lead
        self._db.lead_of[campaign, number] = id
        self._db.leads_by_number.setdefault(number, []).append(id)
        kept.leads.append(lead)
        kept.unfinished += not blocked
        lead.enqueue()
        return lead

    def do_not_call_add(self, entries: Iterable[str], who: str, list: str = "own", reason: str = "") -> Listed:
        """Put numbers (+84901234567) and prefixes (+8490*) on a list; their unfinished leads become blocked."""
        listed = blocked = 0
        for entry in sorted(set(entries)):
            lists = self._entries(entry).setdefault(entry.removesuffix("*"), set())
            if list not in lists:
                lists.add(list)
                listed += 1
                self._note(who, "do_not_call_add", entry, reason)
            for lead in self._leads_meant(entry):
                if lead.status in UNFINISHED:
                    if lead.status is not LeadStatus.IN_PROGRESS:
                        lead.claimed = None
                    lead.held_by = "do_not_call"
                    self._db.set_status(lead, LeadStatus.BLOCKED)
                    blocked += 1
        return Listed(listed, blocked)

    def do_not_call_remove(self, entries: Iterable[str], who: str, list: str | None = None, reason: str = "") -> Listed:
        """Take entries off a list, or off all; leads that no entry forbids any more return."""
        removed = returned = 0
        for entry in sorted(set(entries)):
            known, key = self._entries(entry), entry.removesuffix("*")
            gone = {each for each in known.get(key, ()) if list in (None, each)}
            removed += len(gone)
            if not gone:
                continue
            self._note(who, "do_not_call_remove", entry, reason)
            known[key] -= gone
            if not known[key]:
                del known[key]
            for lead in self._leads_meant(entry):
                if lead.status is LeadStatus.BLOCKED and not self._db.is_forbidden(lead.number):
                    called = LeadStatus.RETRY if lead.attempts else LeadStatus.NEW
                    called = LeadStatus.CALLBACK_SCHEDULED if lead.ready_why == "promised" else called
                    self._db.set_status(lead, LeadStatus.IN_PROGRESS if lead.id in self._db.open_of else called)
                    lead.held_by = ""
                    lead.enqueue()
                    returned += 1
        return Listed(removed, returned)

    def mark_no_callback(self, numbers: Iterable[str], campaign: str, until: float, who: str, reason: str = "") -> Listed:
        """Leave numbers alone until a time, in one campaign or ("") in all; a mark that was there is replaced. Unfinished leads become refused."""
        marked = refused = 0
        for number in sorted(set(numbers)):
            marked += (number, campaign) not in self._db.no_callback
            self._db.no_callback[number, campaign] = until
            self._note(who, "mark_no_callback", number, reason)
            for lead in self._db.leads_of(number):
                if campaign not in ("", lead.campaign):
                    continue
                if lead.status in UNFINISHED or lead.status is LeadStatus.REFUSED:
                    refused += lead.status is not LeadStatus.REFUSED
                    last = max(self._db.no_callback.get((number, scope), until) for scope in (lead.campaign, ""))
                    self._db.refuse(lead, last, self._before(lead))
        return Listed(marked, refused)

    def clear_no_callback(self, numbers: Iterable[str], campaign: str | None, who: str, reason: str = "", now: float | None = None) -> Listed:
        """Take marks away: of one campaign, for all campaigns (""), or every one (None). Leads that no other mark keeps return."""
        at = self._clock() if now is None else now
        removed = returned = 0
        for number in sorted(set(numbers)):
            gone = {scope for each, scope in self._db.no_callback if each == number and campaign in (None, scope)}
            for scope in gone:
                del self._db.no_callback[number, scope]
                self._note(who, "clear_no_callback", number, reason)
            removed += len(gone)
            for lead in self._db.leads_of(number):
                if lead.status is LeadStatus.REFUSED and gone & {lead.campaign, ""}:
                    left = self._db.left_alone_until(number, lead.campaign, at)
                    lead.ready_at = at if left is None else left
                    if left is None:
                        self._db.return_refused(lead)
                        returned += 1
        return Listed(removed, returned)

    def _before(self, lead: KeptLead) -> LeadStatus | None:
        """What a lead that is marked now returns to."""
        if lead.status is LeadStatus.REFUSED:
            return lead.status_before
        return self._db.open[self._db.open_of[lead.id]][1] if lead.status is LeadStatus.IN_PROGRESS else lead.status

    def _entries(self, entry: str) -> dict[str, set[str]]:
        return self._db.prefixes if entry.endswith("*") else self._db.do_not_call

    def _leads_meant(self, entry: str) -> Sequence[KeptLead]:
        if entry.endswith("*"):
            return [lead for lead in self._db.leads.values() if lead.number.startswith(entry[:-1])]
        return self._db.leads_of(entry)

    def submit_command(self, verb: str, target: str, args: Mapping[str, str], who: str) -> CommandId:
        """As an operator asks; the id counts the commands, so that equal runs have equal ids."""
        id = CommandId(f"00000000-0000-4000-8000-{len(self._db.commands) + 1:012d}")
        self._db.commands[id] = KeptCommand(StoredCommand(id, verb, target, who, dict(args)))
        self._note(who, verb, target, args.get("reason", ""))
        return id

    def reply_of(self, command: CommandId) -> tuple[bool, str] | None:
        """The answer to a command, None while there is none."""
        return self._db.commands[command].answer

    # --- questions ----------------------------------------------------------------------------------------------------------------------

    def lead_counts(self, campaign: CampaignId) -> dict[str, int]:
        """Leads of a campaign by status, every status named."""
        counts = {status.value: 0 for status in LeadStatus}
        for lead in self._db.campaigns[campaign].leads:
            counts[lead.status.value] += 1
        return counts

    def outcome_totals(self, campaign: CampaignId | None = None) -> dict[str, int]:
        """Closed attempts by outcome, of one campaign or all. Only outcomes that happened."""
        return dict(sorted(Counter(result.outcome.value for result in self.results(campaign)).items()))

    def attempts_count(self, campaign: CampaignId | None = None) -> int:
        """All attempts ever, open ones too."""
        opened = sum(campaign in (None, attempt.campaign) for attempt, _ in self._db.open.values())
        return opened + len(self.results(campaign))

    def results(self, campaign: CampaignId | None = None) -> list[AttemptResult]:
        """Every closed attempt's result, in the order in which they closed."""
        return [closed.result for closed in self._db.closed.values() if campaign in (None, closed.attempt.campaign)]

    def _note(self, who: str, what: str, target: str, why: str) -> None:
        self._db.audit.append((self._clock(), who, what, target, why))

"""A real engine behind an AgentHub, without a switch and a database: its clock stands until a test moves it, and its legs do what a test says.

What the hub puts in goes through the engine at once, as if the inbox were never busy; `slow` keeps it until `work` is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignState, CampaignType, LeadId
from fs_dialer.modes import OFFERED, manual
from fs_dialer.runtime.agent_hub import AgentHub
from tests.core.builders import SWITCH, UTC_SET, Desk, a_bare_dialer, a_campaign, a_lead, an_agent, an_installation


class Floor:
    """Agents ana and bob, available, on one campaign; manual unless another is given."""

    def __init__(self, campaign: Campaign | None = None, *, agents: tuple[str, ...] = ("ana", "bob")) -> None:
        self.desk = Desk(a_bare_dialer(offered=OFFERED))
        self.inbox: list[ev.Event] = []
        self.slow = False
        self.put_in: list[ev.Event] = []  # everything the hub said
        self.cards: dict[str, Mapping[str, Any] | None] = {}
        self.asked_cards: list[tuple[str, str | None, int | None]] = []
        self.active = True
        self.later = 0.0
        self.hub = AgentHub(self.put, self._card, is_active=lambda: self.active, knows=lambda agent: agent in agents, now=self.now, wall=self.now)
        self._campaign = campaign or a_campaign(type=CampaignType.MANUAL, people=agents, screen="needed", options=manual.Options())
        self.tell(ev.InstallationLoaded(an_installation()))
        for name in agents:
            self.tell(ev.AgentLoaded(an_agent(name), ev.AgentStatus.AVAILABLE))
        self.tell(ev.CampaignLoaded(self._campaign, CampaignState.RUNNING, True, (UTC_SET,)))
        self.tell(ev.SwitchUp(SWITCH, ()), ev.ReconcileDone(SWITCH))

    def now(self) -> float:
        return self.desk.now + self.later

    def put(self, event: ev.Event) -> None:
        self.put_in.append(event)
        self.inbox.append(event)
        if not self.slow:
            self.work()

    def work(self) -> None:
        """What waits in the inbox is worked off."""
        while self.inbox:
            self.tell(self.inbox.pop(0))

    def tell(self, *events: ev.Event) -> None:
        for event in events:
            self._done(self.desk.tell(event))

    def wait(self, seconds: float) -> None:
        self._done(self.desk.wait(seconds))

    def _done(self, actions: list[act.Action]) -> None:
        for action in actions:
            if isinstance(action, act.ShowAgent):
                self.hub.shown(action.picture)
            elif isinstance(action, act.Reply) and action.command_id.startswith("web-"):
                self.hub.replied(action.command_id, action.ok, action.text)
            elif isinstance(action, act.TakeLeadNow):
                lead = a_lead(int(action.lead or LeadId(1)), campaign=self._campaign.id)
                self.tell(ag.LeadTaken(action.command_id, action.agent, action.campaign, lead, left=3))

    def _card(self, agent: str, call: str | None, lead: int | None) -> Mapping[str, Any] | None:
        self.asked_cards.append((agent, call, lead))
        return self.cards.get(agent, {"name": "Ada Example", "lead": lead})

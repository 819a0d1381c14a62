"""Whole hours of agents who take, dial, skip, pause, close their screens and hang up at random: nobody is stuck, no attempt is lost or closed twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fs_dialer.core import actions as act
from fs_dialer.core import agent_events as ag
from fs_dialer.core import events as ev
from fs_dialer.core.agent_picture import VERBS, AgentPicture
from fs_dialer.core.definition import Campaign, GatewayDefinition, WrapUp
from fs_dialer.core.model import AgentId, AgentStatus, CampaignId, CampaignType, LegKind
from fs_dialer.modes import OFFERED, manual, preview
from tests.core.builders import CARRIER, NAMES, a_campaign, an_agent, an_installation
from tests.core.scripted_switch import Chances, Hour, lead_numbers

SECONDS = 900.0


class DeskHour(Hour):
    """An hour with agents at their screens."""

    def begin(self) -> None:
        self.replies: dict[str, act.Reply] = {}
        self.pictures: dict[AgentId, AgentPicture] = {}
        super().begin()
        for agent in self.agents:
            self.tell(ag.OpenScreen(f"o{next(self.order)}", agent.id, agent.id, 120.0))  # type: ignore[arg-type]
            self.tell(ag.WatchAgent(agent.id))
        self.soon_use(self.life)

    def soon_use(self, life: int) -> None:
        self.later(self.rng.uniform(0.2, 4.0), lambda: self.use(life))

    def use(self, life: int) -> None:
        if self.life != life:
            return
        self.soon_use(life)
        agent = self.rng.choice(self.agents)
        if self.calm:
            self.tell(ag.CloseScreen(f"x{next(self.order)}", agent.id, agent.id))  # type: ignore[arg-type]
            return
        verb = self.verb(agent.id)
        if isinstance(verb, ag.WatchAgent):
            self.pictures.pop(agent.id, None)
        self.tell(verb)
        if self.rng.random() < 0.3:
            self.tell(ag.AgentHeard(agent.id, 60.0))

    def verb(self, agent: AgentId) -> ev.Event:
        words = (f"v{next(self.order)}", agent, agent)
        campaign = self.rng.choice(self.campaigns).id
        status = self.rng.choice([*AgentStatus, AgentStatus.AVAILABLE])
        self.rows.statuses.setdefault(agent, AgentStatus.AVAILABLE)
        made: Sequence[ev.Event] = (
            ag.OpenScreen(*words, self.rng.choice([5.0, 60.0])),  # type: ignore[arg-type]
            ag.CloseScreen(*words),  # type: ignore[arg-type]
            ag.PauseInCampaign(*words, campaign, self.rng.random() < 0.4),  # type: ignore[arg-type]
            *[ag.TakeLead(*words, campaign)] * 4,  # type: ignore[arg-type]
            ag.AcceptPreview(*words),  # type: ignore[arg-type]
            ag.ExtendPreview(*words),  # type: ignore[arg-type]
            *[ag.DialNow(*words)] * 4,  # type: ignore[arg-type]
            ag.SkipLead(*words, None, "a reason"),  # type: ignore[arg-type]
            ag.HangUp(*words),  # type: ignore[arg-type]
            ag.ExtendWrapUp(*words),  # type: ignore[arg-type]
            ag.EndWrapUp(*words),  # type: ignore[arg-type]
            ag.Disposed(*words, None, "sold"),  # type: ignore[arg-type]
            ev.SetAgentStatus(words[0], agent, agent, status),  # type: ignore[arg-type]
            ag.WatchAgent(agent, self.rng.random() < 0.8),
        )
        return self.rng.choice(made)

    def do_TakeLeadNow(self, a: act.TakeLeadNow) -> None:
        found = None if self.calm else self.rows.claim(a.campaign, 1, self.now)
        lead = found.leads[0] if isinstance(found, ev.LeadsClaimed) and found.leads else None
        self.soon(ag.LeadTaken(a.command_id, a.agent, a.campaign, lead, "" if lead else "no_lead"), 0.01, 2.0)

    def do_Reply(self, a: act.Reply) -> None:
        assert a.text and (a.command_id not in self.replies or a.command_id in ("calm", "back")), f"answered twice: {a}"
        self.replies[a.command_id] = a

    def do_ShowAgent(self, a: act.ShowAgent) -> None:
        assert set(a.picture.can) <= set(VERBS) and a.picture != self.pictures.get(a.picture.agent), "shown again although nothing changed"
        self.pictures[a.picture.agent] = a.picture


def play(seed: int, campaigns: Sequence[Campaign], chances: Chances, *, leg: LegKind, agents: int = 4, lines: int = 12, cps: float = 10.0) -> DeskHour:
    leads = [lead for n, c in enumerate(campaigns) for lead in lead_numbers(CampaignId(c.id), 300, 1 + 1000 * n)]
    installation = an_installation(lines=lines, cps=cps, gateways=[GatewayDefinition(id=CARRIER, lines=lines, cps=cps)])
    hour = DeskHour(seed, [an_agent(name, leg) for name in NAMES[:agents]], campaigns, leads, installation, dict(OFFERED), chances)
    try:
        hour.play(SECONDS)
    except BaseException as wrong:
        print(f"seed {seed}, {hour.now:.3f}\n" + "\n".join(hour.log[-80:]))
        raise wrong
    return hour


def of_type(type_: CampaignType, id: str = "spring", **more: object) -> Campaign:
    card = preview.Card(time_s=6.0, accept="agent" if id == "spring" else "auto", extend=(1, 5.0))
    options = {CampaignType.MANUAL: manual.Options(), CampaignType.PREVIEW: preview.Options(preview=card)}
    rest = WrapUp(time_s=4.0, extend=(1, 5.0), at_end="not_available" if id == "autumn" else "ready")
    return a_campaign(
        id, people=NAMES[:4], type=type_, gap_s=100.0, max_attempts=9, join=True, wrap_up=rest, screen="needed", options=options.get(type_), **more
    )


TYPES = [CampaignType.MANUAL, CampaignType.PREVIEW, CampaignType.PROGRESSIVE, CampaignType.PREDICTIVE, CampaignType.CALLBACK]


@pytest.mark.parametrize("leg", list(LegKind), ids=lambda leg: leg.value)
@pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.value)
@pytest.mark.parametrize("seed", range(2000, 2003))
def test_agents_at_their_screens_leave_nothing_behind(seed: int, type_: CampaignType, leg: LegKind) -> None:
    chances = Chances(doubled=0.1, lag_s=0.3, agent_misses=0.2, link_lost=[(200.0, 15.0)], store_lost=[(300.0, 20.0)])
    hour = play(seed, [of_type(type_)], chances, leg=leg)
    assert hour.closed or type_ is CampaignType.MANUAL, "calls were made"
    assert sum(reply.ok for reply in hour.replies.values()) > 50


@pytest.mark.parametrize("leg", list(LegKind), ids=lambda leg: leg.value)
@pytest.mark.parametrize("seed", range(2100, 2106))
def test_agents_of_campaigns_of_every_type_leave_nothing_behind_when_the_daemon_is_killed(seed: int, leg: LegKind) -> None:
    campaigns = [of_type(type_, id) for type_, id in zip(TYPES, ("spring", "autumn", "winter", "summer", "back"), strict=True)]
    chances = Chances(doubled=0.1, agent_misses=0.2, commands=True, killed=[(250.0, 4.0), (500.0, 30.0)])
    hour = play(seed, campaigns, chances, leg=leg)
    assert hour.closed


def test_the_same_hour_twice_is_the_same_hour() -> None:
    chances = Chances(doubled=0.2, lag_s=0.2, agent_misses=0.2)
    first, second = (play(2200, [of_type(CampaignType.PREVIEW)], chances, leg=LegKind.PER_CALL).log for _ in range(2))
    assert first == second

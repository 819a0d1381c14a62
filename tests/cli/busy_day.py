"""A big installation in full swing, made up: what `top` and `status` are shown when there is no time to build one. Equal seeds give equal days."""

from __future__ import annotations

from contextlib import closing
from random import Random

from fs_dialer.core.definition import AgentDefinition, Campaign, CampaignAgents, Installation, Window
from fs_dialer.core.model import AgentId, AgentState, AgentStatus, AttemptId, CampaignId, CampaignState, CampaignType, GatewayId
from fs_dialer.core.resources import CallerIds
from fs_dialer.core.snapshot import AgentView, BreakerView, CampaignView, GatewayView, Snapshot
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.modes.progressive import Options
from tests.db.rows import Database

NAMES = ("Lan", "Hoa", "Huy", "Minh Tran", "Nguyễn Thị Ánh", "Björn", "田中", "Ana", "Tam", "Kofi")
BECAUSE = ("one call for each of 3 free agents", "every agent is busy or has a call being dialled for him", "no lead is ready", "outside working hours")
STATES = (AgentState.TALKING, AgentState.TALKING, AgentState.IDLE, AgentState.WRAP_UP, AgentState.RINGING, AgentState.RESERVED, AgentState.LEG_DOWN)


class BusyDay:
    def __init__(self, dsn: str, *, campaigns: int = 20, agents: int = 200, seed: int = 1) -> None:
        self.dsn, self._rng = dsn, Random(seed)
        self.campaigns = ["spring-renewals", "vip", "missed-hotline", *(f"campaign-{number:02}" for number in range(campaigns))][:campaigns]
        self.agents = [AgentId(f"agent-{number}") for number in range(agents)]
        self.crews = {name: tuple(self._rng.sample(self.agents, min(agents, max(3, agents // campaigns + 5)))) for name in self.campaigns}
        self._started = 0

    def store(self) -> PostgresStore:
        """The definitions in the database, the campaigns running, and the store of a daemon."""
        with closing(Backoffice(self.dsn)) as office:
            people = [AgentDefinition(id=agent, dial_string=f"user/{agent}", name=self._rng.choice(NAMES)) for agent in self.agents]
            named = [
                Campaign(
                    id=CampaignId(name),
                    type=CampaignType.PROGRESSIVE,
                    lines=20,
                    caller_id=CallerIds(numbers=("+442079460100",)),
                    agents=CampaignAgents(people=self.crews[name]),
                    window=Window(zone="Asia/Ho_Chi_Minh"),
                    options=Options(),
                )
                for name in self.campaigns
            ]
            office.apply_definitions(named, people, Installation(lines=600, cps=30.0), "test")
        store = PostgresStore(self.dsn)
        assert store.take_epoch("test") is not None
        for place, name in enumerate(self.campaigns):
            state = CampaignState.PAUSED if place % 7 == 5 else CampaignState.RUNNING
            store.set_campaign_state(CampaignId(name), 1, state, True, "paused by hand: lunch" if state is CampaignState.PAUSED else "", "an.le")
        profile = '{"compliance": {"name": "strict", "missed_max": 0.03}}'
        Database(self.dsn).rows("UPDATE campaign_revisions SET definition = definition || %s WHERE campaign NOT LIKE '%%1'", profile)
        return store

    def calls(self, now: float, many: int = 4000) -> None:
        """A month of calls, of which the missed rate is made."""
        database = Database(self.dsn)
        database.rows("SELECT make_attempt_partitions(to_timestamp(%s), 2)", now - 32 * 86400)
        database.rows(
            """
            INSERT INTO attempts
                (id, campaign, revision, lead_status, epoch, leg, number, gateway, caller_id, opened_at, outcome, cause, ended_at, missed, leg_seen)
            SELECT gen_random_uuid(), (%s::text[])[1 + n %% %s], 1, 'new', 1, gen_random_uuid(), '', 'north', '+44', to_timestamp(%s - n * 600),
                   CASE WHEN n %% 41 = 0 THEN 'missed' ELSE 'connected' END, '', now(), n %% 41 = 0, true
            FROM generate_series(1, %s) AS n
            """,
            *(self.campaigns, len(self.campaigns), now, many),
        )

    def snapshot(self, now: float, *, trouble: bool = True) -> Snapshot:
        """One second of it; the next call is a little later in the day."""
        rng = self._rng
        self._started += rng.randrange(2)
        views = tuple(self._view(CampaignId(name), place) for place, name in enumerate(self.campaigns))
        breaker = BreakerView("gateway", "north", "open", now - 900, now + 40, 8, 10, "8 of the last 10 calls failed (NORMAL_TEMPORARY_FAILURE); rests")
        gateways = (GatewayView(GatewayId("north"), 41, 60, 10.0, 3), GatewayView(GatewayId("south"), 0, None, None, 30))
        people = tuple(self._agent(agent, now) for agent in self.agents)
        return Snapshot(now, True, True, False, 41, 600, views, people, gateways, (breaker,) if trouble else (), 0.0, 12)

    def _view(self, name: CampaignId, place: int) -> CampaignView:
        state = CampaignState.PAUSED if place % 7 == 5 else CampaignState.RUNNING
        because = "paused by hand: lunch" if state is CampaignState.PAUSED else BECAUSE[place % len(BECAUSE)]
        crew = len(self.crews[name])
        lines = self._rng.randrange(20) if state is CampaignState.RUNNING else 0
        return CampaignView(
            name, CampaignType.PROGRESSIVE, state, 1, because, lines, 20, 1, 24, {}, {}, self._started * 2 + place, self._started,
            self._started // 40, self._started, 100.0, 20.0, 0, crew, max(0, crew - 3), 2, place % 3,
        )  # fmt: skip

    def _agent(self, agent: AgentId, now: float) -> AgentView:
        rng = Random(f"{agent} {int(now) // 20}")
        status = rng.choice((AgentStatus.AVAILABLE,) * 8 + (AgentStatus.NOT_AVAILABLE, AgentStatus.LOGGED_OUT))
        state = rng.choice(STATES) if status is AgentStatus.AVAILABLE else AgentState.IDLE
        call = AttemptId("call") if state is AgentState.TALKING else None
        return AgentView(agent, rng.choice(NAMES), status, state, now - rng.randrange(4000), call, rng.randrange(90))

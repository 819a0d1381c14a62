"""What it costs to claim leads: from ten thousand, from a million, and from a million of which nine hundred thousand sleep in closed zones.

The store is the daemon's own (db/postgres.py), the server the embedded one with fsync as in production, the leads came in by the ordinary import.
Each claim takes BATCH leads of OPEN_ZONE_SETS open zone sets. The three campaigns lie in one database and take turns, so that other work on the
machine falls on all alike; a campaign's cost is the median of its claims.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing

from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignId, CampaignState, CampaignType
from fs_dialer.core.resources import CallerIds
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.embedded import EmbeddedPostgres
from fs_dialer.db.migrate import migrate
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.db.shapes import LeadRow
from fs_dialer.modes import progressive

TITLE = "leads claimed per second at batch 100, from 10,000, from 1,000,000, and with 900,000 of them asleep"

BATCH = 100
OPEN_ZONE_SETS = 20
CLOSED_ZONE_SETS = 180
TURNS = 18  # claims of each campaign in a round: the smallest holds 100
ROUNDS = 5
STEADY_CLAIMS = 300  # then, from the million that is awake

SMALL, AWAKE, ASLEEP = CampaignId("ten-thousand"), CampaignId("million-awake"), CampaignId("million-asleep")
LEADS = {SMALL: (10_000, 0), AWAKE: (1_000_000, 0), ASLEEP: (100_000, 900_000)}  # in open zone sets, in closed ones
OPEN = [(f"Open/Zone_{place}",) for place in range(OPEN_ZONE_SETS)]
CLOSED = [(f"Closed/Zone_{place}",) for place in range(CLOSED_ZONE_SETS)]


def run() -> dict[str, float | None]:
    """Figures. Takes about two minutes, most of it imports."""
    with EmbeddedPostgres() as server:
        migrate(server.dsn)
        with closing(PostgresStore(server.dsn)) as store, closing(Backoffice(server.dsn)) as office:
            if store.take_epoch("bench") is None:
                raise RuntimeError("somebody else is the active daemon of a database that was just made")
            imported_s = sum(_import(office, store, campaign) for campaign in LEADS)
            claims_s = _in_turns(store)
            began = time.perf_counter()
            claimed = sum(len(_claim(store, AWAKE)) for _ in range(STEADY_CLAIMS))
            steady_s = time.perf_counter() - began
    cost = {campaign: statistics.median(taken) for campaign, taken in claims_s.items()}
    rows = sum(map(sum, LEADS.values()))
    return {
        "leads_per_s": round(claimed / steady_s),
        "cost_1m_over_10k": round(cost[AWAKE] / cost[SMALL], 2),
        "cost_asleep_over_awake": round(cost[ASLEEP] / cost[AWAKE], 2),
        "claim_ms_10k": round(1000 * cost[SMALL], 2),
        "claim_ms_1m": round(1000 * cost[AWAKE], 2),
        "claim_ms_1m_asleep": round(1000 * cost[ASLEEP], 2),
        "import_rows_per_s": round(rows / imported_s),
    }


def table(figures: dict[str, float | None]) -> str:
    """For people."""
    return "\n".join(
        [
            f"{'a claim of 100 leads from':44}{'ms, median':>12}",
            f"{'10,000':44}{figures['claim_ms_10k']:>12}",
            f"{'1,000,000':44}{figures['claim_ms_1m']:>12}",
            f"{'1,000,000, 900,000 asleep in closed zones':44}{figures['claim_ms_1m_asleep']:>12}",
            "",
            f"leads claimed per second:  {figures['leads_per_s']:,} (aim: at least 15,000)",
            f"a million over 10,000:     {figures['cost_1m_over_10k']} (aim: at most 2)",
            f"asleep over awake:         {figures['cost_asleep_over_awake']} (aim: at most 2)",
            f"leads imported per second: {figures['import_rows_per_s']:,}",
        ]
    )


def _import(office: Backoffice, store: PostgresStore, campaign: CampaignId) -> float:
    """Seconds it took to import the campaign's leads."""
    definition = Campaign(id=campaign, type=CampaignType.PROGRESSIVE, caller_id=CallerIds(numbers=("+34910000000",)), options=progressive.Options())
    office.apply_definitions([definition], [], None, "bench")
    store.set_campaign_state(campaign, 1, CampaignState.RUNNING, True, "", "bench")
    awake, asleep = LEADS[campaign]
    began = time.perf_counter()
    office.import_leads(campaign, _rows(91 + list(LEADS).index(campaign), awake, asleep), "bench")
    return time.perf_counter() - began


def _rows(prefix: int, awake: int, asleep: int) -> Iterator[LeadRow]:
    """Numbers in the order of the list; sleepers stand among the others. Each campaign calls people of its own: a contact lives in one zone only."""
    ready_at = time.time() - 3600
    every = (awake + asleep) // awake
    for place in range(awake + asleep):
        zones: Sequence[str] = OPEN[place // every % OPEN_ZONE_SETS] if place % every == 0 else CLOSED[place % CLOSED_ZONE_SETS]
        yield LeadRow(f"+34{prefix}{place:07d}", zones, ready_at=ready_at)


def _in_turns(store: PostgresStore) -> dict[CampaignId, list[float]]:
    """Seconds of every claim, by campaign."""
    taken: dict[CampaignId, list[float]] = {campaign: [] for campaign in LEADS}
    for _ in range(ROUNDS):
        for campaign, seconds in taken.items():
            for _ in range(TURNS):
                began = time.perf_counter()
                _claim(store, campaign)
                seconds.append(time.perf_counter() - began)
    return taken


def _claim(store: PostgresStore, campaign: CampaignId) -> Sequence[object]:
    leads = store.claim_leads(campaign, BATCH, OPEN, time.time()).leads
    if len(leads) != BATCH:
        raise RuntimeError(f"a claim from {campaign} brought {len(leads)} of {BATCH} leads")
    return leads

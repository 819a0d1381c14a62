"""The store of a running daemon, in PostgreSQL (runtime/ports.py: Store).

Knows which query makes which method, what may be asked again when a connection is lost in the middle, and how the one active daemon is chosen. The
rules of claiming and opening stand in the SQL (sql/queries/), the rules of dialling in the core. What the command line asks of the database is
backoffice.py's.

The leader's advisory lock lives on a connection of its own: it is ours exactly as long as that connection is up. `direct_dsn` leads past a connection
pooler, where there is one; a lock taken through a pooler in transaction mode would mean nothing.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any

import orjson
import psycopg2

from fs_dialer.config.codec import agent_from_json, campaign_from_json, installation_from_json
from fs_dialer.core.actions import CallerLeft, CallerServed, OptOut, TakeLeadNow
from fs_dialer.core.definition import Installation
from fs_dialer.core.model import (
    AgentId,
    AgentStatus,
    AgentTimes,
    Attempt,
    AttemptResult,
    CampaignId,
    CampaignState,
    CommandId,
    LeadReturn,
    LeadUpdate,
    OpenAttempt,
    Refusal,
    SwitchId,
)
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.core.snapshot import Snapshot
from fs_dialer.core.spans import day_start
from fs_dialer.core.stored import PACED, Claim, StoredAgent, StoredCampaign, StoredCommand, Taken
from fs_dialer.db import callers, codec
from fs_dialer.db.kept_results import file_kept
from fs_dialer.db.pool import Connection, Pool, Row, connect, rows, store_error
from fs_dialer.db.takes import agent_hour_columns, take_lead
from fs_dialer.errors import StoreError

log = logging.getLogger("fs_dialer.db")

# Of every zone set the first look of a claim takes its share and this many more, for the sets that have nothing ready.
FEW_MORE = 4
# So many refused leads return in one transaction.
RETURN_BATCH = 5_000
# Counting who answered today reads all of a day's answers, and campaigns are looked at whenever anything changes.
RECOUNT_S = 60.0


class PostgresStore:
    """One daemon's view of one database. Safe for several threads or greenlets.

    dsn: a libpq address, postgresql://… or key=value words. pool_size: connections besides the leader's.
    """

    def __init__(self, dsn: str, *, direct_dsn: str | None = None, pool_size: int = 4, application: str = "fs-dialer") -> None:
        self._pool = Pool(dsn, size=pool_size, application=application)
        self._direct_dsn = direct_dsn or dsn
        self._application = application
        self._leader: Connection | None = None
        self._leader_lock = Lock()  # psycopg2 under gevent lets only one greenlet wait on a connection
        self._epoch: int | None = None
        self._batch = 0
        self._doubtful: dict[CampaignId, list[int]] = {}  # claims whose answer was lost, by campaign
        self._today: dict[tuple[CampaignId, float], tuple[float, tuple[int, int]]] = {}  # by campaign and day: when it was counted, and what

    # --- leadership ---------------------------------------------------------------------------------------------------------------------

    def take_epoch(self, holder: str) -> int | None:
        """Become the active daemon; None while another is. Asked again by the active one it answers with the same epoch, and also after its lock's
        connection was lost, if nobody took over in between: its claims and open attempts are still its own."""
        with self._leader_lock:
            try:
                return self._take_epoch(holder)
            except psycopg2.Error as error:
                lost = self._leader is None or self._leader.closed != 0
                self._drop_leader()
                raise store_error(error, lost=lost) from error
            except BaseException:
                self._drop_leader()
                raise

    def still_leader(self) -> bool:
        """Whether the lock's connection is up and the epoch is current. False means: stop dialling, then take_epoch."""
        with self._leader_lock:
            if self._leader is None or self._epoch is None:
                return False
            try:
                with self._leader.cursor() as cursor:
                    if rows(cursor, "is_current_epoch", {"epoch": self._epoch})[0][0]:
                        return True
            except psycopg2.Error as error:
                log.warning("leader_connection_lost error=%s", store_error(error))
            except BaseException:
                self._drop_leader()
                raise
            self._drop_leader()
            return False

    def close(self) -> None:
        """Give up the lock, so that a standby takes over at once, and close the connections."""
        with self._leader_lock:
            try:
                if self._leader is not None:
                    with self._leader.cursor() as cursor:
                        rows(cursor, "release_leader_lock")
            except psycopg2.Error as error:
                log.info("leader_lock_not_released error=%s", store_error(error))  # the connection is gone, and the lock with it
            finally:
                self._drop_leader()
        self._pool.close()

    @property
    def epoch(self) -> int | None:
        """The epoch taken last, current or not."""
        return self._epoch

    def _take_epoch(self, holder: str) -> int | None:
        if self._leader is None or self._leader.closed:
            self._leader = connect(self._direct_dsn, application=f"{self._application} leader")
        with self._leader.cursor() as cursor:
            # A session may take its own lock again; it is freed when the connection ends, however often it was taken.
            if not rows(cursor, "try_leader_lock")[0][0]:
                return None
            current = rows(cursor, "current_epoch")
            if not current or current[0][0] != self._epoch:
                self._epoch = int(rows(cursor, "new_epoch", {"holder": holder})[0][0])
                self._doubtful.clear()
                self._today.clear()
        return self._epoch

    def _drop_leader(self) -> None:
        if self._leader is not None:
            self._leader.close()
            self._leader = None

    def _own_epoch(self) -> int:
        if self._epoch is None:
            raise StoreError("this daemon is not the active one: it has no epoch")
        return self._epoch

    # --- definitions --------------------------------------------------------------------------------------------------------------------

    def installation(self) -> Installation:
        """What was applied, or the defaults before the first apply."""
        found = self._pool.rows("installation")
        return codec.definition(installation_from_json, found[0][0], "the installation") if found else Installation()

    def campaigns(self) -> Sequence[StoredCampaign]:
        """All of them, ended ones too. One that this program cannot read is left out and logged: the others go on."""
        found = []
        for row in self._pool.rows("campaigns", {"name": None}):
            try:
                found.append(_campaign(row))
            except StoreError as error:
                log.error("campaign_unreadable %s", error)
        return self._with_today(found)

    def campaign(self, campaign: CampaignId) -> StoredCampaign | None:
        """One campaign, None when there is none of that name."""
        found = self._pool.rows("campaigns", {"name": campaign})
        return self._with_today([_campaign(found[0])])[0] if found else None

    def _with_today(self, found: Sequence[StoredCampaign]) -> list[StoredCampaign]:
        """With who answered and who was missed since each campaign's day began, as of a minute ago at most: a restart never refills the budget."""
        now = time.time()
        days = {each.campaign.id: day_start(each.campaign.window.zone, now) for each in found if each.campaign.type in PACED}
        known = {key: kept for key, kept in self._today.items() if now - kept[0] < RECOUNT_S}
        asked = {campaign: day for campaign, day in days.items() if (campaign, day) not in known}
        counted = self._pool.rows("answered_today", {"campaigns": list(asked), "sinces": list(asked.values())}) if asked else []
        known |= {(campaign, asked[campaign]): (now, (int(answered), int(missed))) for campaign, answered, missed in counted}
        self._today = known
        return [replace(each, today=known[each.campaign.id, days[each.campaign.id]][1]) if each.campaign.id in days else each for each in found]

    def agents(self) -> Sequence[StoredAgent]:
        return [
            StoredAgent(codec.definition(agent_from_json, definition, f"agent {id}"), AgentStatus(status), reason)
            for id, definition, status, reason in self._pool.rows("agents")
        ]

    def teams(self) -> Mapping[str, tuple[AgentId, ...]]:
        """Who is in which team, by its name."""
        return {name: tuple(map(AgentId, definition.get("people", ()))) for name, definition in self._pool.rows("teams")}

    def queues(self) -> Sequence[QueueDefinition]:
        """By name. One that this program cannot read is left out and logged."""
        return callers.queues(self._pool)

    def set_campaign_state(self, campaign: CampaignId, revision: int, state: CampaignState, started: bool, reason: str, who: str) -> None:
        """Approved, running and paused make `revision` the approved one, unless a newer one is. StoreError says why not: stale daemon, no such revision,
        ended."""
        words = {"campaign": campaign, "revision": revision, "state": state.value, "started": started, "reason": reason, "who": who}
        self._guarded("set_campaign_state", f"campaign {campaign} r{revision} cannot become {state.value}", words)

    def approve_revision(self, campaign: CampaignId, revision: int, who: str) -> None:
        """It dials from now on; the campaign's state stays, whoever changes it in this moment (D5). StoreError as above."""
        words = {"campaign": campaign, "revision": revision, "state": None, "started": None, "reason": None, "who": who}
        self._guarded("set_campaign_state", f"campaign {campaign} r{revision} cannot be approved", words)

    def drained_switches(self) -> Mapping[SwitchId, float]:
        return {SwitchId(row[0]): row[1] for row in self._pool.rows("drained_switches")}

    def set_switch_drained(self, switch: SwitchId, since: float | None, who: str) -> None:
        """StoreError once another daemon is the active one."""
        if not self._pool.rows("set_switch_drained", {"switch": switch, "since": since, "who": who, "epoch": self._epoch})[0][0]:
            raise StoreError(f"switch {switch} can not be drained: another daemon is the active one")

    def set_agent_status(self, agent: AgentId, status: AgentStatus, reason: str, who: str) -> None:
        """StoreError when there is no such agent, or another daemon is the active one."""
        words = {"agent": agent, "status": status.value, "reason": reason, "who": who}
        self._guarded("set_agent_status", f"agent {agent} cannot become {status.value}", words)

    def save_memory(self, campaign: CampaignId, memory: Mapping[str, Any]) -> None:
        """Ignored once another daemon is the active one."""
        self._pool.rows("save_memory", {"campaign": campaign, "memory": json.dumps(dict(memory), allow_nan=False), "epoch": self._epoch})

    def save_agent_times(self, rows: Sequence[AgentTimes]) -> None:
        """Added to what is there; what was said once adds nothing when it is said again."""
        if rows:
            self._pool.rows("save_agent_hours", agent_hour_columns(rows))

    def publish(self, snapshot: Snapshot) -> None:
        """For `fs-dialer status`: the last one only."""
        self._pool.rows("publish", {"epoch": self._own_epoch(), "snapshot": orjson.dumps(snapshot, option=orjson.OPT_NON_STR_KEYS).decode()})

    def _guarded(self, query: str, what: str, words: dict[str, Any]) -> None:
        refusal = self._pool.rows(query, {**words, "epoch": self._epoch})[0][0]
        if refusal is not None:
            raise StoreError(f"{what}: {refusal}")

    # --- leads --------------------------------------------------------------------------------------------------------------------------

    def claim_leads(self, campaign: CampaignId, count: int, zone_sets: Sequence[tuple[str, ...]], now: float, attributes: Sequence[str] = ()) -> Claim:
        """At most `count` leads that are ready at `now` and whose zone set is one of these: first whom a time was promised or a call is owed, then the oldest.
        With these attributes, of those that have them; they are asked for apart, for most claims want none.

        `next_ready_at` is never before `now`: it is `now` when a ready lead was passed over because somebody else had its row locked just then.
        """
        epoch = self._own_epoch()
        self._undo_doubtful(campaign, epoch)
        self._batch = batch = self._batch + 1
        open_sets = list(dict.fromkeys(codec.zone_set(zones) for zones in zone_sets))
        words = {
            "campaign": campaign,
            "count": count,
            "few": FEW_MORE + count // max(1, len(open_sets)),
            "zone_sets": open_sets,
            "now": codec.epoch_time(now),
            "epoch": epoch,
            "batch": batch,
        }
        try:
            with self._pool.cursor() as cursor:
                claimed = rows(cursor, "claim_leads", words) if count > 0 and zone_sets else []
                known = callers.attributes(cursor, [row[0] for row in claimed], attributes)
        except StoreError as error:
            if error.lost or attributes:
                self._doubtful.setdefault(campaign, []).append(batch)
            raise
        claimed.sort(key=lambda row: (row[8] not in codec.FIRST, row[6], row[7]))
        leads = tuple(codec.lead(campaign, row, known.get(row[0], ())) for row in claimed)
        if len(leads) >= count > 0:
            return Claim(leads)
        current, next_ready_at, unfinished = self._pool.rows("claim_rest", words)[0]
        if not current:
            raise StoreError("this daemon is not the active one any more: another has taken over")
        return Claim(leads, None if next_ready_at is None else max(now, next_ready_at), unfinished)

    def take_lead(self, action: TakeLeadNow, now: float) -> Taken:
        """The next ready lead of an open zone set, or the one named, for an agent; counted against his quota (S29–S34, D16)."""
        epoch = self._own_epoch()
        self._undo_doubtful(action.campaign, epoch)
        self._batch = batch = self._batch + 1
        try:
            with self._pool.transaction() as cursor:
                return take_lead(cursor, action, now, epoch, batch)
        except StoreError as error:
            if error.lost:
                self._doubtful.setdefault(action.campaign, []).append(batch)
            raise

    def _undo_doubtful(self, campaign: CampaignId, epoch: int) -> None:
        """Free the leads of claims and takes whose answers never reached us."""
        for doubtful in list(self._doubtful.get(campaign, ())):
            self._pool.rows("undo_claim", {"campaign": campaign, "epoch": epoch, "batch": doubtful})
            self._doubtful[campaign].remove(doubtful)

    def return_leads(self, campaign: CampaignId, leads: Sequence[LeadReturn]) -> None:
        """Leads we do not hold, and leads in progress, are left alone. Those that go behind all others do so in the order given."""
        if leads:
            self._pool.rows("return_leads", {**codec.return_columns(leads), "campaign": campaign, "epoch": self._own_epoch()})

    def return_all_claims(self) -> int:
        """Free what former daemons had claimed and not yet dialled; how many leads. Nothing when we are not the active one."""
        with self._pool.cursor() as cursor:
            rows(cursor, "return_all_claims", {"epoch": self._own_epoch()})
            return cursor.rowcount

    def return_refused(self, now: float) -> int:
        """Leads whose no-callback time is over go back to what they were (D16); how many. Whoever asks, and however often."""
        file_kept(self._pool)  # results chosen during calls, whose daemon ended between the call's end and their filing
        if expired := callers.expire(self._pool, now):
            log.info("requests_expired count=%d", expired)
        returned = 0
        while True:
            with self._pool.cursor() as cursor:
                rows(cursor, "return_refused", {"now": codec.epoch_time(now), "limit": RETURN_BATCH})
                returned += cursor.rowcount
                if cursor.rowcount < RETURN_BATCH:
                    return returned

    # --- attempts -----------------------------------------------------------------------------------------------------------------------

    def open_attempts(self, attempts: Sequence[Attempt]) -> Sequence[Refusal | None]:
        """Commit them through the last gate. Per attempt None, or the first gate that refused it: epoch, campaign_paused, already_open, number_in_call,
        do_not_call, no_callback, number_cap, lead_taken.

        Asking again with the same ids is safe. A number on a do-not-call list makes its lead `blocked`, one that asked to be left alone makes it
        `refused`; all other refusals leave the lead as it is, claimed if it was claimed: give it back with return_leads.
        """
        if not attempts:
            return []
        return [codec.refusal(row) for row in self._pool.rows("open_attempts", {**codec.attempt_columns(attempts), "epoch": self._own_epoch()})]

    def close_attempts(self, results: Sequence[tuple[AttemptResult, LeadUpdate]]) -> None:
        """Each result is written once; one whose attempt does not exist is logged and skipped. Not bound to the epoch: what happened, happened."""
        if not results:
            return
        not_open, _, chosen, to_follow = self._pool.rows("close_attempts", codec.result_columns(results))[0]
        file_kept(self._pool, chosen)
        closed = {row[0] for row in self._pool.rows("attempts_closed", {"ids": not_open})} if not_open else set()
        callers.follow_calls(self._pool, [*to_follow, *sorted(closed)])  # closed before: what follows may have been lost with the connection
        if unknown := [id for id in not_open if id not in closed]:
            log.warning("results_without_attempt count=%d attempts=%s", len(unknown), ",".join(unknown[:10]))

    def open_attempts_found(self) -> Sequence[OpenAttempt]:
        """Every attempt without a result, of whatever epoch."""
        return [codec.open_attempt(row) for row in self._pool.rows("open_attempts_found")]

    # --- callers of queues --------------------------------------------------------------------------------------------------------------

    def caller_served(self, action: CallerServed) -> None:
        with self._pool.transaction() as cursor:
            callers.caller_served(cursor, action)

    def callers_left(self, gone: Sequence[CallerLeft]) -> None:
        if gone:
            with self._pool.transaction() as cursor:
                callers.callers_left(cursor, gone)

    def opt_out(self, action: OptOut) -> None:
        with self._pool.transaction() as cursor:
            callers.opt_out(cursor, action)

    # --- commands -----------------------------------------------------------------------------------------------------------------------

    def pending_commands(self) -> Sequence[StoredCommand]:
        """Unanswered, oldest first."""
        return [
            StoredCommand(CommandId(id), verb, target, who, {key: str(value) for key, value in args.items()} if isinstance(args, dict) else {})
            for id, verb, target, who, args in self._pool.rows("pending_commands")
        ]

    def reply(self, command: CommandId, ok: bool, text: str) -> None:
        """The first answer stands."""
        self._pool.rows("reply", {"id": command, "ok": ok, "text": text})


def _campaign(row: Row) -> StoredCampaign:
    name, state, started, reason, newest_revision, revision, definition, memory, zone_sets = row
    campaign = replace(codec.definition(campaign_from_json, definition, f"campaign {name} r{revision}"), revision=revision)
    stored_sets = tuple(codec.zones(text) for text in zone_sets)
    return StoredCampaign(campaign, CampaignState(state), started, reason, newest_revision, stored_sets, memory)

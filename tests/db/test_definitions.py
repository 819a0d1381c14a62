"""Definitions in the database: stored with their revisions, all or nothing, and judged against the world they were planned in (fs_dialer/db/definitions.py)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.config.things import Thing
from fs_dialer.core.definition import AgentDefinition, Attempts, BusyRetry, Campaign, Installation
from fs_dialer.core.model import AgentId, CampaignId, CampaignState, CampaignType
from fs_dialer.core.plan import Edit, Wanted, edits
from fs_dialer.core.resources import CallerIds, Hours, Profile, Schedule, Team
from fs_dialer.db.applying import mark_of, source_from_json, source_to_json
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.definitions import World, WorldMoved
from fs_dialer.db.listen import Listener
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.errors import StoreError
from fs_dialer.modes import progressive

pytestmark = pytest.mark.spec("X5", "D5")

SPRING = CampaignId("spring")
HOURS = Hours(week=(((480, 1200),),) * 5 + ((), ()), schedule="office")


@pytest.fixture
def office(pg_dsn: str) -> Iterator[Backoffice]:
    with closing(Backoffice(pg_dsn)) as office:
        yield office


def a_campaign(name: str = "spring", **more: Any) -> Campaign:
    more.setdefault("options", progressive.Options())
    return Campaign(id=CampaignId(name), type=CampaignType.PROGRESSIVE, caller_id=CallerIds(numbers=("+34910000000",)), **more)


def wish(kind: str, name: str, value: Any, source: Any = None) -> Wanted:
    return Wanted(kind, name, value, {"written": name} if source is None else source)


def the_campaign(campaign: Campaign, source: Any = None) -> Wanted:
    return wish("campaign", campaign.id, campaign, source)


def changes(world: World, *wanted: Wanted, **more: Any) -> tuple[Edit, ...]:
    return edits(world.standing, wanted, **more)


def store(office: Backoffice, *wanted: Wanted, who: str = "an.le", **more: Any) -> dict[str, str]:
    """Against the world as it is now; what became of each name."""
    world = office.world()
    return {change.name: change.what for change in office.store(changes(world, *wanted, **more), who, base=world.fingerprint).changes}


def sql(dsn: str, statement: str, *words: Any) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement, words)
        return cursor.fetchall() if cursor.description else []


# --- storing --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S23", "S24")
def test_a_new_campaign_stands_at_r1_and_is_not_approved(office: Backoffice) -> None:
    assert store(office, the_campaign(a_campaign())) == {"spring": "created"}
    standing = office.world().standing["campaign", "spring"]
    assert (standing.revision, standing.state, standing.approved_revision, standing.value) == (1, "new", None, a_campaign())


def test_a_thing_comes_back_as_it_was_written_with_its_keys_in_their_order(office: Backoffice) -> None:
    source = {"zz": "1", "a": {"longer": "x", "b": ["1", {"y": None, "x": "2"}]}, "m": ""}
    store(office, wish("schedules", "office", Schedule(name="office", hours=HOURS), source))
    (thing,) = office.stored_things()
    assert thing == Thing("schedules", "office", source)
    assert list(thing.source) == ["zz", "a", "m"] and list(thing.source["a"]["b"][1]) == ["y", "x"]


TREES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(TREES)
def test_a_source_survives_json_with_its_keys_in_their_order(tree: Any) -> None:
    stored = json.loads(json.dumps(source_to_json(tree), sort_keys=True))  # jsonb keeps no order
    assert json.dumps(source_from_json(stored)) == json.dumps(tree)


def test_the_order_of_keys_is_part_of_what_was_written() -> None:
    assert mark_of({"a": "1", "b": "2"}) != mark_of({"b": "2", "a": "1"})


def test_a_changed_campaign_gets_the_next_revision_while_the_approved_one_stays(office: Backoffice, pg_dsn: str) -> None:
    store(office, the_campaign(a_campaign()))
    sql(pg_dsn, "UPDATE campaigns SET state = 'running', started = true, approved_revision = 1")
    assert store(office, the_campaign(a_campaign(title="x"), {"title": "x"})) == {"spring": "changed"}
    standing = office.world().standing["campaign", "spring"]
    assert (standing.revision, standing.approved_revision, standing.state) == (2, 1, "running")


def test_other_words_of_the_same_meaning_make_no_revision(office: Backoffice) -> None:
    store(office, the_campaign(a_campaign(), {"ring": "25s"}))
    assert store(office, the_campaign(a_campaign(), {"ring": "25 s"})) == {"spring": "rewritten"}
    standing = office.world().standing["campaign", "spring"]
    assert (standing.revision, standing.source) == (1, {"ring": "25 s"})


def test_a_definition_of_before_is_a_revision_of_its_own(office: Backoffice) -> None:
    for title, revision in (("", 1), ("other", 2), ("", 3)):
        store(office, the_campaign(a_campaign(title=title), {"title": title}))
        assert office.world().standing["campaign", "spring"].revision == revision


def test_what_is_not_named_is_left_alone(office: Backoffice) -> None:
    store(office, the_campaign(a_campaign()), wish("agents", "lan", AgentDefinition(id=AgentId("lan"), dial_string="user/1")))
    store(office, the_campaign(a_campaign("autumn")))
    assert set(office.world().standing) == {("campaign", "spring"), ("campaign", "autumn"), ("agents", "lan")}


def test_an_apply_that_fails_half_way_changes_nothing(office: Backoffice) -> None:
    with pytest.raises(StoreError):
        store(office, wish("schedules", "office", Schedule(name="office")), the_campaign(a_campaign()), the_campaign(a_campaign("no such/name")))
    assert office.world().standing == {} and office.audit_list() == []


def test_an_apply_whose_connection_is_killed_changes_nothing(office: Backoffice, pg_dsn: str) -> None:
    """The row of the plan is held by somebody else: the apply has written everything and waits there when its connection is cut."""
    world = office.world()
    plan = office.save_plan("an.le", world.fingerprint, {}, {})
    wanted = changes(world, the_campaign(a_campaign()), wish("schedules", "office", Schedule(name="office")))
    with closing(psycopg2.connect(pg_dsn)) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT FROM plans WHERE id = %s FOR UPDATE", [plan])
        failed: list[StoreError] = []

        def apply() -> None:
            try:
                office.store(wanted, "an.le", base=world.fingerprint, plan=plan)
            except StoreError as error:
                failed.append(error)

        thread = threading.Thread(target=apply)
        thread.start()
        waiting = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        while not sql(pg_dsn, waiting):
            pass
        thread.join()
        holder.rollback()
    assert failed and failed[0].lost
    assert office.world().standing == {} == world.standing
    assert office.audit_list() == []
    stored = office.plan(plan)
    assert stored is not None and stored.applied_at is None


def test_agents_and_the_installation_are_what_the_daemon_reads(office: Backoffice, pg_dsn: str) -> None:
    agent = AgentDefinition(id=AgentId("lan"), dial_string="user/1001", name="Lan")
    store(office, wish("agents", "lan", agent), wish("installation", "", Installation(lines=7)))
    with closing(PostgresStore(pg_dsn)) as daemon:
        assert daemon.installation() == Installation(lines=7)
        assert [stored.agent for stored in daemon.agents()] == [agent]


def test_defaults_are_kept_as_they_were_written(office: Backoffice) -> None:
    store(office, wish("defaults", "", {"ring": "20s"}, {"ring": "20s"}))
    assert store(office, wish("defaults", "", {"ring": "20s"}, {"ring": "20s"})) == {"": "unchanged"}
    assert store(office, wish("defaults", "", {"ring": "30s"}, {"ring": "30s"})) == {"": "changed"}


def test_every_change_is_hinted_to_a_running_daemon(office: Backoffice, pg_dsn: str) -> None:
    with Listener(pg_dsn) as listener:
        while not listener.connected:
            listener.hints(0.2)
        listener.hints(0.0)
        store(office, the_campaign(a_campaign()), wish("teams", "sales", Team(name="sales")))
        store(office, the_campaign(a_campaign()), wish("teams", "sales", Team(name="sales")))  # nothing changed, no hint
        heard = [(hint.kind, hint.name) for hint in listener.hints(5.0)]
    assert sorted(heard) == [("campaign", "spring"), ("teams", "sales")]


def test_every_change_is_in_the_audit_with_its_plan_and_why(office: Backoffice) -> None:
    world = office.world()
    plan = office.save_plan("an.le", world.fingerprint, {}, {})
    wanted = changes(world, the_campaign(a_campaign()), wish("teams", "sales", Team(name="sales")))
    office.store(wanted, "an.le", plan=plan, why="new list")
    assert {(line.who, line.what, line.target, line.why, line.details["plan"], line.details["revision"]) for line in office.audit_list()} == {
        ("an.le", "apply_campaign", "spring", "new list", plan, 1),
        ("an.le", "apply_definition", "sales", "new list", plan, 1),
    }


# --- taking away ----------------------------------------------------------------------------------------------------------------------------


def test_a_removed_thing_is_gone_and_its_history_goes_on_when_it_returns(office: Backoffice) -> None:
    schedule = wish("schedules", "office", Schedule(name="office", hours=HOURS))
    store(office, schedule)
    assert store(office, removed=[("schedules", "office")]) == {"office": "removed"}
    assert office.world().standing == {}
    store(office, schedule)
    assert [(each.revision, each.there) for each in office.history("schedules", "office")] == [(3, True), (2, False), (1, True)]
    assert office.revision("schedules", "office", 2) is None
    assert office.revision("schedules", "office", 1) == Thing("schedules", "office", {"written": "office"})


def test_a_removed_agent_is_no_longer_read_by_the_daemon(office: Backoffice, pg_dsn: str) -> None:
    store(office, wish("agents", "lan", AgentDefinition(id=AgentId("lan"), dial_string="user/1001")))
    store(office, removed=[("agents", "lan")])
    with closing(PostgresStore(pg_dsn)) as daemon:
        assert daemon.agents() == []


def test_a_campaign_that_nobody_approved_can_be_taken_away(office: Backoffice) -> None:
    store(office, the_campaign(a_campaign()))
    store(office, the_campaign(a_campaign(title="x")))
    assert store(office, removed=[("campaign", "spring")]) == {"spring": "removed"}
    assert office.world().standing == {} and office.history("campaign", "spring") == []


def test_an_approved_campaign_can_not_be_taken_away(office: Backoffice, pg_dsn: str) -> None:
    store(office, the_campaign(a_campaign()))
    sql(pg_dsn, "UPDATE campaigns SET state = 'approved', approved_revision = 1")
    with pytest.raises(StoreError, match="it was approved, or leads were imported"):
        store(office, removed=[("campaign", "spring")])
    assert ("campaign", "spring") in office.world().standing


@pytest.mark.spec("M19")
def test_a_campaign_ends_by_the_command_that_people_give(office: Backoffice, pg_dsn: str) -> None:
    store(office, the_campaign(a_campaign()))
    world = office.world()
    applied = office.store(changes(world, ended=["spring"]), "an.le", base=world.fingerprint, why="the season is over")
    ((name, command),) = applied.ending
    assert name == "spring"
    assert sql(pg_dsn, "SELECT verb, target, who, args ->> 'reason' FROM commands WHERE id = %s", command) == [("end", "spring", "an.le", "the season is over")]


# --- the world ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "move",
    [
        "UPDATE campaigns SET state = 'paused', approved_revision = 1",
        "UPDATE campaign_revisions SET source = '{}'",
        "UPDATE definitions SET revision = 2",
        "UPDATE installation SET definition = '{}'",
        "DELETE FROM agents",
    ],
)
def test_the_world_is_another_when_a_definition_or_a_state_changes(office: Backoffice, pg_dsn: str, move: str) -> None:
    agent = AgentDefinition(id=AgentId("lan"), dial_string="user/1001")
    store(office, the_campaign(a_campaign()), wish("agents", "lan", agent), wish("installation", "", Installation()))
    before = office.world().fingerprint
    assert office.world().fingerprint == before
    sql(pg_dsn, move)
    assert office.world().fingerprint != before


def test_a_plan_for_another_world_stores_nothing_and_says_what_moved(office: Backoffice) -> None:
    store(office, the_campaign(a_campaign()))
    world = office.world()
    store(office, the_campaign(a_campaign("autumn")), who="someone")
    with pytest.raises(WorldMoved) as refused:
        office.store(changes(world, the_campaign(a_campaign(title="x"))), "an.le", base=world.fingerprint, since=world.at)
    assert [(line.who, line.target) for line in refused.value.moved] == [("someone", "autumn")]
    assert office.world().standing["campaign", "spring"].revision == 1


def test_of_two_applies_at_once_one_is_stored_and_the_other_told(office: Backoffice, pg_dsn: str) -> None:
    store(office, the_campaign(a_campaign()))
    start, results = threading.Barrier(4), []

    def apply(title: str) -> None:
        with closing(Backoffice(pg_dsn)) as mine:
            world = mine.world()
            start.wait()
            try:
                mine.store(changes(world, the_campaign(a_campaign(title=title))), title, base=world.fingerprint)
                results.append("stored")
            except WorldMoved:
                results.append("moved")

    threads = [threading.Thread(target=apply, args=(f"t{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["moved", "moved", "moved", "stored"]
    assert office.world().standing["campaign", "spring"].revision == 2


def test_a_plan_is_applied_once(office: Backoffice) -> None:
    world = office.world()
    plan = office.save_plan("an.le", world.fingerprint, {}, {})
    office.store(changes(world, the_campaign(a_campaign())), "an.le", plan=plan)
    with pytest.raises(StoreError, match="was applied already"):
        office.store(changes(office.world(), the_campaign(a_campaign(title="x"))), "an.le", plan=plan)
    assert office.world().standing["campaign", "spring"].revision == 1


def test_a_plan_keeps_the_way_back(office: Backoffice) -> None:
    store(office, the_campaign(a_campaign(), {"title": "first"}))
    world = office.world()
    plan = office.save_plan("an.le", world.fingerprint, {}, {})
    office.store(changes(world, the_campaign(a_campaign(title="x"), {"title": "x"}), wish("teams", "sales", Team(name="sales"))), "an.le", plan=plan)
    stored = office.plan(plan)
    assert stored is not None and stored.undo is not None and stored.applied_by == "an.le"
    kept = {item["name"]: (item["what"], item["revision"], source_from_json(item["source"]), item["mark"]) for item in stored.undo}
    assert kept == {
        "spring": ("changed", 2, {"title": "first"}, mark_of({"title": "x"})),
        "sales": ("created", 1, None, mark_of({"written": "sales"})),
    }


def test_campaigns_that_are_over_stand_for_nothing(office: Backoffice, pg_dsn: str) -> None:
    store(office, the_campaign(a_campaign()))
    sql(pg_dsn, "UPDATE campaigns SET state = 'ended'")
    assert office.stored_things() == [] and office.world().standing["campaign", "spring"].is_over


def test_what_was_stored_without_its_file_is_written_as_it_would_have_been(office: Backoffice, pg_dsn: str) -> None:
    """As a database that an older version filled."""
    office.apply_definitions([a_campaign(title="Spring")], [AgentDefinition(id=AgentId("lan"), dial_string="user/1001")], Installation(lines=9), "test")
    sql(pg_dsn, "DELETE FROM definitions")
    sql(pg_dsn, "UPDATE campaign_revisions SET source = NULL")
    found = {thing.key: thing.source for thing in office.stored_things()}
    assert found == {
        ("campaign", "spring"): {"type": "progressive", "title": "Spring", "caller_id": {"from": ["+34910000000"]}},
        ("agents", "lan"): {"dial": "user/1001"},
        ("installation", ""): {"lines": "9"},
    }


def test_a_definition_that_this_program_can_not_read_is_there_without_a_value(office: Backoffice, pg_dsn: str) -> None:
    store(office, the_campaign(a_campaign()))
    sql(pg_dsn, """UPDATE campaign_revisions SET definition = '{"from_the_future": 1}'""")
    standing = office.world().standing["campaign", "spring"]
    assert standing.value is None and standing.source == {"written": "spring"}


def test_history_says_which_revision_dials(office: Backoffice, pg_dsn: str) -> None:
    store(office, the_campaign(a_campaign(), {"title": "1"}))
    sql(pg_dsn, "UPDATE campaigns SET state = 'running', approved_revision = 1")
    store(office, the_campaign(a_campaign(title="x"), {"title": "2"}), who="tam")
    assert [(each.revision, each.who, each.approved) for each in office.history("campaign", "spring")] == [(2, "tam", False), (1, "an.le", True)]
    assert office.revision("campaign", "spring", 1) == Thing("campaign", "spring", {"title": "1"})
    assert office.revision("campaign", "spring", 3) is None


# --- what an approval means for leads -------------------------------------------------------------------------------------------------------


def a_lead(dsn: str, place: int, status: str, *, attempts: int = 1, ready_in_s: float = 0.0, why: str = "", held_by: str = "") -> None:
    number = f"+3491{place:07d}"
    sql(dsn, "INSERT INTO contacts (number) VALUES (%s)", number)
    sql(
        dsn,
        "INSERT INTO leads (campaign, contact, number, status, attempts, ready_at, ready_why, held_by)"
        " SELECT 'spring', id, number, %s, %s, now() + make_interval(secs => %s), %s, %s FROM contacts WHERE number = %s",
        status,
        attempts,
        ready_in_s,
        why,
        held_by,
        number,
    )


def an_attempt(dsn: str, place: int, outcome: str, ended_before_s: float, missed: bool = False) -> None:
    sql(
        dsn,
        "INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at, outcome, cause, ended_at, missed,"
        " leg_seen) SELECT gen_random_uuid(), 'spring', 1, id, 'new', 1, gen_random_uuid(), number, 'north', '',"
        " now() - make_interval(secs => %s + 20), %s, '', now() - make_interval(secs => %s), %s, true FROM leads WHERE number = %s",
        ended_before_s,
        outcome,
        ended_before_s,
        missed,
        f"+3491{place:07d}",
    )


def approved(office: Backoffice, dsn: str, old: Campaign, new: Campaign, leads: Any) -> dict[int, tuple[str, int, str]]:
    """What the approval of r2 makes of each lead: status, hours until it is ready (from the last call's view, rounded), held by."""
    store(office, the_campaign(old, {"n": "1"}))
    with closing(PostgresStore(dsn)) as daemon:
        assert daemon.take_epoch("test") is not None
        daemon.set_campaign_state(SPRING, 1, CampaignState.RUNNING, True, "", "test")
        leads()
        store(office, the_campaign(new, {"n": "2"}))
        before = sql(dsn, "SELECT * FROM leads ORDER BY id")
        daemon.set_campaign_state(SPRING, 1, CampaignState.PAUSED, False, "", "test")
        assert sql(dsn, "SELECT * FROM leads ORDER BY id") == before, "only an approval moves leads"
        daemon.set_campaign_state(SPRING, 2, CampaignState.RUNNING, True, "", "test")
    rows = sql(dsn, "SELECT number, status, round(extract(epoch FROM ready_at - now()) / 3600), held_by FROM leads ORDER BY id")
    return {int(number[5:]): (status, int(hours), held_by) for number, status, hours, held_by in rows}


def campaign_with(gap_h: float = 4.0, most: int = 3, busy_s: float = 1200.0, **more: Any) -> Campaign:
    return a_campaign(attempts=Attempts(max=most, gap_s=gap_h * 3600, busy=BusyRetry(gap_s=busy_s)), **more)


@pytest.mark.spec("S11")
def test_a_new_break_counts_from_the_end_of_the_last_call_once_it_is_approved(office: Backoffice, pg_dsn: str) -> None:
    def leads() -> None:
        for place, (outcome, ended_h) in enumerate((("no_answer", 3.0), ("no_answer", 1.0), ("busy", 1.0), ("bad_number", 1.0)), start=1):
            a_lead(pg_dsn, place, "retry", ready_in_s=(4 - ended_h) * 3600, why="gap")
            an_attempt(pg_dsn, place, outcome, ended_h * 3600)
        a_lead(pg_dsn, 5, "retry", ready_in_s=3600, why="rule")

    after = approved(office, pg_dsn, campaign_with(4.0), campaign_with(2.0, busy_s=14400.0), leads)
    assert after == {1: ("retry", -1, ""), 2: ("retry", 1, ""), 3: ("retry", 3, ""), 4: ("retry", 3, ""), 5: ("retry", 1, "")}


@pytest.mark.spec("S10")
def test_a_lower_maximum_exhausts_leads_once_it_is_approved_and_no_promised_callback(office: Backoffice, pg_dsn: str) -> None:
    def leads() -> None:
        a_lead(pg_dsn, 1, "retry", attempts=2)
        a_lead(pg_dsn, 2, "retry", attempts=1)
        a_lead(pg_dsn, 3, "callback_scheduled", attempts=2)

    after = approved(office, pg_dsn, campaign_with(most=3), campaign_with(most=2), leads)
    assert {place: status for place, (status, _, _) in after.items()} == {1: "exhausted", 2: "retry", 3: "callback_scheduled"}


@pytest.mark.spec("S10")
def test_a_higher_maximum_brings_exhausted_leads_back_once_it_is_approved(office: Backoffice, pg_dsn: str) -> None:
    def leads() -> None:
        a_lead(pg_dsn, 1, "exhausted", attempts=3)
        a_lead(pg_dsn, 2, "exhausted", attempts=5)

    after = approved(office, pg_dsn, campaign_with(most=3), campaign_with(most=4), leads)
    assert {place: status for place, (status, _, _) in after.items()} == {1: "retry", 2: "exhausted"}


@pytest.mark.spec("S9")
def test_new_hours_ask_those_again_who_were_held_by_the_old_ones(office: Backoffice, pg_dsn: str) -> None:
    def leads() -> None:
        a_lead(pg_dsn, 1, "new", ready_in_s=7200, held_by="zones")
        a_lead(pg_dsn, 2, "new", ready_in_s=7200, held_by="caller_id")
        a_lead(pg_dsn, 3, "new", ready_in_s=7200, why="not_before")

    after = approved(office, pg_dsn, campaign_with(), campaign_with(hours=HOURS), leads)
    assert after == {1: ("new", 0, ""), 2: ("new", 2, "caller_id"), 3: ("new", 2, "")}


def test_a_missed_customer_is_left_alone_as_long_as_the_profile_says_whatever_the_break(office: Backoffice, pg_dsn: str) -> None:
    profile = Profile(name="house", recall_after_missed_s=72 * 3600.0)

    def leads() -> None:
        a_lead(pg_dsn, 1, "retry", ready_in_s=71 * 3600, why="gap")
        an_attempt(pg_dsn, 1, "missed", 3600.0, missed=True)

    after = approved(office, pg_dsn, campaign_with(4.0, compliance=profile), campaign_with(1.0, compliance=profile), leads)
    assert after == {1: ("retry", 71, "")}

"""What people ask of a running daemon through the database, and what it answers: campaigns, agents, definitions, do-not-call lists."""

from __future__ import annotations

import pytest

from fs_dialer.config.load import load_paths
from tests.scenarios.checks import check_everything
from tests.scenarios.world import CAMPAIGN, World, numbers, person, until


@pytest.mark.spec("S25")
def test_commands_that_make_no_sense_are_refused_with_a_reason(world: World) -> None:
    world.start_switch()
    world.define(agents=1)
    daemon = world.start_daemon()
    assert world.order("start", "summer") == (False, "there is no campaign summer")
    assert world.order("start") == (False, f"{CAMPAIGN}: it is not approved yet")
    assert world.order("agent_status", "agent-9", status="available") == (False, "there is no agent agent-9")
    assert world.order("agent_status", "agent-1", status="asleep") == (False, "no such agent status: asleep")
    assert world.order("approve", revision="7")[0] is False
    assert world.order("dance") == (False, "this daemon does not know the command dance")
    assert daemon.terminate() == 0


@pytest.mark.spec("M19")
def test_a_campaign_is_paused_goes_on_with_leads_that_came_meanwhile_and_ends(world: World) -> None:
    world.start_switch(customers={"outcomes": {"person": 1}, "talk": "0.7s", "ring": "0.2s"})
    world.define(agents=2, nailed=2, wrap_up_s=0)
    world.add_leads(numbers(1, 40))
    world.order_start(2)
    daemon = world.start_daemon()
    until(lambda: len(world.witness.talking()) == 2, 15, "two talk")
    assert world.order("pause") == (True, f"{CAMPAIGN}: paused; calls that are up go on")
    until(lambda: not world.witness.up("lead"), 10, "those calls end")
    paused_at = len(world.witness.legs("lead"))
    assert world.one("SELECT count(*) FROM leads WHERE claimed_epoch IS NOT NULL") == 0, "leads were kept from others"
    world.add_leads(numbers(41, 4))
    assert world.order("start") == (True, f"{CAMPAIGN}: running")
    until(lambda: len(world.witness.legs("lead")) >= paused_at + 2, 10, "dialling goes on")
    assert set(world.outcomes().values()) <= {"connected", ""}
    ok, text = world.order("end")
    assert ok and text.startswith(f"{CAMPAIGN}: end")
    until(lambda: world.one("SELECT state FROM campaigns") == "ended", 10, "the campaign ends with its last call")
    assert world.order("start")[0] is False
    assert daemon.terminate() == 0
    check_everything(world)


def test_an_agent_who_declares_a_break_gets_no_more_calls_until_he_is_back(world: World) -> None:
    world.start_switch(customers={"outcomes": {"person": 1}, "talk": "0.7s", "ring": "0.2s"})
    world.define(agents=2, wrap_up_s=0)
    world.add_leads(numbers(1, 60))
    world.order_start(2)
    daemon = world.start_daemon()
    eyes = world.witness

    def calls_of(agent: str) -> int:
        return len([leg for leg in eyes.legs("agent") if leg.agent == agent])

    until(lambda: calls_of("agent-1") and calls_of("agent-2"), 15, "both have had a call")
    assert world.order("agent_status", "agent-1", status="not_available", reason="lunch")[0]
    assert world.rows("SELECT status, reason FROM agents WHERE id = 'agent-1'") == [("not_available", "lunch")]
    until(lambda: not [leg for leg in eyes.up("agent") if leg.agent == "agent-1"], 10, "his call ends")
    before, others = calls_of("agent-1"), calls_of("agent-2")
    until(lambda: calls_of("agent-2") > others, 15, "the other one goes on alone")
    assert calls_of("agent-1") == before
    assert world.order("agent_status", "agent-1", status="available")[0]
    until(lambda: calls_of("agent-1") > before, 10, "he is called again")
    assert daemon.terminate() == 0
    check_everything(world)


@pytest.mark.spec("D5")
def test_a_changed_definition_waits_for_approval_while_the_old_one_dials(world: World) -> None:
    """D5: approval holds a revision."""
    world.start_switch(customers={"outcomes": {"busy": 1}, "refuse": "0.1s"})
    world.define(agents=1)
    world.add_leads(numbers(1, 400))
    world.order_start(1)
    daemon = world.start_daemon()

    def attempts_of(revision: int) -> int:
        return int(world.one("SELECT count(*) FROM all_attempts WHERE revision = %s", revision))

    until(lambda: attempts_of(1) > 3, 15, "the first revision dials")
    world.define(agents=1, at_most_s=24)
    before = attempts_of(1)
    until(lambda: attempts_of(1) > before + 5, 10, "it still does")
    assert attempts_of(2) == 0
    assert world.order("approve", revision="1")[0] is False
    assert world.order("approve") == (True, f"{CAMPAIGN}: revision 2 approved; it stays running")
    until(lambda: attempts_of(2) > 3, 10, "the second revision dials")
    assert daemon.terminate() == 0
    check_everything(world)


@pytest.mark.spec("D4")
def test_a_number_put_on_the_do_not_call_list_while_it_is_queued_is_not_dialled(world: World) -> None:
    """D4: asked again at the moment of dialling, in the statement that opens the attempt."""
    first, listed, last = numbers(1, 3)
    world.start_switch(numbers={first: person(talk="2s"), listed: person(), last: person()})
    world.define(agents=1, nailed=1)
    world.add_leads([first, listed, last])
    world.order_start(1)
    daemon = world.start_daemon()
    until(world.witness.talking, 15, "the agent talks, and the next two are queued")
    assert world.one("SELECT count(*) FROM leads WHERE claimed_epoch IS NOT NULL AND status = 'new'") == 2
    with world.office() as office:
        office.do_not_call_add([listed], "test")
    until(lambda: world.outcomes().get(last) == "connected", 20, "the one behind it is called")
    assert daemon.terminate() == 0
    assert [leg for leg in world.witness.legs("lead") if leg.number == listed] == []
    assert world.rows("SELECT status, held_by FROM leads WHERE number = %s", listed) == [("blocked", "do_not_call")]
    assert world.one("SELECT count(*) FROM all_attempts WHERE number = %s", listed) == 0
    assert [line for journal in world.journals() for line in journal.read_text().splitlines() if '"do_not_call"' in line]
    check_everything(world)


def test_an_agents_new_dial_string_is_used_from_the_next_call_on(world: World) -> None:
    world.start_switch(customers={"outcomes": {"person": 1}, "talk": "0.5s", "ring": "0.3s"})
    world.define(agents=1, wrap_up_s=0)
    world.add_leads(numbers(1, 30))
    world.order_start(1)
    daemon = world.start_daemon()
    until(lambda: world.witness.legs("agent"), 15, "he is called on his old phone")
    agents = world.folder / "definitions" / "agents.yml"
    agents.write_text(agents.read_text().replace("user/1001", "user/2002"))
    found = load_paths([agents])
    with world.office() as office:
        office.apply_definitions(found.campaigns, found.agents, found.installation, "test")
    until(lambda: [leg for leg in world.witness.legs("agent") if leg.number == "2002" and leg.met], 15, "he talks on his new one")
    assert daemon.terminate() == 0
    check_everything(world)

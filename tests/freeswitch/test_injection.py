"""Nothing that a lead, a file or a definition says becomes part of a command or is run by the switch (D7), shown on the switch that would run it.

A marker file is what the foreign text would make. The switch runs on this machine, so the file would be here.
"""

from __future__ import annotations

import csv
import uuid
from collections import Counter
from pathlib import Path

import pytest

from fs_dialer.config.load import load_paths
from fs_dialer.errors import ConfigError
from tests.freeswitch import number_plan as plan
from tests.freeswitch.conftest import Sipp
from tests.freeswitch.number_plan import STAYS, Kind
from tests.freeswitch.watch import Watch
from tests.freeswitch.world import World, write_definitions

CAMPAIGN = "ring: 5s\nwrap_up: 1s\nattempts: {max: 1}\nwaiting: {at_most: 30s}\nagent_ring: 10s\n"
AGENTS = {"nailed-0": "nailed", "ready-0": "per_call"}


def would_touch(marker: Path) -> str:
    return f"${{system(touch {marker})}}"


def test_this_switch_does_run_what_it_finds_in_a_variable(watch: Watch, customers: Sipp, tmp_path: Path) -> None:
    """The control: without it the tests below would show nothing."""
    marker, leg = tmp_path / "control", str(uuid.uuid4())
    watch.api(f"originate {{origination_uuid={leg},fsd_role=lead}}sofia/gateway/trunk1/{Kind(plan.ANSWERS_AT_ONCE, STAYS).numbers(1, first=990)[0]} &park()")
    watch.api(f"uuid_setvar {leg} foreign {would_touch(marker)}")
    assert not marker.exists()
    watch.command(f"sendmsg {leg}\ncall-command: execute\nexecute-app-name: set\nexecute-app-arg: copy=${{foreign}}")
    watch.until(marker.exists, "the switch ran the value of a variable")


@pytest.mark.spec("D7")
def test_hostile_contacts_are_called_and_nothing_they_hold_reaches_the_switch(world: World, customers: Sipp, tmp_path: Path) -> None:
    """Names and columns stay in the database; a number that is none is refused with its row, and the good rows are loaded."""
    watch = world.watch
    world.set_up(AGENTS, CAMPAIGN, [])
    good = Kind(plan.RINGS_AND_ANSWERS, 5).numbers(3, first=900)
    markers = [tmp_path / f"marker-{n}" for n in range(4)]
    evil = [would_touch(marker) for marker in markers]
    names = [evil[0], f"'}}{evil[1]},inj=1", 'a "quoted", name |;\\n`id`']
    refused = [f"{good[0]}}}", f"{good[0]}{evil[2]}", f"{good[0]}}}sofia/internal/nailed-0@127.0.0.1:5090", f"{good[1]},inj=1"]
    refused.append(f"{good[2]} &system(touch {markers[3]})")
    with open(tmp_path / "leads.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["phone", "name", evil[3].replace(",", "")])
        table.writerows([[number, name, evil[3]] for number, name in zip(good, names, strict=True)])
        table.writerows([[number, "refused", ""] for number in refused])
    said = world.command("lead", "import", str(tmp_path / "leads.csv"), "--campaign", "c", ok=(0, 1, 3))
    assert world.rows("SELECT number FROM leads ORDER BY number") == [(number,) for number in good], said
    assert {row[0] for row in world.rows("SELECT name FROM contacts")} == set(names)
    before = len(customers.invites())
    world.order_start(list(AGENTS))
    daemon = world.start_daemon()
    world.until_all_tried(30.0)
    daemon.drain(15.0)
    assert Counter(customers.invites()[before:]) == Counter(good)
    assert world.rows("SELECT DISTINCT outcome FROM all_attempts") == [("connected",)]
    said_by_switch = [f"{name}={value}" for leg in watch.legs.values() for _, event in leg.events for name, value in event.headers.items()]
    assert [text for text in said_by_switch if "system(" in text or "inj" in text or "quoted" in text] == []
    assert [marker for marker in markers if marker.exists()] == []
    assert watch.left_over() == []


@pytest.mark.spec("D7")
@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("campaigns/c.yml", "+15550100000", "+1555${system(touch MARKER)}"),
        ("campaigns/c.yml", "+15550100000", "'+15550100000,inj=1'"),
        ("campaigns/c.yml", "at_most: 30s", "at_most: 30s, music: '${system(touch MARKER)}'"),
        ("agents.yml", "sofia/internal/nailed-0@127.0.0.1:5090", "'sofia/internal/${system(touch MARKER)}@127.0.0.1:5090'"),
        ("agents.yml", "sofia/internal/nailed-0@127.0.0.1:5090", "'{inj=1}sofia/internal/nailed-0@127.0.0.1:5090'"),
        ("agents.yml", "sofia/internal/nailed-0@127.0.0.1:5090", "'sofia/internal/nailed-0@127.0.0.1:5090 &system(id)'"),
        ("installation.yml", "plus: yes", "plus: yes, prefix: '0}sofia/internal/x'"),
        ("installation.yml", "trunk1:", "'trunk1/0} &x':"),
    ],
)
def test_hostile_definitions_are_refused_where_they_stand(file: str, old: str, new: str, tmp_path: Path) -> None:
    place = write_definitions(tmp_path, AGENTS, {"c": CAMPAIGN + "agents: {people: [nailed-0]}\n"})
    text = (place / file).read_text(encoding="utf-8")
    assert old in text
    (place / file).write_text(text.replace(old, new.replace("MARKER", str(tmp_path / "marker"))), encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_paths([place])
    assert [Path(problem.file).name for problem in refused.value.problems] == [Path(file).name]


@pytest.mark.spec("D7")
def test_definitions_changed_behind_our_back_do_not_reach_the_switch(world: World, customers: Sipp, agents: Sipp, tmp_path: Path) -> None:
    """Whoever writes to the database goes round config; the commands are the last gate, and it is not the lead who pays for it."""
    watch, marker = world.watch, tmp_path / "marker"
    number = Kind(plan.RINGS_AND_ANSWERS, 5).numbers(1, first=950)
    world.set_up(AGENTS, CAMPAIGN, number)
    world.change("UPDATE agents SET definition = jsonb_set(definition, '{dial_string}', to_jsonb(%s::text)) WHERE id = 'nailed-0'",
                 f"sofia/internal/{would_touch(marker)}@127.0.0.1:5090")  # fmt: skip
    world.change("UPDATE campaign_revisions SET definition = jsonb_set(definition, '{caller_id}', to_jsonb(ARRAY[%s]))", f"+1555{would_touch(marker)}")
    before = len(customers.invites()), len(agents.invites())
    world.order_start(list(AGENTS))
    daemon = world.start_daemon()
    world.until_all_tried(30.0)
    daemon.drain(15.0)
    assert "refused to send an originate (D7)" in daemon.log.read_text(encoding="utf-8")
    assert world.rows("SELECT outcome, leg_seen FROM all_attempts") == [("ours", False)]
    assert world.one("SELECT status FROM leads") == "retry"
    assert (len(customers.invites()), len(agents.invites())) == before
    assert watch.legs == {}
    assert not marker.exists()

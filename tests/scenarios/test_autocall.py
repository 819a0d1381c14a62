"""An autocall campaign through the whole of it: YAML, our dialplan in a simulated switch, a daemon over its socket, a service, PostgreSQL (S50–S64)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fs_dialer.config.load import load_paths
from fs_dialer.core.definition import GatewayDefinition
from fs_dialer.core.flow import Ivr
from fs_dialer.core.model import GatewayId
from fs_dialer.core.switch_names import KEPT
from fs_dialer.dialplans.fallback import Fallback, fallback_file
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.ivr.render import flow_file
from fs_dialer.modes.autocall import Options
from fs_dialer.runtime.ids import uuids
from fs_dialer.runtime.journal import replay
from fs_dialer.sim.esl_server import EslServer
from fs_dialer.sim.keypad import KeyRule
from fs_dialer.sim.laws import fixed
from fs_dialer.sim.people import Behaviour, ScriptedPeople
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch
from tests.runtime.service import Service, service
from tests.scenarios.town import until
from tests.scenarios.world import PASSWORD, World

pytestmark = pytest.mark.spec("S50", "S51", "S52")

FLOW = """
ivrs:
  survey:
    at_most: 1m
    nodes:
      main:
        do: menu
        sound: menu.wav
        keys: {1: adviser, 2: balance, 9: stop, 0: bye}
        timeout: 1s
        tries: 1
        otherwise: unheard
      adviser: {do: connect, otherwise: message}
      message: {do: record, at_most: 5s, silence: 1s, next: bye}
      balance: {do: http, url: "URL", send: [number, main], take: [paid], timeout: 2s, next: paid, otherwise: unheard}
      paid: {do: if, what: paid, is: ["yes"], next: wants, otherwise: unheard}
      wants: {do: set, set: {wants_call: "yes"}, next: bye}
      stop: {do: opt_out, list: own}
      bye: {do: end}
      unheard: {do: end, success: no}
"""
CAMPAIGN = """
type: autocall
caller_id: +15550100000
ivr: survey
lines: 20
agents: {people: [agent-1]}
waiting: {at_most: 3s, music: "tone_stream://%(1000,0,440)"}
tickets: on_agent_or_voicemail
"""


def presses(key: str, **more: Any) -> Behaviour:
    return Behaviour("answer", 0.2, rules=(KeyRule("main", script=(key,), after=fixed(0.2)),), **({"talk_s": 1.0} | more))


class Survey:
    """The campaign in the database, its flow in a switch of this process. `people`: by number."""

    def __init__(self, world: World, people: dict[str, Behaviour], crm: Service) -> None:
        self.world, self.people = world, people
        self.place = world.folder / "definitions"
        (self.place / "campaigns").mkdir(parents=True)
        (self.place / "campaigns" / "spring.yml").write_text(CAMPAIGN, encoding="utf-8")
        (self.place / "agents.yml").write_text("agents:\n  agent-1: {dial: user/1001, leg: nailed}\n", encoding="utf-8")
        installation = f"lines: 200\ncps: 50\nwebhook_hosts: ['{crm.host}']\ngateways:\n  trunk1: {{plus: yes}}\n"
        (self.place / "installation.yml").write_text(installation, encoding="utf-8")
        self.define(FLOW.replace("URL", crm.url))
        settings = SwitchSettings(dialplan=self.files(), default_file_s=0.2)
        script: dict[str, Any] = dict(people)
        self.switch = SimSwitch(ScriptedPeople(script, Behaviour(after_s=0.1)), rng=Random(1), new_uuid=uuids(Random(2)), settings=settings)
        self.server = EslServer(self.switch, password=PASSWORD)
        self.server.start()
        world.rig.environ["FS_DIALER_ESL"] = f"127.0.0.1:{self.server.port}"
        world.add_leads(list(people))
        with world.office() as office:
            for verb in ("approve", "start"):
                office.submit_command(verb, "spring", {}, "test")

    def define(self, flow: str) -> None:
        (self.place / "ivrs.yml").write_text(flow, encoding="utf-8")
        self.world.rig.command("apply", str(self.place))

    @property
    def ivr(self) -> Ivr:
        options = load_paths([Path(self.place)]).campaigns[0].options
        assert isinstance(options, Options)
        return options.ivr

    def files(self) -> tuple[str, ...]:
        gateways = (GatewayDefinition(id=GatewayId("trunk1")),)
        return flow_file((self.ivr,), SwitchOptions(gateways=gateways, music="tone_stream://%(1000,0,440)")), fallback_file(Fallback())

    def agent_comes(self) -> None:
        with self.world.office() as office:
            office.submit_command("agent_status", "agent-1", {"status": "available"}, "test")

    def because(self) -> str:
        return next((str(each["because"]) for each in self.world.snapshot().get("campaigns", ())), "")

    def results(self) -> dict[str, tuple[str, str, str]]:
        """Number → outcome, what he did, where he left; of calls that are over."""
        found = self.world.rows("SELECT number, outcome, ivr, left_at FROM all_attempts WHERE closed_at IS NOT NULL")
        return {number: (outcome, " ".join(f"{node}={value}" for node, _, _, value in ivr), left_at) for number, outcome, ivr, left_at in found}

    def leads(self) -> dict[str, str]:
        return dict(self.world.rows("SELECT number, status::text FROM leads"))


@pytest.fixture
def crm() -> Iterator[Service]:
    with service() as made:
        made.text = '{"paid": true}'
        yield made


ADVISED, PAID, NEVER, DONE, SILENT, RUNS = (f"+1212555000{n}" for n in range(6))


@pytest.mark.spec("S63", "D13", "M11")
def test_each_way_through_a_flow_is_taken_and_found_in_the_database(world: World, crm: Service) -> None:
    people = {ADVISED: presses("1"), PAID: presses("2"), NEVER: presses("9"), DONE: presses("0"), SILENT: presses("none"), RUNS: presses("1", stay_s=0.1)}
    survey = Survey(world, people, crm)
    survey.agent_comes()
    daemon = world.start_daemon()
    try:
        until(lambda: len(survey.results()) == 6, "every call is over", 60.0)
        assert survey.results() == {
            ADVISED: ("connected", "main=1", "adviser"),
            PAID: ("connected", "main=2 wants=done bye=success", ""),
            NEVER: ("connected", "main=9 stop=yes stop=success", ""),
            DONE: ("connected", "main=0 bye=success", ""),
            SILENT: ("early_hangup", "unheard=other", ""),
            RUNS: ("early_hangup", "", "main"),
        }
        assert [(asked["number"], asked["main"]) for asked in crm.asked] == [(PAID, "2")]
        until(lambda: survey.leads()[NEVER] == "blocked", "who opted out is blocked")
        assert survey.leads() == {ADVISED: "succeeded", PAID: "succeeded", NEVER: "blocked", DONE: "succeeded", SILENT: "retry", RUNS: "retry"}
        assert world.rows("SELECT number FROM do_not_call") == [(NEVER,)]
        until(lambda: not [row for realm, row in survey.switch.database if realm == KEPT], "the row in the switch is settled")
        assert world.rows("SELECT number, channel FROM tickets") == [(ADVISED, "call")]
        assert daemon.terminate() == 0
        assert replay(world.journals()[0]).difference is None
    finally:
        survey.server.stop()


@pytest.mark.spec("D5")
def test_without_the_flow_in_the_switch_nobody_is_called_and_after_reloadxml_everybody(world: World, crm: Service) -> None:
    survey = Survey(world, {DONE: presses("0")}, crm)
    files = survey.files()
    survey.switch.dialplan = {}
    survey.switch.files = lambda: files
    world.start_daemon()
    try:
        until(lambda: "is not in the switch: fs-dialer switch reload" in survey.because(), "the daemon says what is missing", 30.0)
        assert not survey.results()
        survey.switch.api("reloadxml", survey.server.clock())
        until(lambda: DONE in survey.results(), "he is called", 30.0)
    finally:
        survey.server.stop()


@pytest.mark.spec("D8", "D13")
def test_a_daemon_killed_in_mid_flow_costs_nobody_his_result(world: World, crm: Service) -> None:
    rule = KeyRule("main", script=("0",), after=fixed(0.6))
    slow = {f"+1212555{n:04d}": Behaviour("answer", 0.1 + n * 1.3, rules=(rule,)) for n in range(10)}
    survey = Survey(world, slow, crm)
    daemon = world.start_daemon()
    try:
        until(lambda: len(survey.results()) >= 2, "some are over", 30.0)
        daemon.kill()
        world.start_daemon()
        until(lambda: len(survey.results()) == 10, "all are over", 60.0)
        outcomes = [outcome for outcome, _, _ in survey.results().values()]
        assert set(outcomes) <= {"connected", "unknown", "cancelled"} and outcomes.count("connected") >= 5
        assert {survey.leads()[number] for number, (outcome, _, _) in survey.results().items() if outcome == "connected"} == {"succeeded"}
    finally:
        survey.server.stop()

"""Callers, keys and dialplan files of the simulated switch over real TCP."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from fs_dialer.sim.esl_server import EslServer, dialplan_files, seeded_uuids
from fs_dialer.sim.people import Behaviour, ScriptedPeople
from fs_dialer.sim.switch import SimSwitch
from tests.sim.test_esl_server import Client

DOOR = """<include>
  <context name="public">
    <extension name="door">
      <condition field="destination_number" expression="^100$">
        <action application="answer"/>
        <action application="set" data="fsd_queue=support"/>
        <action application="bind_digit_action" data="q,1,exec[i]:event,'Event-Name=CUSTOM,Event-Subclass=fsd::queue,Fsd-What=key,Fsd-Key=1'"/>
        <action application="digit_action_set_realm" data="q"/>
        <action application="event" data="Event-Name=CUSTOM,Event-Subclass=fsd::queue,Fsd-What=enter"/>
        <action application="park"/>
      </condition>
    </extension>
  </context>
</include>
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "public.xml").write_text(DOOR)
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[EslServer]:
    switch = SimSwitch(ScriptedPeople({}, Behaviour()), rng=random.Random(1), new_uuid=seeded_uuids(random.Random(2)))
    switch.files = lambda: dialplan_files(folder)
    switch.reload(0.0)
    served = EslServer(switch)
    served.start()
    yield served
    served.stop()


def test_a_subscriber_hears_of_a_caller_and_of_no_subclass_that_he_did_not_name(server: EslServer) -> None:
    client, other = Client(server.port), Client(server.port)
    client.ask("event plain CHANNEL_DESTROY CUSTOM fsd::ivr fsd::queue avmd::beep")
    other.ask("event plain CHANNEL_DESTROY CUSTOM fsd::ivr")
    leg = server.call_in("+34600000001", "100", display_name="Cust Omer", behaviour=Behaviour(keys=((1.0, "1"),)))
    enter = client.wait_for("CUSTOM", Unique_ID=leg)
    first = [*enter.headers][:2]
    assert (first, enter.headers["Fsd-What"], enter.headers["variable_fsd_queue"]) == (["Event-Subclass", "Core-UUID"], "enter", "support")
    assert client.ask(f"api uuid_recv_dtmf {leg} 1").startswith("+OK")  # no telephone: the binding does not see it
    assert [event for event in client.events if event.headers.get("Fsd-What") == "key"] == []
    assert client.wait_for("CUSTOM", Fsd_What="key").headers["variable_last_matching_digits"] == "1"
    client.ask(f"api uuid_kill {leg}")
    other.wait_for("CHANNEL_DESTROY", Unique_ID=leg)
    assert [event.name for event in other.events] == ["CHANNEL_DESTROY"]


def test_another_process_lets_callers_call_in_by_a_command(server: EslServer) -> None:
    client = Client(server.port)
    reply = client.ask("api sim inbound anonymous 100 public")
    leg = reply.removeprefix("+OK ").strip()
    assert reply.startswith("+OK ") and client.ask(f"api uuid_exists {leg}") == "true"
    assert client.ask("api sim inbound 1").startswith("-USAGE")


def test_new_files_are_read_at_reloadxml(server: EslServer, folder: Path) -> None:
    client = Client(server.port)
    client.ask("event plain RELOADXML")
    assert client.ask("api xml_locate dialplan context name fsd_ivr") == "can't find anything\n"
    (folder / "fsd_ivr.xml").write_text(DOOR.replace("public", "fsd_ivr").replace("door", "dues.12345678"))
    assert client.ask("api reloadxml") == "+OK [Success]\n"
    client.wait_for("RELOADXML")
    assert '<extension name="dues.12345678">' in client.ask("api xml_locate dialplan context name fsd_ivr")


def test_rows_are_kept_and_read_by_the_words_of_mod_db(server: EslServer) -> None:
    client = Client(server.port)
    said = [client.ask(f"api db {words}") for words in (
        "insert/fsd_kept/a.key/support;+1;2;3", "insert/fsd_kept/b.key/x", "list/fsd_kept", "count/fsd_kept", "select/fsd_kept/a.key", "exists/fsd_kept/c",
        "delete/fsd_kept/a.key", "delete/fsd_kept/a.key", "list/fsd_kept", "insert/fsd_kept/a.key", "select/fsd_kept/a.key")]  # fmt: skip
    assert said == ["+OK", "+OK", "a.key,b.key", "2", "support;+1;2;3", "false", "+OK", "+OK", "b.key", "!err!", "-ERR no reply\n"]

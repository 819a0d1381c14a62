"""Nothing that a spreadsheet says reaches the switch but digits (D7)."""

from __future__ import annotations

import json
import socket

import pytest

from tests.scenarios.checks import check_everything
from tests.scenarios.world import CAMPAIGN, PASSWORD, World, numbers, until


@pytest.mark.spec("D7")
def test_a_contact_named_after_an_api_call_is_called_like_anybody_and_the_switch_never_sees_the_name(world: World) -> None:
    """The row with a brace in its number is handed back with its problem; the name of the other stays in the database."""
    marker = world.folder / "touched"
    name = f"${{system(touch {marker})}}"
    (good,) = numbers(1, 1)
    csv = world.folder / "leads.csv"
    csv.write_text(f'phone,name\n{good},"{name}"\n"+12125550002}}{{a=b",{name}\n')
    world.start_switch()
    world.define(agents=1)
    imported = json.loads(world.rig.command("lead", "import", str(csv), "--campaign", CAMPAIGN, "--json", ok=(0, 3)))
    assert imported["new"] == 1 and imported["refused"] == 1
    assert world.one("SELECT name FROM contacts WHERE number = %s", good) == name
    with Wire(world.rig.port) as wire:
        world.order_start(1)
        daemon = world.start_daemon()
        until(lambda: world.closed() == 1, 20, "the good number is called")
        assert daemon.terminate() == 0
        said = wire.everything()
    assert good.encode() in said
    assert b"system" not in said and b"${" not in said and b"touched" not in said
    assert not marker.exists()
    check_everything(world)


@pytest.mark.spec("D7")
def test_a_number_with_a_brace_that_got_into_the_database_is_refused_before_the_wire(world: World) -> None:
    """The tables refuse it too; here their checks are taken away."""
    world.start_switch()
    world.define(agents=1)
    good, bad = numbers(1, 2)
    world.add_leads([bad, good])
    for table in ("leads", "contacts", "attempts_open"):
        world.rows(f"ALTER TABLE {table} DROP CONSTRAINT {table}_number_check")
    hostile = "+1212}{a=b"
    world.rows("UPDATE leads SET number = %s WHERE number = %s", hostile, bad)
    world.order_start(1)
    daemon = world.start_daemon()
    daemon.says("refused to send an originate (D7)")
    until(lambda: world.outcomes().get(good), 20, "the next one is called")
    assert daemon.terminate() == 0
    assert world.rows("SELECT outcome, leg_seen FROM all_attempts WHERE number = %s", hostile) == [("bad_number", False)]
    assert [leg.number for leg in world.witness.legs("lead")] == [good]
    assert hostile not in daemon.log()


class Wire:
    """Everything the switch says to somebody who listens to all of it, as bytes."""

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._sock.sendall(f"auth {PASSWORD}\n\nevent json ALL\n\n".encode())

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def everything(self) -> bytes:
        """All of it so far: the switch is asked to say goodbye, and read to the end."""
        self._sock.sendall(b"exit\n\n")
        said = b""
        while data := self._sock.recv(1 << 20):
            said += data
        return said

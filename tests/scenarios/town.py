"""A town with a telephone queue: the simulated switch in this process, on a real port and with our own dialplan, so that a test calls in and presses keys by
itself; the database and the daemons are processes of their own, as in world.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, TypeVar

import gevent
import pytest

from fs_dialer.config.codec import from_json
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.core.switch_names import KEPT
from fs_dialer.dialplans.fallback import Fallback, fallback_file
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.dialplans.queues import queue_file
from fs_dialer.runtime.ids import uuids
from fs_dialer.sim import digits
from fs_dialer.sim.esl_server import EslServer
from fs_dialer.sim.leg import HUNG_UP, Leg
from fs_dialer.sim.people import Behaviour, ScriptedPeople
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch
from tests.scenarios.world import PASSWORD, World

T = TypeVar("T")
POLL_S = 0.02
QUICK = Behaviour(after_s=0.1)
WAITS = Behaviour(after_s=0.0)  # a caller who stays until he is let go


def until(fact: Callable[[], T], what: str, deadline_s: float = 20.0) -> T:
    """The first true value of `fact`, the switch running meanwhile; the test fails when there is none in time."""
    found: Any = None
    with gevent.Timeout(deadline_s, False):
        while not (found := fact()):
            gevent.sleep(POLL_S)
        return found
    pytest.fail(f"not within {deadline_s:g} s: {what} (last seen: {found!r})")


class Town:
    """`queue`: the lines of a queue `support` below its agents, as an admin writes them. agents: on nailed legs where `nailed`, else rung for each call.
    campaigns: their files by name."""

    def __init__(self, world: World, queue: str, *, agents: int = 1, nailed: bool = True, more: str = "", campaigns: Mapping[str, str] = {}) -> None:
        self.world = world
        place = world.folder / "definitions"
        place.mkdir()
        names = [f"agent-{n}" for n in range(1, agents + 1)]
        people = "\n".join(f"  {name}: {{dial: user/{1001 + n}, leg: {'nailed' if nailed else 'per_call'}}}" for n, name in enumerate(names))
        (place / "agents.yml").write_text(f"agents:\n{people}\n", encoding="utf-8")
        (place / "installation.yml").write_text("lines: 2000\ncps: 500\ngateways:\n  trunk1: {plus: yes}\n", encoding="utf-8")
        lines = "\n".join(f"    {line}" for line in [f"agents: {{people: [{', '.join(names)}], ring: 12s}}", *queue.strip().splitlines()])
        (place / "queues.yml").write_text(f"queues:\n  support:\n{lines}\n", encoding="utf-8")
        (place / "campaigns").mkdir()
        for name, text in campaigns.items():
            (place / "campaigns" / f"{name}.yml").write_text(text, encoding="utf-8")
        if more:
            (place / "more.yml").write_text(more, encoding="utf-8")
        world.rig.command("apply", str(place))
        stored = world.rows("SELECT name, definition FROM definitions WHERE kind = 'queues'")
        queues = tuple(from_json(QueueDefinition, definition, name) for name, definition in stored)
        dialplan = (queue_file(queues, SwitchOptions()), fallback_file(Fallback()))
        self.people = ScriptedPeople({}, QUICK)
        settings = SwitchSettings(dialplan=dialplan, sessions_per_second=5000, max_sessions=5000)
        self.switch = SimSwitch(self.people, rng=Random(1), new_uuid=uuids(Random(2)), settings=settings)
        self.server = EslServer(self.switch, password=PASSWORD)
        self.server.start()
        world.rig.environ["FS_DIALER_ESL"] = f"127.0.0.1:{self.server.port}"
        for name in names:
            with world.office() as office:
                office.submit_command("agent_status", name, {"status": "available"}, "test")

    # --- callers ------------------------------------------------------------------------------------------------------------------------

    def calls(self, number: str = "+34600000001", did: Behaviour = WAITS) -> str:
        leg = self.server.call_in(number, "support", "fsd_queue", "", did)
        assert leg, "the switch takes no call"
        return leg

    def leg(self, leg: str) -> Leg | None:
        found = self.switch.legs.get(leg)
        return found if found is not None and found.phase != HUNG_UP else None

    def press(self, leg: str, key: str = "1") -> None:
        found = self.leg(leg)
        assert found is not None, "he is gone"
        digits.press(self.switch, found, key, "RTP", self.server.clock())

    def hang_up(self, leg: str) -> None:
        if self.leg(leg) is not None:
            self.switch.api(f"uuid_kill {leg} NORMAL_CLEARING", self.server.clock())

    # --- what is -------------------------------------------------------------------------------------------------------------------------

    def queue(self) -> dict[str, Any]:
        """As the daemon last said; {} before it has."""
        return next((dict(queue) for queue in self.world.snapshot().get("queues", ())), {})

    def counts(self, **wanted: int) -> bool:
        queue = self.queue()
        return bool(queue) and all(queue[name] == value for name, value in wanted.items())

    def callers(self) -> dict[str, str]:
        """Why each is gone; "" = not yet."""
        return {str(id): str(why) for id, why in self.world.rows("SELECT id, why FROM callers")}

    def tickets(self, channel: str) -> list[str]:
        return [number for (number,) in self.world.rows("SELECT number FROM tickets WHERE channel = %s AND queue <> '' ORDER BY id", channel)]

    def kept(self) -> Sequence[str]:
        return [row for realm, row in self.switch.database if realm == KEPT]

    def close(self) -> None:
        self.server.stop()

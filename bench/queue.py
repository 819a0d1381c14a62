"""Queues of inbound callers: the wait against Erlang's C, what callers are told of it, and a burst of 500 callers of whom 200 press the key.

Virtual time: 50 agents, load 0.9, 40 hours of the engine's own queue code. The mean wait of 40 hours at such a load varies by a fifth from seed to seed by
chance alone; so the figure is taken beside a perfect queue with the same callers and the same talks, whose expectation is Erlang's (a control variate). The
plain quotient is given as well, with the perfect queue's own.

The burst: daemon and PostgreSQL are processes of their own, the simulated switch runs here on a real port, with our own dialplan. 500 callers come within a
second, 20 agents serve; then 100 press the key within ten seconds, and 100 more in one moment; everybody else stays until he is served or let go. From the
press to the ticket in the database: 0.3 s of it is the switch's own, which waits so long for a further key.
"""

from __future__ import annotations

import subprocess
import sys
import time
from random import Random

import gevent
import psycopg2

from bench._queue_hours import Hours, erlang_c_wait_s
from fs_dialer.cli.rig import Rig, rig
from fs_dialer.core.queue_definition import CallbackKey, QueueDefinition
from fs_dialer.core.switch_names import KEPT
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.dialplans.fallback import Fallback, fallback_file
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.dialplans.queues import queue_file
from fs_dialer.runtime.ids import uuids
from fs_dialer.sim import digits
from fs_dialer.sim.esl_server import EslServer
from fs_dialer.sim.people import Behaviour, ScriptedPeople
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch

TITLE = "mean wait over Erlang C, bias of the wait that callers are told, a burst of 500 callers, key to ticket"
AGENTS, LOAD, TALK_S, HOURS, SEED = 50, 0.9, 180.0, 40.0, 1
SPREAD, SPREAD_S = 100, 0.1  # so many press one after the other, the rest in one moment
CALLERS, PRESS, SERVE, MAX_WAIT_S, AFTER_S = 500, 200, 20, 40, 2.0
MUSIC = "tone_stream://%(1000,0,440)"


def run() -> dict[str, float | None]:
    """Takes about three minutes."""
    return _hours() | _burst()


def _hours() -> dict[str, float | None]:
    hours = Hours(AGENTS, LOAD, TALK_S, SEED)
    hours.run(HOURS)
    wait_s, perfect_s = _mean(hours.waited_s), _mean(hours.same_draws_s)
    theory_s = erlang_c_wait_s(AGENTS, hours.rate, TALK_S)
    told = sum(told for told, _ in hours.told_s) / sum(waited for _, waited in hours.told_s)
    return {
        "wait_over_erlang_c": wait_s / perfect_s,
        "plain_wait_over_erlang_c": wait_s / theory_s,
        "perfect_queue_over_erlang_c": perfect_s / theory_s,
        "mean_wait_s": wait_s,
        "callers": float(len(hours.waited_s)),
        "told_wait_over_wait": told,
    }


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


# --- the burst --------------------------------------------------------------------------------------------------------------------------


def _burst() -> dict[str, float | None]:
    with rig() as world:
        server = _town(world)
        daemon = subprocess.Popen([sys.executable, "-m", "fs_dialer", "run"], env=world.environ, stderr=subprocess.DEVNULL)
        try:
            _until(lambda: len(server.switch.legs) == SERVE, "the agents' legs are parked")
            gevent.sleep(2.0)
            began = time.time()
            did = Behaviour(after_s=0.0, talk_s=3.0)
            legs = [server.call_in(f"+346{n:08d}", "support", "fsd_queue", "", did) for n in range(CALLERS)]
            _until(lambda: server.clock() > began + AFTER_S + 2.0, "the least wait is over")
            waiting = [leg for leg in legs if leg in server.switch.legs and server.switch.legs[leg].partner is None]
            pressed = waiting[-PRESS:]
            numbers = {leg: f"+346{legs.index(leg):08d}" for leg in pressed}
            at: dict[str, float] = {}
            for n, leg in enumerate(pressed):
                at[numbers[leg]] = time.time()
                digits.press(server.switch, server.switch.legs[leg], "1", "RTP", server.clock())
                gevent.sleep(SPREAD_S if n < SPREAD else 0.0)
            _until(lambda: _rows(world, "SELECT count(*) FROM callers WHERE why <> ''") == [(CALLERS,)], "everybody is gone and written")
            _until(lambda: not [realm for realm, _ in server.switch.database if realm == KEPT], "the switch keeps nothing any more")
            whys = {str(why): float(str(count)) for why, count in _rows(world, "SELECT why, count(*) FROM callers GROUP BY why")}
            made = _rows(world, "SELECT number, extract(epoch FROM created_at)::float8 FROM tickets WHERE channel = 'callback'")
            took_ms = {str(number): 1000 * (float(str(created)) - at[str(number)]) for number, created in made}
            took = sorted(took_ms[numbers[leg]] for leg in pressed[:SPREAD] if numbers[leg] in took_ms)
            at_once = [took_ms[numbers[leg]] for leg in pressed[SPREAD:] if numbers[leg] in took_ms]
            return {
                "burst_callers": float(CALLERS),
                "burst_pressed": float(len(pressed)),
                "burst_served": whys.get("served", 0.0),
                "burst_called_back": whys.get("callback", 0.0),
                "burst_let_go": whys.get("max_wait", 0.0),
                "burst_lost": CALLERS - sum(whys.get(why, 0.0) for why in ("served", "callback", "max_wait")),
                "burst_tickets": float(len(made)),
                "at_once_to_last_ticket_ms": max(at_once, default=None),
                "key_to_ticket_p50_ms": took[len(took) // 2] if took else None,
                "key_to_ticket_p99_ms": took[int(0.99 * (len(took) - 1))] if took else None,
            }
        finally:
            for _ in range(2):
                daemon.terminate()
                gevent.sleep(0.3)
            daemon.wait(30)
            server.stop()


def _town(world: Rig) -> EslServer:
    place = world.folder / "definitions"
    place.mkdir()
    names = [f"agent-{n}" for n in range(1, SERVE + 1)]
    people = "\n".join(f"  {name}: {{dial: user/{1000 + n}, leg: nailed}}" for n, name in enumerate(names))
    (place / "agents.yml").write_text(f"agents:\n{people}\n", encoding="utf-8")
    (place / "installation.yml").write_text("lines: 5000\ncps: 500\ngateways:\n  trunk1: {plus: yes}\n", encoding="utf-8")
    (place / "queues.yml").write_text(
        f"queues:\n  support:\n    agents: {{people: [{', '.join(names)}], ring: 10s}}\n    max_wait: {MAX_WAIT_S}s\n    music: {MUSIC}\n"
        f"    callback: {{key: 1, after: {AFTER_S:g}s}}\n    wrap_up: {{time: 0s}}\n",
        encoding="utf-8",
    )
    for words in (("db", "migrate"), ("apply", str(place))):
        world.command(*words)
    queue = QueueDefinition(name="support", music=MUSIC, callback=CallbackKey(key="1", after_s=AFTER_S), max_wait_s=MAX_WAIT_S)
    settings = SwitchSettings(dialplan=(queue_file((queue,), SwitchOptions()), fallback_file(Fallback())), sessions_per_second=5000, max_sessions=5000)
    switch = SimSwitch(ScriptedPeople({}, Behaviour(after_s=0.1)), rng=Random(1), new_uuid=uuids(Random(2)), settings=settings)
    server = EslServer(switch, password=(world.folder / "esl.password").read_text(encoding="utf-8"))
    server.start()
    world.environ["FS_DIALER_ESL"] = f"127.0.0.1:{server.port}"
    office = Backoffice(world.dsn)
    for name in names:
        office.submit_command("agent_status", name, {"status": "available"}, "bench")
    office.close()
    return server


def _rows(world: Rig, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(world.dsn)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())
    finally:
        connection.close()


def _until(fact: object, what: str, deadline_s: float = 180.0) -> None:
    assert callable(fact)
    end = time.monotonic() + deadline_s
    while not fact():
        if time.monotonic() > end:
            raise RuntimeError(f"did not come about: {what}")
        gevent.sleep(0.2)


def table(figures: dict[str, float | None]) -> str:
    def said(name: str) -> str:
        value = figures[name]
        return "-" if value is None else f"{value:.3g}" if value < 10 else f"{value:.0f}"

    return "\n".join(
        [
            f"  mean wait over Erlang C      {said('wait_over_erlang_c'):>8}     aim 0.95–1.05",
            f"  plain, of this seed          {said('plain_wait_over_erlang_c'):>8}     a perfect queue's, same draws: {said('perfect_queue_over_erlang_c')}",
            f"  wait told over wait          {said('told_wait_over_wait'):>8}",
            f"  burst of {CALLERS}: served        {said('burst_served'):>8}",
            f"    called back                {said('burst_called_back'):>8}     of {said('burst_pressed')} who pressed",
            f"    let go after {MAX_WAIT_S} s          {said('burst_let_go'):>8}",
            f"    lost                       {said('burst_lost'):>8}     aim 0",
            f"  key to ticket, p50           {said('key_to_ticket_p50_ms'):>8} ms",
            f"  key to ticket, p99           {said('key_to_ticket_p99_ms'):>8} ms",
            f"  {PRESS - SPREAD} keys at once: the last    {said('at_once_to_last_ticket_ms'):>8} ms",
        ]
    )

"""The daemon at 50, 100 and 150 new calls a second: how long from a customer's answer to the bridge command, what a call costs; then 100 predictive agents.

Daemon, simulated switch and PostgreSQL are processes of their own on this machine; agents are on nailed legs, talks last 3 s. The same switch is then
driven by a bare client that sends uuid_bridge as soon as it reads CHANNEL_ANSWER, without database, limits or rescue: the difference is what we cost.
The delay is taken in the switch, from the answer to the arrival of uuid_bridge; both pay for the 20 ms in which a switch lets its events go.

Predictive: fewer and fewer of the customers answer from step to step, so that a hundred agents need ever more calls; the highest pace at which the daemon's
inbox stays within 100 ms (its own figure, asked over HTTP five times a second; 99 of 100 answers) is what one core holds. There the delay includes waiting
for a free agent. Beside each pace stands what the daemon took of a core, and what the simulated switch took: on two cores it may be the switch that gives up.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

from fs_dialer.cli.demo import order_agents, order_start
from fs_dialer.cli.rig import CAMPAIGN, Rig, rig, write_definitions
from fs_dialer.db.backoffice import Backoffice

TITLE = "answer to bridge at 50, 100 and 150 new calls/s, beside a bare client; CPU per call; the highest pace of 100 predictive agents"
RATES = (50, 100, 150)
SECONDS = 60
SETTLE_S = 5
TALK_S = 3.0
RING_S = 0.5
PEOPLE: Mapping[str, Any] = {
    "customers": {
        "outcomes": {"person": "100%"},
        "ring": f"{RING_S}s",
        "first_response": "0.05s",
        "talk": f"{TALK_S}s",
        "patience": "never",
        "early_media": "0%",
    },
    "agents": [{"match": "user/*", "ring": "0.2s"}],
}


PREDICTIVE_AGENTS = 100
PREDICTIVE_TALK_S = 4.0
PREDICTIVE_ANSWERED = (0.5, 0.2, 0.1, 0.05)
PREDICTIVE_S = 30
WARM_ANSWERS = 400  # before that the budget of missed calls holds a pacer that knows nothing yet
WARM_MOST_S = 240
MORE = 1.1  # a step that does not bring so much more pace is the last: something else than the inbox holds it
MOST_LAG_S = 0.1


def run() -> dict[str, float | None]:
    """Takes about twelve minutes."""
    figures = _predictive()
    for rate in RATES:
        ours = _daemon(rate)
        bare = _bare(rate)
        for name, value in (("p50", 0.5), ("p99", 0.99)):
            mine, theirs = quantile(ours["delays"], value), quantile(bare, value)
            figures[f"{name}_ms_at_{rate}"] = mine
            figures[f"{name}_bare_ms_at_{rate}"] = theirs
            figures[f"{name}_extra_ms_at_{rate}"] = None if mine is None or theirs is None else mine - theirs
        figures[f"calls_per_s_at_{rate}"] = len(ours["delays"]) / SECONDS
        figures[f"cpu_ms_per_call_at_{rate}"] = ours["cpu_s"] * 1000 / max(1, len(ours["delays"]))
    figures["cpu_ms_per_call"] = figures["cpu_ms_per_call_at_100"]
    return figures


def _daemon(rate: int) -> dict[str, Any]:
    agents = int(rate * (TALK_S + RING_S + 1.5))
    with rig() as world:
        world.start_switch(PEOPLE, seed=rate, sps=2000)
        place = write_definitions(world.folder, agents=agents, leads=rate * (SECONDS + 30), nailed=agents, cps=rate, lines=agents * 3, wrap_up_s=0)
        for words in (("db", "migrate"), ("apply", str(place)), ("lead", "import", str(place / "leads.csv"), "--campaign", CAMPAIGN)):
            world.command(*words)
        order_agents(world, agents)
        daemon = subprocess.Popen([sys.executable, "-m", "fs_dialer", "run"], env=world.environ, stderr=subprocess.DEVNULL)
        try:
            _wait(world, "agent_legs", agents)
            order_start(world)
            _wait(world, "bridges", rate * SETTLE_S)
            _delays(world)
            before = _cpu_s(daemon.pid)
            time.sleep(SECONDS)
            return {"delays": _delays(world), "cpu_s": _cpu_s(daemon.pid) - before}
        finally:
            for number in (signal.SIGTERM, signal.SIGTERM):
                daemon.send_signal(number)
                time.sleep(0.3)
            daemon.wait(30)


def _predictive() -> dict[str, float | None]:
    """The last step that the inbox kept up with."""
    best: dict[str, float | None] = {}
    for answered in PREDICTIVE_ANSWERED:
        found = _predictive_step(answered)
        before = best.get("calls_per_s_at_100ms_lag") or 0.0
        for name in ("calls_per_s", "lag_p99_ms", "cpu_of_a_core", "switch_cpu_of_a_core"):
            best[f"predictive_{name}_at_{answered:.0%}"] = found[name]
        if (found["lag_p99_ms"] or 0.0) > MOST_LAG_S * 1000 or (found["calls_per_s"] or 0.0) < MORE * before:
            break
        best["calls_per_s_at_100ms_lag"] = found["calls_per_s"]
        best |= {f"predictive_{name}": value for name, value in found.items()}
    return best


def _predictive_step(answered: float) -> dict[str, float | None]:
    outcomes = {"person": f"{answered:.0%}", "busy": f"{1 - answered:.0%}"}
    people = {**PEOPLE, "customers": {**PEOPLE["customers"], "outcomes": outcomes, "ring": "1s", "talk": f"{PREDICTIVE_TALK_S}s"}}
    with rig() as world:
        world.start_switch(people, seed=int(answered * 100), sps=5000)
        assert world.switch is not None
        switch = world.switch.pid
        leads = int(1.3 * (PREDICTIVE_AGENTS / (PREDICTIVE_TALK_S + 0.2) * PREDICTIVE_S * 2 + WARM_ANSWERS * 3) / answered)
        place = write_definitions(
            world.folder, agents=PREDICTIVE_AGENTS, leads=leads, nailed=PREDICTIVE_AGENTS, cps=1000, lines=5000, wrap_up_s=0, type="predictive", ring_s=5
        )
        port = _free_port()
        settings = world.folder / "fs-dialer.yml"
        settings.write_text(f'http: {{listen: "127.0.0.1:{port}"}}\n', encoding="utf-8")
        for words in (("db", "migrate"), ("apply", str(place)), ("lead", "import", str(place / "leads.csv"), "--campaign", CAMPAIGN)):
            world.command(*words)
        order_agents(world, PREDICTIVE_AGENTS)
        daemon = subprocess.Popen([sys.executable, "-m", "fs_dialer", "run", "--config", str(settings)], env=world.environ, stderr=subprocess.DEVNULL)
        try:
            _wait(world, "agent_legs", PREDICTIVE_AGENTS)
            order_start(world)
            _wait_for_answers(world)
            _delays(world)
            before, cpu_s, switch_s = world.counters()["lead_legs"], _cpu_s(daemon.pid), _cpu_s(switch)
            lags = _lags(port, PREDICTIVE_S)
            calls = world.counters()["lead_legs"] - before
            delays, cpu_s = _delays(world), _cpu_s(daemon.pid) - cpu_s
            return {
                "calls_per_s": round(calls / PREDICTIVE_S, 1),
                "lag_p99_ms": round(1000 * (quantile(lags, 0.99) or 0.0), 1),
                "p50_ms": quantile(delays, 0.5),
                "p99_ms": quantile(delays, 0.99),
                "cpu_of_a_core": round(cpu_s / PREDICTIVE_S, 2),
                "switch_cpu_of_a_core": round((_cpu_s(switch) - switch_s) / PREDICTIVE_S, 2),
            }
        finally:
            for number in (signal.SIGTERM, signal.SIGTERM):
                daemon.send_signal(number)
                time.sleep(0.3)
            daemon.wait(30)


def _wait_for_answers(world: Rig) -> None:
    deadline = time.monotonic() + WARM_MOST_S
    while time.monotonic() < deadline and world.counters()["bridges"] < WARM_ANSWERS:
        time.sleep(1.0)


def _lags(port: int, seconds: float) -> list[float]:
    """How old the oldest event in the daemon's inbox was, five times a second."""
    found, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found += [float(line.split()[-1]) for line in text.splitlines() if line.startswith('fs_dialer_latency_seconds{of="inbox"}')]
        time.sleep(0.2)
    return found


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(world: Rig, counter: str, least: int) -> None:
    """Until the switch has counted so many."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if world.counters()[counter] >= least:
            return
        time.sleep(0.5)
    raise RuntimeError(f"the campaign did not come up: {world.counters()} {Backoffice(world.dsn).daemon_status()}")


def _bare(rate: int) -> list[float]:
    agents = int(rate * (TALK_S + RING_S + 1.5))
    with rig(durable=False) as world:
        world.start_switch(PEOPLE, seed=rate, sps=2000)
        words = [str(world.port), str(world.folder / "esl.password"), str(rate), str(SECONDS), str(agents)]
        subprocess.run([sys.executable, "-m", "bench._bare_bridger", *words], env=dict(os.environ), check=True)
        return _delays(world)


def _delays(world: Rig) -> list[float]:
    """Milliseconds from answer to uuid_bridge, of every lead leg since the last time."""
    return [float(delay) * 1000 for delay in json.loads(world.ask_switch("api sim delays"))]


def quantile(values: list[float], share: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def _cpu_s(pid: int) -> float:
    """User and system seconds of one process, from /proc."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def table(figures: dict[str, float | None]) -> str:
    lines = ["calls/s   answer → bridge, ms: ours p50/p99   bare p50/p99   extra p99   CPU ms a call"]
    for rate in RATES:
        keys = ("p50_ms", "p99_ms", "p50_bare_ms", "p99_bare_ms", "p99_extra_ms", "cpu_ms_per_call", "calls_per_s")
        f = {key: figures.get(f"{key}_at_{rate}") or 0.0 for key in keys}
        lines.append(
            f"{f['calls_per_s']:7.1f}   {f['p50_ms']:18.1f} / {f['p99_ms']:<8.1f} {f['p50_bare_ms']:11.1f} / {f['p99_bare_ms']:<8.1f}"
            f" {f['p99_extra_ms']:6.1f} {f['cpu_ms_per_call']:12.2f}"
        )
    ahead = [f"{name.replace('_', ' ')}: {value}" for name, value in figures.items() if name.startswith("predictive_") or name.endswith("_lag")]
    return "\n".join([*lines, "aim: p99 extra at 100 calls/s ≤ 20 ms", "", f"{PREDICTIVE_AGENTS} predictive agents:", *ahead])

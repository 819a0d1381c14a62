"""100 calls at a time in an IVR flow: what the daemon's CPU costs per call, beside a bare originate loop over the same switch and the same flow.

Daemon, simulated switch and PostgreSQL are processes of their own on this machine. A call rings for 0.5 s, hears a prompt, presses a key and ends, some
five seconds in all. The daemon takes leads from the database, commits each attempt before it is dialled, keeps all limits, and files outcome, keys and the
way through the flow; the bare loops (bench/_bare_originator.py) place a call for each that ended and know nothing of it. One is written over greenswitch, as
one would with the library, and told the same events as the daemon: `cpu_over_bare` compares with it. Two know still less, and are shown beside it: the same
loop told of three events only, and one that reads these by hand, the floor under every client.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fs_dialer.cli.rig import CAMPAIGN, Rig, rig, write_definitions
from fs_dialer.config.load import load_paths
from fs_dialer.core.flow import Ivr, extension
from fs_dialer.dialplans.files import switch_files
from fs_dialer.dialplans.options import SwitchOptions

TITLE = "100 IVR calls at a time: CPU of the daemon per call against a bare originate loop"
LINES = 100
SECONDS = 40
SETTLE_S = 10
CALLS_PER_S = 30  # at most; leads are made for it
PEOPLE: Mapping[str, Any] = {
    "customers": {
        "outcomes": {"person": "100%"},
        "ring": "0.5s",
        "first_response": "0.05s",
        "talk": "never",
        "patience": "never",
        "early_media": "0%",
        "keys": [{"at": "*", "press": {"1": "100%"}, "after": "1s"}],
    },
}
FLOW = """ivrs:
  reminder:
    start: main
    nodes:
      main: {do: menu, sound: reminder.wav, keys: {1: thanks, 2: thanks}, otherwise: thanks}
      thanks: {do: end, sound: thanks.wav, success: yes}
"""


def run() -> dict[str, float | None]:
    """Takes about four minutes."""
    figures: dict[str, float | None] = {}
    with rig() as world:
        place, flow = _prepare(world)
        ours = _daemon(world, place)
        figures |= {"calls_per_s": ours["calls"] / SECONDS, "cpu_ms_per_call": ours["cpu_s"] * 1000 / max(1.0, ours["calls"])}
    for name in ("greenswitch", "lean", "floor"):
        with rig(durable=False) as world:
            _, flow = _prepare(world)
            bare = _bare(world, name, flow)
            figures[f"calls_per_s_{name}"] = bare["calls"] / SECONDS
            figures[f"cpu_ms_per_call_{name}"] = bare["cpu_s"] * 1000 / max(1, bare["calls"])
    figures["cpu_over_bare"] = _ratio(figures["cpu_ms_per_call"], figures["cpu_ms_per_call_greenswitch"])
    figures["cpu_over_lean"] = _ratio(figures["cpu_ms_per_call"], figures["cpu_ms_per_call_lean"])
    figures["cpu_over_floor"] = _ratio(figures["cpu_ms_per_call"], figures["cpu_ms_per_call_floor"])
    return figures


def _ratio(ours: float | None, theirs: float | None) -> float | None:
    return None if not ours or not theirs else ours / theirs


def _prepare(world: Rig) -> tuple[Path, str]:
    """The flow among the definitions, and in the switch; the extension that calls are sent to."""
    leads = CALLS_PER_S * (SECONDS + SETTLE_S + 20)
    place = write_definitions(world.folder, agents=1, leads=leads, nailed=0, cps=200, lines=LINES, type="predictive", ring_s=20)
    campaign = f"type: autocall\nivr: reminder\ncaller_id: +15550100000\nring: 20s\nlines: {LINES}\nattempts: {{max: 1}}\nleads: {{new_rows: join}}\n"
    (place / "campaigns" / f"{CAMPAIGN}.yml").write_text(campaign, encoding="utf-8")
    (place / "ivrs.yml").write_text(FLOW, encoding="utf-8")
    options: Any = load_paths([place]).campaigns[0].options
    flow: Ivr = options.ivr
    dialplan = world.folder / "dialplan"
    dialplan.mkdir()
    for path, text in switch_files((flow,), (), SwitchOptions()).items():
        (dialplan / Path(path).name).write_text(text, encoding="utf-8")
    world.start_switch(PEOPLE, seed=7, sps=2000, dialplan=dialplan)
    return place, extension(flow)


def _daemon(world: Rig, place: Path) -> dict[str, float]:
    for words in (("db", "migrate"), ("apply", str(place)), ("lead", "import", str(place / "leads.csv"), "--campaign", CAMPAIGN)):
        world.command(*words)
    daemon = subprocess.Popen([sys.executable, "-m", "fs_dialer", "run"], env=world.environ, stderr=subprocess.DEVNULL)
    try:
        for verb in ("approve", "start"):
            world.command(verb, CAMPAIGN)
        _wait(world, CALLS_PER_S * SETTLE_S // 2)
        calls, cpu_s = world.counters()["lead_legs"], _cpu_s(daemon.pid)
        time.sleep(SECONDS)
        return {"calls": float(world.counters()["lead_legs"] - calls), "cpu_s": _cpu_s(daemon.pid) - cpu_s}
    finally:
        for number in (signal.SIGTERM, signal.SIGTERM):
            daemon.send_signal(number)
            time.sleep(0.3)
        daemon.wait(30)


def _bare(world: Rig, client: str, flow: str) -> dict[str, float]:
    words = [client, str(world.port), str(world.folder / "esl.password"), str(LINES), str(SECONDS), flow]
    done = subprocess.run([sys.executable, "-m", "bench._bare_originator", *words], env=dict(os.environ), check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def _wait(world: Rig, least: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if world.counters()["lead_legs"] >= least:
            return
        time.sleep(0.5)
    raise RuntimeError(f"the campaign did not come up: {world.counters()}")


def _cpu_s(pid: int) -> float:
    """User and system seconds of one process, from /proc."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def table(figures: dict[str, float | None]) -> str:
    f = {name: value or 0.0 for name, value in figures.items()}
    head = "                          calls/s   CPU ms a call   ours / it"
    lines = [head, f"the daemon                {f['calls_per_s']:7.1f}   {f['cpu_ms_per_call']:13.2f}"]
    for name, words in (("greenswitch", "greenswitch, same events"), ("lean", "greenswitch, 3 events"), ("floor", "by hand, 3 events")):
        ratio = f["cpu_over_bare" if name == "greenswitch" else f"cpu_over_{name}"]
        lines.append(f"{words:25} {f[f'calls_per_s_{name}']:7.1f}   {f[f'cpu_ms_per_call_{name}']:13.2f}   {ratio:9.2f}")
    return "\n".join([*lines, "aim: at most 1.5 times the first loop"])

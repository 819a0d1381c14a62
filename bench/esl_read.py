"""What it costs to read events: our client, greenswitch, python-ESL, and the least that anybody must pay.

Sender and reader are processes of their own over loopback TCP; CPU is the reader's, user and system. Readings alternate between the clients and the
cheapest of ROUNDS counts, for other work on the machine can only add. Native is read with fair yield on and a 5 ms ticker beside it. The event is a
recorded CHANNEL_HANGUP of 150 headers; native and the floor take it as JSON (which is what our client subscribes), the libraries as plain text, the
only format greenswitch reads.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

TITLE = "CPU to read 100,000 events of 150 headers: native, greenswitch, python-ESL and the floor (recv + orjson)"

ROUNDS = 5
EVENTS = {"floor": 40_000, "native": 40_000, "greenswitch": 10_000, "python-esl": 20_000}
LIBRARY = {"greenswitch": "greenswitch", "python-esl": "ESL"}
ROOT = Path(__file__).resolve().parent.parent


def run() -> dict[str, float | None]:
    """Figures; those of a library that is not installed are None."""
    readings: dict[str, list[dict[str, Any]]] = {
        client: [] for client in EVENTS if client not in LIBRARY or importlib.util.find_spec(LIBRARY[client]) is not None
    }
    for _ in range(ROUNDS):
        for client, taken in readings.items():
            taken.append(_read_once(client, EVENTS[client]))
    cost = {client: min(reading["cpu_s"] * 100_000 / reading["events"] for reading in taken) for client, taken in readings.items()}
    native = cost["native"]
    return {
        "greenswitch_over_native": _ratio(cost.get("greenswitch"), native),
        "python_esl_over_native": _ratio(cost.get("python-esl"), native),
        "native_over_floor": _ratio(native, cost["floor"]),
        "max_stall_ms": round(1000 * max(reading["stall_s"] for reading in readings["native"]), 2),
        "native_cpu_s_per_100k": _rounded(native),
        "greenswitch_cpu_s_per_100k": _rounded(cost.get("greenswitch")),
        "python_esl_cpu_s_per_100k": _rounded(cost.get("python-esl")),
        "floor_cpu_s_per_100k": _rounded(cost["floor"]),
    }


def _read_once(client: str, events: int) -> dict[str, Any]:
    with (
        subprocess.Popen([sys.executable, "-m", "bench._esl_source", str(events)], cwd=ROOT, stdin=-1, stdout=-1, text=True) as source,
        _ClosingStdin(source) as (source_in, source_out),
    ):
        port = source_out.readline().strip()
        with subprocess.Popen([sys.executable, "-m", "bench._esl_reader", client, port], cwd=ROOT, stdout=-1, text=True) as reader:
            assert reader.stdout is not None
            if reader.stdout.readline().strip() != "READY":
                raise RuntimeError(f"the {client} reader did not come up")
            source_in.write("go\n")
            source_in.flush()
            told = reader.stdout.readline()
    if not told:
        raise RuntimeError(f"the {client} reader came to no end")
    reading: dict[str, Any] = json.loads(told)
    if abs(reading["events"] - events) > (events // 1000 if client in LIBRARY else 0):
        raise RuntimeError(f"{client} read {reading['events']} of {events} events")
    return reading


class _ClosingStdin:
    """The pipes of a child that ends when its stdin does, also when the reader fails."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        assert child.stdin is not None and child.stdout is not None
        self.pipes = child.stdin, child.stdout

    def __enter__(self) -> Any:
        return self.pipes

    def __exit__(self, *_: object) -> None:
        self.pipes[0].close()


def _ratio(one: float | None, other: float) -> float | None:
    return None if one is None else round(one / other, 2)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def table(figures: dict[str, float | None]) -> str:
    """For people."""
    native = figures["native_cpu_s_per_100k"] or 1.0
    lines = [f"{'':14}{'CPU s per 100k events':>24}{'of native':>12}"]
    for name, key in (("floor", "floor"), ("native", "native"), ("greenswitch", "greenswitch"), ("python-ESL", "python_esl")):
        seconds = figures[f"{key}_cpu_s_per_100k"]
        lines.append(f"{name:14}" + (f"{'not installed':>24}" if seconds is None else f"{seconds:>24.2f}{seconds / native:>12.2f}"))
    lines += [
        "",
        f"greenswitch over native: {figures['greenswitch_over_native']} (aim: at least 8)",
        f"native over the floor:   {figures['native_over_floor']} (aim: at most 1.4)",
        f"longest stall of a 5 ms ticker while native reads: {figures['max_stall_ms']} ms (aim: at most 25)",
    ]
    return "\n".join(lines)

"""The engine as a table for people: what `demo` shows. Pure text from a snapshot, and a screen that redraws only what changed."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

from fs_dialer.cli.output import natural
from fs_dialer.cli.switches import not_ready
from fs_dialer.core.model import AgentState, CallState, Outcome
from fs_dialer.core.snapshot import CampaignView, Snapshot, as_json

PLAIN_EVERY_S = 5.0


def lines(snapshot: Snapshot, title: str, width: int) -> list[str]:
    """The whole picture, top to bottom, no line longer than `width`."""
    switch = "up" if snapshot.switch_up else "DOWN"
    if odd := not_ready({"switches": as_json(snapshot.switches)}):
        switch += f" ({odd})"
    store = "up" if snapshot.store_up else "DOWN"
    clock = time.strftime("%H:%M:%S", time.localtime(snapshot.now))
    out = [f"{clock}  {title}   lines {snapshot.legs}/{snapshot.legs_limit}   switch {switch}   database {store}", ""]
    for campaign in snapshot.campaigns:
        out += _campaign(campaign, snapshot.draining)
    out += ["", *_agents(snapshot, width)]
    return [line[:width] for line in out]


def _campaign(c: CampaignView, draining: bool) -> list[str]:
    why = "draining: no new calls, those that are up go on" if draining else c.because
    ringing = sum(c.calls_by_state.get(s, 0) for s in (CallState.DIALING, CallState.EARLY))
    talking = c.calls_by_state.get(CallState.BRIDGED, 0)
    rate = f"{c.missed / c.answered:.1%}" if c.answered else "-"
    wait = f"{c.waited_s / c.bridged:.1f} s" if c.bridged else "-"
    shown = "  ".join(f"{outcome.value} {count}" for outcome, count in c.outcomes.items() if count)
    return [
        f"{c.id}  {c.type.value}, {c.state.value}: {why}",
        f"  ringing {ringing:<4} waiting {c.waiting:<4} talking {talking:<4} dialled {c.attempts + c.lines:<6} missed {c.missed}/{c.answered} ({rate})  "
        f"wait for an agent {wait}",
        f"  {shown or 'no call has ended yet'}",
    ]


def _agents(snapshot: Snapshot, width: int) -> list[str]:
    counts: dict[AgentState, int] = {}
    for agent in snapshot.agents:
        counts[agent.state] = counts.get(agent.state, 0) + 1
    head = f"{len(snapshot.agents)} agents: " + "  ".join(f"{state.value} {n}" for state, n in counts.items())
    people = sorted(snapshot.agents, key=lambda agent: natural(agent.id))
    cells = [f"{(a.name or a.id)[:12]:<12} {a.state.value:<9} {max(0, int(snapshot.now - a.since)):>4} s" for a in people]
    per_row = max(1, width // 32)
    rows = [cells[i : i + per_row] for i in range(0, min(len(cells), per_row * 12), per_row)]
    return [head, *("   ".join(row) for row in rows)]


def plain(snapshot: Snapshot) -> str:
    """One line a while, for a pipe or a dumb terminal."""
    parts = []
    for c in snapshot.campaigns:
        connected = c.outcomes.get(Outcome.CONNECTED, 0)
        parts.append(f"{c.id} {c.state.value}: {c.lines} up, {c.attempts} ended, {connected} connected, {c.missed} missed of {c.answered}")
    return "; ".join(parts) or "no campaign yet"


class Screen:
    """Draws on a terminal, twice a second at most and only lines that changed; elsewhere it prints a plain line every 5 s."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._shown: list[str] = []
        self._plain_at = 0.0

    def show(self, snapshot: Snapshot, title: str) -> None:
        if not self._live:
            if snapshot.now - self._plain_at >= PLAIN_EVERY_S:
                self._plain_at = snapshot.now
                print(plain(snapshot), file=self._stream, flush=True)
            return
        size = shutil.get_terminal_size((100, 30))
        new = lines(snapshot, title, size.columns - 1)[: size.lines - 1]
        text = "" if self._shown else "\x1b[2J"
        for row in range(max(len(new), len(self._shown))):
            line = new[row] if row < len(new) else ""
            if row >= len(self._shown) or self._shown[row] != line:
                text += f"\x1b[{row + 1};1H{line}\x1b[K"
        self._shown = new
        self._stream.write(text + f"\x1b[{len(new) + 1};1H")
        self._stream.flush()

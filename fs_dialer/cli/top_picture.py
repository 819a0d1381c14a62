"""What `top` shows, as lines of coloured text: pure, from how everything stands and what the keyboard chose.

Knows the layout for every size of terminal; knows no terminal. A line is pieces of (text, style), the styles in rich's words. Every text that came from outside
is cleaned, and cut by the columns it takes on a screen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size

from fs_dialer.cli.output import STATE_COLOURS, ago, clean, natural, plural
from fs_dialer.cli.standing import Standing, lines_of, state_of, staying, why_of
from fs_dialer.cli.switches import not_ready

if TYPE_CHECKING:
    from fs_dialer.cli.needs import Missed30
    from fs_dialer.db.shapes import CampaignReport

Piece = tuple[str, str]
Line = tuple[Piece, ...]
BAR = 10
WITH_BAR, WITH_AGENTS = 100, 130  # columns from which on these are shown
AGENT_CELL, AGENT_NAME = 26, 9
LEAST_TEXT = 30
GROUPS_WIDTH = 37
NEEDS_SHOWN = 3
LEAST_DETAIL, PLENTY = 5, 10_000  # lines
KEYS = "q quit  p pause/start  e explain  / filter  up/down select"
# The most telling first; and how a state is told in a word.
STATES = {
    "talking": "talking", "held": "hold", "consulting": "consult", "ringing": "ringing", "previewing": "preview", "reserved": "reserved",
    "wrap_up": "wrap-up", "idle": "ready", "leg_down": "no phone", "not_available": "away", "logged_out": "out",
}  # fmt: skip
# The same, several to a word, where there is little room.
GROUPS = {
    "ready": ("idle",), "ring": ("ringing", "reserved", "previewing"), "talk": ("talking", "held", "consulting"), "wrap": ("wrap_up",),
    "away": ("not_available", "leg_down", "logged_out"),
}  # fmt: skip
STATE_STYLES = {"talking": "green", "idle": "cyan", "wrap_up": "yellow", "leg_down": "red", "not_available": "dim", "logged_out": "dim"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at everything. `now`: epoch seconds by this machine's clock; `clock`: the same as people write it; `snapshot_now`: by the daemon's, carried on
    since its last word. `db_ms`: how long the database took; `cps`: calls begun per second of late, None = not known yet; `error`: why the look failed."""

    now: float
    clock: str
    standing: Standing | None
    snapshot_now: float = 0.0
    db_ms: float | None = None
    cps: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A text over the table. `top`: its first line that is shown."""

    title: str
    lines: tuple[str, ...]
    top: int = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the keyboard chose. `typing`: the filter is being written. `question`: waits for y or n. `message`: what the last act came to."""

    campaign: str = ""
    filter: str = ""
    typing: bool = False
    question: str = ""
    message: str = ""
    panel: Panel | None = None


def picture(seen: Seen, chosen: Chosen, width: int, height: int) -> list[Line]:
    """`height` lines, none wider than `width`."""
    head = [_header(seen)]
    foot = _footer(chosen)
    room = max(0, height - 2)
    if chosen.panel is not None:
        body = _panel(chosen.panel, width, room)
    elif seen.standing is None:
        body = [((seen.error or "asking the database …", "red" if seen.error else ""),)]
    else:
        body = _body(seen, seen.standing, chosen, width, room)
    lines = [*head, *body[:room], *([()] * (room - len(body))), foot][: max(1, height)]
    return [fitted(line, width) for line in lines]


def listed(standing: Standing, text: str) -> list[CampaignReport]:
    """The campaigns that the filter lets through: those with its letters in their name, state or type. What lives comes before what is over."""
    sought = text.strip().lower()
    met = [each for each in standing.reports if sought in f"{each.name} {each.state} {each.type}".lower()]
    return sorted(met, key=lambda each: each.state == "ended")


def page(chosen: Chosen, height: int) -> int:
    """How many lines of a panel are shown at once."""
    return max(1, height - 3)


# --- top and bottom -------------------------------------------------------------------------------------------------------------------


def _header(seen: Seen) -> Line:
    parts: list[Piece] = [(seen.clock, "bold")]
    standing = seen.standing
    live = None if standing is None else standing.live
    if standing is not None and live is None:
        heard = "" if standing.written is None else f", last heard of {ago(standing.written.age_s)} ago"
        parts.append((f"no daemon is running{heard}", "bold red"))
    if standing is not None and live is not None:
        if standing.troubles.daemon_since is not None:
            parts.append((f"up {_short(max(0.0, seen.now - standing.troubles.daemon_since))}", ""))
        parts.append((f"calls {live['legs']}/{live['legs_limit']}", ""))
        if odd := not_ready(live):
            parts.append((odd, "yellow"))
        if queues := live.get("queues"):
            waiting = sum(queue["waiting"] for queue in queues)
            parts.append((f"queues {waiting} waiting", "yellow" if waiting else ""))
        cps = "-" if seen.cps is None else f"{seen.cps:.1f}"
        parts.append((f"cps {cps}/{standing.cps_limit:g}", ""))
        lag = float(live.get("lag_s", 0.0))
        parts.append((f"lag {lag:.1f} s", "red" if lag > 1 else ""))
    if seen.db_ms is not None:
        parts.append((f"db {seen.db_ms:.0f} ms", ""))
    if seen.error and standing is not None:
        parts.append((seen.error, "bold red"))
    return tuple(piece for each in parts for piece in (each, ("  ", "")))


def _footer(chosen: Chosen) -> Line:
    if chosen.question:
        return ((f"{chosen.question} y/n", "bold yellow"),)
    if chosen.typing:
        return ((f"filter: {chosen.filter}_", "bold"), ("   enter keeps it, esc drops it", "dim"))
    if chosen.panel is not None:
        return (("up/down, space scroll  q back", "dim"),)
    kept = ((f"filter: {chosen.filter}  ", "bold"),) if chosen.filter else ()
    return (*kept, *(((f"{clean(chosen.message)}  ", "bold"),) if chosen.message else ()), (KEYS, "dim"))


# --- the middle -----------------------------------------------------------------------------------------------------------------------


def _body(seen: Seen, standing: Standing, chosen: Chosen, width: int, room: int) -> list[Line]:
    lines = _needs(standing, width, room)
    campaigns = listed(standing, chosen.filter)
    if not campaigns:
        what = "No campaign meets the filter." if standing.reports else "There is no campaign yet. Define one in a file, then: fs-dialer apply PATH"
        return [*lines, ((what, ""),)]
    at = next((place for place, each in enumerate(campaigns) if each.name == chosen.campaign), 0)
    agents = {str(each["id"]): each for each in standing.live["agents"]} if standing.live is not None else {}
    left = room - len(lines) - 1
    wanted = len(_detail(seen, standing, campaigns[at], agents, width, PLENTY))
    below = min(wanted, max(LEAST_DETAIL, left // 3, left - len(campaigns))) if left >= 2 * LEAST_DETAIL else 0
    rows = max(1, min(len(campaigns), left - below))
    first = min(max(0, at - rows // 2), len(campaigns) - rows)
    shown = campaigns[first : first + rows]
    names = max(8, min(24 if width < WITH_BAR else 32, max(cell_len(each.name) for each in shown)))
    lines.append(_titles(names, width))
    lines += [_campaign(standing, each, agents, names, width, selected=each.name == campaigns[at].name) for each in shown]
    if len(shown) < len(campaigns):
        lines[-1] = _marked(lines[-1], width, f" (+{len(campaigns) - len(shown)})")
    return [*lines, *(_detail(seen, standing, campaigns[at], agents, width, room - len(lines)) if below else ())]


def _marked(line: Line, width: int, mark: str) -> Line:
    """The line with a mark at its right end."""
    return (*fitted(line, width - cell_len(mark)), (mark, "dim"))


def _needs(standing: Standing, width: int, room: int) -> list[Line]:
    """What needs somebody, each with its command: where both have no room, the text gives way."""
    found = standing.needs
    most = NEEDS_SHOWN if room >= 20 else 1
    lines: list[Line] = []
    for each in found[:most]:
        more = f"  (+{len(found) - most}: fs-dialer status)" if len(found) > most and each is found[most - 1] else ""
        behind = f"   {each.command}{more}"
        text = clean(f"! {each.text}")
        left = width - cell_len(behind)
        lines.append(((padded(text, left) if cell_len(text) > left >= LEAST_TEXT else text, "red"), (behind, "")))
    return lines


def _titles(names: int, width: int) -> Line:
    missed = 9 + 1 + BAR if width >= WITH_BAR else 9
    agents = f"{'AGENTS':<{GROUPS_WIDTH}} " if width >= WITH_AGENTS else ""
    return ((f"  {'CAMPAIGN':<{names}} {'STATE':<8} {'LINES':>8} {'STAYING':>7}  {'MISSED 30d':<{max(10, missed)}} {agents}WHY", "bold"),)


def _campaign(standing: Standing, report: CampaignReport, agents: Mapping[str, Any], names: int, width: int, *, selected: bool) -> Line:
    view, missed = standing.view(report.name), standing.missed[report.name]
    state = state_of(report, view)
    pieces: list[Piece] = [
        (f"{'>' if selected else ' '} {padded(report.name, names)} ", "bold" if selected else ""),
        (padded(state, 8) + " ", STATE_COLOURS.get(state, "")),
        (f"{lines_of(report, view):>8} ", ""),
        (f"{'/'.join(map(str, staying(standing, report))):>7}  ", ""),
        *_missed(missed, width),
    ]
    if width >= WITH_AGENTS:
        counts = _counts(standing.crews[report.name], agents)
        pieces.append((padded(_grouped(counts) or "-", GROUPS_WIDTH) + " ", ""))
    return (*pieces, (clean(why_of(standing, report)), ""))


def _missed(missed: Missed30, width: int) -> list[Piece]:
    """240/342 #######---: so many of those that the ceiling allows; without a ceiling, of those who answered."""
    count = missed.count
    allowed = int(count.person * missed.most + 1e-9) if missed.most is not None else 0
    text = f"{count.missed:,}/{allowed:,}" if allowed else f"{count.missed:,} of {count.person:,}" if count.person else "-"
    style = "red" if missed.too_many else "yellow" if allowed and count.missed >= 0.8 * allowed else ""
    if width < WITH_BAR:
        return [(padded(text, 10) + " ", style)]
    full = min(BAR, round(BAR * count.missed / allowed)) if allowed else 0
    return [(padded(text, 9) + " ", style), (("#" * full + "-" * (BAR - full) if allowed else " " * BAR) + " ", style)]


def _detail(seen: Seen, standing: Standing, report: CampaignReport, agents: Mapping[str, Any], width: int, room: int) -> list[Line]:
    """The selected campaign: its reason in full, and its agents."""
    view = standing.view(report.name)
    why = f"{report.name}  {report.type} r{report.revision}: {clean(why_of(standing, report))}"
    lines: list[Line] = [(("-" * width, "dim"),)]
    lines += [((part, "bold" if place == 0 else ""),) for place, part in enumerate(wrap(why, max(20, width), subsequent_indent="  ")[:2])]
    if view is not None:
        figures = f"waiting {view['waiting']}  hopper {view['hopper']}  promised {view['promised']}  since start: "
        figures += f"{view['attempts']:,} ended, {view['answered']:,} answered, {view['missed']:,} missed"
        lines.append(((figures, ""),))
    crew = [agents[each] for each in standing.crews[report.name] if each in agents]
    if not crew:
        return lines[:room]
    counts = _counts([str(each["id"]) for each in crew], agents)
    told = f"{plural(len(crew), 'agent')}: " + "  ".join(f"{STATES.get(name, name)} {count}" for name, count in counts.items())
    lines.append(((told if cell_len(told) <= width else f"{plural(len(crew), 'agent')}: {_grouped(counts)}", ""),))
    return [*lines, *_agents(seen, crew, width, room - len(lines))][:room]


def _agents(seen: Seen, crew: Sequence[Mapping[str, Any]], width: int, room: int) -> list[Line]:
    """A cell for each agent, the busiest first; those who have no room are counted."""
    per_row = max(1, width // AGENT_CELL)
    places = per_row * max(0, room)
    order = list(STATES)
    people = sorted(crew, key=lambda each: (order.index(_state(each)) if _state(each) in order else len(order), natural(str(each["name"] or each["id"]))))
    if len(people) > places:
        shown = people[: max(0, places - 1)]
        cells = [_cell(seen, each) for each in shown]
        if places:
            cells.append((padded(f"(+{len(people) - len(shown)})", AGENT_CELL), "dim"))
    else:
        cells = [_cell(seen, each) for each in people]
    return [tuple(cells[at : at + per_row]) for at in range(0, len(cells), per_row)]


def _cell(seen: Seen, agent: Mapping[str, Any]) -> Piece:
    state = _state(agent)
    word = STATES.get(state, state)
    length = "" if state == "logged_out" else f" {_minutes(seen.snapshot_now - float(agent['since']))}"
    name = padded(clean(str(agent["name"] or agent["id"])), AGENT_NAME)
    return (padded(f"{name} {word}{length}", AGENT_CELL), STATE_STYLES.get(state, ""))


def _state(agent: Mapping[str, Any]) -> str:
    """What he does; of one who takes no calls and has none, that."""
    status, state = str(agent["status"]), str(agent["state"])
    return status if status != "available" and state in ("idle", "leg_down") else state


def _counts(crew: Iterable[str], agents: Mapping[str, Any]) -> dict[str, int]:
    counts = Counter(_state(agents[each]) for each in crew if each in agents)
    return {state: counts[state] for state in (*STATES, *sorted(set(counts) - set(STATES))) if counts[state]}


def _grouped(counts: Mapping[str, int]) -> str:
    """ready 2 ring 1 talk 7 wrap 2 away 3"""
    grouped = {word: sum(counts.get(state, 0) for state in states) for word, states in GROUPS.items()}
    return " ".join(f"{word} {count}" for word, count in grouped.items() if count)


def _panel(panel: Panel, width: int, room: int) -> list[Line]:
    size = max(1, room - 1)
    end = min(panel.top + size, len(panel.lines))
    where = f"  {panel.top + 1}-{end} of {len(panel.lines)}" if len(panel.lines) > size else ""
    return [((panel.title, "bold"), (where, "dim")), *(((line, ""),) for line in panel.lines[panel.top : end])]


# --- texts ----------------------------------------------------------------------------------------------------------------------------


def padded(text: str, width: int) -> str:
    """Just so many columns wide; what is too long ends in …"""
    if cell_len(text) <= width:
        return text + " " * (width - cell_len(text))
    return set_cell_size(text, max(0, width - 1)) + "…"[:width]


def fitted(line: Line, width: int) -> Line:
    """No wider than that; a piece that is cut ends in …"""
    pieces: list[Piece] = []
    left = width
    for text, style in line:
        size = cell_len(text)
        if size > left:
            if left > 0:
                pieces.append((padded(text, left), style))
            break
        pieces.append((text, style))
        left -= size
    return tuple(pieces)


def _short(seconds: float) -> str:
    """9 d, 4 h, 12 m, 30 s."""
    return " ".join(ago(seconds).split()[:2])


def _minutes(seconds: float) -> str:
    """1:27; from an hour on 1h02."""
    whole = max(0, int(seconds))
    return f"{whole // 3600}h{whole // 60 % 60:02}" if whole >= 3600 else f"{whole // 60}:{whole % 60:02}"


def plain(seen: Seen) -> str:
    """All of it on one line, for readers, logs and terminals without a cursor."""
    parts = [seen.clock]
    standing = seen.standing
    if standing is None:
        return f"{seen.clock} {seen.error or 'nothing is known yet'}"
    if seen.error:
        parts.append(seen.error)
    live = standing.live
    parts.append("no daemon is running" if live is None else f"calls {live['legs']}/{live['legs_limit']}")
    for report in standing.reports:
        if report.state in ("new", "ended"):
            continue
        view = standing.view(report.name)
        agents = "/".join(map(str, staying(standing, report)))
        missed = f"missed {standing.missed[report.name]}"
        parts.append(f"{report.name} {state_of(report, view)}, lines {lines_of(report, view)}, agents {agents}, {missed}: {clean(why_of(standing, report))}")
    needs = standing.needs
    if needs:
        parts.append(f"{len(needs)} {'needs' if len(needs) == 1 else 'need'} you: {'; '.join(clean(each.text) for each in needs)}")
    return " | ".join(parts)

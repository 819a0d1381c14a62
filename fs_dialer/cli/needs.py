"""What needs a person now: each with the command that mends it or says more.

Symptoms first: nobody dials, then what holds some of the dialling back, then what was refused and lies about. What takes care of itself is not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fs_dialer.cli.output import ago, clean, folded, percent, plural
from fs_dialer.core.figures import MissedCount

if TYPE_CHECKING:
    from fs_dialer.cli.snapshots import Written
    from fs_dialer.db.figures import Troubles
    from fs_dialer.db.shapes import CampaignReport

RUN = "fs-dialer run"
DOCTOR = "fs-dialer doctor"
STATUS = "fs-dialer status"
LAG_S = 1.0  # the engine's own limit: past it nothing new is dialled
LIVING = ("approved", "running", "paused")
BY_ITSELF = "paused by itself"


@dataclass(frozen=True, slots=True)
class Need:
    """`what` and `name`: which kind of thing needs it and which one, for programs; `command`: what to do about it."""

    what: str
    name: str
    text: str
    command: str


@dataclass(frozen=True, slots=True)
class Missed30:
    """A campaign's last 30 days, and its ceiling; None = it has none."""

    count: MissedCount
    most: float | None

    @property
    def too_many(self) -> bool:
        return self.most is not None and self.count.rate > self.most

    def __str__(self) -> str:
        """2.1% of 3%; - where no person answered."""
        if not self.count.person:
            return "-"
        return percent(self.count.rate) + ("" if self.most is None else f" of {self.most * 100:.3g}%")


def needs(
    reports: Sequence[CampaignReport],
    written: Written | None,
    troubles: Troubles,
    missed: Mapping[str, Missed30],
    waiting: int,
) -> list[Need]:
    """All of it, the worst first. `waiting`: commands that nobody has answered yet."""
    live = written.snapshot if written is not None and written.fresh else None
    found = list(_of_daemon(reports, written, live, troubles.open_attempts, waiting))
    if live is not None:
        found += _of_ways(live)
    found += _of_campaigns(reports, missed)
    found += _left_over(troubles, with_daemon=live is not None)
    return found


def lines(found: Sequence[Need], width: int | None = None) -> list[str]:
    """`1 needs you: …` on one line, several below one another with their commands aligned. Where that is wider than the terminal of `width`, each command
    has a line of its own."""
    if not found:
        return []
    if len(found) == 1:
        return _placed(f"1 needs you: {found[0].text}", "     ", found[0].command, width)
    widest = min(max(len(each.text) for each in found), 90)
    if width is not None and any(2 + max(widest, len(each.text)) + 2 + len(each.command) > width for each in found):
        widest = 0
    return [f"{len(found)} need you:", *(line for each in found for line in _placed(f"  {each.text:<{widest}}", "  ", each.command, width))]


def _placed(text: str, between: str, command: str, width: int | None) -> list[str]:
    line = f"{text}{between}{command}"
    if width is None or len(line) <= width:
        return [line]
    return [*folded(text, width, "    "), f"    {command}"]


def _of_daemon(reports: Sequence[CampaignReport], written: Written | None, live: Mapping[str, Any] | None, up: int, waiting: int) -> Iterator[Need]:
    wanted = [report.name for report in reports if report.state in ("running", "draining") or (report.state == "approved" and report.started)]
    if live is None:
        reasons = [f"{plural(len(wanted), 'campaign')} would dial"] if wanted else []
        reasons += [f"{plural(up, 'call')} without a result" if up == 1 else f"{up:,} calls without a result"] if up else []
        reasons += [plural(waiting, "command waits", "commands wait")] if waiting else []
        if reasons:
            heard = "" if written is None else f" since {ago(written.age_s)}"
            yield Need("daemon", "", f"no daemon is running{heard}: {', '.join(reasons)}", RUN)
        return
    if not live["switch_up"]:
        yield Need("switch", "", "the switch is not connected: nobody is called", DOCTOR)
    if not live["store_up"]:
        yield Need("database", "", "the daemon can not reach the database: nobody is called", DOCTOR)
    if float(live.get("lag_s", 0.0)) > LAG_S:
        yield Need("lag", "", f"the daemon is {live['lag_s']:.1f} s behind: nobody new is called until it has caught up", DOCTOR)


def _of_ways(live: Mapping[str, Any]) -> Iterator[Need]:
    for each in live.get("breakers", ()):
        if each["health"] == "closed":
            continue
        name, since = clean(str(each["name"])), f" since {ago(live['now'] - each['opened_at'])}" if each["opened_at"] is not None else ""
        kind = str(each["kind"])
        deferred = f", next try in {ago(each['until'] - live['now'])}" if each["until"] > live["now"] else ""
        word = "rests" if each["health"] == "open" else "is being tried"
        said = str(each["said"]).partition(";")[0]
        command = f"fs-dialer explain gateway {name}" if kind == "gateway" else f"fs-dialer report caller-id {name} --by cause"
        yield Need(kind, name, f"{kind.replace('_', ' ')} {name} {word}{since}{deferred}: {clean(said)}", command)


def _of_campaigns(reports: Sequence[CampaignReport], missed: Mapping[str, Missed30]) -> Iterator[Need]:
    for report in reports:
        name = report.name
        if report.state == "paused" and report.reason.startswith(BY_ITSELF):
            yield Need("campaign", name, f"{name} {clean(report.reason)}", f"fs-dialer explain campaign {name}")
        if report.state in LIVING and report.newest_revision > report.revision:
            yield Need("approval", name, f"{name} dials r{report.revision}; r{report.newest_revision} waits for approval", f"fs-dialer approve {name}")
        counted = missed.get(name)
        if report.state in LIVING and counted is not None and counted.too_many:
            text = f"{name} missed {counted.count.missed:,} of {counted.count.person:,} in 30 days: {counted}"
            yield Need("missed", name, text, f"fs-dialer report campaign {name}")


def _left_over(troubles: Troubles, *, with_daemon: bool) -> Iterator[Need]:
    for campaign, many in sorted(troubles.left_open.items()) if with_daemon else ():
        text = f"{plural(many, 'call')} of {campaign} {'was' if many == 1 else 'were'} left without a result by an earlier daemon"
        yield Need("open_attempts", campaign, text, f"fs-dialer attempt list {campaign}")
    if with_daemon and troubles.unanswered:
        yield Need("commands", "", f"{plural(troubles.unanswered, 'command')} asked of the daemon and not answered", STATUS)
    for webhook, waits_s, error in troubles.failing:
        text = f"webhook {webhook} fails, its oldest message has waited for {ago(waits_s)}: {clean(error)}"
        yield Need("webhook_fails", webhook, text, f"fs-dialer webhook outbox --webhook {webhook} --waiting")
    for webhook, many in sorted(troubles.unsent.items()):
        text = f"{plural(many, 'message')} to the webhook {webhook} {'was' if many == 1 else 'were'} given up"
        yield Need("webhook", webhook, text, f"fs-dialer webhook outbox --webhook {webhook} --given-up")
    for name, file, campaign, many in troubles.refused:
        where = f" for {campaign}" if campaign else ""
        text = f"{plural(many, 'row')} of {clean(file)}{where} {'was' if many == 1 else 'were'} refused today ({name})"
        yield Need("import", name, text, "mend them in the file of refused rows, and import that file")

"""`fs-dialer doctor`: asks database, switch and machine at once, tells what is wrong, and gives one verdict."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import click

from fs_dialer.cli import output
from fs_dialer.cli.command import command
from fs_dialer.cli.doctor import ask_database, ask_machine, ask_switch, call, several
from fs_dialer.cli.doctor.checks import Check, is_ready, report, verdict_line
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.settings import Session

ALL_S = 9.0  # nobody waits longer for a doctor


@dataclass(frozen=True, slots=True)
class Examination:
    checks: list[Check]
    anything_reached: bool  # database or switch


def examine(session: Session, *, test_call: bool) -> Examination:
    """Everything, in at most ALL_S seconds. ConfigError where the settings themselves can not be read."""
    settings, until = session.settings(), time.monotonic() + ALL_S
    asking = ask_database.Asking(session)
    line, reachable = ask_switch.connect(settings, until)
    try:
        answer = asking.result()
        why = ask_database.why_nothing_is_wanted(answer)
        checks = ask_database.judge(answer, session)
        checks += [reachable, *ask_switch.examine(line, settings, several.of_switch(answer.wanted, several.MAIN), why)]
        checks += several.examine(settings, until, answer.wanted, why)
        checks += ask_machine.examine(settings, answer.wanted, why)
        if test_call:
            fallback = next((check.verdict for check in checks if check.id == "switch.fallback"), None)
            checks += call.examine(line, fallback)
    finally:
        if line is not None:
            line.close()
    return Examination(checks, answer.reached or reachable.verdict.value == "fine")


@command(
    "doctor",
    examples=("fs-dialer doctor", "fs-dialer doctor --call --all"),
    exits={
        Exit.DONE: "ready; there may be warnings",
        Exit.FAILED: "not ready",
        Exit.REFUSED: "fs-dialer.yml has problems",
        Exit.UNREACHABLE: "neither the database nor the switch was reachable",
    },
)
@click.option("--all", "all_told", is_flag=True, help="Tell what is fine too, and what could not be asked.")
@click.option("--call", "test_call", is_flag=True, help="Make a test call inside the switch; it rings nowhere and leaves nothing behind.")
def doctor(session: Session, all_told: bool, test_call: bool) -> None:
    """Is everything there that calling people needs?

    Asks the database, the switch and this machine, and tells what is wrong with its remedy, and one verdict. Changes nothing and calls nobody. Run it
    as the daemon's user, where the daemon runs.
    """
    found = examine(session, test_call=test_call)
    stdout = sys.stdout
    lines = report(found.checks, all_told=all_told, width=output.terminal_width(stdout), colour=output.wants_colour(stdout))
    session.say(*lines, verdict_line(found.checks, all_told=all_told))
    ready = is_ready(found.checks)
    session.result({"ready": ready, "checks": found.checks})
    sys.exit(Exit.DONE if ready else Exit.FAILED if found.anything_reached else Exit.UNREACHABLE)

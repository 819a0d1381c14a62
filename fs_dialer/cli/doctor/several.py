"""Every switch of several: the checks of one (ask_switch.py), for each with what its definition asks of it, named by the switch.

A switch's own lines, calls per second and trunks stand in installation.yml; how it is reached in fs-dialer.yml. A name that stands in one of them only is a
mistake, and told. The one named main is examined like an only one, with its own limits.
"""

from __future__ import annotations

from dataclasses import replace

from fs_dialer.cli.doctor import ask_switch
from fs_dialer.cli.doctor.checks import Check, bad, warn
from fs_dialer.cli.doctor.wanted import Wanted
from fs_dialer.config.daemon import DaemonSettings

MAIN = "main"
DOCS = "docs/switches.md"


def of_switch(wanted: Wanted | None, name: str) -> Wanted | None:
    """What is asked of one of them: its own limits, where they are below the installation's, and its own trunks."""
    if wanted is None or not wanted.switches:
        return wanted
    own = next((switch for switch in wanted.switches if switch.id == name), None)
    if own is None:
        return None
    gateways = {gateway: who for gateway, who in wanted.gateways.items() if not own.gateways or gateway in own.gateways}
    lines = wanted.lines if own.lines is None else min(own.lines, wanted.lines)
    return replace(wanted, lines=lines, cps=wanted.cps if own.cps is None else min(own.cps, wanted.cps), gateways=gateways)


def examine(settings: DaemonSettings, until: float, wanted: Wanted | None, why_not: str) -> list[Check]:
    """All but main. `until`: on time.monotonic(), for all of them together."""
    checks = compare(settings, wanted)
    for name, link in settings.switches.items():
        own = replace(settings, esl=link, switches={})
        line, reachable = ask_switch.connect(own, until)
        try:
            told = [reachable, *ask_switch.examine(line, own, of_switch(wanted, name), why_not or "it stands in no definition")]
        finally:
            if line is not None:
                line.close()
        checks += [replace(check, id=f"{name}.{check.id}", what=f"{name}: {check.what}") for check in told]
    return checks


def compare(settings: DaemonSettings, wanted: Wanted | None) -> list[Check]:
    """installation.yml against fs-dialer.yml."""
    if wanted is None or not (wanted.switches or settings.switches):
        return []
    reached, declared = {MAIN, *settings.switches}, [str(switch.id) for switch in wanted.switches]
    checks = [
        bad(f"{name}.switch.reachable", f"switch {name} is in installation.yml, and fs-dialer.yml does not say how to reach it", f"switches.{name}: {DOCS}")
        for name in declared
        if name not in reached
    ]
    for name in sorted(reached - set(declared)):
        remedy = f"installation.yml: switches.{name}, then: fs-dialer apply"
        checks.append(warn(f"{name}.switch.declared", f"switch {name} is reached, and no definition gives it calls", remedy))
    return checks

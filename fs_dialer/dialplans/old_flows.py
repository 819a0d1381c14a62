"""Flows and queues that are installed, are wanted no more, and have callers: they stay until those are gone.

Pure. A call looks up its next step when it comes to it, so a flow whose extensions vanish ends its calls in the middle. What stays is taken, line for line,
from the file that is installed; so nothing needs to know a definition that may be gone from the database too.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fs_dialer.dialplans.files import FLOWS, QUEUES

_EXTENSION = re.compile(r'^    <extension name="([A-Za-z0-9_.+-]+)">\n.*?^    </extension>\n', re.DOTALL | re.MULTILINE)
_END = "  </context>\n"
_FLOW = re.compile(r"([A-Za-z0-9_-]+\.[0-9a-f]{8})(?:\..*)?")
_BELOW_QUEUE = re.compile(r"(.+)\.(?:key|fallback|overflow)")


def flow_of(name: str) -> str | None:
    """`dues.3f2a91c4` of an extension of it, or of one of its nodes; None for what belongs to all flows."""
    found = _FLOW.fullmatch(name)
    return found[1] if found else None


def queue_of(name: str) -> str:
    found = _BELOW_QUEUE.fullmatch(name)
    return found[1] if found else name


_OWNER: dict[str, Callable[[str], str | None]] = {FLOWS: flow_of, QUEUES: queue_of}


def owners(path: str, text: str) -> list[str]:
    """The flows, or queues, of an installed file, in its order."""
    owner = _OWNER.get(path)
    return [] if owner is None else list(dict.fromkeys(each for name in _EXTENSION.findall(text) if (each := owner(name))))


def with_old(path: str, wanted: str, installed: str, has_callers: Callable[[str], bool]) -> tuple[str, list[str]]:
    """The wanted file with those of the installed one that are not in it and have callers, and which these are."""
    owner = _OWNER.get(path)
    if owner is None or wanted.count(_END) != 1:
        return wanted, []
    now = set(owners(path, wanted))
    stay = [each for each in owners(path, installed) if each not in now and has_callers(each)]
    blocks = [found[0] for found in _EXTENSION.finditer(installed) if owner(found[1]) in stay]
    head, end, tail = wanted.partition(_END)
    return "".join((head, *blocks, end, tail)), stay

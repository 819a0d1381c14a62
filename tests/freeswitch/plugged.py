"""Our part in the switch as an admin puts it there: `fs-dialer switch install`, from what the database of a test holds, and gone again afterwards."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from fs_dialer.dialplans.files import FALLBACK, FLOWS, PUBLIC, QUEUES
from tests.freeswitch.told import Told
from tests.freeswitch.world import World


@contextmanager
def plugged_in(world: World, told: Told, *options: str) -> Iterator[Path]:
    """The switch's conf folder, with flows and queues of the database in it. The test is skipped where that folder is not ours to write."""
    conf = Path(told.api("global_getvar conf_dir"))
    if not os.access(conf / "dialplan", os.W_OK):
        pytest.skip(f"needs to write to {conf / 'dialplan'}: the dialplan of the switch")
    told.forget_rows()
    before = {name: (conf / name).read_bytes() for name in (FALLBACK, FLOWS, QUEUES, PUBLIC) if (conf / name).exists()}
    world.command("switch", "install", "--conf-dir", str(conf), "--reload", "--force", *options)
    try:
        yield conf
    finally:
        world.command("switch", "uninstall", "--conf-dir", str(conf), "--reload", "--force")
        for name, data in before.items():  # one like ours, copied there by hand, was taken over by the installation
            if not (conf / name).exists():
                (conf / name).write_bytes(data)
        with closing(Told(world.address)) as now:  # the switch may have been restarted
            now.api("reloadxml")
            now.forget_rows()


def asked(world: World, *words: str) -> dict[str, Any]:
    """What a command says with --json."""
    found = json.loads(world.command(*words, "--json"))
    assert isinstance(found, dict)
    return found

"""doctor: is our part of the dialplan in the switch, and as the definitions are now?"""

from __future__ import annotations

from fs_dialer.cli.doctor import plugin
from fs_dialer.cli.doctor.checks import Verdict
from fs_dialer.cli.doctor.wanted import wanted
from fs_dialer.core.definition import Installation
from fs_dialer.core.flow import Ivr, Node, extension
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.dialplans.files import FLOWS, QUEUES, switch_files
from fs_dialer.dialplans.options import SwitchOptions

FLOW = Ivr(name="dues", nodes=(Node(name="hello", do="play", sound="hello.wav"),))
OTHER = Ivr(name="dues", nodes=(Node(name="hello", do="play", sound="good-day.wav"),))
QUEUE = QueueDefinition(name="support")
FILES = switch_files((FLOW,), (QUEUE,), SwitchOptions())


def test_a_flow_with_its_mark_in_the_switch_is_fine() -> None:
    assert plugin.flows(FILES[FLOWS], {extension(FLOW): ("campaign spring",)}).verdict is Verdict.FINE


def test_a_flow_of_older_definitions_is_bad_and_told_with_its_campaign() -> None:
    check = plugin.flows(FILES[FLOWS], {extension(OTHER): ("campaign spring",)})
    assert check.verdict is Verdict.BAD and "campaign spring" in check.what and f"older one, {extension(FLOW)}" in check.what
    assert "switch install" in check.remedy


def test_a_switch_without_our_contexts_has_no_flow() -> None:
    assert plugin.flows("-ERR can't find context", {extension(FLOW): ("campaign spring",)}).verdict is Verdict.BAD


def test_a_queue_that_is_not_there_is_bad() -> None:
    assert plugin.queues(FILES[QUEUES], ("support",)).verdict is Verdict.FINE
    check = plugin.queues(FILES[QUEUES], ("support", "sales"))
    assert check.verdict is Verdict.BAD and "queue sales" in check.what


def test_a_module_that_is_not_loaded_is_told_with_who_needs_it() -> None:
    check = plugin.modules({"mod_db": "false", "mod_dptools": "true"}, {"mod_db": "keys pressed in queue support", "mod_dptools": "every flow and queue"})
    assert check.verdict is Verdict.BAD and check.what == "not loaded: mod_db (keys pressed in queue support)" and "load mod_db" in check.remedy


def test_queues_are_wanted_with_their_modules_and_without_them_nothing_is() -> None:
    assert "mod_db" in wanted(Installation(), [], [], queues=[QUEUE]).modules and wanted(Installation(), [], [], queues=[QUEUE]).queues == ("support",)
    assert wanted(Installation(), [], []).modules == {}

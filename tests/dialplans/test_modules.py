"""Which modules of FreeSWITCH flows and queues need."""

from __future__ import annotations

from fs_dialer.core.flow import Ivr, Node
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.dialplans.modules import modules_needed


def a_flow(*nodes: Node) -> Ivr:
    return Ivr(name="dues", nodes=nodes)


def test_nothing_is_needed_where_there_is_nothing() -> None:
    assert modules_needed((), ()) == {}


def test_a_queue_needs_mod_db_for_its_keys() -> None:
    assert modules_needed((), (QueueDefinition(name="support"),))["mod_db"] == "keys pressed in queue support"


def test_an_opt_out_needs_mod_db() -> None:
    assert modules_needed((a_flow(Node(name="stop", do="opt_out")),), ())["mod_db"] == "flow dues, node stop"


def test_values_are_said_by_the_module_of_their_language() -> None:
    node = Node(name="owed", do="say", text="{due}", say_as="money", language="pt_BR")
    assert "mod_say_pt" in modules_needed((a_flow(node),), ())


def test_texts_need_the_engine_that_speaks_them() -> None:
    assert "mod_flite" in modules_needed((a_flow(Node(name="hello", do="play", text="Hello")),), ())
    assert "mod_flite" not in modules_needed((a_flow(Node(name="hello", do="play", sound="hello.wav")),), ())


def test_a_detector_of_answering_machines_is_a_module() -> None:
    assert {"mod_amd", "mod_avmd"} <= set(modules_needed((), (), ("amd", "avmd")))

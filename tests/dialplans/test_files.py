"""What goes into the switch's dialplan folder, all together."""

from __future__ import annotations

from xml.etree import ElementTree

from fs_dialer.core.flow import Ivr, Node
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.dialplans.files import FALLBACK, FLOWS, PUBLIC, QUEUES, switch_files
from fs_dialer.dialplans.options import SwitchOptions

FLOW = Ivr(name="dues", nodes=(Node(name="hello", do="play", sound="hello.wav"),))
NUMBERED = QueueDefinition(name="support", numbers=("+442079460200",))


def test_every_context_is_there_even_where_it_is_empty() -> None:
    """A transfer into a context that the switch does not know would end a call; so none is ever missing."""
    files = switch_files((), (), SwitchOptions())
    assert sorted(files) == sorted((FALLBACK, FLOWS, QUEUES))
    names = [context.get("name") for text in files.values() for context in ElementTree.fromstring(text).findall("context")]
    assert sorted(filter(None, names)) == ["fsd", "fsd_ivr", "fsd_queue"]


def test_the_door_from_the_network_is_there_where_a_queue_has_numbers() -> None:
    assert PUBLIC in switch_files((FLOW,), (NUMBERED,), SwitchOptions())
    assert PUBLIC not in switch_files((FLOW,), (QueueDefinition(name="support"),), SwitchOptions())


def test_equal_definitions_give_equal_bytes_in_any_order_of_asking() -> None:
    assert switch_files((FLOW, FLOW), (NUMBERED,), SwitchOptions()) == switch_files((FLOW,), (NUMBERED,), SwitchOptions())


def test_the_notice_and_the_limit_are_those_of_the_options() -> None:
    text = switch_files((), (), SwitchOptions(notice="sorry.wav", release_after_s=45))[FALLBACK]
    assert 'data="sorry.wav"' in text and 'data="+45 ALLOTTED_TIMEOUT"' in text

"""Flows and queues that are wanted no more stay as long as they have callers."""

from __future__ import annotations

from fs_dialer.core.flow import Ivr, Node, extension
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.dialplans.files import FALLBACK, FLOWS, QUEUES, switch_files
from fs_dialer.dialplans.inspection import faults
from fs_dialer.dialplans.old_flows import flow_of, owners, queue_of, with_old
from fs_dialer.dialplans.options import SwitchOptions

OLD = Ivr(name="dues", nodes=(Node(name="hello", do="play", sound="hello.wav"),))
NEW = Ivr(name="dues", nodes=(Node(name="hello", do="play", sound="good-day.wav"),))
SUPPORT, SALES = QueueDefinition(name="support"), QueueDefinition(name="sales")


def files(ivrs: tuple[Ivr, ...] = (), queues: tuple[QueueDefinition, ...] = ()) -> dict[str, str]:
    return switch_files(ivrs, queues, SwitchOptions())


def test_a_changed_flow_leaves_the_old_one_beside_it_for_its_callers() -> None:
    text, stay = with_old(FLOWS, files((NEW,))[FLOWS], files((OLD,))[FLOWS], lambda _: True)
    assert stay == [extension(OLD)] and owners(FLOWS, text) == [extension(NEW), extension(OLD)]
    assert f'name="{extension(OLD)}.hello"' in text and faults(text) == []


def test_without_callers_it_goes() -> None:
    wanted = files((NEW,))[FLOWS]
    assert with_old(FLOWS, wanted, files((OLD,))[FLOWS], lambda _: False) == (wanted, [])


def test_one_that_stayed_is_carried_on_and_goes_in_the_end_byte_for_byte() -> None:
    wanted = files((NEW,))[FLOWS]
    once, _ = with_old(FLOWS, wanted, files((OLD,))[FLOWS], lambda _: True)
    assert with_old(FLOWS, wanted, once, lambda _: True)[0] == once
    assert with_old(FLOWS, wanted, once, lambda _: False)[0] == wanted


def test_what_all_flows_share_is_never_there_twice() -> None:
    text, _ = with_old(FLOWS, files(())[FLOWS], files((OLD,))[FLOWS], lambda _: True)
    assert text.count('<extension name="fsd_over">') == 1


def test_a_queue_that_is_gone_keeps_its_fallback_for_those_who_wait() -> None:
    text, stay = with_old(QUEUES, files(queues=(SALES,))[QUEUES], files(queues=(SUPPORT, SALES))[QUEUES], lambda name: name == "support")
    assert stay == ["support"] and 'name="support.fallback"' in text and text.count('name="sales"') == 1 and faults(text) == []


def test_other_files_are_taken_as_they_are_wanted() -> None:
    assert with_old(FALLBACK, "new", "old", lambda _: True) == ("new", [])


def test_whose_an_extension_is() -> None:
    assert [flow_of(name) for name in ("dues.3f2a91c4", "dues.3f2a91c4.main.1", "fsd_over")] == ["dues.3f2a91c4", "dues.3f2a91c4", None]
    assert [queue_of(name) for name in ("support", "support.key", "support.fallback")] == ["support"] * 3

"""A queue's extensions: its door, its keys, its fallback and overflow; and the door from the network."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fs_dialer.core.definition import GatewayDefinition
from fs_dialer.core.model import GatewayId
from fs_dialer.core.queue_definition import Announce, CallbackKey, Overflow, QueueDefinition
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.dialplans.queues import KEYS, public_file, queue_file
from fs_dialer.errors import EslUnsafe

GOLDEN = Path(__file__).parent / "golden"
OPTIONS = SwitchOptions(
    recordings="/var/lib/fs-dialer/recordings",
    notice="fs-dialer/sorry.wav",
    music="local_stream://waiting",
    release_after_s=45,
    gateways=(GatewayDefinition(id=GatewayId("trunk1")), GatewayDefinition(id=GatewayId("trunk2"), plus=False, prefix="00")),
)
EVERYTHING = QueueDefinition(
    name="support",
    title="Customer support",
    numbers=("+442079460200", "442079460200"),
    music="fs-dialer/queue/music.wav",
    announce=Announce(every_s=45.0, position="fs-dialer/place.wav"),
    callback=CallbackKey(key="star", after_s=20.0, say="fs-dialer/we-call.wav"),
    overflow=Overflow(do="voicemail", sound="fs-dialer/after-the-beep.wav", at_most_s=90.0),
)
NOTHING = QueueDefinition(name="plain")
ELSEWHERE = QueueDefinition(name="night", overflow=Overflow(do="number", number="+442079460300", gateway="trunk2"))
FILES = {"queue_everything.xml": EVERYTHING, "queue_nothing.xml": NOTHING, "queue_elsewhere.xml": ELSEWHERE}


def actions(queue: QueueDefinition, extension: str) -> list[tuple[str, str]]:
    tree = ElementTree.fromstring(queue_file((queue,), OPTIONS))
    found = tree.findall(f"./context/extension[@name='{extension}']/condition/action")
    return [(action.get("application", ""), action.get("data", "")) for action in found]


# --- the whole ----------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S71", "S72")
@pytest.mark.parametrize("name", FILES)
def test_a_queue_is_rendered_as_the_golden_file_has_it(name: str) -> None:
    assert queue_file((FILES[name],), OPTIONS) == (GOLDEN / name).read_text(encoding="utf-8"), "python -m tests.dialplans.test_queues"


def test_a_queue_with_numbers_has_a_door_from_the_network() -> None:
    assert public_file((EVERYTHING, NOTHING)) == (GOLDEN / "public.xml").read_text(encoding="utf-8")


def test_without_numbers_there_is_no_door_from_the_network() -> None:
    assert public_file((NOTHING,)) == ""


def test_two_queues_with_one_number_are_refused() -> None:
    with pytest.raises(EslUnsafe, match="twice"):
        public_file((EVERYTHING, QueueDefinition(name="other", numbers=("+442079460200",))))


def test_a_queue_that_is_named_like_an_extension_of_another_is_refused() -> None:
    with pytest.raises(EslUnsafe, match="twice"):
        queue_file((EVERYTHING, QueueDefinition(name="support.key")), OPTIONS)


# --- the door -----------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S72", "S73")
@pytest.mark.parametrize("queue", [EVERYTHING, NOTHING], ids=lambda queue: queue.name)
def test_all_twelve_keys_are_bound_and_one_at_most_is_the_right_one(queue: QueueDefinition) -> None:
    bound = [data.split(",", 2) for application, data in actions(queue, queue.name) if application == "bind_digit_action"]
    assert sorted(key for _, key, _ in bound) == sorted(KEYS)
    right = [key for _, key, what in bound if what == f"exec[i]:execute_extension,{queue.name}.key XML fsd_queue"]
    assert right == (["*"] if queue.callback else [])
    assert all("Fsd-What=wrong" in what for _, key, what in bound if key not in right)


def test_the_fallback_is_armed_and_music_ordered_before_the_daemon_is_told() -> None:
    order = [application for application, _ in actions(EVERYTHING, "support")]
    assert order.index("sched_transfer") < order.index("sched_broadcast") < order.index("event") < order.index("park")
    assert order[0] == "answer" and order[-1] == "park"


def test_behind_music_that_ends_other_music_waits() -> None:
    assert [data for application, data in actions(EVERYTHING, "support") if application == "sched_broadcast"] == [
        "+1 fs-dialer/queue/music.wav",
        "+2 local_stream://waiting",
    ]
    assert [data for application, data in actions(NOTHING, "plain") if application == "sched_broadcast"] == ["+1 local_stream://moh"]


@pytest.mark.spec("D7")
@pytest.mark.parametrize(
    ("number", "taken"),
    [("+442079460000", True), ("0207946000", True), ("", False), ("anonymous", False), ("${system(id)}", False), ("1;2", False), ("1/2.key", False),
     ("+", False), ("1" * 21, False), ("٣٤٥", False)],
)  # fmt: skip
def test_a_number_is_digits_perhaps_after_a_plus(number: str, taken: bool) -> None:
    tree = ElementTree.fromstring(queue_file((NOTHING,), OPTIONS))
    condition = tree.find(".//extension[@name='plain']/condition[@field='caller_id_number']")
    assert condition is not None and condition.get("break") == "never", "one without a number is served as well"
    found = re.search(condition.get("expression", ""), number)
    assert (found is not None) == taken and (found is None or found[1] == number)


@pytest.mark.spec("D7")
def test_nothing_that_a_caller_says_is_expanded() -> None:
    """Every variable that is named is ours, digits, or the switch's own; his number gets in by the brackets of an expression only."""
    allowed = {"fsd_queue", "fsd_since", "fsd_number", "uuid", "last_bridge_to", "record_seconds", "strepoch()"}
    for queue in FILES.values():
        text = queue_file((queue,), OPTIONS)
        words = set(re.findall(r"\$\{([^${}]*)\}", text))
        assert {word for word in words if not word.startswith("cond(")} <= allowed
        assert text.count("$1") == 1


# --- rows ---------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("S72")
def test_a_key_is_kept_before_it_is_told() -> None:
    assert actions(EVERYTHING, "support.key") == [
        ("db", "insert/fsd_kept/${uuid}.key/support;${fsd_number};${fsd_since};${strepoch()}"),
        ("event", "Event-Name=CUSTOM,Event-Subclass=fsd::queue,Fsd-What=key,Fsd-Key=*,Fsd-At=${strepoch()}"),
    ]


@pytest.mark.parametrize("extension", ["support.key", "support.fallback"])
def test_whoever_an_agent_has_met_leaves_no_row(extension: str) -> None:
    tree = ElementTree.fromstring(queue_file((EVERYTHING,), OPTIONS))
    conditions = tree.findall(f".//extension[@name='{extension}']/condition")
    assert [(c.get("field"), c.get("expression")) for c in conditions][1] == ("${last_bridge_to}", "^$")


def test_the_row_of_one_who_is_let_go_is_ordered_before_anything_is_played() -> None:
    order = actions(EVERYTHING, "support.fallback")
    hook = next(n for n, (application, data) in enumerate(order) if data.startswith("api_hangup_hook=db insert/fsd_kept/"))
    assert hook < next(n for n, (application, _) in enumerate(order) if application == "playback")


def test_a_conversation_with_the_number_is_not_cut_and_leaves_no_row() -> None:
    order = actions(ELSEWHERE, "night.fallback")
    assert ("bridge", "sofia/gateway/trunk2/00442079460300") in order
    assert ("set", "execute_on_pre_bridge_1=sched_cancel") in order and ("set", "execute_on_pre_bridge_3=unset api_hangup_hook") in order
    assert [application for application, _ in order].index("bridge") < [application for application, _ in order].index("sched_hangup")


# --- refused ------------------------------------------------------------------------------------------------------------

WRONG = {
    "a name that the switch would split": (QueueDefinition(name="a b"), OPTIONS),
    "music that it would run": (QueueDefinition(name="a", music="${system(id)}"), OPTIONS),
    "a notice that never ends": (NOTHING, SwitchOptions(notice="local_stream://moh")),
    "a folder that it would split": (EVERYTHING, SwitchOptions(recordings="/var/my recordings")),
    "a folder that it would run": (EVERYTHING, SwitchOptions(recordings="/var/${system(id)}")),
    "a number without a trunk": (ELSEWHERE, SwitchOptions()),
    "a limit out of bounds": (NOTHING, SwitchOptions(release_after_s=0)),
}


@pytest.mark.spec("D7")
@pytest.mark.parametrize("what", WRONG)
def test_it_is_refused(what: str) -> None:
    queue, options = WRONG[what]
    with pytest.raises(EslUnsafe):
        queue_file((queue,), options)


if __name__ == "__main__":
    for name, queue in FILES.items():
        (GOLDEN / name).write_text(queue_file((queue,), OPTIONS), encoding="utf-8")
    (GOLDEN / "public.xml").write_text(public_file((EVERYTHING, NOTHING)), encoding="utf-8")

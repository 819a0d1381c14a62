"""Each client of the event socket through one call on the real switch: originate, answer, bridge, hang up. What it reads, the translation understands."""

from __future__ import annotations

import importlib.util
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from fs_dialer.core import events as ev
from fs_dialer.core.leg_plan import FALLBACK_AFTER_S, FALLBACK_CONTEXT, FALLBACK_EXTENSION
from fs_dialer.core.model import LegId, SwitchId
from fs_dialer.esl import commands
from fs_dialer.esl.translate import SUBSCRIBE, SUBSCRIBE_CUSTOM, translate
from tests.contract.client_process import ClientProcess
from tests.freeswitch import number_plan as plan
from tests.freeswitch.conftest import Sipp
from tests.freeswitch.number_plan import STAYS, Kind
from tests.freeswitch.watch import Address

MAIN = SwitchId("main")
CALL_S = 10.0
LIBRARY = {"greenswitch": "greenswitch", "python-esl": "ESL"}


def needs(kind: str) -> Any:
    missing = kind in LIBRARY and importlib.util.find_spec(LIBRARY[kind]) is None
    return pytest.param(kind, marks=pytest.mark.skip(reason=f"{kind} is not installed") if missing else ())


class Talk:
    """A client's process, and all it told as core events."""

    def __init__(self, client: ClientProcess) -> None:
        self.client = client
        self.told: list[ev.Event] = []

    def until(self, wanted: ev.Event, times: int = 1) -> None:
        """Until this was told so often; AssertionError when it is not."""
        deadline = time.monotonic() + CALL_S
        while self.told.count(wanted) < times:
            assert time.monotonic() < deadline, f"no {wanted} among {self.told}"
            message = self.client.next()
            assert "event" in message, message
            event = translate(message["event"], message["headers"], message["body"], MAIN)
            if event is not None:
                self.told.append(event)

    def originate(self, leg: str, endpoint: commands.Endpoint, **variables: commands.Value) -> None:
        variables["execute_on_answer"] = commands.ScheduledTransfer(FALLBACK_AFTER_S, FALLBACK_EXTENSION, FALLBACK_CONTEXT)
        text = commands.originate(leg, endpoint, {"originate_timeout": 5, "ignore_early_media": True, **variables})
        assert self.client.call("bgapi", command=text, job_uuid=leg)["reply"] is None

    def api(self, command: str) -> str:
        return str(self.client.call("api", command=command)["reply"])


@pytest.fixture
def talk(kind: str, address: Address) -> Iterator[Talk]:
    settings: dict[str, Any] = {"event_format": "plain"} if kind == "native-plain" else {}
    client = ClientProcess(
        kind.removesuffix("-plain"),
        host=address.host,
        port=address.port,
        password=address.password,
        events=list(SUBSCRIBE),
        custom_events=list(SUBSCRIBE_CUSTOM),
        **settings,
    )
    assert client.next() == {"link": "up", "epoch": 1}
    yield Talk(client)
    client.kill()


@pytest.mark.parametrize("kind", [needs("native"), needs("native-plain"), needs("greenswitch"), needs("python-esl")])
def test_call_is_made_answered_bridged_and_ended(kind: str, talk: Talk, customers: Sipp, agents: Sipp) -> None:
    customer, agent = LegId(str(uuid.uuid4())), LegId(str(uuid.uuid4()))
    number = Kind(plan.RINGS_AND_ANSWERS, STAYS).numbers(1, first=980)[0]
    talk.originate(agent, commands.agent_endpoint("sofia/internal/ready-0@127.0.0.1:5090"), park_after_bridge=True, fsd_role="agent", fsd_agent="ready-0")
    talk.until(ev.LegAnswered(agent))
    talk.until(ev.OriginateSucceeded(agent, agent))
    talk.until(ev.LegParked(agent))
    talk.originate(customer, commands.gateway_endpoint("trunk1", number), fsd_role="lead", fsd_attempt=customer)
    talk.until(ev.LegRang(customer, early=False))
    talk.until(ev.LegAnswered(customer))
    talk.until(ev.OriginateSucceeded(customer, customer))
    talk.until(ev.LegParked(customer))
    for leg in (customer, agent):
        assert talk.api(commands.sched_del(leg)).startswith("+OK")
    assert talk.api(commands.uuid_bridge(customer, agent)) == f"+OK {agent}\n"
    talk.until(ev.LegBridged(customer, agent))
    assert talk.api(commands.uuid_kill(customer, "NORMAL_CLEARING")).startswith("+OK")
    talk.until(ev.LegUnbridged(customer, agent))
    talk.until(ev.LegDestroyed(customer))
    talk.until(ev.LegParked(agent), times=2)
    assert talk.api(commands.uuid_exists(agent)) == "true"
    assert talk.api(commands.uuid_kill(agent, "NORMAL_CLEARING")).startswith("+OK")
    talk.until(ev.LegDestroyed(agent))

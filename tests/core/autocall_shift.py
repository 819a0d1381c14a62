"""A shift of an autocall campaign in virtual time: its flow as our own dialplan in the simulated switch, and customers who press keys there."""

from __future__ import annotations

from typing import Any

from fs_dialer.core.actions import CloseAttempt
from fs_dialer.core.definition import GatewayDefinition
from fs_dialer.core.flow import Ivr, Node
from fs_dialer.core.model import AttemptResult, CampaignType, GatewayId, LeadUpdate
from fs_dialer.dialplans.fallback import Fallback, fallback_file
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.ivr.render import flow_file
from fs_dialer.modes.autocall import Machines, Options
from fs_dialer.sim.keypad import KeyRule
from fs_dialer.sim.laws import fixed
from fs_dialer.sim.people import Behaviour
from tests.core.virtual_shift import Shift, a_shift_campaign

URL = "https://crm.example.com/dues"


def dues(**changes: Any) -> Ivr:
    """1 = an agent, else voice mail; 2 = a service is asked; 9 = do not call me; 0 = goodbye; nothing = no success."""
    nodes = (
        Node(name="hello", do="play", sound="hello.wav", next="main"),
        Node(
            name="main",
            do="menu",
            sound="menu.wav",
            keys=(("1", "adviser"), ("2", "balance"), ("9", "stop"), ("0", "wants"), ("hash", "number")),
            tries=2,
            timeout_s=3.0,
            otherwise="unheard",
        ),
        Node(name="adviser", do="connect", sound="moment.wav", otherwise="message"),
        Node(name="message", do="record", at_most_s=30.0, silence_s=4.0, next="bye"),
        Node(name="balance", do="http", url=URL, send=("number", "due", "main"), take=("paid",), timeout_s=4.0, next="paid", otherwise="unheard"),
        Node(name="paid", do="if", what="paid", among=("yes",), next="wants", otherwise="adviser"),
        Node(name="wants", do="set", set=(("wants_call", "yes"), ("by", "key")), next="bye"),
        Node(name="stop", do="opt_out", sound="never.wav", list="own", next="bye"),
        Node(name="number", do="transfer", number="+442079460000", ring_s=10.0, otherwise="unheard"),
        Node(name="bye", do="end", sound="bye.wav"),
        Node(name="unheard", do="end", success=False),
    )
    return Ivr(name="dues", nodes=changes.pop("nodes", nodes), at_most_s=120.0, **changes)


def presses(*keys: str, after_s: float = 1.0, **more: Any) -> Behaviour:
    """He answers after a second, and presses these at the menu; then he waits as long as it takes."""
    rule = KeyRule("main", script=keys or ("none",), after=fixed(after_s))
    return Behaviour("answer", 1.0, rules=(rule,), **({"talk_s": 20.0} | more))


def files(*ivrs: Ivr) -> tuple[str, ...]:
    return (flow_file(ivrs, SwitchOptions(gateways=(GatewayDefinition(id=GatewayId("trunk1")),))), fallback_file(Fallback()))


def autocall(
    *customers: Behaviour, agents: tuple[str, ...] = ("ana",), ivr: Ivr | None = None, machines: Machines | None = None, leads: int = 0, **more: Any
) -> Shift:
    """`customers`: by number, the first the first lead's; the last one is everybody's from there on. `more`: of the campaign, and nailed, lines, cps, service,
    dialplan of the shift."""
    flow = ivr or dues()
    ours: dict[str, Any] = {name: more.pop(name) for name in ("nailed", "lines", "cps", "service", "dialplan", "seed") if name in more}
    options = Options(ivr=flow) if machines is None else Options(ivr=flow, machines=machines)
    lines = {"lines": more.pop("at_once")} if "at_once" in more else {}
    campaign = a_shift_campaign(CampaignType.AUTOCALL, agents=agents, options=options, **(lines | more))
    script = {f"+1212555{n:04d}": each for n, each in enumerate(customers, start=1)}
    last: dict[str, Any] = {"customers": customers[-1]} if customers else {}
    settings: dict[str, Any] = {"dialplan": files(flow)} | ours | last
    return Shift(campaign, script, leads=leads or max(1, len(customers)), **settings)


def closed(shift: Shift, n: int = 1) -> tuple[AttemptResult, LeadUpdate]:
    """What became of the n-th attempt that ended."""
    action = shift.all(CloseAttempt)[n - 1]
    return action.result, action.update


def over(shift: Shift, count: int = 1, limit_s: float = 300.0) -> tuple[AttemptResult, LeadUpdate]:
    """Let time pass until so many attempts have ended; the last of them."""
    shift.until(lambda: len(shift.all(CloseAttempt)) >= count, f"{count} calls are over", limit_s)
    return closed(shift, count)


def way(result: AttemptResult) -> str:
    """`main=1 message=12`."""
    return " ".join(f"{step.node}={step.value}" for step in result.ivr)

"""Is our part of the dialplan in the switch, and as the definitions are now: flows by their marks, queues, and the modules that they need?

Pure: replies of the event socket in, checks out. What is missing is what `switch install` puts there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fs_dialer.cli.doctor.checks import Check, bad, fine
from fs_dialer.cli.doctor.wanted import users
from fs_dialer.cli.output import plural
from fs_dialer.core.model import SwitchId
from fs_dialer.core.switch_names import IVR_CONTEXT, QUEUE_CONTEXT
from fs_dialer.esl.translate import flows_in

FLOWS, QUEUES = f"xml_locate dialplan context name {IVR_CONTEXT}", f"xml_locate dialplan context name {QUEUE_CONTEXT}"
INSTALL = "fs-dialer switch install --reload, on the switch's machine (docs/switch.md)"
_ANY = SwitchId("any")


def flows(xml: str, wanted: Mapping[str, Sequence[str]]) -> Check:
    """`xml_locate` of the context, against flows by their names there, `dues.3f2a91c4`: a flow of older definitions has another mark."""
    id, there = "switch.flows", flows_in(xml, "", _ANY).flows
    missing = [name for name in wanted if name not in there]
    if not missing:
        return fine(id, f"{plural(len(wanted), 'flow')} of campaigns in the switch")
    first, other = missing[0], sorted(name for name in there if name.partition(".")[0] == missing[0].partition(".")[0])
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    older = f"; it has an older one, {other[0]}" if other else ""
    return bad(id, f"the switch does not have flow {first}{more}, for {users(wanted[first])}{older}: its calls can not be made", INSTALL)


def queues(xml: str, wanted: Sequence[str]) -> Check:
    id, there = "switch.queues", flows_in("", xml, _ANY).queues
    missing = [name for name in wanted if name not in there]
    if missing:
        return bad(id, f"the switch does not have queue {', '.join(missing)}: its callers are turned away", INSTALL)
    return fine(id, f"{plural(len(wanted), 'queue')} in the switch")


def modules(replies: Mapping[str, str], wanted: Mapping[str, str]) -> Check:
    """`module_exists NAME`, for each module that flows and queues need."""
    id, missing = "switch.flow_modules", [name for name in wanted if replies[name].strip() != "true"]
    if missing:
        told = ", ".join(f"{name} ({wanted[name]})" for name in missing)
        return bad(id, f"not loaded: {told}", "modules.conf.xml, then: " + "; ".join(f"fs_cli -x 'load {name}'" for name in missing))
    return fine(id, f"modules of flows and queues: {', '.join(wanted)}")

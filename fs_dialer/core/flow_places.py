"""Which switches have a campaign's IVR flow, and why none of its calls may be placed where none has it. Pure questions to the world."""

from __future__ import annotations

from fs_dialer.core.model import SwitchId
from fs_dialer.core.world import Run, World

ASKED = "the flows of the switch are being asked for"


def has_flow(w: World, run: Run, switch: SwitchId) -> bool:
    """Whether this switch can take the campaign's calls as far as its flow goes."""
    return not run.plan.in_flow or run.plan.ivr in w.flows.get(switch, ())


def why_not(w: World, run: Run) -> str:
    """Why none of the campaign's calls may be placed for want of its flow, "" = they may."""
    if not run.plan.in_flow or any(run.plan.ivr in flows for flows in w.flows.values()):
        return ""
    if run.plan.script is None:
        return "the campaign has no flow: ivr: NAME"
    if not w.flows:
        return ASKED
    return f"the flow {run.plan.script.name} of revision {run.definition.revision} is not in the switch: fs-dialer switch reload"

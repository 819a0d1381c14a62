"""GET /api/campaigns: what every campaign does now, and why; counts since the daemon started, leads at most half a minute old."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Response

from fs_dialer.core.snapshot import CampaignView
from fs_dialer.runtime.web_ports import Refused
from fs_dialer.web.answers import json_answer

if TYPE_CHECKING:
    from fs_dialer.web.routes import Call


def show(call: Call) -> Response:
    seen = call.view.snapshot()
    if seen is None:
        raise Refused(503, "standing_by", "this daemon stands by, another is the active one", "ask the active one", retry_after_s=5)
    counts = call.view.lead_counts()
    return json_answer(200, {"campaigns": [_shown(campaign, counts) for campaign in seen.campaigns]})


def _shown(campaign: CampaignView, counts: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    return {
        "name": campaign.id,
        "type": campaign.type.value,
        "state": campaign.state.value,
        "revision": campaign.revision,
        "because": campaign.because,
        "lines": campaign.lines,
        "waiting": campaign.waiting,
        "dials": campaign.attempts,
        "answered": campaign.answered,
        "missed": campaign.missed,
        "bridged": campaign.bridged,
        "agents": campaign.staying,
        "idle": campaign.idle,
        "leads": {status: count for (name, status), count in counts.items() if name == campaign.id},
    }

"""GET /healthz: 200 while this daemon is the active one and can work, else 503 with the reasons. Open to all: it tells nothing but that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from fs_dialer.web.answers import json_answer

if TYPE_CHECKING:
    from fs_dialer.web.routes import Call


def show(call: Call) -> Response:
    seen = call.view.health()
    return json_answer(200 if seen.ok else 503, {"ok": seen.ok, "active": seen.active, "reasons": list(seen.reasons)})

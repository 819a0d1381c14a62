"""What every answer has in common: JSON, headers that keep browsers at a distance, and one shape for all that goes wrong.

An error is {"error": one word for programs, "why": what is wrong, "mend": what to do about it}.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import orjson
from flask import Flask, Response

from fs_dialer.errors import StoreError
from fs_dialer.runtime.web_ports import Refused

log = logging.getLogger("fs_dialer.web")

JSON = "application/json"
# Nothing here is a page, and nothing is for a browser's scripts: no CORS header is ever sent.
SAFE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
DATABASE_RETRY_S = 5

_MEND = {
    400: "see docs/integrations.md for what is expected",
    404: "GET /api/openapi.json says what there is",
    405: "use a method named in the header Allow",
    411: "send a Content-Length",
    413: "send less in one request",
    415: "send application/json",
}


def json_answer(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Equal bodies give equal bytes: keys are sorted."""
    return Response(orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE), status, headers=dict(headers or {}), mimetype=JSON)


def refusal(refused: Refused) -> Response:
    headers = {}
    if refused.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="fs-dialer"'
    if refused.retry_after_s is not None:
        headers["Retry-After"] = str(refused.retry_after_s)
    return json_answer(refused.status, {"error": refused.error, "why": refused.why, "mend": refused.mend}, headers)


def _of_http(status: int, error: Any) -> Response:
    word = str(getattr(error, "name", "error")).lower().replace(" ", "_")
    made = refusal(Refused(status, word, getattr(error, "description", None) or word, _MEND.get(status, "see docs/integrations.md")))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            made.headers[name] = value
    return made


def give_every_answer_its_shape(app: Flask, *, tls: bool) -> None:
    """Error handlers and headers for the whole app."""

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        return refusal(error)

    @app.errorhandler(StoreError)
    def no_database(error: StoreError) -> Response:
        log.warning("http_without_database error=%s", error)
        why, mend = "the database cannot be used now, or is busy with an import", "try again with the same Idempotency-Key; nothing was stored"
        return refusal(Refused(503, "database", why, mend, retry_after_s=DATABASE_RETRY_S))

    @app.errorhandler(Exception)
    def other(error: Exception) -> Response:
        """What Flask itself refuses (no such address, too large …) knows its status; whatever does not is a bug of ours."""
        if isinstance(status := getattr(error, "code", None), int):
            return _of_http(status, error)
        log.error("http_failed", exc_info=error)
        return refusal(Refused(500, "bug", "a bug of fs-dialer", "report it with the lines of the daemon's log; nothing was stored"))

    @app.after_request
    def safe(response: Response) -> Response:
        for name, value in SAFE_HEADERS.items():
            response.headers.setdefault(name, value)
        if tls:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response

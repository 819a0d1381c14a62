"""POST /api/campaigns/…/leads and POST /api/dnc: JSON in, to the desk, its answer out. What a row may say is the desk's to judge."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import orjson
from flask import Request, Response, abort

from fs_dialer.runtime.web_ports import Answer, Refused
from fs_dialer.web.answers import JSON, json_answer

if TYPE_CHECKING:
    from fs_dialer.web.routes import Call

KEY_HEADER = "Idempotency-Key"


def add(call: Call) -> Response:
    assert call.token is not None
    key = call.request.headers.get(KEY_HEADER, "")
    if not key:
        text = f"the header {KEY_HEADER} is missing"
        raise Refused(400, "idempotency_key", text, "send one, new for every request: then a repeated request does nothing twice")
    rows, body = given(call.request)
    fingerprint = hashlib.sha256(call.request.path.encode() + b"\n" + body).hexdigest()
    return _told(call.desk.add_leads(call.words["campaign"], rows, token=call.token.id, key=key, fingerprint=fingerprint))


def forbid(call: Call) -> Response:
    assert call.token is not None
    return _told(call.desk.forbid(given(call.request)[0], token=call.token.id))


def given(request: Request) -> tuple[object, bytes]:
    """The body as a value of JSON, and as it came. Refused for what is none."""
    if request.mimetype != JSON or request.headers.get("Content-Encoding"):
        raise Refused(415, "not_json", f"the body must be {JSON}, as it is", f"send `Content-Type: {JSON}`, and no Content-Encoding")
    try:
        body = request.get_data(cache=False)
    except (OSError, ValueError) as error:  # it stopped in the middle, or its chunks are none
        raise Refused(408, "body_broken_off", f"the body did not come whole: {error}", "send it again, with the same Idempotency-Key") from None
    if request.content_length is None and len(body) >= (request.max_content_length or 0):
        abort(413)  # a body in chunks is cut off at the limit without a word
    try:
        return orjson.loads(body), body
    except orjson.JSONDecodeError as error:
        raise Refused(400, "bad_json", f"the body is no JSON: {error}", "check it with a JSON parser; it must be UTF-8") from None


def _told(answer: Answer) -> Response:
    return json_answer(answer.status, answer.body, {"Idempotent-Replayed": "true"} if answer.replayed else None)

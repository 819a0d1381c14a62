"""The addresses of the agent interface: one for each verb, twice: for the agent himself and for his supervisors. Made from the table of verbs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fs_dialer.core.agent_verbs import arguments
from fs_dialer.web import agents
from fs_dialer.web.agent_schemas import CARD_ANSWER, DESK, DONE, FILED, FILED_DONE, arguments_schema
from fs_dialer.web.guard import OPERATORS
from fs_dialer.web.route import ASKED, Route
from fs_dialer.web.schemas import ERROR

HIMSELF = frozenset({"agent"})
KEY = {"Idempotency-Key": "of your choice, one for each act; the same key with the same body gets the same answer and does nothing again"}
VERBS: Mapping[str, str] = {
    "open_screen": "His campaign screen is open: he gets campaign calls (S83)",
    "close_screen": "It is closed: no more calls of campaigns that need it (S84)",
    "available": "He takes calls",
    "not_available": "He takes none (S85); in a call it takes effect after it",
    "log_out": "He goes",
    "pause_campaign": "No new calls of this one campaign",
    "resume_campaign": "Calls of this campaign again",
    "take": "Manual: the next customer of a campaign, or the lead named (S29)",
    "accept": "He has seen the preview: the time before the call runs (D17)",
    "extend_preview": "More time before the call",
    "dial": "Call the lead on his card now (S36)",
    "skip": "Pass the lead over; it goes back undialled",
    "hang_up": "End the call, or the dialling of it",
    "hold": "The customer waits with music",
    "resume": "Back to the customer",
    "transfer": "The customer goes to an agent, a team or a number",
    "complete_transfer": "He leaves; the customer talks to whom he consulted",
    "record": "Record the call from here on",
    "stop_recording": "Stop recording",
    "pause_recording": "The recording is silent for a while",
    "resume_recording": "The recording goes on",
    "extend_wrap_up": "More rest after the call",
    "end_wrap_up": "Ready before the rest is over",
}
FILED_VERBS: Mapping[str, str] = {
    "dispose": "The result of a call (M12); while the call is up it is kept until its end",
    "answers": "Answers to the script's questions, saved at once (S14, M23, M24)",
    "callback": "Promise to call again",
    "do-not-call": "The customer is not called any more",
}
SUPERVISORS: Mapping[str, str] = {
    "supervise": "Ring the supervisor's telephone, and let it hear the agent's call",
    "stop_supervising": "Hang up whoever listens",
}

_ACTED = {
    **ASKED,
    400: ("something in the request is no good; nothing was done", ERROR),
    404: ("there is no such agent or call", ERROR),
    409: ("refused: `why` says so in words for the agent; or the key was used for another request", ERROR),
    503: ("this daemon is not the active one, did not answer in time, or its database is away", ERROR),
}
_SEEN = {**ASKED, 404: ("there is no such agent, or nothing to show", ERROR), 503: ("this daemon is not the active one, or busy", ERROR)}


def routes() -> Iterator[Route]:
    for prefix, name, roles in (("/api/agent", "agent", HIMSELF), ("/api/agents/<agent>", "agents", OPERATORS)):
        yield Route(
            "GET",
            f"{prefix}/desk",
            f"{name}_desk",
            "The agent's picture, and the card of his call",
            agents.desk,
            roles,
            answers={200: ("", DESK), **_SEEN},
            lively=True,
        )
        yield Route(
            "GET",
            f"{prefix}/events",
            f"{name}_events",
            "The same as a stream: an event for every change",
            agents.events,
            roles,
            headers={"Last-Event-ID": "go on behind this event"},
            query={"after": "the same, for clients that cannot set a header"},
            answers={200: ("events desk, card, reply, goodbye; docs/agent-interface.md", None), **_SEEN},
            media=agents.EVENT_STREAM,
            lively=True,
        )
        yield Route(
            "GET",
            f"{prefix}/card",
            f"{name}_card",
            "What is known of the customer: of his call, the call named or the lead named",
            agents.card,
            roles,
            query={"call": "the id of a call", "lead": "the id of a lead of a campaign that he serves"},
            answers={200: ("", CARD_ANSWER), 400: ("no id", ERROR), **_SEEN},
            lively=True,
        )
        for verb, summary in {**VERBS, **(SUPERVISORS if roles == OPERATORS else {})}.items():
            body = arguments_schema(verb, arguments(verb))
            yield _verb(prefix, name, verb, summary, roles, body, DONE)
        for verb, summary in FILED_VERBS.items():
            yield _verb(prefix, name, verb, summary, roles, FILED[verb], FILED_DONE)


def _verb(prefix: str, name: str, verb: str, summary: str, roles: frozenset[str], body: object, done: object) -> Route:
    assert isinstance(body, Mapping) and isinstance(done, Mapping)
    return Route(
        "POST",
        f"{prefix}/{verb}",
        f"{name}_{verb.replace('-', '_')}",
        summary,
        agents.verb(verb),
        roles,
        body=body,
        headers=KEY,
        answers={200: ("done", done), **_ACTED},
        lively=True,
    )

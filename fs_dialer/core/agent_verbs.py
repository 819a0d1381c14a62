"""The words of the agent interface (HTTP, `fs-dialer agent …`, the commands table) as events: one table for all of them.

A verb's arguments come as texts. Whatever is wrong with them is a BadVerb with what, why and how to mend it; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fs_dialer.core import agent_events as ag
from fs_dialer.core.events import Event, SetAgentStatus
from fs_dialer.core.model import AgentId, AgentStatus, AttemptId, CampaignId, CommandId, LeadId

LEASE_S = 30.0  # of a campaign screen that nobody closes, after the last heartbeat
LONGEST_LEASE_S = 24 * 3600.0
MOST_DIGITS = 18  # of an id: a bigint of the database holds every such number
TRANSFER_KINDS = ("agent", "team", "number")
SUPERVISE_HOW = ("listen", "whisper", "barge")


class BadVerb(ValueError):
    """An unknown verb, or an argument that is missing or no good; the text is for people."""


Args = Mapping[str, str]
Made = Callable[[CommandId, str, AgentId, Args], Event]


def event_of(command_id: CommandId, who: str, agent: AgentId, verb: str, args: Args) -> Event:
    """BadVerb for what can not be understood. Whether it may be done now is the engine's to say."""
    rule = _TABLE.get(verb)
    if rule is None:
        raise BadVerb(f"there is no agent verb {verb!r}; there are {', '.join(_TABLE)}")
    unknown = sorted(set(args) - set(rule[0]))
    if unknown:
        known = f"it takes {', '.join(rule[0])}" if rule[0] else "it takes no arguments"
        raise BadVerb(f"{verb} does not know {unknown[0]!r}; {known}")
    return rule[1](command_id, who, agent, args)


def arguments(verb: str) -> tuple[str, ...]:
    """The names of a verb's arguments. BadVerb when there is no such verb."""
    if verb not in _TABLE:
        raise BadVerb(f"there is no agent verb {verb!r}; there are {', '.join(_TABLE)}")
    return _TABLE[verb][0]


def _need(args: Args, name: str, hint: str) -> str:
    value = args.get(name, "").strip()
    if not value:
        raise BadVerb(f"{name} is missing: {hint}")
    return value


def _call(args: Args) -> AttemptId | None:
    return AttemptId(args["call"]) if args.get("call") else None


def _lease(args: Args) -> float:
    text = args.get("lease_s", "")
    try:
        lease = float(text) if text else LEASE_S
    except ValueError:
        raise BadVerb(f"lease_s {text!r} is no number of seconds") from None
    if not 1 <= lease <= LONGEST_LEASE_S:
        raise BadVerb(f"lease_s must be from 1 to {LONGEST_LEASE_S:.0f} seconds")
    return lease


def _lead(args: Args) -> LeadId | None:
    text = args.get("lead", "")
    if text and not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise BadVerb(f"lead {text[:40]!r} is no lead id; it is a whole number, as `lead list` shows it")
    return LeadId(int(text)) if text else None


def _status(status: AgentStatus) -> Made:
    return lambda id, who, agent, args: SetAgentStatus(id, who, agent, status, args.get("reason", ""))


def _transfer(id: CommandId, who: str, agent: AgentId, args: Args) -> Event:
    kind = _need(args, "kind", f"one of {', '.join(TRANSFER_KINDS)}")
    if kind not in TRANSFER_KINDS:
        raise BadVerb(f"a call is transferred to one of {', '.join(TRANSFER_KINDS)}, not to {kind!r}")
    attended = args.get("attended", "no")
    if attended not in ("yes", "no"):
        raise BadVerb("attended is yes or no")
    return ag.Transfer(id, who, agent, kind, _need(args, "to", "whom the customer is transferred to"), attended == "yes", _call(args))


def _supervise(id: CommandId, who: str, agent: AgentId, args: Args) -> Event:
    how = args.get("how", "listen")
    if how not in SUPERVISE_HOW:
        raise BadVerb(f"how is one of {', '.join(SUPERVISE_HOW)}")
    return ag.Supervise(id, who, agent, _need(args, "dial", "the supervisor's dial string, such as user/1009"), how)


_TABLE: dict[str, tuple[tuple[str, ...], Made]] = {
    "open_screen": (("lease_s",), lambda id, who, agent, args: ag.OpenScreen(id, who, agent, _lease(args))),
    "close_screen": ((), lambda id, who, agent, args: ag.CloseScreen(id, who, agent)),
    "available": (("reason",), _status(AgentStatus.AVAILABLE)),
    "not_available": (("reason",), _status(AgentStatus.NOT_AVAILABLE)),
    "log_out": (("reason",), _status(AgentStatus.LOGGED_OUT)),
    "pause_campaign": (
        ("campaign", "why"),
        lambda id, who, agent, args: ag.PauseInCampaign(
            id, who, agent, CampaignId(_need(args, "campaign", "which of his campaigns")), True, args.get("why", "")
        ),
    ),
    "resume_campaign": (
        ("campaign", "why"),
        lambda id, who, agent, args: ag.PauseInCampaign(
            id, who, agent, CampaignId(_need(args, "campaign", "which of his campaigns")), False, args.get("why", "")
        ),
    ),
    "take": (
        ("campaign", "lead"),
        lambda id, who, agent, args: ag.TakeLead(id, who, agent, CampaignId(_need(args, "campaign", "a manual campaign of his")), _lead(args)),
    ),
    "accept": (("call",), lambda id, who, agent, args: ag.AcceptPreview(id, who, agent, _call(args))),
    "extend_preview": (("call",), lambda id, who, agent, args: ag.ExtendPreview(id, who, agent, _call(args))),
    "dial": (("call",), lambda id, who, agent, args: ag.DialNow(id, who, agent, _call(args))),
    "skip": (("call", "reason"), lambda id, who, agent, args: ag.SkipLead(id, who, agent, _call(args), args.get("reason", ""))),
    "hang_up": (("call",), lambda id, who, agent, args: ag.HangUp(id, who, agent, _call(args))),
    "hold": (("call",), lambda id, who, agent, args: ag.HoldCall(id, who, agent, _call(args))),
    "resume": (("call",), lambda id, who, agent, args: ag.ResumeCall(id, who, agent, _call(args))),
    "transfer": (("call", "kind", "to", "attended"), _transfer),
    "complete_transfer": (("call",), lambda id, who, agent, args: ag.CompleteTransfer(id, who, agent, _call(args))),
    "record": (("call",), lambda id, who, agent, args: ag.RecordCall(id, who, agent, "start", _call(args))),
    "stop_recording": (("call",), lambda id, who, agent, args: ag.RecordCall(id, who, agent, "stop", _call(args))),
    "pause_recording": (("call",), lambda id, who, agent, args: ag.RecordCall(id, who, agent, "pause", _call(args))),
    "resume_recording": (("call",), lambda id, who, agent, args: ag.RecordCall(id, who, agent, "resume", _call(args))),
    "disposed": (("call", "code"), lambda id, who, agent, args: ag.Disposed(id, who, agent, _call(args), args.get("code", ""))),
    "extend_wrap_up": ((), lambda id, who, agent, args: ag.ExtendWrapUp(id, who, agent)),
    "end_wrap_up": ((), lambda id, who, agent, args: ag.EndWrapUp(id, who, agent)),
    "supervise": (("dial", "how"), _supervise),
    "stop_supervising": ((), lambda id, who, agent, args: ag.StopSupervising(id, who, agent)),
}

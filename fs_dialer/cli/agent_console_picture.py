"""What `agent console` shows, as lines of coloured text: pure, from what the interface told and what the keyboard chose.

The first line answers "what do I get, and if nothing, why?" from facts that are never merged: status, state, campaign screen, campaigns. Every text that came
from outside is cleaned, and cut by the columns it takes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from textwrap import wrap
from typing import Any

from rich.cells import cell_len

from fs_dialer.cli.agent_console_keys import ACTS, WORDS, Chosen, Known
from fs_dialer.cli.output import clean, moment, plural
from fs_dialer.cli.top_picture import Line, Piece, fitted

BAR = 12
MOST_HISTORY, MOST_ATTRIBUTES, MOST_CAMPAIGNS = 4, 6, 4
CALL_WORDS = {
    "previewing": "PREVIEW", "queued": "COMING", "ringing_agent_first": "YOUR PHONE RINGS", "dialing": "DIALING", "early": "RINGING", "answered": "ANSWERED",
    "waiting_agent": "CUSTOMER WAITS", "bridged": "TALKING", "held": "ON HOLD", "consulting": "CONSULTING", "cancelling": "ENDING", "notice": "ENDING",
}  # fmt: skip
HELP = (
    "Enter or F2: what is most likely next (accept, dial, back from hold, ready, get a customer)",
    "Tab: the script's questions; 1-9 choose an answer, letters type one, Esc leaves",
    "1-9: the call's result, also while you talk; it is filed when the call is over",
    "l: promise to call again     n: never call this number again     q: leave the console",
    "F7 or b: break and back      F8 or x: hang up      F9 or h: hold and back      Esc never hangs up",
)


def picture(known: Known, chosen: Chosen, width: int, height: int, now: float) -> list[Line]:
    """`height` lines, none wider than `width`. `now`: this machine's clock, epoch seconds."""
    at = now + known.ahead
    head = [_top(known, at), *_trouble(known)]
    if known.desk is None:
        body: list[Line] = [((known.why or "asking …", "red" if known.why else ""),)]
    else:
        body = [*_campaigns(known.desk), (), _state(known, at), ()]
        body += _help(width) if chosen.help else _customer(known, chosen, at, width)
    foot = _foot(known, chosen, width)
    room = max(0, height - len(head) - len(foot))
    lines = [*head, *body[:room], *([()] * (room - len(body))), *foot][: max(1, height)]
    return [fitted(line, width) for line in lines]


def clock(seconds: float) -> str:
    """0:07, 12:30, 1:02:03; never below zero."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


# --- what he gets -----------------------------------------------------------------------------------------------------------------------


def _top(known: Known, at: float) -> Line:
    written = time.strftime("%H:%M:%S", time.localtime(at))
    desk = known.desk
    if desk is None:
        return (("agent console", "bold"), (f"   {written}", ""))
    status = desk["status"].replace("_", " ").upper()
    reason = f" ({clean(desk['reason'])})" if desk["reason"] else ""
    if desk["leaving"]:
        status, reason = f"{status} AFTER THIS CALL", reason
    style = {"available": "bold green", "not_available": "bold yellow"}.get(desk["status"], "bold")
    screen = "screen closed" if desk["screen_until"] is None else "screen open"
    parts: list[Piece] = [(clean(desk["name"] or desk["agent"]), "bold"), ("  ", ""), (status, style), (reason, style)]
    parts += [(f"  {desk['state'].replace('_', ' ')} {clock(at - desk['since'])}", ""), (f"  {screen}", "" if desk["screen_until"] else "yellow")]
    missed = f"  {desk['missed_in_row']} missed" if desk["missed_in_row"] else ""
    return (*parts, (missed, "red"), (f"  {plural(desk['calls'], 'call')}", ""), (f"  {written}", "dim"))


def _trouble(known: Known) -> list[Line]:
    if known.up or known.desk is None:
        return []
    still = "your call is still up on your phone; " if known.call is not None else ""
    return [(("OFFLINE  ", "bold red"), (f"{still}trying again … {clean(known.why)}", "red"))]


def _campaigns(desk: Mapping[str, Any]) -> list[Line]:
    lines: list[Line] = []
    for each in desk["campaigns"][:MOST_CAMPAIGNS]:
        closed = each["screen_needed"] and desk["screen_until"] is None
        why = "paused for you" if each["paused"] else "open your campaign screen (o)" if closed and each["running"] else clean(each["because"])
        lines.append(((f"  {each['id']}", "cyan"), (f"  {each['type']}: {why}", "dim" if each["running"] else "yellow")))
    if (more := len(desk["campaigns"]) - MOST_CAMPAIGNS) > 0:
        lines.append(((f"  and {more} more", "dim"),))
    return lines or [(("  you serve no campaign", "yellow"),)]


def _state(known: Known, at: float) -> Line:
    """The call with its clocks, or the rest, or nothing."""
    desk, call = known.desk, known.call
    assert desk is not None
    if call is not None:
        name = clean(known.card["name"]) if known.card is not None and known.card["name"] else ""
        who: tuple[Piece, ...] = ((f"  {name}", "bold"), (f"  {call['number']}  {call['campaign']}, try {call['attempts'] + 1}", ""))
        more = f"  {call['extensions']} x more time" if call["extensions"] else ""
        return (*_call(call, at), *who, (more, ""))
    if desk["state"] == "wrap_up" or desk["rest_until"] is not None:
        left = (
            "" if desk["rest_until"] is None else f" {clock(desk['rest_until'] - at)} left {_bar(desk['rest_until'] - at, desk['rest_until'] - desk['since'])}"
        )
        more = f"  {desk['wrap_up_extensions']} x more time" if desk["wrap_up_extensions"] else ""
        owed = "" if desk["last"] is None or desk["last"]["disposed"] else "  no result yet"
        return (("WRAP-UP", "bold yellow"), (left + more, ""), (owed, "red"))
    if desk["state"] == "leg_down":
        return (("YOUR PHONE IS NOT CONNECTED", "bold red"), ("  it is called again; take the call", ""))
    if desk["status"] != "available":
        return (("AWAY", "bold yellow"), ("  no calls until you are back (b)", ""))
    return (("READY", "bold green"), (f" {clock(at - desk['since'])}", ""))


def _call(call: Mapping[str, Any], at: float) -> tuple[Piece, ...]:
    state = call["state"]
    word = CALL_WORDS.get(state, state.replace("_", " ").upper())
    if state == "previewing":
        until = call["preview_until"]
        if not call["accepted"]:
            return ((word, "bold cyan"), (" accept it first (a)", ""))
        if until is None:
            return ((word, "bold cyan"), (" dial when you like", ""))
        return ((word, "bold cyan"), (f" {clock(until - at)} {_bar(until - at, until - call['since'])}", ""))
    since = {"bridged": call["bridged_at"], "waiting_agent": call["answered_at"], "answered": call["answered_at"]}.get(state) or call["since"]
    recording = {"on": "  REC", "paused": "  rec silent"}.get(call["recording"], "")
    consulting = f" {clean(call['consulting'])}{'' if call['consult_up'] else ' (ringing)'}" if call["consulting"] else ""
    return ((word, "bold green" if state == "bridged" else "bold yellow"), (f" {clock(at - since)}{consulting}", ""), (recording, "bold red"))


def _bar(left: float, whole: float) -> str:
    share = min(1.0, max(0.0, left / whole)) if whole > 0 else 0.0
    full = round(share * BAR)
    return f"[{'#' * full}{'-' * (BAR - full)}]"


# --- the customer -----------------------------------------------------------------------------------------------------------------------


def _customer(known: Known, chosen: Chosen, at: float, width: int) -> list[Line]:
    card = known.card
    if card is None:
        return [((" reading the card …", "dim"),)] if known.about is not None else []
    zone = card["zone"] or "UTC"
    lines: list[Line] = [((clean(card["name"] or "no name"), "bold"), (f"  {card['number']}  {clean(zone)}, {moment(at, zone)} there", ""))]
    known_of = {**card["attributes"], **(card.get("parameters") or {})}
    shown = [f"{clean(str(key))}: {clean(str(value))}" for key, value in list(known_of.items())[:MOST_ATTRIBUTES]]
    lines += [((f"  {line}", ""),) for line in wrap("; ".join(shown), max(20, width - 4))]
    earlier = [each for each in card["calls"] if each["id"] != known.about]
    lines += [((f"  {_told(each, zone)}", "dim"),) for each in earlier[:MOST_HISTORY]]
    lines += [((f"  ticket: {clean(each['channel'])} {clean(each['queue'] or '')} {moment(each['created_at'], zone)} {clean(each['note'] or '')}", "yellow"),)
              for each in card["tickets"][:2]]  # fmt: skip
    lines += [((f"  promised for {moment(each['at'], zone)} by {clean(each['agent'] or 'anyone')}", "yellow"),) for each in card["promised"][:2]]
    lines += _script(known, card, chosen, width)
    if known.dispositions:
        lines.append(())
    for number, each in enumerate(known.dispositions[:9], 1):
        mark = "*" if card.get("disposition") == each["code"] else " "
        lines.append(((f" {mark}{number} ", "bold"), (clean(each["effect"]), "")))
    return lines


def _told(call: Mapping[str, Any], zone: str) -> str:
    words = [moment(call["at"], zone), (call["disposition"] or call["outcome"] or "up").replace("_", " "), call["agent"] or "", clean(call["note"] or "")]
    return "  ".join(word for word in words if word)


def _script(known: Known, card: Mapping[str, Any], chosen: Chosen, width: int) -> list[Line]:
    lines: list[Line] = []
    asked = known.questions
    number = 0
    for item in card["script"]:
        if item["say"]:
            lines += [((f"  {line}", "italic"),) for line in wrap(f"“{clean(item['say'])}”", max(20, width - 6))]
        if not item["ask"]:
            continue
        here = chosen.question is not None and chosen.question < len(asked) and asked[chosen.question]["key"] == item["key"]
        number += 1
        given = card["answers"].get(item["key"])
        answer = ", ".join(map(str, given)) if isinstance(given, list) else "" if given is None else str(given)
        star = "*" if item["required"] and item["key"] in card["missing"] else " "
        lines.append(((f"{'>' if here else ' '}{star}{number} {clean(item['ask'])} ", "bold" if here else ""), (clean(answer), "green")))
        if here and item["options"]:
            choices = "  ".join(f"({n}) {clean(each)}" for n, each in enumerate(item["options"], 1))
            lines += [((f"     {line}", "cyan"),) for line in wrap(choices, max(20, width - 6))]
    return [(), *lines] if lines else []


# --- the bottom -------------------------------------------------------------------------------------------------------------------------


def _foot(known: Known, chosen: Chosen, width: int) -> list[Line]:
    if chosen.prompt is not None:
        room = max(8, width - cell_len(chosen.prompt.label) - 4)
        last: Line = ((f"{clean(chosen.prompt.label)}: ", "bold"), (f"{clean(chosen.prompt.text)[-room:]}_", "reverse"))
        return [last]
    message: Line = ((clean(chosen.message), "bold red" if chosen.bad else "bold"),)
    return [message, *[((line, "dim"),) for line in _side_by_side(_keys(known, chosen), width)[:3]]]


def _side_by_side(words: list[str], width: int) -> list[str]:
    """As many to a line as it has room for."""
    lines = [""]
    for word in words:
        longer = f"{lines[-1]}   {word}" if lines[-1] else word
        if cell_len(longer) < width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _keys(known: Known, chosen: Chosen) -> list[str]:
    """The keys that do something now."""
    if chosen.question is not None:
        return ["1-9 choose", "letters type", "Tab next", "up back", "Esc leave the script", "F8 hang up"]
    shown = []
    for key, verbs, word in ACTS:
        if verb := next((each for each in verbs if each in known.can), None):
            shown.append(f"{key} {WORDS.get(verb, word)}")
    if known.about is not None:
        shown += ["l call later", "n never again"] + (["1-9 result"] if known.dispositions else [])
    if known.questions:
        shown.append("Tab script")
    return [*shown, "? help", "q quit"]


def _help(width: int) -> list[Line]:
    return [((part, ""),) for line in HELP for part in wrap(line, max(20, width - 2), subsequent_indent="    ")]


# --- as lines ---------------------------------------------------------------------------------------------------------------------------


def plain(kind: str, data: Mapping[str, Any], known: Known, now: float) -> str:
    """One event as a line, for scripts and screen readers; "" for what a line tells nothing new of."""
    stamp = time.strftime("%H:%M:%S", time.localtime(now + known.ahead))
    if kind == "up":
        return f"{stamp} connected"
    if kind in ("down", "goodbye"):
        return f"{stamp} offline: {clean(str(data.get('why', '')))}"
    if kind == "reply":
        return f"{stamp} {data['verb'].replace('_', ' ')}: {'' if data['ok'] else 'refused: '}{clean(data['text'])}"
    if kind == "card" and known.card is not None:
        return f"{stamp} customer {clean(known.card['name'] or 'without a name')}, {known.card['number']}, {len(known.card['calls'])} earlier calls"
    if kind != "desk" or known.desk is None:
        return ""
    desk = known.desk
    state = "".join(text for text, _ in _state(known, now + known.ahead)).strip()
    screen = "screen open" if desk["screen_until"] is not None else "screen closed"
    return f"{stamp} {desk['status'].replace('_', ' ')}, {screen}, {state}"

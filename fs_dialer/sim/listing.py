"""What the switch prints about itself: status, show channels and calls in three formats, uuid_dump, sofia status.

Knows columns, spacing and the empty forms (freeswitch.md 37; recording s04f). Changes nothing.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

from fs_dialer.esl.wire import quote_value
from fs_dialer.sim.leg import ANSWERED, EARLY, HUNG_UP, Leg, SwitchEvent

if TYPE_CHECKING:
    from fs_dialer.sim.switch import SimSwitch

_WHO: Final = ("uuid", "direction", "created", "created_epoch", "name", "state", "cid_name", "cid_num", "ip_addr", "dest")
_DOES: Final = (
    "application", "application_data", "dialplan", "context", "read_codec", "read_rate", "read_bit_rate", "write_codec", "write_rate",
    "write_bit_rate", "secure", "hostname")
_STANDS: Final = ("presence_id", "presence_data", "accountcode", "callstate", "callee_name", "callee_num", "callee_direction")
_SENT: Final = ("sent_callee_name", "sent_callee_num")
CHANNELS: Final = (
    *_WHO, *_DOES, *_STANDS, "call_uuid", *_SENT, "initial_cid_name", "initial_cid_num", "initial_ip_addr", "initial_dest", "initial_dialplan",
    "initial_context")
_CALL_SIDE: Final = (*_WHO, *_STANDS)
CALLS: Final = (*_CALL_SIDE, "call_uuid", "hostname", *_SENT, *(f"b_{name}" for name in (*_CALL_SIDE, *_SENT)), "call_created_epoch")
_DETAIL_SIDE: Final = (*_WHO, *_DOES, *_STANDS, "call_uuid", *_SENT)
DETAILED: Final = (*_DETAIL_SIDE, *(f"b_{name}" for name in _DETAIL_SIDE), "call_created_epoch")
SHOW_USAGE: Final = (
    "-USAGE: codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels [count|like <match string>]|calls|detailed_calls|bridged_calls"
    "|detailed_bridged_calls|aliases|complete|chat|management|modules|nat_map|say|interfaces|interface_types|tasks|limits|status\n")


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))


def row(sw: SimSwitch, leg: Leg) -> dict[str, str]:
    """One leg as the database behind `show` has it."""
    codec = leg.phase in (EARLY, ANSWERED) or (leg.phase == HUNG_UP and leg.answered_at > 0)
    name, data = ("uuid_bridge", leg.partner.uuid) if leg.partner is not None else (leg.app, leg.app_data if leg.app else "")
    if (leg.playback is not None and leg.playback.broadcast) or (leg.last_app != leg.app and leg.app):
        name, data = leg.last_app, leg.last_data
    shown = {
        "uuid": leg.uuid, "direction": leg.direction, "created": _moment(leg.created_at), "created_epoch": str(int(leg.created_at)),
        "name": leg.channel_name, "state": leg.state, "cid_name": leg.cid_name, "cid_num": leg.cid_number,
        "ip_addr": leg.host if leg.dialplan else "", "dest": leg.destination_now, "application": name, "application_data": data,
        "dialplan": leg.dialplan, "context": leg.context, "secure": "", "hostname": sw.settings.switchname, "presence_id": "", "presence_data": "",
        "accountcode": "", "callstate": leg.call_state, "callee_name": leg.callee_name, "callee_num": leg.callee_number,
        "callee_direction": leg.callee_direction, "call_uuid": leg.uuid, "sent_callee_name": "", "sent_callee_num": "",
        "initial_cid_name": leg.orig_name, "initial_cid_num": leg.orig_number, "initial_ip_addr": "", "initial_dest": leg.number,
        "initial_dialplan": "", "initial_context": "default"}
    for way in ("read", "write"):
        shown.update({f"{way}_codec": "PCMU", f"{way}_rate": "8000", f"{way}_bit_rate": "64000"} if codec else dict.fromkeys(
            (f"{way}_codec", f"{way}_rate", f"{way}_bit_rate"), ""))
    if leg.partner is not None:
        shown["call_uuid"] = leg.uuid if leg.is_a else leg.partner.uuid
        if leg.told is not None:
            shown["sent_callee_name"], shown["sent_callee_num"] = leg.told
    return shown


def _row(sw: SimSwitch, leg: Leg, now: float) -> dict[str, str]:
    """As `show` has it now: of an answer it learns a little late."""
    return dict(leg.row) if leg.row is not None and now < leg.row_until else row(sw, leg)


def _visible(sw: SimSwitch, now: float) -> list[Leg]:
    """Written behind: a leg of the last few milliseconds is not there yet (37)."""
    return [leg for leg in sw.legs.values() if now - leg.created_at >= sw.settings.channels_lag_s]


def _calls(sw: SimSwitch, now: float, columns: tuple[str, ...], bridged_only: bool) -> list[dict[str, str]]:
    """One row for each call: a bridged pair is one, with its second leg in the b_ columns."""
    rows = []
    for leg in _visible(sw, now):
        other = leg.partner
        if (other is None and bridged_only) or (other is not None and not leg.is_a):
            continue
        shown = _row(sw, leg, now)
        for name in columns:
            if name.startswith("b_"):
                shown[name] = ""
        shown["call_created_epoch"] = ""
        if other is not None:
            shown["call_created_epoch"] = str(int(leg.bridged_at))
            for name, value in _row(sw, other, now).items():
                shown[f"b_{name}"] = value
        rows.append(shown)
    return rows


def show(sw: SimSwitch, args: str, now: float) -> str:
    """`show THING [count | like TEXT] [as json | as xml | as delim X]`."""
    words = args.split()
    form = "csv"
    if "as" in words[1:]:
        place = words.index("as", 1)
        form = words[place + 1] if place + 1 < len(words) else ""
        words = words[:place]
        if form not in ("csv", "json", "xml", "delim"):
            return f"-ERR Cannot find format {form}\n"
    thing = words[0] if words else ""
    columns, rows = _table(sw, thing, now)
    if not columns:
        return SHOW_USAGE
    if words[1:2] == ["like"] and len(words) > 2:
        pattern = words[2].strip("%")
        rows = [row for row in rows if any(pattern in row.get(name, "") for name in ("uuid", "name", "cid_name", "cid_num", "dest", "presence_data"))]
    if words[1:2] == ["count"]:
        return json.dumps({"row_count": len(rows), "rows": []}, separators=(",", ":")) if form == "json" else f"\n{len(rows)} total.\n"
    return _printed(columns, rows, form)


def _table(sw: SimSwitch, thing: str, now: float) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    if thing == "channels":
        return CHANNELS, [_row(sw, leg, now) for leg in _visible(sw, now)]
    if thing in ("calls", "bridged_calls"):
        return CALLS, _calls(sw, now, CALLS, thing == "bridged_calls")
    if thing in ("detailed_calls", "detailed_bridged_calls"):
        return DETAILED, _calls(sw, now, DETAILED, thing == "detailed_bridged_calls")
    if thing == "registrations":
        return ("reg_user", "realm", "token", "url", "expires", "network_ip", "network_port", "network_proto", "hostname", "metadata"), []
    if thing == "tasks":
        columns = ("task_id", "task_desc", "task_group", "task_runtime", "task_sql_manager", "hostname")
        house = ("3", "limit_hash_cleanup", "mod_hash", str(int(sw.started_at) + 900), "0", sw.settings.hostname)
        tasks = [(str(task.number), task.description, task.group, str(int(task.at)), "0", sw.settings.hostname) for task in sw.tasks.values()]
        return columns, [dict(zip(columns, row, strict=True)) for row in (house, *tasks)]
    return (), []


def _printed(columns: tuple[str, ...], rows: list[dict[str, str]], form: str) -> str:
    if form == "json":
        if not rows:
            return '{"row_count": 0}\n'
        table = {"row_count": len(rows), "rows": [{name: row[name] for name in columns} for row in rows]}
        return json.dumps(table, separators=(",", ":"), ensure_ascii=False)
    if form == "xml":
        lines = [f'<result row_count="{len(rows)}">']
        for number, row in enumerate(rows, 1):
            lines += [f'  <row row_id="{number}">', *(f"    <{name}>{row[name]}</{name}>" for name in columns), "  </row>"]
        return "\n".join([*lines, "</result>", ""])
    if not rows:
        return "\n0 total.\n"
    return "\n".join([",".join(columns), *(",".join(row[name] for name in columns) for row in rows), "", f"{len(rows)} total.", ""])


def uptime_text(up_s: float) -> str:
    """`0 years, 0 days, 0 hours, 0 minutes, 4 seconds, 363 milliseconds, 931 microseconds`."""
    whole = int(up_s)
    micros = int((up_s - whole) * 1000000)
    parts = (
        (whole // 31536000, "year"), (whole % 31536000 // 86400, "day"), (whole % 86400 // 3600, "hour"), (whole % 3600 // 60, "minute"),
        (whole % 60, "second"), (micros // 1000, "millisecond"), (micros % 1000, "microsecond"))
    return ", ".join(f"{number} {name}{'' if number == 1 else 's'}" for number, name in parts)


def status(sw: SimSwitch, now: float) -> str:
    """api status."""
    settings, count = sw.settings, len(sw.legs)
    ready = "not ready" if sw.paused or sw.shutting_down else "ready"
    return (
        f"UP {uptime_text(max(0.0, now - sw.started_at))}\nFreeSWITCH (Version {settings.version} {settings.build}) is {ready}\n"
        f"{sw.counters.legs} session(s) since startup\n{count} session(s) - peak {sw.counters.peak_legs}, last 5min {sw.counters.peak_legs} \n"
        f"0 session(s) per Sec out of max {sw.sessions_per_second}, peak {sw.counters.peak_legs}, last 5min {sw.counters.peak_legs} \n"
        f"{sw.max_sessions} session(s) max\nmin idle cpu 0.00/95.00\nCurrent Stack Size/Max 240K/240K\n")


def dump(sw: SimSwitch, leg: Leg, form: str, now: float) -> str:
    """uuid_dump: the leg as a CHANNEL_DATA event, plain with encoded values, or json."""
    lean = {
        "Event-Name": "CHANNEL_DATA", **leg.lean_variables, "Channel-State": leg.state, "Channel-Call-State": leg.call_state,
        "Answer-State": leg.answer_state}
    event = SwitchEvent(
        "CHANNEL_DATA", leg.uuid, lean, None, sw.next_sequence(), now, leg, len(leg.journal or ()), leg.state, leg.state_number)
    pairs = sw.full_headers(event)
    if form == "json":
        return json.dumps(dict(pairs), separators=(",", ":"), ensure_ascii=False)
    return "".join(f"{name}: {quote_value(value)}\n" for name, value in pairs) + "\n"


def sofia_status(sw: SimSwitch, words: list[str]) -> str:
    """`sofia status`, `sofia status gateway NAME`, `sofia status profile NAME`."""
    settings = sw.settings
    line = "=" * 97 + "\n"
    url = f"sip:mod_sofia@{settings.domain}:{settings.sip_port}"
    if words[:1] == ["gateway"] and len(words) > 1:
        up = sw.gateways.get(words[1], True if settings.gateways is None else None)
        if up is None:
            return "Invalid Gateway!\n"
        return (
            f"{line}Name    \t{words[1]}\nProfile \texternal\nScheme  \tDigest\nRealm   \t{settings.domain}\nUsername\t{words[1]}\nPassword\tyes\n"
            f"State   \t{'NOREG' if up else 'FAIL_WAIT'}\nStatus  \t{'UP' if up else 'DOWN'}\n{line}")
    profiles = sorted(settings.profiles or {"internal"})
    if words[:1] == ["profile"] and len(words) > 1:
        if words[1] not in profiles:
            return "Invalid Profile!\n"
        pairs = (("Name", words[1]), ("Domain Name", "N/A"), ("DBName", f"sofia_reg_{words[1]}"), ("URL", url), ("CALLS-OUT", str(sw.counters.legs)))
        return line + "".join(f"{name:<17}\t{value}\n" for name, value in pairs)
    rows = [f"{name:>25}\t{'profile':>7}\t{url:>42}\tRUNNING (0)\n" for name in profiles]
    rows += [f"{'external::' + name:>25}\t{'gateway':>7}\t{'sip:' + name + '@' + settings.domain:>42}\t{'NOREG' if up else 'FAIL_WAIT'}\n"
             for name, up in sorted(sw.gateways.items())]
    total = f"{len(profiles)} profile{'s' if len(profiles) != 1 else ''} 0 aliases\n"
    return f"{'Name':>25}\t{'Type':>7}\t{'Data':>42}\tState\n{line}{''.join(rows)}{line}{total}"

"""What bridges and hang-ups leave on a leg: painters for picture.py's pictures.

Pure. Each function is one thing that happened; the headers and variables it sets, moves or removes are those of the recordings (freeswitch.md 26-31).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from fs_dialer.sim import causes
from fs_dialer.sim.picture import Picture, history, second, stamp_us, times

if TYPE_CHECKING:
    from fs_dialer.sim.leg import Leg, Pairs

_RTP_ZERO: Final = (
    "in_raw_bytes", "in_media_bytes", "in_packet_count", "in_media_packet_count", "in_skip_packet_count", "in_jitter_packet_count",
    "in_dtmf_packet_count", "in_cng_packet_count", "in_flush_packet_count", "in_largest_jb_size")
_RTP_RATES: Final = (
    ("in_jitter_min_variance", "0.00"), ("in_jitter_max_variance", "0.00"), ("in_jitter_loss_rate", "0.00"), ("in_jitter_burst_rate", "0.00"),
    ("in_mean_interval", "0.00"), ("in_flaw_total", "0"), ("in_quality_percentage", "100.00"), ("in_mos", "4.50"))
_RTP_OUT: Final = (
    "out_raw_bytes", "out_media_bytes", "out_packet_count", "out_media_packet_count", "out_skip_packet_count", "out_dtmf_packet_count",
    "out_cng_packet_count", "rtcp_packet_count", "rtcp_octet_count")


# ---- bridges

def other_leg(kind: str, leg: Leg, with_times: bool) -> Pairs:
    """The Other-Leg-* block about `leg` as it is now. The second leg of a bridge sees no times (s03a)."""
    pairs = [("Other-Type", kind), ("Other-Leg-Direction", leg.direction), ("Other-Leg-Logical-Direction", "inbound")]
    for name, value in (
        ("Caller-ID-Name", leg.cid_name), ("Caller-ID-Number", leg.cid_number), ("Orig-Caller-ID-Name", leg.orig_name),
        ("Orig-Caller-ID-Number", leg.orig_number), ("Callee-ID-Name", leg.callee_name), ("Callee-ID-Number", leg.callee_number),
        ("Network-Addr", leg.host), ("ANI", leg.orig_number), ("Destination-Number", leg.number), ("Unique-ID", leg.uuid),
        ("Source", "src/switch_ivr_originate.c" if leg.kind == "sofia" else "mod_loopback"), ("Context", "default"),
        ("Channel-Name", leg.channel_name), ("Profile-Created-Time", stamp_us(leg.created_at) if with_times else "0"),
    ):
        if value:
            pairs.append((f"Other-Leg-{name}", value))
    if with_times:
        pairs += times("Other-Leg-Channel-", leg.created_at, leg.answered_at, leg.progress_at, leg.progress_media_at, 0.0, 0.0)
    else:
        pairs += times("Other-Leg-Channel-", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return (*pairs, ("Other-Leg-Screen-Bit", "true"), ("Other-Leg-Privacy-Hide-Name", "false"), ("Other-Leg-Privacy-Hide-Number", "false"))


def bonded(p: Picture, is_a: bool, other: Pairs, name: str, number: str, source: str, now: float) -> None:
    """uuid_bridge has taken this leg. A is shown B's callee, B is shown A's caller."""
    named = dict(other)
    uuid = named["Other-Leg-Unique-ID"]
    p.other, p.transfer_source, p.profile_created_at = other, source, now
    p.index += 1
    p.set("bridge_channel", named["Other-Leg-Channel-Name"])
    p.set("bridge_uuid", uuid)
    p.set("signal_bond", uuid)
    if is_a:
        p.set("uuid_bridge", uuid)
    if "original_destination_number" not in p.variables:
        p.variables["original_destination_number"] = p.leg.number
        if p.cid_name:
            p.variables["original_caller_id_name"] = p.cid_name
        p.variables["original_caller_id_number"] = p.cid_number
    if is_a:
        p.logical, p.callee_name, p.callee_number = "inbound", name, number
    else:
        p.cid_name, p.cid_number, p.hit_dialplan = name, number, False
    history(p, source)


def bonded_to_itself(p: Picture) -> None:
    """uuid_bridge X X mixes a leg up with itself (s03f)."""
    p.cid_name, p.cid_number, p.callee_name, p.callee_number = "Unknown", p.orig_number, "Outbound Call", p.leg.number
    p.logical = "outbound"


def soft_executed(p: Picture) -> None:
    """The legs are about to meet."""
    p.drop("uuid_bridge")


def joined(p: Picture, now: float, call_uuid: str) -> None:
    """CHANNEL_BRIDGE. The second leg takes the first one's call uuid."""
    p.bridged_at, p.call_uuid = now, call_uuid


def told(p: Picture, other_uuid: str, name: str, number: str) -> None:
    """CALL_UPDATE: the phone is told whom it talks to."""
    if p.call_uuid != p.leg.uuid:
        p.set("call_uuid", p.call_uuid)
    p.set("bridge_to", other_uuid)
    p.set("last_bridge_to", other_uuid)
    p.set("last_sent_callee_id_name", name)
    p.set("last_sent_callee_id_number", number)


def left_by(p: Picture, cause: str, by_bye: bool) -> None:
    """The other leg of the bridge has gone."""
    p.drop("bridge_to")
    if by_bye:
        p.set("sip_reason", _reason(cause))
        p.set("sip_hangup_phrase", "OK")
    p.set("last_bridge_hangup_cause", cause)
    if by_bye:
        p.set("last_bridge_proto_specific_hangup_cause", "sip:200")


def unbridged(p: Picture, cause: str) -> None:
    """CHANNEL_UNBRIDGE, and on the second leg as well when it is reported. "" = nobody hung up: a transfer."""
    p.drop("bridge_to")
    if cause:
        p.set("bridge_hangup_cause", cause)


def called(p: Picture, other_uuid: str, name: str, number: str, cause: str) -> None:
    """The bridge application's own originate has failed: what it leaves on the leg that made it (s03g)."""
    p.callee_name, p.callee_number = name, number
    p.set("originate_signal_bond", other_uuid)
    p.set("originated_legs", f"{other_uuid};{name};{number}")
    p.set("originate_causes", f"{other_uuid};{cause}")


def on_its_own(p: Picture) -> None:
    """A bridge is over: the call uuid is the leg's own again."""
    if p.bridged_at and p.call_uuid != p.leg.uuid:
        p.call_uuid = p.leg.uuid
        p.set("call_uuid", p.leg.uuid)


# ---- the end

def _reason(cause: str) -> str:
    return f'Q.850;cause={causes.q850_of(cause)};text="{cause}"'


def refused(p: Picture, status: int, phrase: str, cause: str, synthetic: bool) -> None:
    """A final response >= 300; `synthetic` when no far end wrote it (ICMP, a timer, no address)."""
    leg, v = p.leg, p.variables
    if "sip_call_id" not in v:
        v["sip_call_id"] = leg.uuid[9:] + leg.uuid[:8]
        if synthetic:
            v.update(sip_reply_port="0", sip_network_port="0")
        else:
            p.network = leg.host
            v.update(sip_reply_host=leg.host, sip_reply_port=leg.port, sip_network_ip=leg.host, sip_network_port=leg.port)
    v.update(
        sip_hangup_disposition="recv_refuse", sip_invite_failure_status=str(status), sip_invite_failure_phrase=phrase, sip_term_status=str(status),
        proto_specific_hangup_cause=f"sip:{status}", sip_term_cause=str(causes.CAUSES[cause]))


def parted(p: Picture, role: str) -> None:
    """It is this leg that ends the bridge: `originator` is the first leg, `originatee` the second."""
    p.set("last_bridge_role", role)


def said_bye(p: Picture) -> None:
    """The far end hung up."""
    p.set("sip_reason", _reason("NORMAL_CLEARING"))
    p.set("sip_term_status", "200")
    p.set("proto_specific_hangup_cause", "sip:200")
    p.set("sip_term_cause", "16")


def disposition(p: Picture, text: str) -> None:
    """How the SIP dialogue ended: recv_bye, send_bye, recv_refuse, send_cancel (freeswitch.md 27)."""
    p.set("sip_hangup_disposition", text)


def cancelled(p: Picture) -> None:
    """Our CANCEL: its 487 is written even if nobody answered it."""
    p.variables.update(sip_hangup_disposition="send_cancel", sip_invite_failure_status="487", sip_invite_failure_phrase="CANCEL")


def hungup(p: Picture, now: float) -> None:
    """The channel has left its last application."""
    p.hungup_at = now


def rtp_counted(p: Picture) -> None:
    """Counters of a silent stream: nobody really speaks here."""
    for name in _RTP_ZERO:
        p.variables[f"rtp_audio_{name}"] = "0"
    for name, value in _RTP_RATES:
        p.variables[f"rtp_audio_{name}"] = value
    for name in _RTP_OUT:
        p.variables[f"rtp_audio_{name}"] = "0"


def reported(p: Picture, cause: str, app: str, data: str, digits: str) -> None:
    """The call's account, in the last two events only (freeswitch.md 26)."""
    v, start, end = p.variables, p.leg.created_at, p.hungup_at
    p.drop("uuid_bridge")
    v.update(hangup_cause=cause, hangup_cause_q850=str(causes.q850_of(cause)), digits_dialed=digits or "none")
    times = (
        ("start", start), ("profile_start", p.profile_created_at), ("answer", p.answered_at), ("bridge", p.bridged_at),
        ("progress", p.progress_at), ("progress_media", p.progress_media_at), ("end", end))
    for name, at in times:
        if at:
            v[f"{name}_stamp"] = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))
    for name, at in times[:4]:
        _epochs(v, name, at)
    v.update(
        last_hold_epoch="0", last_hold_uepoch="0", hold_accum_seconds="0", hold_accum_usec="0", hold_accum_ms="0", resurrect_epoch="0",
        resurrect_uepoch="0")
    for name, at in times[4:]:
        _epochs(v, name, at)
    if app:
        v["last_app"] = app
    if data:
        v["last_arg"] = data
    v["caller_id"] = f'"{p.cid_name}" <{p.cid_number}>' if p.cid_name else p.cid_number
    spans = (
        ("duration", start, end), ("billsec", p.answered_at, end), ("progresssec", start, p.progress_at), ("answersec", start, p.answered_at),
        ("waitsec", start, p.bridged_at), ("progress_mediasec", start, p.progress_media_at), ("flow_billsec", start if p.answered_at else 0.0, end))
    for name, begin, stop in spans:  # differences of truncated seconds: a call of 0.2 s can have a duration of 1
        v[name] = str(second(stop) - second(begin)) if begin and stop else "0"
    for unit, factor in (("m", 1000), ("u", 1000000)):
        for name, begin, stop in spans:
            key = f"{unit}duration" if name == "duration" else name.removesuffix("sec") + f"{unit}sec"
            v[key] = str(int((stop - begin) * factor)) if begin and stop else "0"


def _epochs(v: dict[str, str], name: str, at: float) -> None:
    v[f"{name}_epoch"] = str(second(at))
    v[f"{name}_uepoch"] = stamp_us(at)

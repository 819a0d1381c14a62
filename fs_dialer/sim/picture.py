"""Every header and variable a leg has, painted from its journal.

Pure: a leg's journal in, names and values out. Which variable appears at which moment, what flips at the answer and what a bridge leaves behind is
taken from the recordings (tests/captures) and freeswitch.md 24-27, 30. Painted lazily: nobody pays for 200 variables unless an event with them is
sent over a socket. Each painter is one thing that happened to a leg.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from fs_dialer.sim import causes

if TYPE_CHECKING:
    from fs_dialer.sim.leg import Leg, Pairs
    from fs_dialer.sim.settings import SwitchSettings

NOBODY: Final = "0000000000"  # the caller number of who gave none
_REMOTE_SDP: Final = (
    "v=0\r\no=u 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n")
_LOCAL_SDP: Final = (
    "v=0\r\no=FreeSWITCH {session} {version} IN IP4 {ip}\r\ns=FreeSWITCH\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 8 101 13\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtpmap:13 CN/8000\r\n"
    "a=ptime:20\r\na=sendrecv\r\n")
_RTP_ZERO: Final = (
    "in_raw_bytes", "in_media_bytes", "in_packet_count", "in_media_packet_count", "in_skip_packet_count", "in_jitter_packet_count",
    "in_dtmf_packet_count", "in_cng_packet_count", "in_flush_packet_count", "in_largest_jb_size")
_RTP_RATES: Final = (
    ("in_jitter_min_variance", "0.00"), ("in_jitter_max_variance", "0.00"), ("in_jitter_loss_rate", "0.00"), ("in_jitter_burst_rate", "0.00"),
    ("in_mean_interval", "0.00"), ("in_flaw_total", "0"), ("in_quality_percentage", "100.00"), ("in_mos", "4.50"))
_RTP_OUT: Final = (
    "out_raw_bytes", "out_media_bytes", "out_packet_count", "out_media_packet_count", "out_skip_packet_count", "out_dtmf_packet_count",
    "out_cng_packet_count", "rtcp_packet_count", "rtcp_octet_count")


def stamp_us(at: float) -> str:
    """A time as the switch stamps it: microseconds of a clock that steps every 20 ms; 0.0 = it did not happen (freeswitch.md 11)."""
    return str(int(at * 50 + 1e-6) * 20000 + 597) if at else "0"


def _second(at: float) -> int:
    return int(at) if at else 0


class Picture:
    """What the switch would print of a leg after `mark` lines of its journal."""

    def __init__(self, leg: Leg, settings: SwitchSettings) -> None:
        self.leg, self.settings, self.mark = leg, settings, 0
        self.variables: dict[str, str] = {}
        self.logical, self.dialplan, self.context, self.rdnis, self.transfer_source, self.network = "outbound", "", "default", "", "", ""
        self.cid_name = self.orig_name = leg.orig_name
        self.cid_number = self.orig_number = leg.orig_number
        self.callee_name, self.callee_number, self.destination = "Outbound Call", leg.number, leg.number
        self.index, self.hit_dialplan, self.codec, self.call_uuid = 1, False, "", leg.uuid
        self.profile_created_at = leg.created_at
        self.answered_at = self.progress_at = self.progress_media_at = self.hungup_at = self.bridged_at = 0.0
        self.other: Pairs = ()
        created(self)

    def advance(self, mark: int) -> None:
        """Paint what happened up to `mark`; never backwards."""
        for painter, details in (self.leg.journal or [])[self.mark : mark]:
            painter(self, *details)
        self.mark = mark

    def set(self, name: str, value: str) -> None:
        """A variable set again moves to the end of the list, as in the switch."""
        self.variables.pop(name, None)
        self.variables[name] = value

    def drop(self, *names: str) -> None:
        for name in names:
            self.variables.pop(name, None)

    def channel(self, state: str, number: int, call_state: str, answer_state: str, cause: str) -> list[tuple[str, str]]:
        """The Channel-* block."""
        leg = self.leg
        pairs = [
            ("Channel-State", state), ("Channel-Call-State", call_state), ("Channel-State-Number", str(number)), ("Channel-Name", leg.channel_name),
            ("Unique-ID", leg.uuid), ("Call-Direction", leg.direction), ("Presence-Call-Direction", leg.direction),
            ("Channel-HIT-Dialplan", "true" if self.hit_dialplan else "false"), ("Channel-Call-UUID", self.call_uuid), ("Answer-State", answer_state)]
        if cause:
            pairs.append(("Hangup-Cause", cause))
        if self.codec:
            name, bits = ("PCMU", "64000") if self.codec == "PCMU" else ("L16", "128000")
            for way in ("Read", "Write"):
                pairs += [(f"Channel-{way}-Codec-Name", name), (f"Channel-{way}-Codec-Rate", "8000"), (f"Channel-{way}-Codec-Bit-Rate", bits)]
        return pairs

    def caller(self) -> list[tuple[str, str]]:
        """The Caller-* block."""
        leg = self.leg
        pairs = [("Caller-Direction", leg.direction), ("Caller-Logical-Direction", self.logical)]
        for name, value in (
            ("Dialplan", self.dialplan), ("Caller-ID-Name", self.cid_name), ("Caller-ID-Number", self.cid_number),
            ("Orig-Caller-ID-Name", self.orig_name), ("Orig-Caller-ID-Number", self.orig_number), ("Callee-ID-Name", self.callee_name),
            ("Callee-ID-Number", self.callee_number), ("Network-Addr", self.network), ("ANI", self.orig_number),
            ("Destination-Number", self.destination), ("Unique-ID", leg.uuid),
            ("Source", "src/switch_ivr_originate.c" if leg.kind == "sofia" else "mod_loopback"), ("Transfer-Source", self.transfer_source),
            ("Context", self.context), ("RDNIS", self.rdnis), ("Channel-Name", leg.channel_name), ("Profile-Index", str(self.index)),
            ("Profile-Created-Time", stamp_us(self.profile_created_at)),
        ):
            if value:
                pairs.append((f"Caller-{name}", value))
        return pairs + _times("Caller-Channel-", leg.created_at, self.answered_at, self.progress_at, self.progress_media_at, self.hungup_at, self.bridged_at) + [
            ("Caller-Screen-Bit", "true"), ("Caller-Privacy-Hide-Name", "false"), ("Caller-Privacy-Hide-Number", "false")]


def _times(prefix: str, created_at: float, answered_at: float, progress_at: float, media_at: float, hungup_at: float, bridged_at: float) -> list[tuple[str, str]]:
    return [
        (f"{prefix}Created-Time", stamp_us(created_at)), (f"{prefix}Answered-Time", stamp_us(answered_at)), (f"{prefix}Progress-Time", stamp_us(progress_at)),
        (f"{prefix}Progress-Media-Time", stamp_us(media_at)), (f"{prefix}Hangup-Time", stamp_us(hungup_at)), (f"{prefix}Transfer-Time", "0"),
        (f"{prefix}Resurrect-Time", "0"), (f"{prefix}Bridged-Time", stamp_us(bridged_at)), (f"{prefix}Last-Hold", "0"), (f"{prefix}Hold-Accum", "0")]


# ---- a leg's way to the answer

def created(p: Picture) -> None:
    """What is there from CHANNEL_CREATE on."""
    leg, settings, v = p.leg, p.settings, p.variables
    v.update(direction="outbound", is_outbound="true", uuid=leg.uuid, call_uuid=leg.uuid, session_id=str(leg.session_id))
    early = "false" if leg.given.get("ignore_early_media") == "true" else "true"
    if leg.kind != "sofia":
        p.codec = "L16"
        v.update(read_codec="L16", read_rate="8000", write_codec="L16", write_rate="8000", channel_name=leg.channel_name)
        v.update(leg.given)
        v.update(originate_early_media=early, originate_endpoint=leg.kind)
        return
    address, port = settings.domain, str(16384 + leg.session_id * 2 % 16000)
    url = f"sip:mod_sofia@{address}:{settings.sip_port}"
    uri = leg.destination
    v.update(
        sip_local_network_addr=address, sip_profile_name="gateway" if leg.profile.startswith("gateway/") else leg.profile, video_media_flow="disabled",
        text_media_flow="disabled", channel_name=leg.channel_name, sip_destination_url=f"sip:{uri}")
    if leg.profile.startswith("gateway/"):
        v["sip_gateway_name"] = leg.profile.removeprefix("gateway/")
    v.update(leg.given)
    v.update(
        originate_early_media=early, originate_endpoint="sofia", rtp_use_codec_string="PCMU,PCMA", local_media_ip=address, local_media_port=port,
        advertised_media_ip=address, audio_media_flow="sendrecv",
        rtp_local_sdp_str=_LOCAL_SDP.format(session=1795260000 + leg.session_id, version=1795260001 + leg.session_id, ip=address, port=port),
        sip_outgoing_contact_uri=f"<{url}>", sip_req_uri=uri, sip_to_host=uri.rpartition("@")[2], sip_from_host=address,
        sofia_profile_name="external" if leg.profile.startswith("gateway/") else leg.profile,
        recovery_profile_name="external" if leg.profile.startswith("gateway/") else leg.profile, sofia_profile_url=url)


def _remote(p: Picture) -> None:
    """The first response brings who answered and the dialogue's identity."""
    leg, settings, v = p.leg, p.settings, p.variables
    if "sip_from_tag" in v:
        return
    user, address, host, port = leg.number, settings.domain, leg.host, leg.port
    p.network = host
    tag, far_tag = leg.uuid[:13].replace("-", ""), f"{leg.session_id}x1"
    via = f"SIP/2.0/UDP {address}:{settings.sip_port};rport;branch=z9hG4bK{tag}"
    name = f'"{p.cid_name}" ' if p.cid_name else ""
    v.update(
        sip_reply_host=host, sip_reply_port=port, sip_network_ip=host, sip_network_port=port, sip_user_agent="sipp-phone",
        sip_recover_contact=f"<sip:{host}:{port}>", sip_full_via=via, sip_recover_via=via)
    if p.cid_name:
        v["sip_from_display"] = p.cid_name
    v.update(
        sip_full_from=f"{name}<sip:{p.cid_number}@{address}>;tag={tag}", sip_full_to=f"<sip:{user}@{host}:{port}>;tag={far_tag}",
        sip_from_user=p.cid_number, sip_from_uri=f"{p.cid_number}@{address}", sip_to_user=user, sip_to_port=port, sip_to_uri=f"{user}@{host}:{port}")
    p.set("sip_to_host", host)
    v.update(
        sip_contact_user="nobody", sip_contact_port=port, sip_contact_uri=f"nobody@{host}:{port}", sip_contact_host=host, sip_to_tag=far_tag,
        sip_from_tag=tag, sip_cseq=str(123090000 + leg.session_id), sip_call_id=leg.uuid[9:] + leg.uuid[:8])


def ringing(p: Picture, now: float) -> None:
    """180."""
    _remote(p)
    p.progress_at = now


def early_media(p: Picture, now: float) -> None:
    """183 with a description of its media."""
    p.set("ep_codec_string", "CORE_PCM_MODULE.PCMU@8000h@20i@64000b")
    _remote(p)
    p.progress_media_at = now
    p.set("switch_r_sdp", _REMOTE_SDP.format(ip=p.leg.host, port=40000 + p.leg.session_id % 9000 * 2))
    p.set("endpoint_disposition", "EARLY MEDIA")


def answered(p: Picture, now: float) -> None:
    """200."""
    p.answered_at = now
    if p.leg.kind != "sofia":
        return
    _remote(p)
    media(p)


def media(p: Picture) -> None:
    """The codecs are agreed and sound flows."""
    v = p.variables
    if p.codec:
        return
    p.codec = "PCMU"
    port = str(40000 + p.leg.session_id % 9000 * 2)
    if "switch_r_sdp" not in v:
        v["switch_r_sdp"] = _REMOTE_SDP.format(ip=p.leg.host, port=port)
        p.set("ep_codec_string", "CORE_PCM_MODULE.PCMU@8000h@20i@64000b")
    v.update(
        remote_video_media_flow="inactive", remote_text_media_flow="inactive", remote_audio_media_flow="sendrecv", rtp_audio_recv_pt="0",
        rtp_use_codec_name="PCMU", rtp_use_codec_rate="8000", rtp_use_codec_ptime="20", rtp_use_codec_channels="1",
        rtp_last_audio_codec_string="PCMU@8000h@20i@1c", read_codec="PCMU", original_read_codec="PCMU", read_rate="8000", original_read_rate="8000",
        write_codec="PCMU", write_rate="8000", dtmf_type="rfc2833", rtp_use_timer_name="soft", rtp_use_pt="0",
        rtp_use_ssrc=str(int(p.leg.uuid[:8], 16)), rtp_2833_send_payload="101", rtp_2833_recv_payload="101", remote_media_ip=p.leg.host,
        remote_media_port=port)


def disposed(p: Picture, disposition: str) -> None:
    """What the originate got: EARLY MEDIA or ANSWER."""
    p.set("endpoint_disposition", disposition)


def flipped(p: Picture) -> None:
    """The originate is over and the leg becomes a caller: caller and callee change places (freeswitch.md 24)."""
    if p.cid_name:
        p.set("pre_transfer_caller_id_name", p.cid_name)
    p.set("pre_transfer_caller_id_number", p.cid_number)
    p.set("channel_cid_flipped", "yes")
    p.set("call_uuid", p.leg.uuid)
    p.call_uuid = p.leg.uuid
    p.hit_dialplan = True
    p.cid_name, p.callee_name = p.callee_name, p.cid_name
    p.cid_number, p.callee_number = p.callee_number, p.cid_number


def flipped_back(p: Picture) -> None:
    """The second leg of a bridge is transferred: it changes places again (s03h)."""
    flipped(p)
    p.logical = "outbound"


def originated_by(p: Picture, other: Pairs, other_uuid: str) -> None:
    """A leg made by another leg's bridge application."""
    p.other, p.call_uuid = other, other_uuid
    named = dict(other)
    p.cid_name, p.cid_number = named.get("Other-Leg-Caller-ID-Name", ""), named["Other-Leg-Caller-ID-Number"]
    p.network = p.settings.domain
    p.set("originating_leg_uuid", other_uuid)
    for name, value in (
        ("max_forwards", "70"), ("originator_codec", "PCMU@8000h@20i"), ("originator", other_uuid), ("signal_bond", other_uuid),
        ("switch_m_sdp", _REMOTE_SDP.format(ip=p.settings.domain, port="40000")), ("call_uuid", other_uuid),
    ):
        p.set(name, value)


# ---- applications, variables, transfers

def variable(p: Picture, name: str, value: str | None) -> None:
    """Set, or removed when there is no value."""
    if value is None:
        p.drop(name)
    else:
        p.set(name, value)


def app_started(p: Picture, name: str, data: str) -> None:
    """CHANNEL_EXECUTE."""
    p.drop("current_application", "current_application_data", "current_application_response")
    p.variables["current_application"] = name
    if data:
        p.variables["current_application_data"] = data


def app_answered(p: Picture, response: str) -> None:
    """An application's own word about how it went."""
    p.set("current_application_response", response)


def broadcast_started(p: Picture) -> None:
    """uuid_broadcast counts its loops."""
    p.set("current_loop", "1")
    p.set("total_loops", "1")


def broadcast_ended(p: Picture) -> None:
    """It is over."""
    p.drop("current_loop", "total_loops")


def played(p: Picture, length_s: float) -> None:
    """PLAYBACK_STOP counts what was played."""
    samples = str(int(length_s * 8000))
    p.variables.update(playback_last_offset_pos=samples, playback_seconds=str(int(length_s)), playback_ms=str(int(length_s * 1000)), playback_samples=samples)


def recorded(p: Picture, length_s: float) -> None:
    """RECORD_STOP likewise."""
    samples = int(length_s * 8000)
    p.variables.update(
        record_file_size=str(samples * 2 + 44), record_samples=str(samples), record_seconds=str(int(length_s)), record_ms=str(int(length_s * 1000)),
        record_completion_cause="success-maxtime")


def transferred(p: Picture, destination: str, dialplan: str, context: str, source: str, now: float) -> None:
    """A new profile on top of the old one; a bond is forgotten."""
    p.rdnis, p.destination, p.dialplan, p.context = p.destination, destination, dialplan, context
    p.logical, p.transfer_source, p.profile_created_at = "inbound", source, now
    p.index += 1
    p.bridged_at = 0.0
    p.other = ()
    p.drop("signal_bond", "uuid_bridge", "bridge_to")
    p.set("max_forwards", "70")
    _history(p, source)


def inline_routed(p: Picture, number: str) -> None:
    """The inline dialplan puts the old destination back."""
    p.destination, p.rdnis = number, ""


def _history(p: Picture, source: str) -> None:
    past = p.variables.get("transfer_history")
    if past is None:
        history = source
    elif past.startswith("ARRAY::"):
        history = f"{past}|:{source}"
    else:
        history = f"ARRAY::{past}|:{source}"
    p.set("transfer_history", history)
    p.set("transfer_source", source)


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
        pairs += _times("Other-Leg-Channel-", leg.created_at, leg.answered_at, leg.progress_at, leg.progress_media_at, 0.0, 0.0)
    else:
        pairs += _times("Other-Leg-Channel-", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
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
    _history(p, source)


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


def said_bye(p: Picture, bond_role: str) -> None:
    """The far end hung up."""
    p.set("sip_reason", _reason("NORMAL_CLEARING"))
    p.set("sip_term_status", "200")
    p.set("proto_specific_hangup_cause", "sip:200")
    p.set("sip_term_cause", "16")
    if bond_role:
        p.set("last_bridge_role", bond_role)


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
        v[name] = str(_second(stop) - _second(begin)) if begin and stop else "0"
    for unit, factor in (("m", 1000), ("u", 1000000)):
        for name, begin, stop in spans:
            key = f"{unit}duration" if name == "duration" else name.removesuffix("sec") + f"{unit}sec"
            v[key] = str(int((stop - begin) * factor)) if begin and stop else "0"


def _epochs(v: dict[str, str], name: str, at: float) -> None:
    v[f"{name}_epoch"] = str(_second(at))
    v[f"{name}_uepoch"] = stamp_us(at)

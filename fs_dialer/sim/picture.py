"""Every header and variable a leg has, painted from its journal.

Pure: a leg's journal in, names and values out. Which variable appears at which moment, what flips at the answer and what a bridge leaves behind is
taken from the recordings (tests/captures) and freeswitch.md 24-27, 30. Painted lazily: nobody pays for 200 variables unless an event with them is
sent over a socket. Each painter is one thing that happened to a leg; those of bridges and of the end are in marks.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fs_dialer.sim import invited

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


def stamp_us(at: float) -> str:
    """A time as the switch stamps it: microseconds of a clock that steps every 20 ms; 0.0 = it did not happen (freeswitch.md 11)."""
    return str(int(at * 50 + 1e-6) * 20000 + 597) if at else "0"


def second(at: float) -> int:
    """The truncated second, 0 for what did not happen."""
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
        inbound = leg.direction == "inbound"
        for name, value in (
            ("Username", leg.orig_number if inbound else ""), ("Dialplan", self.dialplan), ("Caller-ID-Name", self.cid_name),
            ("Caller-ID-Number", self.cid_number),
            ("Orig-Caller-ID-Name", self.orig_name), ("Orig-Caller-ID-Number", self.orig_number), ("Callee-ID-Name", self.callee_name),
            ("Callee-ID-Number", self.callee_number), ("Network-Addr", self.network), ("ANI", self.orig_number),
            ("Destination-Number", self.destination), ("Unique-ID", leg.uuid),
            ("Source", "mod_sofia" if inbound else "src/switch_ivr_originate.c" if leg.kind == "sofia" else "mod_loopback"),
            ("Transfer-Source", self.transfer_source),
            ("Context", self.context), ("RDNIS", self.rdnis), ("Channel-Name", leg.channel_name), ("Profile-Index", str(self.index)),
            ("Profile-Created-Time", stamp_us(self.profile_created_at)),
        ):
            if value:
                pairs.append((f"Caller-{name}", value))
        pairs += times(
            "Caller-Channel-", leg.created_at, self.answered_at, self.progress_at, self.progress_media_at, self.hungup_at, self.bridged_at)
        return [*pairs, ("Caller-Screen-Bit", "true"), ("Caller-Privacy-Hide-Name", "false"), ("Caller-Privacy-Hide-Number", "false")]


def times(
    prefix: str, created_at: float, answered_at: float, progress_at: float, media_at: float, hungup_at: float, bridged_at: float,
) -> list[tuple[str, str]]:
    """The ten times of a channel, for either block."""
    return [(prefix + name, text) for name, text in (
        ("Created-Time", stamp_us(created_at)), ("Answered-Time", stamp_us(answered_at)), ("Progress-Time", stamp_us(progress_at)),
        ("Progress-Media-Time", stamp_us(media_at)), ("Hangup-Time", stamp_us(hungup_at)), ("Transfer-Time", "0"), ("Resurrect-Time", "0"),
        ("Bridged-Time", stamp_us(bridged_at)), ("Last-Hold", "0"), ("Hold-Accum", "0"))]


# ---- a leg's way to the answer

def created(p: Picture) -> None:
    """What is there from CHANNEL_CREATE on."""
    leg, settings, v = p.leg, p.settings, p.variables
    if leg.direction == "inbound":
        invited.created(p)
        return
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
    gateway = leg.profile.removeprefix("gateway/") if leg.profile.startswith("gateway/") else ""
    profile = "external" if gateway else leg.profile
    v.update(
        sip_local_network_addr=address, sip_profile_name="gateway" if gateway else profile, video_media_flow="disabled",
        text_media_flow="disabled", channel_name=leg.channel_name, sip_destination_url=f"sip:{uri}")
    if gateway:
        v["sip_gateway_name"] = gateway
    v.update(leg.given)
    v.update(
        originate_early_media=early, originate_endpoint="sofia", rtp_use_codec_string="PCMU,PCMA", local_media_ip=address, local_media_port=port,
        advertised_media_ip=address, audio_media_flow="sendrecv",
        rtp_local_sdp_str=_LOCAL_SDP.format(session=1795260000 + leg.session_id, version=1795260001 + leg.session_id, ip=address, port=port),
        sip_outgoing_contact_uri=f"<{url}>", sip_req_uri=uri, sip_to_host=uri.rpartition("@")[2], sip_from_host=address,
        sofia_profile_name=profile, recovery_profile_name=profile, sofia_profile_url=url)


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
        sip_from_user=p.cid_number, sip_from_uri=f"{p.cid_number}@{address}", sip_to_user=user, sip_to_port=port,
        sip_to_uri=f"{user}@{host}:{port}")
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
        rtp_use_ssrc=str(2654435761 * p.leg.session_id % 2**32), rtp_2833_send_payload="101", rtp_2833_recv_payload="101", remote_media_ip=p.leg.host,
        remote_media_port=port)


def disposed(p: Picture, disposition: str) -> None:
    """What the originate got: EARLY MEDIA or ANSWER."""
    p.set("endpoint_disposition", disposition)


def flipped(p: Picture) -> None:
    """The leg becomes a caller: caller and callee change places (24). After a transfer it counts as outbound again (s03h)."""
    p.logical = "outbound"
    if p.cid_name:
        p.set("pre_transfer_caller_id_name", p.cid_name)
    p.set("pre_transfer_caller_id_number", p.cid_number)
    p.set("channel_cid_flipped", "yes")
    p.set("call_uuid", p.leg.uuid)
    p.call_uuid = p.leg.uuid
    p.hit_dialplan = True
    p.cid_name, p.callee_name = p.callee_name, p.cid_name
    p.cid_number, p.callee_number = p.callee_number, p.cid_number


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
    p.variables.update(
        playback_last_offset_pos=samples, playback_seconds=str(int(length_s)), playback_ms=str(int(length_s * 1000)), playback_samples=samples)


def recorded(p: Picture, length_s: float, cause: str) -> None:
    """RECORD_STOP likewise."""
    samples = int(length_s * 8000)
    p.variables.update(
        record_file_size=str(samples * 2 + 44), record_samples=str(samples), record_seconds=str(int(length_s)), record_ms=str(int(length_s * 1000)),
        record_completion_cause=cause)


def transferred(p: Picture, destination: str, dialplan: str, context: str, source: str, now: float) -> None:
    """A new profile on top of the old one; a bond is forgotten."""
    p.rdnis, p.destination, p.dialplan, p.context = p.destination, destination, dialplan, context
    p.logical, p.transfer_source, p.profile_created_at = "inbound", source, now
    p.index += 1
    p.bridged_at = 0.0
    p.other = ()
    p.drop("signal_bond", "uuid_bridge", "bridge_to")
    p.set("max_forwards", "70")
    history(p, source)


def inline_routed(p: Picture, number: str) -> None:
    """The inline dialplan puts the old destination back."""
    p.destination, p.rdnis = number, ""


def history(p: Picture, source: str) -> None:
    """Every transfer and bridge is kept, as an array from the second on."""
    past = p.variables.get("transfer_history")
    if past is None:
        history = source
    elif past.startswith("ARRAY::"):
        history = f"{past}|:{source}"
    else:
        history = f"ARRAY::{past}|:{source}"
    p.set("transfer_history", history)
    p.set("transfer_source", source)

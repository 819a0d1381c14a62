"""What the switch shows of a leg that came in: painters for picture.py's pictures, from s06 and s12.

Pure. Each function is one thing that happened, as in marks.py; what follows the answer is the same for both directions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fs_dialer.sim.picture import Picture

_SDP: Final = (
    "v=0\r\no=u 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
)
_OURS: Final = (
    "v=0\r\no=FreeSWITCH {session} {version} IN IP4 {ip}\r\ns=FreeSWITCH\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
)


def created(p: Picture) -> None:
    """What is there from CHANNEL_CREATE on: the INVITE has brought it all."""
    leg, settings, v = p.leg, p.settings, p.variables
    p.logical, p.dialplan, p.context, p.network = "inbound", "XML", leg.context, leg.host
    p.callee_name = p.callee_number = ""
    p.hit_dialplan, p.codec = True, "PCMU"
    caller, domain, port = leg.orig_number, leg.host, str(settings.sip_port)
    uri, callee, media = f"{caller}@{domain}", f"{leg.number}@{domain}:{port}", str(40000 + leg.session_id % 9000 * 2)
    url = f"sip:mod_sofia@{domain}:{port}"
    tag = leg.uuid[:13].replace("-", "")
    v.update(direction="inbound", uuid=leg.uuid, call_uuid=leg.uuid, session_id=str(leg.session_id))
    v.update(
        sip_from_user=caller,
        sip_from_port=leg.port,
        sip_from_uri=uri,
        sip_from_host=domain,
        video_media_flow="disabled",
        text_media_flow="disabled",
        channel_name=leg.channel_name,
        sip_call_id=leg.uuid[9:] + leg.uuid[:8],
        sip_local_network_addr=settings.domain,
        sip_network_ip=domain,
        sip_network_port=leg.port,
        sip_invite_stamp=str(int(leg.created_at * 50 + 1e-6) * 20000 + 597),
        sip_received_ip=domain,
        sip_received_port=leg.port,
        sip_via_protocol="udp",
        sip_from_user_stripped=caller.lstrip("+"),
        sip_from_tag=tag,
        sofia_profile_name=leg.profile,
        sofia_profile_url=url,
        recovery_profile_name=leg.profile,
        sip_full_via=f"SIP/2.0/UDP {domain}:{leg.port};branch=z9hG4bK-{tag}",
    )
    if leg.orig_name:
        v["sip_from_display"] = leg.orig_name
    name = f'"{leg.orig_name}" ' if leg.orig_name else ""
    v.update(
        sip_full_from=f"{name}<sip:{uri}:{leg.port}>;tag={tag}",
        sip_full_to=f"<sip:{callee}>",
        sip_req_user=leg.number,
        sip_req_port=port,
        sip_req_uri=callee,
        sip_req_host=domain,
        sip_to_user=leg.number,
        sip_to_port=port,
        sip_to_uri=callee,
        sip_to_host=domain,
        sip_contact_user=caller,
        sip_contact_port=leg.port,
        sip_contact_uri=f"{uri}:{leg.port}",
        sip_contact_host=domain,
        sip_via_host=domain,
        sip_via_port=leg.port,
        max_forwards="70",
        switch_r_sdp=_SDP.format(ip=domain, port=media),
        ep_codec_string="CORE_PCM_MODULE.PCMU@8000h@20i@64000b",
        rtp_use_codec_string="PCMU,PCMA",
        remote_video_media_flow="inactive",
        remote_text_media_flow="inactive",
        remote_audio_media_flow="sendrecv",
        audio_media_flow="sendrecv",
        remote_media_ip=domain,
        remote_media_port=media,
        rtp_use_codec_name="PCMU",
        rtp_use_codec_rate="8000",
        rtp_use_codec_ptime="20",
        rtp_use_codec_channels="1",
        rtp_last_audio_codec_string="PCMU@8000h@20i@1c",
        read_codec="PCMU",
        original_read_codec="PCMU",
        read_rate="8000",
        original_read_rate="8000",
        write_codec="PCMU",
        write_rate="8000",
        dtmf_type="rfc2833",
        endpoint_disposition="RECEIVED",
    )


def _media(p: Picture) -> None:
    """Our side of the sound."""
    session, address = p.leg.session_id, p.settings.domain
    port = str(16384 + session * 2 % 16000)
    if "local_media_ip" in p.variables:
        return
    p.variables.update(
        rtp_local_sdp_str=_OURS.format(session=1795260000 + session, version=1795260001 + session, ip=address, port=port),
        local_media_ip=address,
        local_media_port=port,
        advertised_media_ip=address,
        rtp_use_timer_name="soft",
        rtp_use_pt="0",
        rtp_use_ssrc=str(2654435761 * session % 2**32),
        rtp_2833_send_payload="101",
        rtp_2833_recv_payload="101",
    )


def rings(p: Picture, now: float) -> None:
    """ring_ready."""
    p.progress_at = now


def early(p: Picture, now: float) -> None:
    """pre_answer, or a sound before the answer."""
    p.progress_media_at = now
    _media(p)


def answered(p: Picture, now: float) -> None:
    """answer."""
    p.answered_at = now
    _media(p)


def acknowledged(p: Picture) -> None:
    """The caller's ACK."""
    p.set("sip_to_tag", f"{p.leg.session_id}x2")
    for name in ("sip_from_tag", "sip_cseq", "sip_call_id", "sip_full_via", "sip_from_display", "sip_full_from", "sip_full_to"):
        if name in p.variables or name == "sip_cseq":
            p.set(name, p.variables.get(name, "1"))


def cancelled(p: Picture) -> None:
    """The caller's CANCEL."""
    p.variables.update(
        sip_hangup_disposition="recv_cancel",
        sip_invite_failure_status="487",
        sip_invite_failure_phrase="CANCEL",
        sip_term_status="487",
        proto_specific_hangup_cause="sip:487",
        sip_term_cause="487",
    )

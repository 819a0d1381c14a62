"""People at telephones, made for one test: SIPp scenarios from a list of what somebody does, and the media that they send.

`Sipps.caller` dials the switch; `Sipps.called` is dialled by it, at a port of its own. Both talk (a tone) and press keys, as RFC 2833 or as SIP INFO.
The pcap files that SIPp plays are made here, packet by packet, so that nothing need be installed beside SIPp.
"""

from __future__ import annotations

import math
import re
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

SWITCH_SIP = "127.0.0.1:5070"
KEYS = "0123456789*#"
FRAME_S, SAMPLES = 0.02, 160
EVENT_PAYLOAD = 101

Step = tuple[Literal["wait", "key", "info", "talk", "hang_up"], float | str]

SDP = """v=0
    o=somebody 1 1 IN IP4 [local_ip]
    s=-
    c=IN IP4 [media_ip]
    t=0 0
    m=audio [media_port] RTP/AVP 0 101
    a=rtpmap:0 PCMU/8000
    a=rtpmap:101 telephone-event/8000"""


# --- media --------------------------------------------------------------------------------------------------------------------------------


def _ulaw(sample: int) -> int:
    sign, level = (0x80 if sample < 0 else 0), min(abs(sample), 32635) + 132
    exponent = max(0, level.bit_length() - 8)
    return ~(sign | exponent << 4 | (level >> (exponent + 3)) & 15) & 255


def _rtp(payload: int, index: int, stamp: int, body: bytes, first: bool) -> bytes:
    return struct.pack("!BBHII", 0x80, first << 7 | payload, index, stamp, 0x1234) + body


def _write(path: Path, packets: Sequence[bytes]) -> None:
    """A pcap file: Ethernet, IPv4, UDP around each packet, one every 20 ms. SIPp reads the lengths and sends the rest from its own port."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for index, packet in enumerate(packets):
            udp = struct.pack("!HHHH", 5000, 5002, 8 + len(packet), 0) + packet
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1") + udp
            frame = b"\0" * 12 + b"\x08\0" + ip
            at = index * FRAME_S
            file.write(struct.pack("<IIII", int(at), round(at % 1 * 1e6), len(frame), len(frame)) + frame)


def speech(path: Path, seconds: float) -> Path:
    """A tone of 440 Hz, loud enough for everything that listens for a voice."""
    tone = [bytes(_ulaw(int(8000 * math.sin(2 * math.pi * 440 * (n * SAMPLES + k) / 8000))) for k in range(SAMPLES)) for n in range(round(seconds / FRAME_S))]
    _write(path, [_rtp(0, n, n * SAMPLES, body, n == 0) for n, body in enumerate(tone)])
    return path


def pressed(path: Path, key: str, nth: int, frames: int = 8) -> Path:
    """One RFC 2833 event of 160 ms, its end sent three times. nth: of this call: two events of one time stamp are one to the switch (tried)."""
    packets = []
    for n in range(frames + 3):
        ended = n >= frames
        body = struct.pack("!BBH", KEYS.index(key), (0x80 if ended else 0) | 10, min(n + 1, frames) * SAMPLES)
        packets.append(_rtp(EVENT_PAYLOAD, nth * 100 + n, nth * 8000, body, n == 0))
    _write(path, packets)
    return path


# --- scenarios ----------------------------------------------------------------------------------------------------------------------------


def _request(method: str, caller: bool, cseq: int, body: str = "", kind: str = "") -> str:
    """A request inside the dialogue, by the one who called or by the one who was called."""
    ours, theirs = (
        ("From: [$me]", "To: [$you]") if not caller else ('From: "[$display]" <sip:[$number]@[local_ip]:[local_port]>;tag=[pid]C[call_number]', "[last_To:]")
    )
    lines = [
        f"{method} {'sip:[$to]@[remote_ip]:[remote_port]' if caller else '[next_url]'} SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        ours.replace(": [$", ":[$") if not caller else ours,
        theirs.replace(": [$", ":[$") if not caller else theirs,
        "Call-ID: [call_id]" if caller else "[last_Call-ID:]",
        f"CSeq: {cseq} {method}",
        "Max-Forwards: 70",
        "Contact: <sip:[local_ip]:[local_port]>",
        *([f"Content-Type: {kind}"] if kind else []),
        f"Content-Length: {'[len]' if body else 0}",
        "",
        body,
    ]
    return '<send retrans="500"><![CDATA[\n    ' + "\n    ".join(lines) + "\n]]></send>\n"


OK = """<send><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0

]]></send>
"""


def _does(steps: Sequence[Step], folder: Path, caller: bool, who: str = "") -> str:
    """`who` tells his labels from those of others in one scenario. A wait is a wait for the switch's BYE, so that whoever is released at any moment says
    goodbye properly."""
    words, cseq = [], 1
    for n, (what, value) in enumerate(steps):
        cseq += 1
        match what:
            case "wait":
                step = f"step{who}{n}"
                words.append(f'<recv request="BYE" timeout="{round(float(value) * 1000)}" ontimeout="{step}" next="bye"/>\n<label id="{step}"/>\n')
            case "talk":
                name = speech(folder / f"speech-{value}.pcap", float(value)).name
                words.append(f'<nop><action><exec play_pcap_audio="{folder / name}"/></action></nop>\n')
            case "key":
                name = pressed(folder / f"key-{KEYS.index(str(value))}-{cseq}.pcap", str(value), cseq).name
                words.append(f'<nop><action><exec play_pcap_audio="{folder / name}"/></action></nop>\n')
            case "info":
                body = f"Signal={value}\n    Duration=160\n"
                words.append(_request("INFO", caller, cseq, body, "application/dtmf-relay") + '<recv response="200"/>\n')
            case "hang_up":
                return "".join(words) + _request("BYE", caller, cseq) + '<recv response="200" next="over"/>\n'
    return "".join(words) + '<recv request="BYE" next="bye"/>\n'


END = f'<label id="bye"/>\n{OK}<label id="over"/>\n</scenario>\n'
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n<scenario name="somebody">\n'


ANSWER = f"""<send retrans="500"><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:];tag=[pid]C[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    Contact: <sip:[local_ip]:[local_port]>
    Content-Type: application/sdp
    Content-Length: [len]

    {SDP}
]]></send>
<recv request="ACK">
  <action>
    <ereg regexp=".*" search_in="hdr" header="From:" assign_to="you"/>
    <ereg regexp=".*" search_in="hdr" header="To:" assign_to="me"/>
  </action>
</recv>
<Reference variables="you,me"/>
"""


def calling(steps: Sequence[Step], folder: Path, to: str, number: str, display: str) -> str:
    """One who dials `to`. Number and display name go as they are into his From header."""
    sender = f'"{display}" <sip:{number}@[local_ip]:[local_port]>'.replace("&", "&amp;")
    invite = f"""<send retrans="500"><![CDATA[
    INVITE sip:{to}@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: {sender};tag=[pid]C[call_number]
    To: <sip:{to}@[remote_ip]:[remote_port]>
    Call-ID: [call_id]
    CSeq: 1 INVITE
    Contact: <sip:[local_ip]:[local_port]>
    Max-Forwards: 70
    Content-Type: application/sdp
    Content-Length: [len]

    {SDP}
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200"/>
<send><![CDATA[
    ACK sip:{to}@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: {sender};tag=[pid]C[call_number]
    [last_To:]
    Call-ID: [call_id]
    CSeq: 1 ACK
    Max-Forwards: 70
    Content-Length: 0

]]></send>
"""
    does = _does(steps, folder, True).replace('"[$display]" <sip:[$number]@[local_ip]:[local_port]>', sender).replace("[$to]", to)
    return HEAD + invite + does + END


def called(steps: Sequence[Step], folder: Path) -> str:
    """One who answers at once."""
    return HEAD + '<recv request="INVITE" rrs="true"/>\n' + ANSWER + _does(steps, folder, False) + END


def answering(people: Mapping[str, Sequence[Step]], folder: Path) -> str:
    """Customers behind a trunk who answer at once, each by his number, digits with or without a plus; anybody else stays on the line and does nothing."""
    known = [re.escape(number.lstrip("+")) for number in people]
    names = [f'<ereg regexp="sip:.?{number}@" search_in="hdr" header="To:" assign_to="is{n}"/>\n' for n, number in enumerate(known)]
    ways = [f'<nop next="does{n}" test="is{n}"/>\n' for n in range(len(known))]
    invite = f'<recv request="INVITE" rrs="true">\n<action>\n{"".join(names)}</action>\n</recv>\n'
    doings = [f'<label id="does{n}"/>\n{_does(steps, folder, False, f"of{n}at")}' for n, steps in enumerate(people.values())]
    return HEAD + invite + ANSWER + "".join(ways) + '<recv request="BYE" next="bye"/>\n' + "".join(doings) + END


class Sipps:
    """SIPp processes of one test, each on ports of its own; `close` ends them."""

    def __init__(self, folder: Path, first_port: int = 15100) -> None:
        self.folder, self._port, self._count = folder, first_port, 0
        self.processes: list[subprocess.Popen[bytes]] = []

    def caller(self, to: str, *steps: Step, number: str = "+442079460000", display: str = "Ann", calls: int = 1, per_s: int = 50) -> subprocess.Popen[bytes]:
        return self._start(calling(steps, self.folder, to, number, display), SWITCH_SIP, "-m", str(calls), "-l", str(calls), "-r", str(per_s))[0]

    def crowd(self, to: str, *steps: Step, numbers: Sequence[str], per_s: int = 50) -> subprocess.Popen[bytes]:
        """One caller of each number, all of one process."""
        table = self.folder / f"numbers-{self._port}.csv"
        table.write_text("SEQUENTIAL\n" + "".join(f"{number};\n" for number in numbers), encoding="utf-8")
        words = ("-inf", str(table), "-m", str(len(numbers)), "-l", str(len(numbers)), "-r", str(per_s))
        return self._start(calling(steps, self.folder, to, "[field0]", "Ann"), SWITCH_SIP, *words)[0]

    def called(self, *steps: Step) -> int:
        """The port at which he is reached."""
        process, port = self._start(called(steps, self.folder), "")
        time.sleep(0.3)
        assert process.poll() is None, self._told(port)
        return port

    def _start(self, scenario: str, target: str, *words: str) -> tuple[subprocess.Popen[bytes], int]:
        self._count += 1
        self._port += 10
        path = self.folder / f"scenario-{self._port}.xml"
        path.write_text(scenario, encoding="utf-8")
        line = ["sipp", *([target] if target else []), "-sf", str(path), "-nostdin", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-ci", "127.0.0.1"]
        line += ["-p", str(self._port), "-cp", str(self._port + 5), "-mp", str(self._port + 2000), *words]
        line += ["-trace_err", "-error_file", str(self.folder / f"errors-{self._port}")]
        process = subprocess.Popen(line, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return process, self._port

    def _told(self, port: int) -> str:
        errors = self.folder / f"errors-{port}"
        return errors.read_text(encoding="utf-8", errors="replace") if errors.exists() else "no word of sipp"

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()

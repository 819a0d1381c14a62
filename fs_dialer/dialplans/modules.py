"""Which modules of FreeSWITCH our dialplan needs, and for what: beyond those without which there are no calls at all.

Pure. Names are those of FreeSWITCH's source tree; that a text-to-speech engine `flite` is mod_flite is its own custom.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fs_dialer.core.flow import Ivr, Node
from fs_dialer.core.queue_definition import QueueDefinition, sounds_used
from fs_dialer.dialplans.options import MUSIC

DETECTORS = {"amd": "mod_amd", "avmd": "mod_avmd"}
ALWAYS = {"mod_dptools": "every flow and queue", "mod_commands": "times and conditions", "mod_tone_stream": "silence and beeps", "mod_sndfile": "sound files"}


def modules_needed(ivrs: Sequence[Ivr], queues: Sequence[QueueDefinition], detectors: Iterable[str] = (), music: str = MUSIC) -> dict[str, str]:
    """Module → the first of those who need it, in words. Nothing, where there is neither a flow nor a queue."""
    needed: dict[str, str] = dict(ALWAYS) if ivrs or queues else {}
    for ivr in ivrs:
        for node in ivr.nodes:
            for module in _of_node(ivr, node):
                needed.setdefault(module, f"flow {ivr.name}, node {node.name}")
    for queue in queues:
        needed.setdefault("mod_db", f"keys pressed in queue {queue.name}")
        if any(sound.startswith("local_stream://") for sound in sounds_used(queue)):
            needed.setdefault("mod_local_stream", f"music of queue {queue.name}")
    if (ivrs or queues) and music.startswith("local_stream://"):
        needed.setdefault("mod_local_stream", "waiting music")
    for detector in detectors:
        needed.setdefault(DETECTORS[detector], "answering machines")
    return needed


def _of_node(ivr: Ivr, node: Node) -> Iterable[str]:
    if node.do == "opt_out":
        yield "mod_db"
    if node.do == "say" and node.say_as != "text":
        yield f"mod_say_{(node.language or ivr.language).partition('_')[0].partition('-')[0].lower()}"
    elif node.text:
        yield f"mod_{ivr.voice.engine}"

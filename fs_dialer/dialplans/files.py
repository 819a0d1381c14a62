"""All files that we put into a FreeSWITCH's dialplan folder, as one value.

Pure. Where that folder is, and how files get there and out again, is known elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from fs_dialer.core.flow import Ivr
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.dialplans.fallback import Fallback, fallback_file
from fs_dialer.dialplans.options import SwitchOptions
from fs_dialer.dialplans.queues import public_file, queue_file
from fs_dialer.ivr.render import flow_file

FALLBACK, FLOWS, QUEUES, PUBLIC = "dialplan/fsd.xml", "dialplan/fsd_ivr.xml", "dialplan/fsd_queue.xml", "dialplan/public/00_fsd_queues.xml"


def switch_files(ivrs: Sequence[Ivr], queues: Sequence[QueueDefinition], options: SwitchOptions) -> dict[str, str]:
    """Path below FreeSWITCH's conf folder → the file's text. PUBLIC is there only where a queue has numbers.

    EslUnsafe for a definition that holds what the switch would take apart (D7), with where it stands.
    """
    files = {
        FALLBACK: fallback_file(Fallback(options.notice, options.music, options.release_after_s)),
        FLOWS: flow_file(tuple(ivrs), options),
        QUEUES: queue_file(tuple(queues), options),
    }
    if doors := public_file(tuple(queues)):
        files[PUBLIC] = doors
    return files

"""Callback: who pressed the key in a queue is called back, agent first (S65–S70, S83–S90). Here: its settings."""

from __future__ import annotations

from dataclasses import dataclass

from fs_dialer.core.model import CampaignType
from fs_dialer.core.options import option

TYPE = CampaignType.CALLBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    from_queue: str = option("", kind="name", help="The queue whose callers it calls back; a trigger may add others.", spec="S65 S67")

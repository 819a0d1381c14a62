"""explain: why something is as it is. The group; each of its commands has a module of its own."""

from __future__ import annotations

from fs_dialer.cli.command import Lazy, LazyGroup

HERE = "fs_dialer.cli"

explain = LazyGroup(
    "explain",
    help="Why something is as it is, or what a word means.",
    sections={"Commands": {"field": Lazy(f"{HERE}.explain_field:explain_field", "What a setting of a definition file means.")}},
)

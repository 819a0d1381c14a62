"""explain: why something is as it is. The group; each of its commands has a module of its own."""

from __future__ import annotations

from fs_dialer.cli.command import Lazy, LazyGroup

HERE = "fs_dialer.cli"

explain = LazyGroup(
    "explain",
    help="Why something is as it is, or what a word means.",
    sections={
        "Commands": {
            "lead": Lazy(f"{HERE}.explain_lead:explain_lead_command", "Is it dialled now, and if not, why and until when."),
            "campaign": Lazy(f"{HERE}.explain_campaign:explain_campaign_command", "What holds its leads, and when the next is dialled."),
            "pace": Lazy(f"{HERE}.explain_pace:explain_pace", "How many calls it places, and what holds the pace down."),
            "gateway": Lazy(f"{HERE}.explain_gateway:explain_gateway", "Is a trunk used, does it rest, and since which calls."),
            "callerid": Lazy(f"{HERE}.explain_gateway:explain_callerid", "Is a caller id used, does it rest, and since which calls."),
            "field": Lazy(f"{HERE}.explain_field:explain_field", "What a setting of a definition file means."),
        }
    },
)

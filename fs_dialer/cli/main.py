"""The command line's table of contents: which commands there are, under which heading, and where each is found.

Imports none of them: a command's module is loaded when the command is used, so `check` and `simulate` need neither gevent nor psycopg2.
"""

from __future__ import annotations

from typing import Any

import click

from fs_dialer import __version__
from fs_dialer.cli.command import Lazy, LazyGroup
from fs_dialer.cli.failures import Exit, Failure
from fs_dialer.cli.settings import Session
from fs_dialer.errors import FsDialerError

HERE = "fs_dialer.cli"


class Main(LazyGroup):
    """The root: whatever goes wrong below arrives here, is told once, and becomes an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        session = ctx.ensure_object(Session)
        try:
            return super().invoke(ctx)
        except FsDialerError as error:
            failure = session.failure_of(error)
        except BrokenPipeError:
            raise  # click ends quietly when nobody reads any more
        except OSError as error:
            if error.filename is None:
                raise
            failure = Failure(Exit.FAILED, f"{error.filename}: {error.strerror}")
        session.fail(failure)
        ctx.exit(failure.code)


DB = LazyGroup(
    "db",
    help="The database: make its tables, see where it stands.",
    sections={
        "Commands": {
            "migrate": Lazy(f"{HERE}.database:migrate", "Bring the database to this version's tables."),
            "status": Lazy(f"{HERE}.database:status", "Which steps the database has taken."),
        }
    },
)
CAMPAIGN = LazyGroup(
    "campaign",
    help="Look at campaigns. To change one, edit its file and `fs-dialer apply` it.",
    sections={
        "Commands": {
            "list": Lazy(f"{HERE}.campaigns:campaign_list", "All campaigns, what they do and why."),
            "show": Lazy(f"{HERE}.campaigns:campaign_show", "One campaign: leads, today's calls, what is next."),
        }
    },
)
LEAD = LazyGroup(
    "lead",
    help="Leads: import them, look at them.",
    sections={
        "Commands": {
            "import": Lazy(f"{HERE}.leads:lead_import", "Add the rows of a CSV file to a campaign."),
            "list": Lazy(f"{HERE}.leads:lead_list", "Leads of a campaign, by status or number."),
            "show": Lazy(f"{HERE}.leads:lead_show", "One lead with every call made to it."),
        }
    },
)
AGENT = LazyGroup(
    "agent",
    help="Agents: who is there, and who takes calls.",
    sections={
        "Commands": {
            "list": Lazy(f"{HERE}.agents:agent_list", "All agents with their status."),
            "available": Lazy(f"{HERE}.agents:available", "Let agents take calls."),
            "not-available": Lazy(f"{HERE}.agents:not_available", "Stop giving calls to agents."),
        }
    },
)

main = Main(
    "fs-dialer",
    help="An outbound dialer for FreeSWITCH.\n\nNew here? `fs-dialer demo` shows a campaign run; `fs-dialer init DIR` writes files to start from.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    sections={
        "Try it": {
            "demo": Lazy(f"{HERE}.demo:demo", "A campaign from end to end, against a simulated switch."),
            "simulate": Lazy(f"{HERE}.simulate:simulate_command", "What would a day of a campaign look like? In seconds, with modelled people."),
        },
        "Set up": {
            "init": Lazy(f"{HERE}.definitions:init", "Write a working set of example files."),
            "check": Lazy(f"{HERE}.definitions:check", "Find every mistake in definition files."),
            "db": DB,
            "apply": Lazy(f"{HERE}.definitions:apply", "Store what definition files say."),
            "lead": LEAD,
        },
        "Run": {
            "run": Lazy(f"{HERE}.run:run", "The daemon: dial."),
            "approve": Lazy(f"{HERE}.campaigns:approve", "Approve a campaign's newest definition."),
            "start": Lazy(f"{HERE}.campaigns:start", "Begin to dial a campaign."),
            "pause": Lazy(f"{HERE}.campaigns:pause", "Stop calling for a campaign, for now."),
            "end": Lazy(f"{HERE}.campaigns:end", "End a campaign for good."),
            "agent": AGENT,
        },
        "Look": {
            "status": Lazy(f"{HERE}.status:status", "What every campaign does now, and why."),
            "campaign": CAMPAIGN,
            "replay": Lazy(f"{HERE}.run:replay", "Run a recorded day again through the same engine."),
        },
    },
)
click.version_option(__version__, prog_name="fs-dialer", message="%(prog)s %(version)s")(main)

"""The command line's table of contents: which commands there are, under which heading, and where each is found.

Imports none of them: a command's module is loaded when the command is used, so `check` and `simulate` need neither gevent nor psycopg2.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import click

from fs_dialer import __version__
from fs_dialer.cli.command import Lazy, LazyGroup
from fs_dialer.cli.explain import explain
from fs_dialer.cli.failures import Exit, Failure
from fs_dialer.cli.settings import Session
from fs_dialer.errors import FsDialerError

HERE = "fs_dialer.cli"
NOBODY_READS = 141  # 128 + SIGPIPE, as a shell tells of a program that was ended by it
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class Main(LazyGroup):
    """The root: whatever goes wrong below arrives here, is told once, and becomes an exit code."""

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any) -> click.Context:
        return _written(lambda: super(Main, self).make_context(info_name, args, parent, **extra))  # --help and --version write here

    def invoke(self, ctx: click.Context) -> Any:
        return _written(lambda: self._invoke(ctx))

    def _invoke(self, ctx: click.Context) -> Any:
        session = ctx.ensure_object(Session)
        try:
            return super().invoke(ctx)
        except FsDialerError as error:
            failure = session.failure_of(error)
        except OSError as error:
            if error.filename is None:
                raise
            failure = Failure(Exit.FAILED, f"{error.filename}: {error.strerror}")
        session.fail(failure)
        ctx.exit(failure.code)


def _written(work: Callable[[], Any]) -> Any:
    """What `work` gives, once all it said is out. Where nobody reads any more the process ends without a word; where there is no room, with one."""
    try:
        try:
            return work()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        _ended(NOBODY_READS)
    except OSError as error:
        if error.filename is not None or error.errno not in NO_ROOM:
            raise
        with suppress(OSError):
            click.echo(f"fs-dialer: the output could not be written: {error.strerror}", err=True)
        _ended(Exit.FAILED)


def _ended(code: int) -> NoReturn:
    """The end, with what is still held back for stdout thrown away: Python would try once more to write it, and complain."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    raise click.exceptions.Exit(code)


DB = LazyGroup(
    "db",
    help="The database: make its tables, see where it stands.",
    sections={
        "Commands": {
            "migrate": Lazy(f"{HERE}.database:migrate", "Bring the database to this version's tables."),
            "status": Lazy(f"{HERE}.database:status", "Which steps the database has taken."),
            "roles": Lazy(f"{HERE}.roles:roles", "Roles for people: what operators and admins may do."),
            "catch-up": Lazy(f"{HERE}.database:catch_up", "Tell a restored database whom the daemon called since."),
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
            "clone": Lazy(f"{HERE}.clone:clone", "A new campaign from an old one, with its leads."),
        }
    },
)
LEAD = LazyGroup(
    "lead",
    help="Leads: import and add them, look at them, say what becomes of them.",
    sections={
        "Commands": {
            "import": Lazy(f"{HERE}.leads:lead_import", "Files of leads (CSV, TSV, XLSX), and their undo."),
            "imports": Lazy(f"{HERE}.lead_imports:lead_imports", "Files that were loaded."),
            "template": Lazy(f"{HERE}.lead_imports:lead_template", "A file of leads to start from."),
            "add": Lazy(f"{HERE}.lead_ops:lead_add", "Make people leads of a campaign, also while it runs."),
            "list": Lazy(f"{HERE}.lead_views:lead_list", "Leads, by campaign, status, gate, number or filter."),
            "show": Lazy(f"{HERE}.lead_views:lead_show", "One lead with every call made to it."),
            "timeline": Lazy(f"{HERE}.lead_views:lead_timeline", "All that happened with a person."),
            "mark": Lazy(f"{HERE}.lead_ops:lead_mark", "Stop, reopen, leave alone, promise a callback …"),
            "forget": Lazy(f"{HERE}.lead_forget:lead_forget", "Erase a person; totals stay."),
        }
    },
)
CONTACT = LazyGroup(
    "contact",
    help="The directory: people, their numbers, and what is known of them.",
    sections={
        "Commands": {
            "search": Lazy(f"{HERE}.contacts:contact_search", "People by name, number, attribute, filter or group."),
            "show": Lazy(f"{HERE}.contacts:contact_show", "One person in full, with the campaigns he is in."),
            "add": Lazy(f"{HERE}.contacts:contact_add", "A new person."),
            "set": Lazy(f"{HERE}.contacts:contact_set", "Change what is known of a person."),
            "owner": Lazy(f"{HERE}.contacts:contact_owner", "Which agent manages a person's account."),
        }
    },
)
GROUP = LazyGroup(
    "group",
    help="Groups of contacts. Declared in files; who is in them is said here.",
    sections={
        "Commands": {
            "list": Lazy(f"{HERE}.groups:group_list", "All groups, and how many are in each."),
            "show": Lazy(f"{HERE}.groups:group_show", "Who is in a group."),
            "add": Lazy(f"{HERE}.groups:group_add", "Put people into a group."),
            "remove": Lazy(f"{HERE}.groups:group_remove", "Take people out of a group."),
        }
    },
)
DNC = LazyGroup(
    "dnc",
    help="Do-not-call lists. Declared in files; every list holds for every campaign.",
    sections={
        "Commands": {
            "list": Lazy(f"{HERE}.dnc:dnc_list", "All lists, or the entries of one."),
            "show": Lazy(f"{HERE}.dnc:dnc_show", "May this number be called at all?"),
            "add": Lazy(f"{HERE}.dnc:dnc_add", "Put numbers or prefixes on a list."),
            "remove": Lazy(f"{HERE}.dnc:dnc_remove", "Take them off again, with a reason."),
            "import": Lazy(f"{HERE}.dnc_import:dnc_import", "A file of numbers onto a list."),
        }
    },
)
ATTEMPT = LazyGroup(
    "attempt",
    help="Calls one by one: what proves each, and its result.",
    sections={
        "Commands": {
            "list": Lazy(f"{HERE}.attempts:attempt_list", "Calls of a campaign or to a lead."),
            "show": Lazy(f"{HERE}.attempts:attempt_show", "One call with its evidence."),
            "dispose": Lazy(f"{HERE}.attempt_dispose:attempt_dispose", "Give a call its result."),
            "export": Lazy(f"{HERE}.attempts:attempt_export", "A campaign's calls as lines of JSON."),
        }
    },
)
AGENT = LazyGroup(
    "agent",
    help="Agents: who is there, and who takes calls.",
    sections={
        "Commands": {
            "list": Lazy(f"{HERE}.agents:agent_list", "All agents with their status."),
            "show": Lazy(f"{HERE}.agent_show:show", "One agent now, and what he may do."),
            "available": Lazy(f"{HERE}.agents:available", "Let agents take calls."),
            "not-available": Lazy(f"{HERE}.agents:not_available", "Stop giving calls to agents."),
            "log-out": Lazy(f"{HERE}.agents:log_out", "Agents go home."),
            "screen": Lazy(f"{HERE}.agent_acts:screen", "Open or close a campaign screen."),
            "pause": Lazy(f"{HERE}.agent_acts:pause", "No new calls of one campaign."),
            "supervise": Lazy(f"{HERE}.agent_acts:supervise", "Listen to an agent's call, whisper, barge in."),
        },
        "At his screen": {
            "console": Lazy(f"{HERE}.agent_console:agent_console", "An agent's screen in this terminal."),
            "take": Lazy(f"{HERE}.agent_acts:take", "Manual: the next customer."),
            "accept": Lazy(f"{HERE}.agent_acts:accept", "Accept a preview."),
            "extend": Lazy(f"{HERE}.agent_acts:extend", "More time before the call."),
            "dial": Lazy(f"{HERE}.agent_acts:dial", "Dial the lead on his card now."),
            "skip": Lazy(f"{HERE}.agent_acts:skip", "Pass the lead over."),
            "hangup": Lazy(f"{HERE}.agent_acts:hangup", "End his call."),
            "hold": Lazy(f"{HERE}.agent_acts:hold", "The customer waits with music."),
            "resume": Lazy(f"{HERE}.agent_acts:resume", "Back to the customer; or end a pause."),
            "transfer": Lazy(f"{HERE}.agent_acts:transfer", "To an agent, a team or a number."),
            "complete": Lazy(f"{HERE}.agent_acts:complete", "End an attended transfer."),
            "record": Lazy(f"{HERE}.agent_acts:record", "Start, stop or silence a recording."),
            "wrap-up": Lazy(f"{HERE}.agent_acts:wrap_up", "End or prolong the rest after a call."),
        },
        "The customer": {
            "card": Lazy(f"{HERE}.agent_filed:card", "Who he is, and what was said before."),
            "dispose": Lazy(f"{HERE}.agent_filed:dispose", "The result of a call."),
            "answers": Lazy(f"{HERE}.agent_filed:answers", "Answers to the script's questions."),
            "callback": Lazy(f"{HERE}.agent_filed:callback", "Promise to call again."),
            "do-not-call": Lazy(f"{HERE}.agent_filed:do_not_call", "He is not called any more."),
        },
    },
)
TICKET = LazyGroup(
    "ticket",
    help="Tickets: calls and callers that somebody should look at.",
    sections={
        "Commands": {
            "list": Lazy(f"{HERE}.tickets:ticket_list", "Tickets, the newest first."),
            "show": Lazy(f"{HERE}.tickets:ticket_show", "One ticket in full."),
            "close": Lazy(f"{HERE}.tickets:ticket_close", "Somebody has seen to them."),
        }
    },
)
IVR = LazyGroup(
    "ivr",
    help="Flows that autocall campaigns speak with. Defined in files; tried and drawn here.",
    sections={
        "Commands": {
            "list": Lazy(f"{HERE}.ivr:ivr_list", "All flows, and which campaigns use them."),
            "check": Lazy(f"{HERE}.ivr:ivr_check", "Find every mistake in flows."),
            "try": Lazy(f"{HERE}.ivr_try:ivr_try", "Walk through a flow by pressing keys."),
            "draw": Lazy(f"{HERE}.ivr:ivr_draw", "A picture of a flow, SVG or PNG."),
            "render": Lazy(f"{HERE}.ivr:ivr_render", "The dialplan that the switch is given for it."),
        }
    },
)
TRIGGER = LazyGroup(
    "trigger",
    help="Triggers: what happens by itself. Defined in files.",
    sections={
        "Commands": {
            "list": Lazy(f"{HERE}.triggers:trigger_list", "Every trigger, its conditions and its actions."),
            "test": Lazy(f"{HERE}.triggers:trigger_test", "Would it fire, and if not, why not?"),
        }
    },
)
WEBHOOK = LazyGroup(
    "webhook",
    help="Webhooks: who is told of events. Defined in files, sent to by the daemon.",
    sections={
        "Commands": {
            "list": Lazy(f"{HERE}.webhooks:webhook_list", "Every webhook, and what waits for it."),
            "test": Lazy(f"{HERE}.webhooks:webhook_test", "Send a message that says it is a test."),
            "outbox": Lazy(f"{HERE}.webhooks:webhook_outbox", "Messages, the newest first."),
            "replay": Lazy(f"{HERE}.webhooks:webhook_replay", "Send messages again."),
        }
    },
)
TOKEN = LazyGroup(
    "token",
    help="Tokens: who may use the HTTP interface, and as what.",
    sections={
        "Commands": {
            "create": Lazy(f"{HERE}.tokens:token_create", "Make a token; its secret is shown once."),
            "list": Lazy(f"{HERE}.tokens:token_list", "Every token, valid or not."),
            "revoke": Lazy(f"{HERE}.tokens:token_revoke", "End a token for good."),
        }
    },
)
QUEUE = LazyGroup(
    "queue",
    help="Queues of inbound callers. To change one, edit its file and `fs-dialer apply` it.",
    sections={
        "Commands": {
            "list": Lazy(f"{HERE}.queues:queue_list", "Every queue: who waits now, and how today went."),
            "show": Lazy(f"{HERE}.queues:queue_show", "One queue: its terms, its last callers."),
            "report": Lazy(f"{HERE}.queues:queue_report", "A day's callers: served, called back, missed, and their waits."),
        }
    },
)
SWITCH = LazyGroup(
    "switch",
    help="The FreeSWITCHes of the installation.",
    sections={
        "Commands": {
            "list": Lazy(f"{HERE}.switches:switch_list", "Every switch: is it there, its calls and limits."),
            "drain": Lazy(f"{HERE}.switch_drain:switch_drain", "No new calls by one of them, for maintenance; --off: again."),
            "install": Lazy(f"{HERE}.switch_install:switch_install", "Put flows, queues and the fallback into its configuration."),
            "diff": Lazy(f"{HERE}.switch_diff:switch_diff", "What is installed there, against what would be."),
            "reload": Lazy(f"{HERE}.switch_reload:switch_reload", "Bring changed flows and queues into it."),
            "uninstall": Lazy(f"{HERE}.switch_uninstall:switch_uninstall", "Take out what was installed."),
        }
    },
)
REPORT = LazyGroup(
    "report",
    help="What happened: attempts, counted or one by one, as a table, CSV or JSON.",
    sections={
        "Commands": {
            "campaign": Lazy(f"{HERE}.report:report_campaign", "A campaign's calls and its missed rate."),
            "agent": Lazy(f"{HERE}.report:report_agent", "Calls, talk and results by agent."),
            "caller-id": Lazy(f"{HERE}.report:report_caller_id", "How calls fared by the number shown."),
            "gateway": Lazy(f"{HERE}.report:report_gateway", "How calls fared by the trunk."),
            "hour": Lazy(f"{HERE}.report:report_hour", "How calls fared by the hour."),
            "ivr": Lazy(f"{HERE}.report_ivr:report_ivr", "What customers answered in a campaign's IVR flow."),
            "attempts": Lazy(f"{HERE}.report_attempts:report_attempts", "Attempts one by one, with the columns you choose."),
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
            "sandbox": Lazy(f"{HERE}.sandbox:sandbox", "A database and a simulated switch to learn and try with."),
            "simulate": Lazy(f"{HERE}.simulate:simulate_command", "What would a day of a campaign look like? In seconds, with modelled people."),
        },
        "Set up": {
            "init": Lazy(f"{HERE}.definitions:init", "Write a working set of example files."),
            "check": Lazy(f"{HERE}.definitions:check", "Find every mistake in definition files."),
            "schema": Lazy(f"{HERE}.schema:schema", "The JSON Schema of definition files, for your editor."),
            "db": DB,
            "doctor": Lazy(f"{HERE}.doctor.command:doctor", "Is everything there? What is wrong, and what to do about it."),
            "plan": Lazy(f"{HERE}.plan:plan", "What would an apply change, and what would that do?"),
            "apply": Lazy(f"{HERE}.apply:apply", "Store what a plan or definition files say, or undo it."),
            "diff": Lazy(f"{HERE}.export:diff", "Files against the database, or one revision against another."),
            "history": Lazy(f"{HERE}.export:history", "Every revision of a campaign or another thing."),
            "export": Lazy(f"{HERE}.export:export", "Write the database back as definition files."),
            "contact": CONTACT,
            "group": GROUP,
            "lead": LEAD,
            "dnc": DNC,
            "ivr": IVR,
            "trigger": TRIGGER,
            "webhook": WEBHOOK,
            "token": TOKEN,
        },
        "Run": {
            "run": Lazy(f"{HERE}.run:run", "The daemon: dial."),
            "approve": Lazy(f"{HERE}.campaigns:approve", "Approve a campaign's newest definition."),
            "start": Lazy(f"{HERE}.campaigns:start", "Begin to dial a campaign."),
            "pause": Lazy(f"{HERE}.campaigns:pause", "Stop calling for a campaign, for now."),
            "end": Lazy(f"{HERE}.campaigns:end", "End a campaign for good."),
            "agent": AGENT,
            "ticket": TICKET,
            "queue": QUEUE,
            "switch": SWITCH,
        },
        "Look": {
            "explain": explain,
            "status": Lazy(f"{HERE}.status:status", "What every campaign does now, and why."),
            "top": Lazy(f"{HERE}.top:top", "The same, live, on the whole terminal."),
            "report": REPORT,
            "campaign": CAMPAIGN,
            "attempt": ATTEMPT,
            "replay": Lazy(f"{HERE}.run:replay", "Run a recorded day again through the same engine."),
        },
    },
)
click.version_option(__version__, prog_name="fs-dialer", message="%(prog)s %(version)s")(main)

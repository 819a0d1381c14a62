"""`run`: the daemon. `replay`: a recorded day once more through the same core."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from fs_dialer.cli.command import command
from fs_dialer.cli.failures import Exit
from fs_dialer.cli.settings import Session
from fs_dialer.config.daemon import DaemonSettings
from fs_dialer.core.model import SwitchId
from fs_dialer.core.snapshot import Snapshot
from fs_dialer.errors import FsDialerError

if TYPE_CHECKING:
    from fs_dialer.runtime.live import Daemon, Service

HTTP_CONNECTIONS = 4  # to the database, for requests; apart from the dialling's
RECONNECT_MOST_S = 5.0  # well inside the time after which parked legs go to the fallback
ENDED_WITH_1 = "a part of the daemon failed, or another daemon took over: start it again, and it takes over what is up or stands by"


def set_up_logging(level: str, stream: TextIO | None = None) -> None:
    """One line each, time in UTC; to stderr unless told otherwise."""
    handler = logging.StreamHandler(stream or sys.stderr)
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def make_daemon(settings: DaemonSettings, on_snapshot: Callable[[Snapshot], None] | None = None) -> Daemon:
    """A daemon of these settings. gevent and psycopg2 are imported here, after __main__ has patched."""
    from gevent import monkey

    from fs_dialer.db.housekeeping import Housekeeping
    from fs_dialer.db.listen import Listener
    from fs_dialer.db.postgres import PostgresStore
    from fs_dialer.esl.client import EslSettings
    from fs_dialer.esl.translate import SUBSCRIBE, SUBSCRIBE_CUSTOM
    from fs_dialer.runtime.clerk import Clerk
    from fs_dialer.runtime.live import Daemon, LiveSettings
    from fs_dialer.runtime.live_switches import SwitchLink

    if not monkey.is_module_patched("socket"):
        raise FsDialerError("the daemon must be started as `fs-dialer run`, with its options after the word run")
    dsn = settings.dsn()
    esl = EslSettings(
        host=settings.esl.host,
        port=settings.esl.port,
        password=settings.esl_password(),
        events=SUBSCRIBE,
        custom_events=SUBSCRIBE_CUSTOM,
        backoff_most_s=RECONNECT_MOST_S,
    )
    state_dir = Path(settings.state_dir)
    further = {
        SwitchId(name): SwitchLink(replace(esl, host=each.host, port=each.port, password=settings.switch_password(name)), each.client)
        for name, each in settings.switches.items()
    }
    journal, keep_s = settings.journal_dir(), settings.journal.keep_s
    live = LiveSettings(esl, settings.esl.client, state_dir, journal, keep_s, recordings_dir=settings.recordings(), switches=further)
    daemon = Daemon(live, PostgresStore(dsn, pool_size=8), Listener(dsn), on_snapshot, Housekeeping(dsn))
    clerk = Clerk(dsn)
    daemon.when_active.append(clerk)
    daemon.desk.on_happenings = clerk.poke
    if (listen := settings.http.address) is not None:
        daemon.at_once += _http(settings, dsn, listen, daemon)
    return daemon


def _http(settings: DaemonSettings, dsn: str, listen: tuple[str, int], daemon: Daemon) -> list[Service]:
    """The HTTP interface, and what it looks at the daemon through."""
    from fs_dialer.config.http_settings import beside
    from fs_dialer.db.agent_desk import AgentRecordStore
    from fs_dialer.db.lead_api import LeadApi
    from fs_dialer.db.pool import Pool
    from fs_dialer.db.tokens import TokenStore
    from fs_dialer.runtime.agent_hub import AgentHub
    from fs_dialer.runtime.agent_web import AgentDoor, card_of
    from fs_dialer.runtime.daemon_view import LiveView
    from fs_dialer.runtime.lead_desk import StoredLeadDesk
    from fs_dialer.web.app import make_app
    from fs_dialer.web.server import WebServer

    pool = Pool(dsn, size=HTTP_CONNECTIONS, application="fs-dialer http")
    api = LeadApi(pool)
    view = LiveView(daemon, api)
    certificate, key = beside(settings.http, settings.file.parent if settings.file else Path())
    records = AgentRecordStore(pool)

    def card(agent: str, call: str | None, lead: int | None) -> Mapping[str, Any] | None:
        return card_of(records, agent, call, lead, time.time())

    hub = AgentHub(daemon.put, card, is_active=lambda: daemon.active, knows=daemon.desk.knows)
    daemon.hub = hub
    door = AgentDoor(hub, records, api.region)
    app = make_app(StoredLeadDesk(api), view, TokenStore(pool), agents=door, hosts=settings.http.hosts, tls=certificate is not None)
    return [view, WebServer(app, listen, certificate=certificate, key=key), hub]  # stopped from the end: screens are told goodbye before the server goes


@command("run", examples=("fs-dialer run", "fs-dialer run --config /etc/fs-dialer/fs-dialer.yml"), exits={Exit.FAILED: ENDED_WITH_1})
def run(session: Session) -> None:
    """Run the daemon: dial what is approved and started, until SIGTERM.

    The first SIGTERM (or Ctrl-C) drains: no new calls, the end when the last one is over. The second ends it at once; calls stay up in the switch, and
    the next daemon takes them over. A second daemon on the same database stands by and takes over when the first is gone.
    """
    settings = session.settings()
    set_up_logging(settings.log.level)
    code = make_daemon(settings).run()
    session.result({"exit_code": code})
    sys.exit(code)


@command(
    "replay",
    examples=("fs-dialer replay /var/lib/fs-dialer/journal/20261121T080000Z-1234.jsonl", "fs-dialer replay --json day.jsonl"),
    exits={Exit.FAILED: "it differs, or the file is no journal"},
)
@click.argument("journal", type=click.Path(path_type=Path))
def replay(session: Session, journal: Path) -> None:
    """Run a journal through the engine again: the same actions, or the first difference.

    A difference means that this version decides otherwise than the one that wrote the journal, or that it has a bug.
    """
    from fs_dialer.runtime.journal import replay as replay_journal

    result = replay_journal(journal)
    found = result.difference
    if found is None:
        session.say(f"{result.events:,} events: the same actions again")
    else:
        now = [repr(action) for action in found.actions]
        session.say(
            f"{journal}:{found.line}  differs after {result.events:,} events",
            f"  event    {found.event!r}",
            *(f"  now      {action}" for action in now or ["none"]),
        )
    difference = None if found is None else {"line": found.line, "at": found.now, "event": repr(found.event), "actions": [repr(a) for a in found.actions]}
    session.result({"events": result.events, "same": found is None, "difference": difference})
    sys.exit(Exit.DONE if found is None else Exit.FAILED)

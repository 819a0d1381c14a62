"""Asks the database: can it be reached, what is it, what is defined in it, what time is it there?

Runs on a thread of its own, so that a database which is silent does not hold up the rest; what is known when time is up stands in the answer. What it
means stands in database.py and clocks.py.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import dataclass, field

from fs_dialer.cli.doctor import ask_machine, clocks, database
from fs_dialer.cli.doctor.checks import Check, bad, fine, not_asked
from fs_dialer.cli.doctor.clocks import Sample
from fs_dialer.cli.doctor.wanted import Wanted, wanted
from fs_dialer.cli.failures import failure_of
from fs_dialer.cli.settings import Session
from fs_dialer.core.model import CampaignState
from fs_dialer.db import migrate
from fs_dialer.db.happenings import Happenings
from fs_dialer.db.pool import Pool
from fs_dialer.db.postgres import PostgresStore
from fs_dialer.db.server import APPLICATION, ServerFacts, bounded, inquiry
from fs_dialer.errors import ConfigError, FsDialerError

QUESTION_S = 2.0
ALL_S = 4.5
_SUBJECTS = {
    "database.version": "the database's version",
    "database.schema": "the database's tables",
    "database.writable": "whether the database can be written",
    "database.durable": "whether the database keeps what it promises",
    "database.connections": "room for connections to the database",
    "clock.database": "the database's clock",
}


@dataclass(slots=True)
class Answer:
    """What the database has told so far."""

    reached: bool = False
    facts: ServerFacts | None = None
    steps: list[migrate.Step] | None = None
    samples: list[Sample] = field(default_factory=list)
    wanted: Wanted | None = None
    problem: FsDialerError | None = None  # what ended the asking
    done: bool = False
    bug: Exception | None = None


class Asking:
    """Begins at once; result() waits no longer than ALL_S from then."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._until = time.monotonic() + ALL_S
        self._answer = Answer()
        self._thread = threading.Thread(target=self._ask, name="doctor-database", daemon=True)
        self._thread.start()

    def result(self) -> Answer:
        self._thread.join(max(0.0, self._until - time.monotonic()))
        if self._answer.bug is not None:
            raise self._answer.bug
        return self._answer

    def _ask(self) -> None:
        answer = self._answer
        try:
            dsn = self._session.settings().dsn()
            with inquiry(dsn, timeout_s=QUESTION_S) as asked:
                answer.reached = True
                answer.facts = asked.facts()
                for _ in range(clocks.SAMPLES):
                    before = time.time()
                    said = asked.clock()
                    answer.samples.append(Sample(before, time.time(), said))
            short = bounded(dsn, QUESTION_S)
            answer.steps = migrate.status(short)
            if all(step.applied and not step.problem for step in answer.steps):
                answer.wanted = _definitions(short)
        except FsDialerError as error:
            answer.problem = error
        except Exception as error:  # it belongs to whoever waits for the answer, not to a thread's end
            answer.bug = error
        answer.done = True


def _definitions(dsn: str) -> Wanted:
    with closing(Pool(dsn, size=1, application=APPLICATION)) as pool:
        webhooks = Happenings(pool).webhooks()
    with closing(PostgresStore(dsn, pool_size=1, application=APPLICATION)) as store:
        live = [each for each in store.campaigns() if each.state is not CampaignState.ENDED]
        campaigns = [(each.campaign, sorted({zone for zones in each.zone_sets for zone in zones})) for each in live]
        return wanted(store.installation(), campaigns, [each.agent for each in store.agents()], webhooks.values(), store.queues())


def judge(answer: Answer, session: Session) -> list[Check]:
    """Every check of the database, in order; those that were not reached are not asked."""
    if not answer.reached:
        return [_unreachable(answer, session), *(not_asked(id, subject, "the database is not reachable") for id, subject in _SUBJECTS.items())]
    facts, why = answer.facts, _why_no_more(answer)
    known = {"database.schema": None if answer.steps is None else database.schema(answer.steps)}
    if facts is not None:
        for judged in (database.version, database.writable, database.durable, database.connections):
            check = judged(facts)
            known[check.id] = check
    if answer.samples:
        known["clock.database"] = clocks.clock("clock.database", "the database", answer.samples)
    checks = [fine("database.reachable", "the database is reachable")]
    checks += [known.get(id) or not_asked(id, subject, why) for id, subject in _SUBJECTS.items()]
    if facts is not None and facts.same_machine and facts.data_directory:
        disk = ask_machine.database_disk(facts.data_directory)
        checks += [disk] if disk is not None else []
    return checks


def why_nothing_is_wanted(answer: Answer) -> str:
    """Why the definitions are not known."""
    if not answer.reached:
        return "the database, which has the definitions, is not reachable"
    if answer.steps is not None and any(step.problem or not step.applied for step in answer.steps):
        return "the database's tables are not at this version"
    return _why_no_more(answer)


def _unreachable(answer: Answer, session: Session) -> Check:
    id, problem = "database.reachable", answer.problem
    if problem is None:
        return bad(
            id, f"the database did not answer within {ALL_S:g} s", "is its host reachable from here? Its address comes from " + session.database_origin()
        )
    if isinstance(problem, ConfigError):
        return bad(id, problem.problems[0].text, "docs/reference/config.md: database.dsn")
    failure = failure_of(problem, session.database_origin)
    return bad(id, failure.text, failure.advice[-1] if failure.advice else "fs-dialer db status")


def _why_no_more(answer: Answer) -> str:
    if answer.problem is not None:
        return f"the database said: {answer.problem}"
    return "there is nothing to ask" if answer.done else f"the database took longer than {ALL_S:g} s"

"""What customers did in a flow, counted by the database: each call once, in the place where it belongs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from contextlib import closing

import pytest

from fs_dialer.core.flow import Ivr, Node
from fs_dialer.core.model import CampaignId
from fs_dialer.core.spans import Span
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.flow_reports import FlowFigures
from tests.db.rows import Database

pytestmark = pytest.mark.spec("S50", "S63", "D13")

SURVEY, NOW = CampaignId("survey"), 1_780_000_000.0
FLOW = Ivr(
    name="box", nodes=(Node(name="main", do="menu", keys=(("1", "note"), ("9", "stop"))), Node(name="note", do="record"), Node(name="stop", do="opt_out"))
)
ANYBODY = {"agent": None, "caller_id": None, "gateway": None}


class Calls:
    """A campaign's calls that are over, one for each `over`."""

    def __init__(self, dsn: str) -> None:
        self.db, self.dsn = Database(dsn), dsn
        self.db.campaign(SURVEY)
        self.db.rows("SELECT make_attempt_partitions(to_timestamp(%s), 1)", NOW)
        self.epoch = self.db.one("INSERT INTO epochs (holder, ended_at) VALUES ('before', now()) RETURNING id")
        contact = self.db.one("INSERT INTO contacts (number, name) VALUES ('+442079460101', 'Ada') RETURNING id")
        self.lead = self.db.one("INSERT INTO leads (campaign, contact, number) VALUES (%s, %s, '+442079460101') RETURNING id", SURVEY, contact)

    def over(self, outcome: str, *steps: Sequence[str], left_at: str = "") -> None:
        self.db.rows(
            """
            INSERT INTO attempts (id, campaign, revision, lead, lead_status, epoch, leg, number, gateway, caller_id, opened_at, gates, outcome, cause,
                                  answered_at, ended_at, missed, leg_seen, ivr, left_at)
            VALUES (%s, %s, 1, %s, 'new', %s, %s, '+442079460101', 'trunk1', '+442079460100', to_timestamp(%s), '[]', %s, 'NORMAL_CLEARING',
                    to_timestamp(%s), to_timestamp(%s), false, true, %s, %s)
            """,
            *(str(uuid.uuid4()), SURVEY, self.lead, self.epoch, str(uuid.uuid4()), NOW, outcome, NOW + 5, NOW + 25, json.dumps(steps), left_at),
        )

    def figures(self) -> FlowFigures:
        with closing(Backoffice(self.dsn)) as office:
            return office.flow_figures(SURVEY, Span(NOW - 60, NOW + 60), FLOW, ANYBODY)


@pytest.fixture
def calls(pg_dsn: str) -> Calls:
    return Calls(pg_dsn)


PRESSED, SPOKE, SILENT = ("main", "menu", "main", "1"), ("note", "record", "note", "12"), ("note", "record", "note", "0")
LAST = ("note", "record", "note", "success")


def test_a_recording_that_ends_the_flow_is_one_recording(calls: Calls) -> None:
    """A last node has a second word in the path: that the flow has come to its end."""
    calls.over("connected", PRESSED, SPOKE, LAST)
    calls.over("connected", PRESSED, SILENT, LAST)
    found = calls.figures()
    assert {(each.answer, each.times, each.recorded_s) for each in found.answers if each.node == "note"} == {("given", 1, 12), ("", 1, 0)}
    assert (found.messages, found.ended_well, found.left) == (1, 2, (("", 2, 0),))


def test_a_flow_that_ends_with_its_last_node_has_ended_as_well_as_one_with_an_end(calls: Calls) -> None:
    calls.over("connected", PRESSED, ("bye", "end", "bye", "success"))
    calls.over("connected", PRESSED, ("thanks", "play", "thanks", "success"))
    calls.over("early_hangup", PRESSED, ("sorry", "end", "sorry", "other"))
    calls.over("early_hangup", PRESSED, left_at="note")
    found = calls.figures()
    assert (found.persons, found.ended_well, {node: many for node, many, _ in found.left}) == (4, 2, {"": 3, "note": 1})


def test_an_opt_out_is_counted_once_though_the_flow_ends_with_it(calls: Calls) -> None:
    calls.over("connected", ("main", "menu", "main", "9"), ("stop", "opt_out", "stop", "yes"), ("stop", "opt_out", "stop", "success"))
    assert calls.figures().opted_out == 1


def test_machines_are_counted_apart_and_whose_way_nobody_knows_not_at_all(calls: Calls) -> None:
    calls.over("machine", SPOKE, LAST)
    calls.over("unknown", left_at="main")
    calls.over("early_hangup", left_at="main")
    found = calls.figures()
    assert (found.persons, found.machines, found.messages, found.ended_well) == (1, 1, 0, 0)
    assert (found.left, found.answers) == ((("main", 1, 0),), ())

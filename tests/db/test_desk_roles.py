"""Operators do everything with contacts, leads, results and do-not-call lists; only an admin forgets a person (M15)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from fs_dialer import paths
from fs_dialer.core.model import Outcome
from fs_dialer.db.backoffice import Backoffice
from fs_dialer.db.directory import ContactChange
from fs_dialer.db.dispositions import Result
from fs_dialer.db.dnc_lists import ListFile
from fs_dialer.db.lead_marks import CALL_AT, LEAVE_ALONE, NEXT_NUMBER, READY_NOW, REOPEN, STOP, Mark
from fs_dialer.errors import StoreError
from tests.db.desk import ADA, BEN, EVE, LONDON, NOW, Desk, a_desk

pytestmark = pytest.mark.spec("M15")


@pytest.fixture
def desk(pg_dsn: str) -> Iterator[Desk]:
    with a_desk(pg_dsn) as made:
        made.rows((paths.sql_dir() / "roles.sql").read_text(encoding="utf-8").replace("%", "%%"))
        yield made


def office(desk: Desk, role: str) -> Backoffice:
    return Backoffice(f"{desk.dsn}&options=-c%20role%3D{role}")


def test_an_operator_does_the_days_work_and_forgets_nobody(desk: Desk) -> None:
    with closing(office(desk, "fs_dialer_operator")) as theirs:
        contact = theirs.contact_add(ADA, ContactChange("Ada", attributes={"tier": "gold"}, owner="lan"), ["customers"], "op")
        theirs.contact_set(contact.id, ContactChange(attributes={"tier": ""}, zones=LONDON), "op")
        theirs.group_add("customers", "op", numbers=[ADA])
        theirs.lead_add("spring", "op", numbers=[(ADA, LONDON), (BEN, LONDON)])
        theirs.lead_join("spring", "op", group="customers")
        lead, other = desk.lead(ADA), desk.lead(BEN)
        for mark in (Mark(CALL_AT, at=NOW + 3600), *map(Mark, (READY_NOW, STOP, REOPEN, NEXT_NUMBER, LEAVE_ALONE, REOPEN))):
            assert theirs.lead_mark(other, mark, "op", "", NOW) is not None
        call = desk.called(ADA, Outcome.NO_ANSWER)
        for code in ("refused", "again"):
            done = theirs.attempt_dispose(call, Result(code), "op", "", NOW)
            assert done is not None and done.lead_kept == "" and done.refused == ()
        assert theirs.dnc_import(ListFile("national", "f", "h"), [EVE, ADA], "op").blocked == 1
        assert theirs.dnc_import(ListFile("national", "f", "i", True), [EVE], "op").returned == 1
        assert (len(theirs.timeline(ADA)) > 5, len(list(theirs.campaign_evidence("spring"))), theirs.lead_story(lead) is not None) == (True, 1, True)
        with pytest.raises(StoreError, match="permission denied"):
            theirs.forget(ADA, "op")
    assert desk.one("SELECT count(*) FROM contacts") == 2


def test_an_admin_forgets(desk: Desk) -> None:
    desk.add(ADA)
    desk.called(ADA)
    with closing(office(desk, "fs_dialer_admin")) as theirs:
        assert theirs.forget(ADA, "admin").attempts == 1
    assert desk.one("SELECT count(*) FROM contacts") == 0

"""POST leads over HTTP: what joins, what is refused and told, and what a key promises."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from fs_dialer.db.listen import Hint, Listener
from tests.db.rows import ADA, BEN, LONDON
from tests.web.client import Http, told

COUNTS = ("added", "known", "twice", "do_not_call", "no_callback")


@pytest.fixture
def http(pg_dsn: str) -> Iterator[Http]:
    made = Http(pg_dsn)
    made.database.campaign()
    made.database.installation(region="GB")
    yield made
    made.close()


def counts(response: TestResponse) -> dict[str, int]:
    """Those that are not 0."""
    assert response.status_code == 200, response.get_data(as_text=True)
    body = told(response)
    assert set(body) == {"total", "invalid", *COUNTS}
    assert body["total"] == sum(body[name] for name in COUNTS) + len({each["index"] for each in body["invalid"]})
    return {name: body[name] for name in COUNTS if body[name]}


def problems(response: TestResponse) -> list[tuple[int, str, str]]:
    return [(each["index"], each["field"], each["problem"]) for each in told(response)["invalid"]]


# --- what joins -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M22")
def test_a_contact_joins_with_all_that_is_said_of_him(http: Http) -> None:
    http.database.rows("INSERT INTO agents (id, definition) VALUES ('lan', '{}')")
    row = {
        "phone": "020 7946 0101", "phone2": "+81 3-1234-5678", "name": "Ada Example", "owner": "lan", "not_before": "2199-12-01T08:00:00+07:00",
        "attributes": {"plan": "gold", "seats": 3, "vip": True},
    }  # fmt: skip
    assert counts(http.leads([row])) == {"added": 1}
    ((number, zone_set, other, why, at),) = http.database.rows(
        "SELECT number, zone_set, other_numbers, ready_why, extract(epoch FROM ready_at)::float8 FROM leads"
    )
    assert (number, zone_set, other, why, at) == (ADA, LONDON, [["+81312345678", "Asia/Tokyo"]], "not_before", 7255443600.0)
    wanted = ("Ada Example", "lan", {"plan": "gold", "seats": "3", "vip": "yes"})
    assert http.database.rows("SELECT name, owner, attributes FROM contacts") == [wanted]
    assert http.database.rows("SELECT number, kind, place FROM contact_numbers") == [("+81312345678", "phone2", 1)]
    assert sorted(http.database.rows("SELECT zone_set FROM campaign_zone_sets")) == [("Asia/Tokyo",), (LONDON,)]
    assert http.database.rows("SELECT who, what, target FROM audit WHERE what = 'import_leads'") == [(f"token {http.token.token.id}", "import_leads", "spring")]


@pytest.mark.spec("M22")
def test_a_running_daemon_is_told_of_new_leads(http: Http) -> None:
    with Listener(http.database.dsn) as listener:
        listener.hints(5.0)  # that it is connected
        http.leads([{"phone": ADA}])
        assert listener.hints(5.0) == [Hint("leads", "spring")]


def test_leads_join_in_the_order_of_the_rows(http: Http) -> None:
    numbers = [f"+4420794601{n:02}" for n in (30, 10, 20)]
    http.leads([{"phone": number} for number in numbers])
    assert [number for (number,) in http.database.rows("SELECT number FROM leads ORDER BY position")] == numbers


def test_a_row_with_its_own_zone_has_it(http: Http) -> None:
    http.leads([{"phone": ADA, "zone": "Asia/Ho_Chi_Minh"}])
    assert http.database.one("SELECT zone_set FROM leads") == "Asia/Ho_Chi_Minh"


def test_do_not_call_joins_as_blocked_and_who_asked_for_quiet_as_refused(http: Http) -> None:
    http.database.rows("INSERT INTO do_not_call (number, added_by) VALUES (%s, 'test')", ADA)
    http.database.rows("INSERT INTO do_not_call_prefixes (prefix, added_by) VALUES ('+4420794602', 'test')")
    http.database.rows("INSERT INTO no_callback (number, until, added_by) VALUES (%s, now() + interval '3 days', 'test')", BEN)
    answer = http.leads([{"phone": phone} for phone in (ADA, "+442079460299", BEN, "+442079460103")])
    assert counts(answer) == {"added": 1, "do_not_call": 2, "no_callback": 1}
    assert [status for (status,) in http.database.rows("SELECT status FROM leads ORDER BY position")] == ["blocked", "blocked", "refused", "new"]


# --- doubles ----------------------------------------------------------------------------------------------------------------------------

DOUBLE = [
    {"phone": ADA, "name": "Ada", "attributes": {"plan": "gold"}},
    {"phone": BEN},
    {"phone": "020 7946 0101", "name": "Eve", "attributes": {"plan": "free", "n": 2}},
]


def contact(http: Http) -> tuple[str, dict[str, str]]:
    ((name, attributes),) = http.database.rows("SELECT name, attributes FROM contacts WHERE number = %s", ADA)
    return name, attributes


def test_keep_first_leaves_later_rows_and_known_leads_alone(http: Http) -> None:
    assert counts(http.leads(DOUBLE)) == {"added": 2, "twice": 1}
    assert counts(http.leads([{"phone": ADA, "name": "Eve", "phone2": "+81312345678"}])) == {"known": 1}
    assert contact(http) == ("Ada", {"plan": "gold"})
    assert http.database.one("SELECT count(*) FROM contact_numbers") == 0


def test_update_takes_the_newer_facts(http: Http) -> None:
    http.database.campaign("summer", twice="update")
    assert counts(http.leads(DOUBLE, "summer")) == {"added": 2, "twice": 1}
    assert contact(http) == ("Eve", {"plan": "free", "n": "2"})
    assert counts(http.leads([{"phone": ADA, "attributes": {"plan": "silver"}}], "summer")) == {"known": 1}
    assert contact(http) == ("Eve", {"plan": "silver", "n": "2"})


def test_keep_all_makes_every_row_a_lead_of_its_own(http: Http) -> None:
    http.database.campaign("winter", twice="keep-all")
    assert counts(http.leads(DOUBLE, "winter")) == {"added": 3}
    assert counts(http.leads(DOUBLE[:1], "winter")) == {"added": 1}
    wanted = [(ADA, 0, {}), (BEN, 0, {}), (ADA, 1, {"plan": "free", "n": "2"}), (ADA, 2, {})]
    assert http.database.rows("SELECT number, copy, parameters FROM leads ORDER BY position") == wanted


def test_a_contact_who_is_called_under_another_of_his_numbers_is_known(http: Http) -> None:
    http.leads([{"phone": ADA, "phone2": BEN}])
    http.database.rows("UPDATE leads SET number = %s", BEN)
    assert counts(http.leads([{"phone": ADA}])) == {"known": 1}


# --- what is refused --------------------------------------------------------------------------------------------------------------------


def test_bad_rows_are_told_with_place_and_field_and_the_good_ones_join(http: Http) -> None:
    answer = http.leads(
        [
            {"phone": ADA},
            {"phone": "12"},
            {"name": "nobody"},
            {"phone": BEN, "zone": "GMT+7"},
            {"phone": BEN, "nmae": "Ben"},
            {"phone": 442079460104},
            "text",
            {"phone": BEN, "attributes": {"a": ["b"], "": "c"}},
            {"phone": BEN, "owner": "nobody"},
            {"phone": BEN, "not_before": "soon"},
            {"phone": BEN, "phone2": "x"},
            {"phone": BEN, "name": "a\0b"},
            {"phone": "+442079460105"},
        ]
    )
    assert counts(answer) == {"added": 2}
    found = problems(answer)
    assert [(index, field) for index, field, _ in found] == [
        (1, "phone"), (2, "phone"), (3, "zone"), (4, "nmae"), (5, "phone"), (6, "row"), (7, "attributes.a"), (7, "attributes"), (8, "owner"),
        (9, "not_before"), (10, "phone2"), (11, "name"),
    ]  # fmt: skip
    said = {index: problem for index, _, problem in found}
    assert said[2] == "is missing" and said[4] == "unknown field; nearest: name" and said[5] == "must be text in quotes, not a number"
    assert said[8] == "there is no agent nobody" and said[11] == "a NUL in the text; take it out"
    assert http.database.one("SELECT count(*) FROM contacts") == 2


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"", 400, "bad_json"),
        (b"{", 400, "bad_json"),
        (b"\xff\xfe[]", 400, "bad_json"),
        (b'["\\ud800"]', 400, "bad_json"),
        (b"[" * 100_000, 400, "bad_json"),
        (b"[NaN]", 400, "bad_json"),
        (b'{"phone": "+442079460101"}', 400, "bad_request"),
        (b"null", 400, "bad_request"),
        (json.dumps([{"phone": ADA}] * 1001).encode(), 413, "too_many"),
        (b"[" + b" " * (1 << 20) + b"]", 413, "request_entity_too_large"),
    ],
)
def test_a_body_that_is_no_list_of_contacts_is_refused_whole(http: Http, body: bytes, status: int, error: str) -> None:
    answer = http.leads(body)
    assert (answer.status_code, told(answer)["error"]) == (status, error)


def test_an_empty_list_is_answered_and_does_nothing(http: Http) -> None:
    assert counts(http.leads([])) == {}


@pytest.mark.parametrize("kind", ["text/csv", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])
def test_another_kind_of_body_is_refused(http: Http, kind: str) -> None:
    answer = http.leads([{"phone": ADA}], **{"Content-Type": kind})
    assert (answer.status_code, told(answer)["error"]) == (415, "not_json")


@pytest.mark.parametrize(("campaign", "status"), [("nosuch", 404), ("over", 409), ("..%2f..", 404), ("%27;DROP%20TABLE%20leads", 404), ("a%00b", 404)])
def test_a_campaign_that_takes_no_leads_is_told(http: Http, campaign: str, status: int) -> None:
    http.database.campaign("over", state="ended")
    answer = http.leads([{"phone": ADA}], campaign)
    assert answer.status_code == status
    told(answer)
    assert http.database.one("SELECT count(*) FROM contacts") == 0


# --- the key ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("M22")
def test_the_same_key_and_body_get_the_same_answer_and_nothing_is_done_twice(http: Http) -> None:
    http.database.campaign("winter", twice="keep-all")
    first = http.leads(DOUBLE, "winter", key="k1")
    again = http.leads(DOUBLE, "winter", key="k1")
    assert again.get_data() == first.get_data()
    assert (first.headers.get("Idempotent-Replayed"), again.headers.get("Idempotent-Replayed")) == (None, "true")
    assert http.database.one("SELECT count(*) FROM leads") == 3


@pytest.mark.spec("M22")
def test_the_same_key_for_something_else_is_refused(http: Http) -> None:
    http.database.campaign("winter")
    http.leads(DOUBLE, key="k1")
    for answer in (http.leads(DOUBLE[:1], key="k1"), http.leads(DOUBLE, "winter", key="k1")):
        assert (answer.status_code, told(answer)["error"]) == (409, "key_reused")
    assert http.database.one("SELECT count(*) FROM leads") == 2


def test_a_key_belongs_to_its_token(http: Http) -> None:
    http.leads([{"phone": ADA}], key="k1")
    other = http.tokens.create("admin", "test").secret
    answer = http.post("/api/campaigns/spring/leads", [{"phone": BEN}], token=other, **{"Idempotency-Key": "k1"})
    assert counts(answer) == {"added": 1}


@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 201])
def test_a_request_without_a_proper_key_is_refused(http: Http, key: str) -> None:
    answer = http.post("/api/campaigns/spring/leads", [{"phone": ADA}], **({"Idempotency-Key": key} if key else {}))
    assert (answer.status_code, told(answer)["error"]) == (400, "idempotency_key")
    assert http.database.one("SELECT count(*) FROM leads") == 0


def test_many_at_once_with_one_key_do_it_once(http: Http) -> None:
    http.database.campaign("winter", twice="keep-all")
    answers: list[bytes] = []

    def ask() -> None:
        answers.append(http.leads(DOUBLE, "winter", key="k1").get_data())

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert len(answers) == 4 and len(set(answers)) == 1
    assert http.database.one("SELECT count(*) FROM leads") == 3


def test_many_at_once_with_the_same_people_make_each_a_lead_once(http: Http) -> None:
    people = [{"phone": f"+44207946{n:04}"} for n in range(1000, 1200)]
    answers: list[int] = []

    def ask(rows: list[Any]) -> None:
        answers.append(told(http.leads(rows))["added"])

    asking = [threading.Thread(target=ask, args=(rows,)) for rows in (people, people[::-1], people[50:150])]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert sum(answers) == 200 and http.database.one("SELECT count(*) FROM leads") == 200


# --- do not call ------------------------------------------------------------------------------------------------------------------------


def test_a_do_not_call_number_blocks_its_leads_at_once(http: Http) -> None:
    http.leads([{"phone": ADA}, {"phone": BEN}])
    answer = http.post("/api/dnc", {"numbers": ["020 7946 0101"], "reason": "asked us"})
    assert (answer.status_code, told(answer)) == (200, {"added": 1, "blocked_leads": 1})
    assert told(http.post("/api/dnc", {"numbers": [ADA]})) == {"added": 0, "blocked_leads": 0}
    assert http.database.rows("SELECT number, list, reason, added_by FROM do_not_call") == [(ADA, "own", "asked us", f"token {http.token.token.id}")]


@pytest.mark.parametrize(
    "body",
    [[], {}, {"numbers": []}, {"numbers": "x"}, {"numbers": ["12"]}, {"numbers": [ADA, None]}, {"numbers": [ADA], "list": "a b"},
     {"numbers": [ADA], "lists": "x"}, {"numbers": [ADA], "reason": "x" * 300}, {"numbers": [ADA] * 1001}],
)  # fmt: skip
def test_a_do_not_call_request_that_is_wrong_anywhere_stores_nothing(http: Http, body: object) -> None:
    answer = http.post("/api/dnc", body)
    assert answer.status_code == 400
    told(answer)
    assert http.database.one("SELECT count(*) FROM do_not_call") == 0


# --- anything at all --------------------------------------------------------------------------------------------------------------------

PHONES = st.one_of(st.sampled_from([ADA, BEN, "020 7946 0103", "12", "", "+1 212 555 0100", "${system(id)}", "'; DROP TABLE leads; --"]), st.text(max_size=20))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("phone", "phone2", "phone9"), PHONES | ANYTHING),
        **{name: st.text(max_size=30) | ANYTHING for name in ("name", "zone", "owner", "not_before", "x")},
        "attributes": st.dictionaries(st.text(max_size=10), st.text(max_size=30) | st.integers() | ANYTHING, max_size=4) | ANYTHING,
    },
)


@pytest.mark.spec("D7")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], print_blob=True)
@given(rows=st.lists(ROWS | ANYTHING, max_size=6) | ANYTHING)
def test_whatever_is_sent_is_answered_and_never_half_stored(http: Http, rows: object) -> None:
    http.database.rows("DELETE FROM leads; DELETE FROM contacts; DELETE FROM api_requests")
    answer = http.leads(rows, key="k")
    assert answer.status_code in (200, 400), answer.get_data(as_text=True)
    body = told(answer)
    stored = http.database.one("SELECT count(*) FROM leads")
    assert stored == (body["added"] if answer.status_code == 200 else 0)
    assert http.database.one("SELECT count(*) FROM api_requests") == (1 if answer.status_code == 200 else 0)
    again = http.leads(rows, key="k")
    assert (again.status_code, again.get_data()) == (answer.status_code, answer.get_data())


# --- beside an import -------------------------------------------------------------------------------------------------------------------


def test_while_an_import_runs_leads_are_asked_to_come_again(http: Http) -> None:
    """Imports and joins lock leads in orders of their own; a request waits for them a moment, and is not lost."""
    with closing(psycopg2.connect(http.database.dsn)) as importing, importing.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7382354617959212404)")
        answer = http.leads([{"phone": ADA}], key="k1")
        assert (answer.status_code, told(answer)["error"]) == (503, "database")
        importing.rollback()
    assert counts(http.leads([{"phone": ADA}], key="k1")) == {"added": 1}

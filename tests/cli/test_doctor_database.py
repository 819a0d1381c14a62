"""What the database's words mean, whether the clocks agree, and what the definitions want of switch and machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.cli.doctor import clocks, database
from fs_dialer.cli.doctor.checks import Verdict
from fs_dialer.cli.doctor.clocks import Sample, best, clock
from fs_dialer.cli.doctor.wanted import users, values_of, wanted
from fs_dialer.core.definition import GatewayDefinition, Waiting, Window
from fs_dialer.core.model import GatewayId
from fs_dialer.core.options import option, section
from fs_dialer.db.migrate import Step
from fs_dialer.db.server import ServerFacts
from tests.core.builders import a_campaign, an_agent, an_installation

pytestmark = pytest.mark.spec("X9")
FINE, WARN, BAD = Verdict.FINE, Verdict.WARN, Verdict.BAD
FACTS = ServerFacts("16.4", 160004, False, False, True, "on", True, 97, 0, True, "")


@pytest.mark.parametrize(("number", "verdict"), [(130015, BAD), (140000, FINE), (160004, FINE), (180001, FINE)])
def test_a_server_older_than_14_is_bad(number: int, verdict: Verdict) -> None:
    assert database.version(replace(FACTS, version_number=number)).verdict is verdict


def test_tables_must_be_at_this_version() -> None:
    done, missing, strange = Step("0001_initial", True), Step("0002_more", False), Step("0009_later", True, "it belongs to a newer program")
    assert database.schema([done]).verdict is FINE
    assert (database.schema([done, missing]).verdict, database.schema([done, missing]).remedy) == (BAD, "fs-dialer db migrate")
    assert "0009_later: it belongs to a newer program" in database.schema([done, strange]).what


@pytest.mark.parametrize(("change", "verdict"), [({}, FINE), ({"standby": True}, BAD), ({"read_only": True}, BAD)])
def test_a_standby_or_a_read_only_database_is_refused(change: dict[str, Any], verdict: Verdict) -> None:
    assert database.writable(replace(FACTS, **change)).verdict is verdict


@pytest.mark.spec("D8")
@pytest.mark.parametrize("change", [{"fsync": False}, {"synchronous_commit": "off"}, {"full_page_writes": False}])
def test_a_server_that_forgets_after_a_power_cut_is_bad(change: dict[str, Any]) -> None:
    assert database.durable(FACTS).verdict is FINE
    assert database.durable(replace(FACTS, synchronous_commit="remote_apply")).verdict is FINE
    check = database.durable(replace(FACTS, **change))
    assert check.verdict is BAD and next(iter(change)) in check.what


@pytest.mark.parametrize(("limit", "others", "verdict"), [(97, 0, FINE), (97, 73, FINE), (97, 74, WARN), (97, 86, WARN), (97, 87, BAD), (5, 0, BAD)])
def test_there_must_be_room_for_the_daemon_and_should_be_for_a_standby(limit: int, others: int, verdict: Verdict) -> None:
    assert database.connections(replace(FACTS, connection_limit=limit, others_connected=others)).verdict is verdict


# --- clocks


def samples(offset_s: float, *ways_s: tuple[float, float]) -> list[Sample]:
    """Questions with these ways there and back, to a clock so far ahead."""
    return [Sample(1000.0, 1000.0 + there + back, 1000.0 + there + offset_s) for there, back in ways_s]


@pytest.mark.parametrize(("offset_s", "verdict"), [(0.0, FINE), (0.049, FINE), (-0.049, FINE), (0.06, WARN), (-0.9, WARN), (1.1, BAD), (-3600.0, BAD)])
def test_under_50_ms_is_fine_and_over_a_second_bad(offset_s: float, verdict: Verdict) -> None:
    assert clock("clock.database", "the database", samples(offset_s, (0.0005, 0.0005))).verdict is verdict


def test_the_quickest_answer_counts() -> None:
    found = samples(0.0, (0.2, 0.0), (0.001, 0.001), (0.0, 0.4))
    assert best(found) is found[1]


def test_of_a_clock_in_steps_the_one_furthest_ahead_counts() -> None:
    found = [Sample(1000.0 + n * 0.009, 1000.0 + n * 0.009, said) for n, said in enumerate((999.98, 999.98, 1000.02, 1000.02))]
    assert best(found, stepped=True) is found[2]


@given(st.floats(-5, 5), st.floats(0, 2), st.floats(0, 2))
def test_a_slow_way_never_makes_a_good_clock_bad(offset_s: float, there_s: float, back_s: float) -> None:
    """What is beyond doubt is never more than what is so."""
    verdict = clock("c", "the switch", samples(offset_s, (there_s, back_s))).verdict
    order = [FINE, WARN, BAD]
    truth = FINE if abs(offset_s) <= clocks.FINE_S + 1e-6 else WARN if abs(offset_s) <= clocks.BAD_S + 1e-6 else BAD
    assert order.index(verdict) <= order.index(truth)


def test_which_way_a_clock_is_off_is_told() -> None:
    assert clock("c", "the database", samples(3.2, (0.0, 0.0))).what == "the database's clock is 3.2 s ahead"
    assert clock("c", "the database", samples(-0.25, (0.0, 0.0))).what == "the database's clock is 250 ms behind"


# --- what is wanted


@dataclass(frozen=True)
class Inner:
    music: str = option("local_stream://moh", kind="sound", help="x")
    zone: str = option("UTC", kind="zone", help="x")


@dataclass(frozen=True)
class Outer:
    title: str = option("local_stream://not-a-sound", kind="text", help="x")
    notice: str | None = option(None, kind="sound", help="x")
    inner: Inner = section(Inner, help="x")
    several: tuple[Inner, ...] = option((Inner("a.wav"), Inner("b.wav")), kind="sections", help="x")
    queue_only: str = option("q.wav", kind="sound", types=("autocall",), help="x")
    named: tuple[tuple[str, str], ...] = option((("sorry", "sorry.wav"),), kind="by_name", of="sound", help="x")
    options: object = Inner("own.wav")


def test_every_sound_is_found_wherever_it_stands_and_nothing_else() -> None:
    assert list(values_of("sound", Outer(), "progressive")) == ["local_stream://moh", "a.wav", "b.wav", "sorry.wav", "own.wav"]
    assert "q.wav" in list(values_of("sound", Outer(), "autocall"))


def test_what_is_wanted_names_who_wants_it() -> None:
    waiting = Waiting(music="local_stream://moh", notice="sorry.wav")
    spring = replace(a_campaign(gateways=("trunk2",)), waiting=waiting, window=Window(zone="Asia/Ho_Chi_Minh"))
    house = an_installation(lines=60, cps=12.5, gateways=(GatewayDefinition(id=GatewayId("trunk1")), GatewayDefinition(id=GatewayId("trunk2"))))
    agents = [an_agent("lan", dial_string="sofia/gateway/pbx/1001"), an_agent("hoa", dial_string="user/1002")]
    found = wanted(house, [(spring, ["Europe/Madrid"])], agents)
    assert (found.lines, found.cps) == (60, 12.5)
    assert found.gateways == {"trunk1": ("installation.yml",), "trunk2": ("installation.yml", "campaign spring"), "pbx": ("agent lan",)}
    assert found.sounds["sorry.wav"] == found.sounds["local_stream://moh"] == ("campaign spring",)
    assert set(found.zones) >= {"Asia/Ho_Chi_Minh", "Europe/Madrid"}


def test_many_users_are_told_as_one_and_a_number() -> None:
    assert users(("a",)) == "a" and users(("a", "b", "c")) == "a and 2 more"

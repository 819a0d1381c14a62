"""One text to one value, or a sentence that says what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fs_dialer.config import kinds, values
from fs_dialer.config.values import BadValue
from fs_dialer.errors import EslUnsafe
from fs_dialer.esl import commands


def reader(kind: str) -> Callable[[str], Any]:
    read = kinds.KINDS[kind].read
    assert read is not None
    return read


def refusal(kind: str, text: str) -> str:
    with pytest.raises(BadValue) as caught:
        reader(kind)(text)
    return str(caught.value)


# --- durations, rates, numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("15m", 900), ("4h", 14400), ("180d", 15552000), ("1h30m", 5400), ("1.5h", 5400), ("0s", 0), ("2 h", 7200), ("10S", 10), ("0.5s", 0.5)],
)
def test_a_duration_carries_its_unit(text: str, seconds: float) -> None:
    assert values.duration(text) == seconds


@pytest.mark.spec("D18")
@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("30", "write 30s"),
        ("0", "write 0s"),
        ("1.5", "write 1.5s"),
        ("5min", "write 5m"),
        ("2 hours", "write 2h"),
        ("30m1h", "is not"),
        ("99999999d", "is above 365d, the most"),
        ("1h99999999999s", "is above 365d, the most"),
        ("", "is not"),
        ("-5s", "is not"),
    ],
)
def test_a_duration_without_a_known_unit_is_refused_with_what_to_write(text: str, hint: str) -> None:
    """D18"""
    assert hint in refusal("duration", text)


@given(st.integers(min_value=0, max_value=400 * 86400))
def test_a_shown_duration_reads_back_to_the_same_seconds(seconds: int) -> None:
    assert values.duration(values.show_duration(seconds)) == seconds


@given(st.integers(min_value=1, max_value=10**9))
def test_a_shown_fraction_of_a_second_reads_back(thousandths: int) -> None:
    assert values.duration(values.show_duration(thousandths / 1000)) == pytest.approx(thousandths / 1000, abs=1e-5)


@pytest.mark.parametrize(("text", "rate"), [("3%", 0.03), ("0.03", 0.03), ("2.5 %", 0.025), ("0", 0.0), ("100%", 1.0)])
def test_a_rate_is_a_percentage_or_a_fraction(text: str, rate: float) -> None:
    assert values.rate(text) == pytest.approx(rate)


@pytest.mark.spec("D18")
@pytest.mark.parametrize(
    ("text", "hint"),
    [("3", "3 could mean 3% or 300%; write 3% or 0.03"), ("1", "write 1% or 0.01"), ("2,5%", "write 2.5%"), ("x", "write 3% or 0.03"), ("300", "write 3%")],
)
def test_a_bare_number_is_no_rate(text: str, hint: str) -> None:
    """D18"""
    assert hint in refusal("rate", text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [("1,000", "write 1000"), ("1.000", "write 1000"), ("3.5", "whole number"), ("٣", "whole number"), ("", "whole number"), ("1e3", "whole number")],
)
def test_a_count_is_a_plain_whole_number(text: str, hint: str) -> None:
    assert hint in refusal("count", text)


def test_a_number_may_have_a_point_but_no_comma() -> None:
    assert values.number("0.5") == 0.5
    assert "write 0.5" in refusal("number", "0,5")
    assert "not a number" in refusal("number", "nan")


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("No", False), ("true", True), ("off", False), ("ON", True), ("false", False)])
def test_a_flag_is_yes_or_no_in_any_of_its_words(text: str, value: bool) -> None:
    assert values.flag(text) is value


def test_a_flag_is_nothing_else() -> None:
    assert "write yes or no" in refusal("flag", "1")


# --- telephones, names ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [("+84 912 345 678", "+84912345678"), ("84912345678", "84912345678"), ("(028) 7300-1234", "02873001234"), ("020/79460123", "02079460123")],
)
def test_a_telephone_number_may_be_written_with_spaces_dashes_and_brackets(text: str, number: str) -> None:
    assert values.phone(text) == number


@pytest.mark.spec("D7")
@pytest.mark.parametrize("text", ["", "+", "84+912", "0912}", "${system(x)}", "0912;x", "call me", "+44 (0)20 7946 0123", "٠٩١٢", "1" * 21])
def test_what_is_no_telephone_number_is_refused(text: str) -> None:
    """D7"""
    refusal("phone", text)


@pytest.mark.parametrize("text", ["a b", "", "-x", "x" * 65, "lan,hoa", "ä", "a/b", "${x}"])
def test_a_name_is_letters_digits_and_three_marks(text: str) -> None:
    refusal("name", text)


def test_several_names_in_one_text_are_told_to_be_a_list() -> None:
    assert "write [lan, hoa]" in refusal("names", "lan,hoa")


# --- what reaches the switch ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "user/1001",
        "user/1001@pbx.example",
        "sofia/gateway/pbx/1001",
        "sofia/internal/1001@10.0.0.5:5060",
        "sofia/internal/1001%pbx.example",
        "loopback/1001/default",
    ],
)
def test_the_usual_dial_strings_are_read(text: str) -> None:
    assert values.dial_string(text) == text == commands.agent_endpoint(text)


@pytest.mark.spec("D7")
@pytest.mark.parametrize("odd", list("${}[]|,;'\"\\&`<>() \t"))
def test_a_dial_string_with_a_character_that_the_switch_would_act_on_is_refused(odd: str) -> None:
    """D7"""
    refusal("dial_string", f"user/10{odd}01")


def test_a_bare_extension_is_told_its_endpoint() -> None:
    assert "write user/1001" in refusal("dial_string", "1001")


@pytest.mark.parametrize(
    "text", ["sorry.wav", "sounds/en/sorry.wav", "/var/sounds/a-b_1.wav", "local_stream://moh", "tone_stream://%(400,200,425)", "silence_stream://1000"]
)
def test_the_usual_sounds_are_read(text: str) -> None:
    assert values.sound(text) == text and text in commands.uuid_broadcast("11111111-2222-3333-4444-555555555555", text)


@pytest.mark.spec("D7")
@pytest.mark.parametrize(
    "text", ["${system(x)}", "a b.wav", "x|y", "say::hangup", "http://x/y", "a;b", "../x", "", "shell_stream://ls", "tone_stream://path=/etc/passwd"]
)
def test_a_sound_that_the_switch_would_act_on_is_refused(text: str) -> None:
    """D7"""
    refusal("sound", text)


@pytest.mark.spec("D7")
@given(st.text(alphabet="user/sofia/gateway/internal/loopback/10@%:.+-_*#~${}", max_size=30))
def test_every_dial_string_we_read_is_one_that_may_be_sent(text: str) -> None:
    """D7: what `check` passes must not be refused later, at the call."""
    try:
        commands.agent_endpoint(values.dial_string(text))
    except BadValue:
        with pytest.raises(EslUnsafe):
            commands.agent_endpoint(text.strip())


@pytest.mark.spec("D7")
@given(
    st.text(alphabet="ab/.-_%(),;=:+0123456789~ ", max_size=20).flatmap(
        lambda tail: st.sampled_from(["", "local_stream://", "tone_stream://", "silence_stream://"]).map(lambda head: head + tail)
    )
)
def test_every_sound_we_read_is_one_that_may_be_sent(text: str) -> None:
    """D7"""
    try:
        commands.uuid_broadcast("11111111-2222-3333-4444-555555555555", values.sound(text))
    except BadValue:
        with pytest.raises(EslUnsafe):
            commands.uuid_broadcast("11111111-2222-3333-4444-555555555555", text.strip())


@pytest.mark.spec("D7")
@given(st.sampled_from(["phone", "name", "dial_string", "sound", "zone"]), st.text(max_size=40))
def test_nothing_that_the_switch_would_expand_gets_through(kind: str, text: str) -> None:
    """D7"""
    try:
        value = reader(kind)(text)
    except BadValue:
        return
    assert not set(value) & set("${}[]|;'\"\n\r\0 ")


# --- places and times -----------------------------------------------------------------------------------------------------------------


def test_a_time_zone_is_a_place() -> None:
    assert values.zone("Asia/Ho_Chi_Minh") == "Asia/Ho_Chi_Minh"
    assert "nearest: Asia/Ho_Chi_Minh" in refusal("zone", "asia/ho chi minh")
    assert "nearest: Europe/Berlin" in refusal("zone", "Berlin")
    assert "not a place" in refusal("zone", "GMT+7")
    refusal("zone", "../../etc/passwd")
    refusal("zone", "localtime")


@pytest.mark.spec("D9")
def test_a_moment_is_read_on_the_clocks_of_its_zone() -> None:
    """D9"""
    assert values.moment("2026-12-01 8:00", "Asia/Ho_Chi_Minh") == datetime(2026, 12, 1, 1, 0, tzinfo=UTC).timestamp()
    assert values.moment("2026-12-01T08:00:30", "UTC") == datetime(2026, 12, 1, 8, 0, 30, tzinfo=UTC).timestamp()


def test_a_time_that_clocks_skip_in_spring_is_refused_with_the_next_one() -> None:
    with pytest.raises(BadValue, match="does not exist in Europe/Berlin: clocks go forward by 1h then; write 2026-03-29 3:00"):
        values.moment("2026-03-29 2:30", "Europe/Berlin")


def test_a_time_that_clocks_show_twice_in_autumn_is_the_first_of_the_two() -> None:
    assert values.moment("2026-10-25 2:30", "Europe/Berlin") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2026-12-01", "lacks the time"),
        ("2026-02-30 8:00", "does not exist"),
        ("1 Dec 2026", "write 2026-12-01 8:00"),
        ("2026-12-01 25:00", "hour"),
        ("1926-12-01 8:00", "out of reach"),
    ],
)
def test_what_is_no_moment_is_refused(text: str, hint: str) -> None:
    with pytest.raises(BadValue, match=hint):
        values.moment(text, "UTC")


@given(st.integers(min_value=1_000_000_000, max_value=4_000_000_000), st.sampled_from(["UTC", "Asia/Ho_Chi_Minh", "Asia/Kathmandu"]))
def test_a_shown_moment_reads_back(epoch: int, zone: str) -> None:
    """Zones without clock changes in these years: where clocks go back, one text stands for two moments."""
    assert values.moment(values.show_moment(epoch, zone), zone) == epoch


def test_the_nearest_word_is_found_whatever_its_dashes() -> None:
    assert values.nearest("wrapup", ["wrap_up", "waiting"]) == "wrap_up"
    assert values.nearest("zzz", ["wrap_up"]) is None

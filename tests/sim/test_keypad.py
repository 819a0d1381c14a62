"""What people press: rules of chance, scripts, and keys pressed by themselves; as an administrator writes them, and on the simulated switch."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from fs_dialer.runtime.ids import uuids
from fs_dialer.sim import english
from fs_dialer.sim.keypad import BETWEEN_KEYS_S, KEY_S, answer, read_keys
from fs_dialer.sim.people import Behaviour, ModelledPeople, PeopleModel, ScriptedPeople
from fs_dialer.sim.settings import SwitchSettings
from fs_dialer.sim.switch import SimSwitch

NOON = 1_780_000_000.0
ASK = "1 4 3 5000 # prompt.wav wrong.wav pin ^[1-9]{2,4}$ 2000"


def asked(keys: Any, extension: str = "dues.12345678.main", variable: str = "fsd_key", turns: dict[str, int] | None = None) -> str:
    rules, _ = read_keys(keys, "keys")
    return "".join(key for _, key in answer(rules, extension, "hello.wav", variable, {} if turns is None else turns, Random(5)))


def test_the_first_rule_that_holds_decides_by_node_variable_prompt_or_extension() -> None:
    keys = [{"at": "pin", "press": "4711#"}, {"at": "hello.*", "press": 7}, {"at": "*", "press": "none"}]
    assert [asked(keys, "dues.1.pin"), asked(keys, variable="pin"), asked(keys)] == ["4711#", "4711#", "7"]


def test_a_script_goes_on_with_every_time_and_stays_at_its_end() -> None:
    turns: dict[str, int] = {}
    assert [asked([{"script": [1, "star", "none"]}], turns=turns) for _ in range(4)] == ["1", "*", "", ""]


def test_keys_come_one_after_the_other_from_the_end_of_the_prompt() -> None:
    rules, _ = read_keys([{"press": "12", "after": "2s"}], "keys")
    assert answer(rules, "x", "", "", {}, Random(1)) == [(2 + KEY_S, "1"), (2 + KEY_S + BETWEEN_KEYS_S, "2")]


def test_shares_are_kept() -> None:
    rules, _ = read_keys([{"press": {1: "25%", "none": "75%"}}], "keys")
    rng = Random(7)
    pressed = sum(bool(answer(rules, "x", "", "", {}, rng)) for _ in range(4000))
    assert 900 < pressed < 1100


@pytest.mark.parametrize(("given", "words"), [
    ("1", "write a list"), ([{"at": "x"}], "either press"), ([{"press": 1, "script": [1]}], "either press"), ([{"pres": 1}], "unknown key 'pres'"),
    ([{"press": {"A": 1}}], "no keys of a telephone"), ([{"press": {1: "often"}}], "is not a weight"), ([{"press": {1: 0}}], "one of them above 0"),
    ([{"answered": "4s", "at": "x", "press": 1}], "goes with press alone"), ([{"press": 1, "after": "soon"}], "is not a time")])  # fmt: skip
def test_a_mistake_is_named_with_its_place(given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words) as error:
        read_keys(given, "customers.keys")
    assert str(error.value).startswith("customers.keys")


def test_a_model_without_keys_draws_what_it_drew_before() -> None:
    """Equal seeds give equal days: new settings must not take numbers from the generator where they are not used."""
    plain = ModelledPeople(PeopleModel.from_mapping({})).behaviour("x/1", {}, Random(11))
    assert (plain.rules, plain.keys, plain.listens_s) == ((), (), None)


# --- on the switch


def on_the_phone(*keys: tuple[float, str], prompt_s: float = 1.0, **did: Any) -> tuple[SimSwitch, list[tuple[str, str]]]:
    """Somebody who is asked by play_and_get_digits; what happened, as events and digits, until he is parked or gone."""
    text = (
        f'<context name="c"><extension name="a"><condition field="destination_number" expression="^1$"><action application="play_and_get_digits" data="{ASK}"/>'
    )
    text += '<action application="park"/></condition></extension></context>'
    settings = SwitchSettings(dialplan=(text,), file_lengths_s={"prompt.wav": prompt_s, "wrong.wav": 0.5})
    switch = SimSwitch(ScriptedPeople({}, Behaviour(keys=keys, **did)), rng=Random(1), new_uuid=uuids(Random(2)), settings=settings, started_at=NOON)
    switch.originate("j", "leg", "sofia/gateway/t/1", {}, "1 XML c", NOON)
    seen: list[tuple[str, str]] = []
    while (at := switch.next_wakeup()) is not None and at < NOON + 60 and not (switch.legs.get("leg") and switch.legs["leg"].parked):
        for event in switch.advance(at):
            if event.name in ("DTMF", "PLAYBACK_START", "PLAYBACK_STOP"):
                shown = {**dict(event.front), **dict(event.tail)}
                seen.append((event.name, shown.get("DTMF-Digit") or f"{shown.get('Playback-File-Path')} {shown.get('Playback-Status', '')}".strip()))
    return switch, seen


def pin(switch: SimSwitch) -> str | None:
    return switch.legs["leg"].variables.get("pin")


def test_a_key_breaks_the_prompt_off_and_counts() -> None:
    switch, seen = on_the_phone((0.5, "4"), (1.0, "7"), (1.2, "#"))
    assert (pin(switch), seen[:3]) == ("47", [("PLAYBACK_START", "prompt.wav"), ("DTMF", "4"), ("PLAYBACK_STOP", "prompt.wav break")])
    assert switch.legs["leg"].variables["read_terminator_used"] == "#"


def test_the_last_digit_that_is_wanted_ends_the_answer() -> None:
    assert pin(on_the_phone((2.0, "1"), (2.2, "2"), (2.4, "3"), (2.6, "4"), (2.8, "5"))[0]) == "1234"


def test_digits_that_do_not_fit_are_asked_for_again_and_leave_nothing_behind() -> None:
    switch, seen = on_the_phone((2.0, "0"), (2.2, "#"), (6.0, "4"), (6.2, "7"), (6.4, "#"))
    assert (pin(switch), [what for what, file in seen if file.startswith("wrong.wav")]) == ("47", ["PLAYBACK_START", "PLAYBACK_STOP"])
    assert switch.legs["leg"].variables["pin_invalid"] == "0"


def test_after_all_tries_the_variable_is_unset_and_the_call_goes_on() -> None:
    switch, seen = on_the_phone()
    assert pin(switch) is None and switch.legs["leg"].parked
    assert [file for what, file in seen if what == "PLAYBACK_START"] == ["prompt.wav", "wrong.wav"] * 3


def test_a_key_pressed_while_nobody_reads_answers_the_next_question() -> None:
    switch, _ = on_the_phone((6.3, "8"), (8.0, "8"), (8.2, "#"))  # the first one during wrong.wav
    assert pin(switch) == "88"


def test_somebody_with_rules_answers_by_them() -> None:
    rules, _ = read_keys([{"at": "pin", "script": ["0#", "4711#"], "after": "1s"}], "keys")
    switch, _ = on_the_phone(rules=rules)
    assert (pin(switch), switch.legs["leg"].ears.asked_before) == ("4711", {"pin": 2})


def test_somebody_who_listens_no_longer_hangs_up_in_the_middle() -> None:
    switch, _ = on_the_phone(listens_s=3.0)
    assert "leg" not in switch.legs


@pytest.mark.parametrize(("kind", "text", "files"), [
    ("CURRENCY pronounced", "42.50", "digits/40 digits/2 currency/dollars currency/and digits/50 currency/cents"),
    ("CURRENT_DATE pronounced", "2026-12-01 12:00:00", "time/day-2 time/mon-11 digits/h-1 digits/2 digits/thousand digits/20 digits/6"),
    ("NUMBER pronounced", "1314", "digits/1 digits/thousand digits/3 digits/hundred digits/14"), ("NUMBER iterated", "07", "digits/0 digits/7")])  # fmt: skip
def test_what_is_said_is_said_with_the_files_of_mod_say_en(kind: str, text: str, files: str) -> None:
    assert english.files(kind.split()[0], kind.split()[1], text) == [f"{each}.wav" for each in files.split()]

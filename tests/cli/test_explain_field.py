"""explain field: what a setting means, at the command line."""

from __future__ import annotations

import pytest

from fs_dialer.config.fields import all_settings
from tests.cli.runner import called


@pytest.mark.spec("S11")
def test_a_setting_is_told_with_everything_that_is_declared_of_it() -> None:
    said = called("explain", "field", "attempts.gap").out
    for line in ("attempts.gap", "Break between two calls to the same lead.", "default    4h", "bounds     0s to 365d", "spec       S11"):
        assert line in said
    assert "types      preview, progressive, predictive, autocall, callback" in said and "example    attempts: {gap: 4h}" in said


def test_a_group_says_what_it_holds_and_its_short_form() -> None:
    said = called("explain", "field", "missed").out
    assert "holds      max, aim, over" in said and "`missed: …` means `missed: {max: …}`" in said and "types      predictive" in said


def test_the_end_of_a_path_finds_all_that_end_so() -> None:
    said = called("explain", "field", "gap", "--json")
    assert [each["name"] for each in said.json["settings"]] == ["attempts.gap", "attempts.busy.gap"]


def test_a_place_lists_all_that_stands_there() -> None:
    assert {each["stands_in"] for each in called("explain", "field", "profiles", "--json").json["settings"]} == {"profiles"}


def test_without_a_name_all_are_listed() -> None:
    assert [each["name"] for each in called("explain", "field", "--json").json["settings"]] == [each.name for each in all_settings()]
    assert "attempts.busy.gap" in called("explain", "field").out


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    said = called("explain", "field", "atempts.gap")
    assert said.code == 2 and "there is no setting `atempts.gap`" in said.err and "attempts.gap" in said.err.partition("nearest: ")[2]

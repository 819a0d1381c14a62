"""How a setting is declared."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fs_dialer.core.options import declared, option, section


@dataclass(frozen=True)
class Inner:
    size: int = option(1, kind="count", low=1, help="How many.")


@dataclass(frozen=True)
class Outer:
    ring_s: float = option(25.0, kind="duration", key="ring", help="How long.")
    name: str = option("", kind="text", help="What it is called.")
    inner: Inner = section(Inner, help="More.")
    plain: int = 0


def test_settings_are_found_by_their_key_in_order_and_plain_fields_are_none() -> None:
    assert list(declared(Outer)) == ["ring", "name", "inner"]


def test_defaults_are_the_dataclass_s_own() -> None:
    assert Outer() == Outer(25.0, "", Inner(1), 0)


def test_a_section_knows_its_class() -> None:
    assert declared(Outer)["inner"].metadata["cls"] is Inner


def test_a_setting_without_default_is_required() -> None:
    @dataclass(frozen=True)
    class Strict:
        number: str = option(kind="phone", help="The number.")

    with pytest.raises(TypeError):
        Strict()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        option(kind="colour", help="No.")

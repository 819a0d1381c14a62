"""Pictures of a forecast: drawn where matplotlib is, and the reason told where it is not."""

from __future__ import annotations

import builtins
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from fs_dialer.errors import FsDialerError
from fs_dialer.simulation.forecast import Outlook, outlook
from fs_dialer.simulation.plots import Picture, draw, over_the_day, over_values
from tests.simulation.test_day import a_day


@pytest.fixture(scope="module")
def found() -> Outlook:
    return outlook([a_day(agent_count=2, hours=0.3, seed=seed) for seed in (1, 2)])


def test_over_the_day_curves_run_on_the_campaign_s_clock(found: Outlook) -> None:
    picture = over_the_day("spring", 9.0, [("progressive", found)], 0.03)
    (curve,) = picture.curves
    assert curve.at[:2] == (9.0, pytest.approx(9 + 300 / 3600)) and len(curve.utilisation) == len(curve.at) == len(found.course)


def test_values_stand_at_their_number_or_side_by_side(found: Outlook) -> None:
    forecasts = [("predictive", [found.forecast] * 3)]
    assert over_values("x", "agents", ("4", "8", "16"), forecasts, None).curves[0].at == (4.0, 8.0, 16.0)
    durations = over_values("x", "ring", ("30s", "1m", "1m30s"), forecasts, None)
    assert durations.curves[0].at == (0.0, 1.0, 2.0) and durations.ticks == ("30s", "1m", "1m30s")


def test_equal_figures_make_the_same_file(found: Outlook, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra `plots` is not installed")
    picture = over_the_day("spring", 9.0, [("progressive", found), ("predictive", found)], 0.03)
    for name in ("one.svg", "two.svg"):
        draw(picture, tmp_path / name)
    text = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "two.svg").read_text(encoding="utf-8")
    assert text.startswith("<?xml") and not re.search(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T", text), "no date"


def test_a_picture_with_nothing_in_it_is_drawn_too(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra `plots` is not installed")
    draw(Picture("nothing", "time of day", (), None), tmp_path / "empty.png")
    picture = over_the_day("x", 0.0, [], 0.02)
    draw(picture, tmp_path / "ceiling.png")
    assert (tmp_path / "empty.png").read_bytes()[:4] == b"\x89PNG"


def test_without_matplotlib_it_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "matplotlib", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(FsDialerError, match=r"pip install 'fs-dialer\[plots\]'"):
        draw(Picture("x", "time of day", ()), tmp_path / "x.svg")

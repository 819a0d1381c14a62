"""The benchmark of imports, on small files: it counts what it says it counts."""

from __future__ import annotations

import pytest

from bench import import_leads
from bench.__main__ import main

KEYS = {"rows_per_s", "csv_over_copy", "peak_rss_mb", "xlsx_rows_per_s", "cores_used"}


def test_a_small_run_has_every_figure() -> None:
    figures = import_leads.run(rows=3_000, sheet_rows=300, beside_rows=500)
    assert set(figures) >= KEYS and all(figures[key] for key in KEYS)
    assert "aim: at most 20" in import_leads.table(figures)


def test_it_is_found_by_the_name_that_no_module_can_have(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(import_leads, "run", lambda: {"rows": 7})
    assert main(["import", "--json"]) == 0
    assert capsys.readouterr().out == '{"bench": "import", "figures": {"rows": 7}}\n'

"""Things → YAML → the same things."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.config.library import KINDS, Thing, read_things, resolve, write_yaml
from fs_dialer.config.things import things_of
from fs_dialer.config.writing import scalar
from fs_dialer.config.yaml_source import read_yaml

ROOT = Path(__file__).resolve().parents[2]


def back(text: str, name: str) -> dict[tuple[str, str], Any]:
    file = read_yaml(name, text.encode())
    found = {thing.key: thing.source for thing in things_of(file)}
    assert not file.problems, (file.problems, text)
    return found


# Every character that our reader takes in a file.
CHARACTERS = st.characters(exclude_categories=("Cs", "Cc", "Cf", "Co", "Cn", "Zl", "Zp"), include_characters="\n").filter(
    lambda c: c not in "\u2028\u2029\ufeff"
)
TEXTS = (
    st.text(CHARACTERS, max_size=12)
    | st.text("ab :#-?,[]{}&*!|>'\"%@`\\~=.+0189_", max_size=8)
    | st.sampled_from(
        ["", "yes", "no", "null", "~", "8:00", "+84123", "012", "0x1f", "1e3", "2026-12-01 8:00", "- a", "a: b", "a #b", "<<", "=", "---", "...", "3%"]
    )
)
KEYS = TEXTS.filter(lambda text: text != "")
TREES = st.recursive(st.none() | TEXTS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12)


@given(st.dictionaries(KEYS.filter(lambda key: key not in KINDS), TREES, max_size=4))
@settings(deadline=None, max_examples=250)
def test_a_campaign_reads_back_to_the_same_tree(tree: dict[str, Any]) -> None:
    source = {"type": "progressive", **tree}
    assert back(write_yaml(Thing("campaign", "spring", source)), "campaigns/spring.yml") == {("campaign", "spring"): source}


NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,9}", fullmatch=True)
THINGS = st.tuples(st.sampled_from([kind for kind in KINDS if kind not in ("caller_ids", "ivrs", "queues")]), NAMES, TREES)


@given(st.lists(THINGS, min_size=1, max_size=5, unique_by=lambda thing: thing[:2]))
@settings(deadline=None, max_examples=100)
def test_tables_of_things_read_back_to_the_same_things(found: list[tuple[str, str, Any]]) -> None:
    things = [Thing(kind, name, source) for kind, name, source in found]
    assert back(write_yaml(*things), "things.yml") == {thing.key: thing.source for thing in things}


@given(TEXTS)
def test_no_other_yaml_reader_takes_a_text_for_something_that_looks_different(text: str) -> None:
    """What PyYAML, which reads YAML 1.1, makes of it: the text itself, or the number or truth value that it shows."""
    seen = yaml.safe_load(f"k: {scalar(text)}")["k"]
    if isinstance(seen, bool):
        assert text in ("yes", "no", "true", "false")
    elif isinstance(seen, int | float):
        assert float(text) == seen and text[0] != "+"
    else:
        assert seen == text


def test_a_file_reads_like_one_that_a_person_wrote() -> None:
    source = {
        "type": "predictive",
        "window": {"from": "2026-12-01 8:00", "zone": "Asia/Ho_Chi_Minh"},
        "leads": {"list": "spring", "filter": "tier in (gold, silver)"},
        "caller_id": "+842873001234",
        "missed": {"max": "3%"},
        "tickets": "yes",
        "lines": "20",
        "rules": [{"when": {"outcome": ["busy"], "attempts": ">= 2"}, "then": {"at": "18:30"}}],
    }
    assert write_yaml(Thing("campaign", "spring", source)) == (
        "# yaml-language-server: $schema=../.fs-dialer.schema.json\n"
        "type: predictive\n"
        "window:\n  from: 2026-12-01 8:00\n  zone: Asia/Ho_Chi_Minh\n"
        "leads:\n  list: spring\n  filter: tier in (gold, silver)\n"
        "caller_id: '+842873001234'\n"
        "missed:\n  max: 3%\n"
        "tickets: yes\nlines: 20\n"
        "rules: [{when: {outcome: [busy], attempts: '>= 2'}, then: {at: '18:30'}}]\n"
    )


def test_the_examples_written_again_mean_the_same(tmp_path: Path) -> None:
    found, _ = read_things([ROOT / "conf"])
    (tmp_path / "campaigns").mkdir()
    for thing in found:
        if thing.kind == "campaign":
            (tmp_path / "campaigns" / f"{thing.name}.yml").write_text(write_yaml(thing))
        elif thing.kind not in KINDS:
            (tmp_path / f"{thing.kind}.yml").write_text(write_yaml(thing))
    (tmp_path / "things.yml").write_text(write_yaml(*(thing for thing in found if thing.kind in KINDS)))
    again, _ = read_things([tmp_path])
    assert {thing.key: thing.source for thing in again} == {thing.key: thing.source for thing in found}
    one, other = resolve(found), resolve(again)
    assert (one.campaigns, one.agents, one.installation, one.named) == (other.campaigns, other.agents, other.installation, other.named)


def test_a_whole_file_is_written_alone() -> None:
    with pytest.raises(ValueError, match="a file of its own"):
        write_yaml(Thing("campaign", "a", {}), Thing("campaign", "b", {}))

"""approve, start, pause, end, campaign list and show, without a daemon; with one: test_with_a_daemon.py."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from fs_dialer.cli import campaigns
from fs_dialer.core.model import CampaignId, CampaignState, CampaignType
from fs_dialer.db.postgres import PostgresStore
from tests.cli.runner import CAMPAIGN, a_csv, applied, called


@pytest.fixture(autouse=True)
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no daemon to wait for."""
    monkeypatch.setattr(campaigns, "REPLY_TIMEOUT_S", 0.05)


@pytest.fixture
def spring(tmp_path: Path, pg_dsn: str) -> str:
    applied(tmp_path, pg_dsn)
    return pg_dsn


@pytest.mark.parametrize("verb", ["approve", "start", "pause", "end"])
def test_without_a_daemon_a_command_waits_in_the_database(verb: str, spring: str) -> None:
    done = called(verb, "spring", "--json", dsn=spring, SUDO_USER="an.le")
    assert done.code == 0
    assert done.json == {"command": verb, "campaign": "spring", "result": "queued", "text": campaigns.QUEUED}
    with closing(PostgresStore(spring)) as store:
        (command,) = store.pending_commands()
    assert (command.verb, command.target, command.who) == (verb, "spring", "an.le")


def test_the_words_for_people_say_what_is_missing(spring: str) -> None:
    assert called("start", "spring", dsn=spring).out.startswith("spring: queued: no daemon is running")


@pytest.mark.spec("D5")
def test_what_is_approved_is_the_revision_that_is_stored_now(tmp_path: Path, spring: str) -> None:
    """D5: a definition applied between looking and approving is not approved by accident."""
    (tmp_path / "campaigns" / "spring.yml").write_text(CAMPAIGN + "ring: 20s\n")
    called("apply", tmp_path, dsn=spring)
    called("approve", "spring", dsn=spring)
    with closing(PostgresStore(spring)) as store:
        (command,) = store.pending_commands()
    assert command.args == {"revision": "2"}


@pytest.mark.parametrize("words", [("approve",), ("start",), ("pause",), ("end",), ("campaign", "show")], ids=" ".join)
def test_an_unknown_campaign_names_the_nearest_and_nothing_is_asked(words: tuple[str, ...], spring: str) -> None:
    done = called(*words, "sprin", dsn=spring)
    assert done.code == 1 and "there is no campaign sprin; nearest: spring" in done.err
    with closing(PostgresStore(spring)) as store:
        assert store.pending_commands() == []


@pytest.mark.parametrize("type", list(CampaignType))
def test_every_type_is_dialled_by_this_version(type: CampaignType) -> None:
    assert campaigns.is_offered(type)


@pytest.mark.spec("S24")
def test_a_new_campaign_says_why_it_does_not_dial(spring: str) -> None:
    shown = called("campaign", "list", dsn=spring).out.splitlines()[1]
    assert shown.startswith("spring") and shown.endswith("not approved: fs-dialer approve spring")


@pytest.mark.spec("D5")
def test_a_changed_definition_that_waits_is_seen_in_list_and_show(tmp_path: Path, spring: str) -> None:
    with closing(PostgresStore(spring)) as store:
        store.set_campaign_state(CampaignId("spring"), 1, CampaignState.RUNNING, True, "", "test")
    (tmp_path / "campaigns" / "spring.yml").write_text(CAMPAIGN + "ring: 20s\n")
    called("apply", tmp_path, dsn=spring)
    assert "r1, r2 waits" in called("campaign", "list", dsn=spring).out
    assert "r2 waits: fs-dialer approve spring" in called("campaign", "show", "spring", dsn=spring).out
    shown = called("campaign", "show", "spring", "--json", dsn=spring).json
    assert (shown["revision"], shown["newest_revision"], shown["approved"]) == (1, 2, False)


@pytest.mark.spec("M17")
def test_show_counts_leads_by_status(tmp_path: Path, spring: str) -> None:
    called("lead", "import", a_csv(tmp_path, "phone", "+442079460101"), "--campaign", "spring", dsn=spring)
    assert "1 = 1 new" in called("campaign", "show", "spring", dsn=spring).out
    assert called("campaign", "show", "spring", "--json", dsn=spring).json["leads"]["new"] == 1


def test_without_campaigns_the_list_says_how_to_get_one(pg_dsn: str) -> None:
    assert "fs-dialer apply PATH" in called("campaign", "list", dsn=pg_dsn).out
    assert called("campaign", "list", "--json", dsn=pg_dsn).json == {"campaigns": []}


# --- agents ---------------------------------------------------------------------------------------------------------------------------


def test_agents_are_asked_for_together(spring: str) -> None:
    done = called("agent", "not-available", "lan", "hoa", "--reason", "lunch", "--json", dsn=spring)
    assert [(each["agent"], each["result"]) for each in done.json["agents"]] == [("lan", "queued"), ("hoa", "queued")]
    with closing(PostgresStore(spring)) as store:
        assert [(c.verb, c.target, dict(c.args)) for c in store.pending_commands()] == [
            ("agent_status", name, {"status": "not_available", "reason": "lunch"}) for name in ("lan", "hoa")
        ]


def test_all_agents_can_be_named_at_once(spring: str) -> None:
    assert [each["agent"] for each in called("agent", "available", "--all", "--json", dsn=spring).json["agents"]] == ["hoa", "lan"]


@pytest.mark.parametrize("words", [(), ("lan", "--all")], ids=["nobody", "somebody and all"])
def test_agents_are_named_or_all(words: tuple[str, ...], spring: str) -> None:
    assert called("agent", "available", *words, dsn=spring).code == 2


def test_one_unknown_agent_and_nobody_is_asked(spring: str) -> None:
    done = called("agent", "available", "lan", "hao", dsn=spring)
    assert done.code == 1 and "there is no agent hao; nearest: hoa" in done.err
    with closing(PostgresStore(spring)) as store:
        assert store.pending_commands() == []


def test_agents_are_listed_with_phones_and_campaigns(spring: str) -> None:
    (hoa, lan) = called("agent", "list", "--json", dsn=spring).json["agents"]
    assert (hoa["id"], hoa["leg"], hoa["status"], hoa["state"], hoa["campaigns"]) == ("hoa", "per_call", "not_available", None, ["spring"])
    assert (lan["dial_string"], lan["name"]) == ("user/1001", "Lan")
    assert "not available" in called("agent", "list", dsn=spring).out

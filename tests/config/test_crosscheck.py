"""What a campaign's settings contradict: in themselves, and in what they name."""

from __future__ import annotations

import pytest

from tests.config.world import INSTALLATION, campaign, library, problem, problems

PER_CALL = "agents: {people: [tam]}\n"
NOTICE = "waiting: {at_most: 60s, then: sorry}\n"
CASES: list[tuple[str, str, str, str]] = [
    # type, settings, key of COMMON left out, what is told
    ("progressive", "window: {from: 2026-12-02 8:00, until: 2026-12-01 8:00}", "", "window.until: 2026-12-01 8:00 is not after `from`, 2026-12-02 8:00"),
    ("progressive", "attempts: {gap: 3d}\nwindow: {from: 2026-12-01 8:00, until: 2026-12-03 8:00}", "",
     "attempts.gap: 3d is not shorter than the window (2d): nobody could be called a second time"),
    ("progressive", "agents: {}", "agents", "agents.people: nobody serves this campaign, and a progressive campaign needs agents"),
    ("progressive", PER_CALL + "agent_ring: 70s", "agents", "agent_ring: 1m10s must be shorter than waiting.at_most (1m, the default)"),
    ("autocall", PER_CALL + "waiting: {at_most: 20s}", "agents", "waiting.at_most: 20s must be longer than agent_ring (30s, the default)"),
    ("progressive", "compliance: us-tsr\n" + NOTICE + "agents: {people: [lan, tam]}", "agents",
     "agents.people: us-tsr wants an agent within 2s of the answer, and a phone that rings can not be that fast: leg: nailed is needed for tam"),
    ("predictive", "compliance: us-tsr\n" + NOTICE + "agents: {people: [lan], teams: [slow]}", "agents", "agents.teams: us-tsr wants an agent within 2s"),
    ("progressive", "compliance: us-tsr\n" + NOTICE + "agent_hears: sorry", "",
     "agent_hears: what the agent hears first may take 5s, and us-tsr wants him there within 2s"),
    ("predictive", "compliance: us-tsr", "", "compliance: us-tsr asks for a message to missed customers: write waiting: {then: sorry.wav}"),
    ("progressive", "compliance: us-tsr\nwaiting: {at_most: 9s}", "", "waiting: us-tsr asks for a message"),
    ("progressive", "compliance: house\nring: 10s", "", "ring: 10s is shorter than the 15s that house asks for"),
    ("predictive", "compliance: house\nmissed: {max: 3%}", "", "missed.max: 3% is above the 2% that house allows"),
    ("predictive", "missed: {max: 2%, aim: 2.5%}", "", "missed.aim: 2.5% is above missed.max, 2%"),
    ("preview", "preview: {time: 30m, extend: 3 x 15m}", "", "preview.extend: 30m and 3 x 15m make 1h15m; a customer may be looked at for 1h at most"),
    ("autocall", "lines: 101", "", "lines: 101 is above 100, the most for an autocall campaign"),
    ("preview", "tickets: on_agent_or_voicemail", "", "tickets: on_agent_or_voicemail is for autocall campaigns; a preview campaign has yes and no"),
    ("manual", "quota: {except: {hoo: 3/day, hoa: 3/day}}\nagents: {people: [hoa]}", "agents",
     "quota.except.hoo: `hoo` does not serve this campaign; nearest: hoa"),
    ("progressive", "caller_id: [+44 20 7946 0101, '7']\ngateways: trunk2", "caller_id",
     "caller_id.from: +442079460101 can be sent by trunk1 only, and this campaign calls out by trunk2"),
    ("progressive", "dispositions: [sold, later]\nattempts: {max: 1}", "",
     "dispositions: later promises another call, and attempts.max is 1: no call is left for it"),
    ("progressive", "hours: sundays\ncompliance: house", "",
     "hours: {sun: 10:00-12:00} and house's {mon-sat: 9:00-18:00} never meet: nobody would ever be called"),
    ("progressive", "hours: {mon: 9:00-10:00}\nwindow: {from: 2026-12-02 8:00, until: 2026-12-04 8:00}", "",
     "hours: no minute between 2026-12-02 8:00 and 2026-12-04 8:00 is open: hours {mon: 9:00-10:00}"),
    ("progressive", "caller_id: {order: fixed}", "caller_id", "caller_id: names no number: the customer must see one"),
    ("progressive", "rules: [{then: {again: 1h}}, {when: {outcome: busy}, then: {stop: yes}}]", "",
     "rules.2: can never be reached: rule 1 has no `when` and so always decides"),
]  # fmt: skip


@pytest.mark.spec("S5", "S6", "S11", "S22", "S39", "S46", "S47", "S58", "S63", "D10", "D14")
@pytest.mark.parametrize(("campaign_type", "more", "without", "what"), CASES)
def test_a_contradiction_is_told_at_its_place(campaign_type: str, more: str, without: str, what: str) -> None:
    found = problem(a=campaign(campaign_type, more + "\n", without=without))
    assert what in found and found.startswith("campaigns/a.yml:")


FINE = [
    ("manual", "attempts: {max: 1}\nwindow: {from: 2026-12-01 8:00, until: 2026-12-01 9:00}", ""),
    ("progressive", "attempts: {max: 1, gap: 3d}\nwindow: {from: 2026-12-01 8:00, until: 2026-12-02 8:00}", ""),
    ("progressive", "waiting: {at_most: 2s}", ""),  # lan is nailed: his phone does not ring
    ("autocall", "agents: {}", "agents"),
    ("autocall", "compliance: us-tsr", ""),
    ("preview", "compliance: us-tsr\nagents: {people: [tam]}", "agents"),  # his line is up before the customer answers
    ("progressive", "compliance: us-tsr\nwaiting: {then: sorry}\nagents: {teams: [renewals]}", "agents"),
    ("progressive", "compliance: house\nring: 15s", ""),
    ("predictive", "compliance: house", ""),  # the stricter wins over a default, silently
    ("progressive", "caller_id: +44 20 7946 0101\ngateways: [trunk1, trunk2]", "caller_id"),
    ("progressive", "dispositions: [later]\nattempts: {max: 1}\nrules: [{when: {disposition: later}, then: {again: 1d, beyond_maximum: yes}}]", ""),
]


@pytest.mark.parametrize(("campaign_type", "more", "without"), FINE)
def test_what_only_looks_like_a_contradiction_is_let_pass(campaign_type: str, more: str, without: str) -> None:
    assert library(a=campaign(campaign_type, more + "\n", without=without)).campaigns


def test_all_caller_ids_where_there_is_none_is_told() -> None:
    shared = "agents: {lan: {dial: user/1, leg: nailed}}\n"
    assert "`all` is none yet: no number stands below caller_ids" in problem(a=campaign(without="caller_id", more="caller_id: all\n"), shared=shared)


def test_a_caller_id_whose_trunk_is_gone_is_told_at_the_caller_id() -> None:
    found = problems(a=campaign(without="caller_id", more="caller_id: all\n"), installation=INSTALLATION.replace("trunk1", "trunk3"))
    assert any("caller_ids.+442079460101.gateways: `trunk1` is no gateway we know" in each for each in found)


def test_one_mistake_is_told_once_and_not_again_by_what_rests_on_it() -> None:
    assert len(problems(a=campaign(more="agent_ring: 3s\nwaiting: {at_most: 2s}\n"))) == 1
    assert (
        len(
            problems(
                a=campaign(more="hours: broken\nwindow: {from: 2026-12-02 8:00, until: 2026-12-04 8:00}\n"), extra="schedules: {broken: {hours: {mo: x}}}\n"
            )
        )
        == 1
    )

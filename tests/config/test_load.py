"""Files and folders → definitions, or every problem of every file at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fs_dialer.config.load import Definitions, load_paths, load_texts, with_companions
from fs_dialer.core.definition import AgentDefinition
from fs_dialer.core.model import AgentId, CampaignType, LegKind
from fs_dialer.core.resources import Hours
from fs_dialer.errors import ConfigError
from fs_dialer.modes import OFFERED

AGENTS = "agents:\n  lan: {dial: user/1001}\n  hoa: {dial: user/1002, leg: nailed, name: Hoa Tran}\n"
CAMPAIGN = "type: progressive\ncaller_id: +84 28 7300 1234\nagents: {people: [lan, hoa]}\n"
INSTALLATION = "lines: 60\ncps: 10\nregion: vn\nswitch: main\ngateways:\n  trunk1: {lines: 30, plus: no}\n  trunk2:\n"


def told(files: dict[str, str], **known: list[str]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_texts(files, known_agents=known.get("agents", []), known_gateways=known.get("gateways", []))
    return [str(problem) for problem in caught.value.problems]


def campaign(more: str) -> dict[str, str]:
    return {"campaigns/spring.yml": CAMPAIGN + more, "agents.yml": AGENTS}


@pytest.mark.spec("S3", "S7")
def test_a_campaign_is_named_after_its_file_and_takes_defaults() -> None:
    (spring,) = load_texts(campaign("")).campaigns
    assert (spring.id, spring.type, spring.revision) == ("spring", CampaignType.PROGRESSIVE, 0)
    assert spring.caller_id.numbers == ("+842873001234",) and spring.agents.people == ("lan", "hoa")
    assert spring.attempts.max == 3 and spring.attempts.gap_s == 14400 and spring.hours == Hours() and spring.window.zone == "UTC"
    assert isinstance(spring.options, OFFERED[CampaignType.PROGRESSIVE].Options)


@pytest.mark.spec("S5", "S6", "S9", "S10", "S11", "S47", "D18")
def test_every_value_is_typed_by_its_setting() -> None:
    """D18"""
    text = """\
title: "Spring: renewals"
window: {zone: Asia/Ho_Chi_Minh, from: 2026-12-01 8:00, until: 2026-12-20 20:00}
hours: {mon-fri: 8:00-20:00}
leads: {new_rows: join}
gateways: trunk1
attempts: {max: 5, gap: 1h30m, busy: {gap: 10m}}
early_media: no
ring: 20s
lines: 20
waiting: {music: local_stream://hold, at_most: 2m, then: sorry.wav}
"""
    (spring,) = load_texts(campaign(text), known_gateways=["trunk1"]).campaigns
    assert spring.title == "Spring: renewals"
    assert spring.window.end is not None and spring.window.start is not None and spring.window.end - spring.window.start == 19.5 * 86400
    assert spring.hours.week[4] == ((480, 1200),) and spring.hours.week[5] == ()
    assert spring.leads.new_rows == "join" and spring.gateways == ("trunk1",) and spring.lines == 20
    assert (spring.attempts.max, spring.attempts.gap_s, spring.attempts.busy.gap_s) == (5, 5400.0, 600.0)
    assert spring.early_media is False and spring.ring_timeout_s == 20.0
    assert (spring.waiting.music, spring.waiting.at_most_s, spring.waiting.notice) == ("local_stream://hold", 120.0, "sorry.wav")


def test_agents_and_the_installation_are_read() -> None:
    found = load_texts({"agents.yml": AGENTS, "installation.yml": INSTALLATION})
    lan, hoa = found.agents
    assert (lan.id, lan.dial_string, lan.leg) == ("lan", "user/1001", LegKind.PER_CALL)
    assert (hoa.leg, hoa.name) == (LegKind.NAILED, "Hoa Tran")
    assert found.installation is not None
    assert (found.installation.lines, found.installation.cps, found.installation.region, found.installation.switch) == (60, 10.0, "VN", "main")
    assert [(gateway.id, gateway.lines, gateway.plus) for gateway in found.installation.gateways] == [("trunk1", 30, False), ("trunk2", None, True)]


# --- problems ------------------------------------------------------------------------------------------------------------------------


def test_five_mistakes_in_one_file_are_five_problems_with_line_and_column() -> None:
    text = "wrapup: 10s\nring: 25\nattempts: {max: 0}\nwindow: {zone: Asia/Hochiminh}\nearly_media: maybe\n"
    assert [problem.split("  ")[0] for problem in told(campaign(text))] == [
        "campaigns/spring.yml:4:1",
        "campaigns/spring.yml:5:7",
        "campaigns/spring.yml:6:17",
        "campaigns/spring.yml:7:16",
        "campaigns/spring.yml:8:14",
    ]


def test_the_problems_of_all_files_come_at_once_sorted_by_place() -> None:
    files = {"campaigns/b.yml": "type: progressive\n", "campaigns/a.yml": CAMPAIGN + "ring: 1s\n", "agents.yml": "agents: {lan: {dial: 1001}}\n"}
    problems = told(files)
    assert problems == sorted(problems)
    assert {problem.split(":")[0] for problem in problems} == {"agents.yml", "campaigns/a.yml", "campaigns/b.yml"}


def test_a_problem_carries_the_line_it_is_about() -> None:
    with pytest.raises(ConfigError) as caught:
        load_texts(campaign("ring: 25\n"))
    (problem,) = caught.value.problems
    assert (problem.path, problem.source) == ("ring", "ring: 25")


def test_an_unknown_setting_names_the_nearest_known_one() -> None:
    assert told(campaign("wrapup: 10s\n")) == ["campaigns/spring.yml:4:1  `wrapup` is no setting; nearest: wrap_up"]
    assert told(campaign("waiting: {atmost: 60s}\n")) == ["campaigns/spring.yml:4:11  waiting: `atmost` is no setting; nearest: at_most"]


def test_a_misspelt_required_setting_is_one_problem_not_two() -> None:
    files = {"campaigns/spring.yml": CAMPAIGN.replace("caller_id", "callerid"), "agents.yml": AGENTS}
    assert told(files) == ["campaigns/spring.yml:2:1  `callerid` is no setting; nearest: caller_id"]


def test_a_missing_required_setting_says_what_it_is_for() -> None:
    (problem,) = told({"campaigns/spring.yml": "type: progressive\nagents: {people: lan}\n", "agents.yml": AGENTS})
    assert problem.startswith("campaigns/spring.yml:1:1  caller_id: is missing. The number shown to the customer")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("ring: 1s", "ring: 1s is below 5s, the least"),
        ("ring: 3m", "ring: 3m is above 2m, the most"),
        ("attempts: {max: 101}", "attempts.max: 101 is above 100, the most"),
        ("ring: [20s]", "ring: one value is expected, not a list"),
        ("ring: {a: b}", "ring: one value is expected, not a group"),
        ("ring:", "ring: has no value"),
        ("attempts: 3", "attempts: settings are expected here: max, gap"),
        ("leads: {new_rows: joining}", "leads.new_rows: `joining` is none of leave and join; nearest: join"),
        ("gateways: [a, a]", "gateways: `a` stands twice"),
        ("gateways: [[a]]", "gateways: a list of plain values"),
        ("waiting: {music: '${system(id)}'}", "waiting.music: `${system(id)}`"),
        ("title: |\n  one\n  two", "title: one line of text"),
    ],
)
def test_a_value_that_does_not_fit_its_setting_is_told(line: str, what: str) -> None:
    (problem,) = told(campaign(line + "\n"), gateways=["a"])
    assert what in problem


def test_a_type_that_there_is_not_is_told_with_those_that_there_are() -> None:
    (problem,) = told({"campaigns/vip.yml": CAMPAIGN.replace("progressive", "zzz"), "agents.yml": AGENTS})
    kinds = "manual, preview, progressive, predictive, autocall and callback"
    assert problem == f"campaigns/vip.yml:1:7  type: `zzz` is no type of campaign. There are {kinds}"


def test_a_misspelt_type_is_judged_as_what_was_meant() -> None:
    problems = told({"campaigns/vip.yml": CAMPAIGN.replace("progressive", "progresive") + "wrapup: 3s\n", "agents.yml": AGENTS})
    assert len(problems) == 2 and "nearest: progressive" in problems[0] and "nearest: wrap_up" in problems[1]


@pytest.mark.spec("S11")
def test_a_setting_that_the_type_does_not_have_names_the_types_that_do() -> None:
    """Spec §2: a manual campaign has no gap between calls. The type is not offered yet, its table of settings is known."""
    problems = told({"campaigns/m.yml": CAMPAIGN.replace("progressive", "manual") + "attempts: {gap: 4h}\n", "agents.yml": AGENTS})
    assert any("attempts.gap: a manual campaign has no such setting; it is there for preview, progressive" in problem for problem in problems)


@pytest.mark.spec("S7")
def test_a_missing_type_is_told_for_a_file_in_the_campaigns_folder() -> None:
    assert any("type: is missing" in problem for problem in told({"campaigns/spring.yml": CAMPAIGN.partition("\n")[2], "agents.yml": AGENTS}))


@pytest.mark.spec("S3")
def test_a_file_name_that_is_no_campaign_name_is_told_with_a_better_one() -> None:
    assert any("rename it to spring-2026.yml" in problem for problem in told({"campaigns/Spring 2026.yml": CAMPAIGN, "agents.yml": AGENTS}))


def test_a_file_of_no_known_kind_is_told() -> None:
    assert "what is this file?" in told({"other.yml": "foo: bar\n"})[0]


# --- what files say about each other ---------------------------------------------------------------------------------------------------


def test_an_agent_that_nobody_defined_is_told_at_his_own_place() -> None:
    (problem,) = told({"campaigns/spring.yml": CAMPAIGN.replace("hoa]", "hoaa]"), "agents.yml": AGENTS})
    assert problem.startswith("campaigns/spring.yml:3:24  agents.people: `hoaa` is no agent we know; nearest: hoa")


def test_agents_and_gateways_that_exist_already_need_no_file() -> None:
    found = load_texts({"campaigns/spring.yml": CAMPAIGN + "gateways: [trunk1]\n"}, known_agents=["lan", "hoa"], known_gateways=["trunk1"])
    assert [each.id for each in found.campaigns] == ["spring"]


def test_an_agent_whose_own_settings_are_wrong_is_known_all_the_same() -> None:
    (problem,) = told({"campaigns/spring.yml": CAMPAIGN, "agents.yml": AGENTS.replace("user/1001", "1001")})
    assert problem.startswith("agents.yml:2:15  agents.lan.dial")


def test_an_unknown_gateway_is_told() -> None:
    assert "`trunk9` is no gateway we know; nearest: trunk1" in told(campaign("gateways: [trunk9]\n"), gateways=["trunk1"])[0]


def test_a_campaign_that_needs_agents_and_has_none_is_told() -> None:
    (problem,) = told({"campaigns/spring.yml": "type: progressive\ncaller_id: '123'\n"})
    assert "agents.people: nobody serves this campaign" in problem


def test_a_window_that_ends_before_it_begins_is_told() -> None:
    (problem,) = told(campaign("window: {from: 2026-12-02 8:00, until: 2026-12-01 8:00}\n"))
    assert "window.until: 2026-12-01 8:00 is not after `from`, 2026-12-02 8:00" in problem


@pytest.mark.spec("S46", "S47")
def test_a_customer_who_waits_no_longer_than_the_agent_s_phone_rings_is_a_contradiction() -> None:
    """S46, S47"""
    (problem,) = told(campaign("waiting: {at_most: 30s}\n"))
    assert "waiting.at_most: 30s must be longer than agent_ring (30s, the default)" in problem
    (problem,) = told(campaign("agent_ring: 90s\n"))
    assert "agent_ring: 1m30s must be shorter than waiting.at_most (1m, the default)" in problem


def test_nailed_agents_do_not_ring_so_customers_may_wait_less() -> None:
    """D10: only nailed legs are fast enough for a limit of two seconds."""
    nailed = AgentDefinition(id=AgentId("lan"), dial_string="user/1001", leg=LegKind.NAILED)
    text = CAMPAIGN.replace("[lan, hoa]", "lan") + "waiting: {at_most: 2s}\n"
    assert load_texts({"campaigns/spring.yml": text}, known_agents=[nailed]).campaigns[0].connect_within_s == 2.0


def test_two_files_for_one_thing_are_told() -> None:
    files = {"a/campaigns/x.yml": CAMPAIGN, "b/campaigns/x.yaml": CAMPAIGN, "a/agents.yml": AGENTS, "b/agents.yml": AGENTS}
    files |= {"a/installation.yml": "lines: 1\n", "b/installation.yml": "lines: 2\n"}
    problems = told(files)
    assert len(problems) == 4
    assert [problem for problem in problems if "same name" in problem or "as well" in problem] == problems


# --- files and folders -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    (tmp_path / "campaigns" / ".hidden").mkdir(parents=True)
    (tmp_path / "campaigns" / "spring.yml").write_text(CAMPAIGN)
    (tmp_path / "campaigns" / ".hidden" / "old.yml").write_text("nonsense")
    (tmp_path / "campaigns" / ".spring.yml.swp.yml").write_text("nonsense")
    (tmp_path / "campaigns" / "leads.csv").write_text("phone\n")
    os.mkfifo(tmp_path / "campaigns" / "pipe.yml")
    (tmp_path / "agents.yaml").write_text(AGENTS)
    (tmp_path / "fs-dialer.yml").write_text("database: {dsn: postgresql:///x}\n")
    (tmp_path / "people.yml").write_text("people: {answer: 30%}\n")
    return tmp_path


def test_a_folder_is_read_whole_and_what_others_read_is_passed_over(conf: Path) -> None:
    found = load_paths([conf])
    assert [each.id for each in found.campaigns] == ["spring"] and len(found.agents) == 2
    assert {path.name for path in found.passed_over} == {"fs-dialer.yml", "people.yml"}
    assert found.file_of("spring") == conf / "campaigns" / "spring.yml"


def test_a_file_named_twice_is_read_once(conf: Path) -> None:
    assert len(load_paths([conf, conf / "agents.yaml", conf / "campaigns"]).campaigns) == 1


def test_a_campaign_is_judged_with_the_agents_beside_or_above_it(conf: Path) -> None:
    assert len(load_paths(with_companions([conf / "campaigns" / "spring.yml"])).agents) == 2
    assert with_companions([conf]) == (conf,)


def test_a_folder_of_campaigns_is_judged_with_what_lies_above_it(conf: Path) -> None:
    (conf / "schedules.yml").write_text("schedules: {office: {hours: {mon: 8:00-9:00}}}\n")
    (conf / "triggers.yml").write_text("triggers: {t: {on: ticket_created, then: {add_to: elsewhere}}}\n")
    (conf / "campaigns" / "spring.yml").write_text(CAMPAIGN + "hours: office\n")
    found = load_paths(with_companions([conf / "campaigns"]))
    assert found.campaigns[0].hours.schedule == "office" and len(found.agents) == 2
    assert with_companions([conf / "campaigns" / "spring.yml"])[1:] and not any(path.stem == "triggers" for path in with_companions([conf / "campaigns"]))


def test_paths_that_are_not_there_or_no_definitions_are_told(conf: Path) -> None:
    (conf / "empty").mkdir()
    with pytest.raises(ConfigError) as caught:
        load_paths([conf / "nothing", conf / "empty", conf / "campaigns" / "leads.csv", conf / "campaigns" / "pipe.yml"])
    problems = {Path(problem.file).name: problem.text for problem in caught.value.problems}
    assert problems["nothing"] == "no such file or folder" and "no *.yml" in problems["empty"]
    assert "lead import" in problems["leads.csv"] and "neither" in problems["pipe.yml"]


def test_a_link_to_nothing_and_a_folder_named_as_a_file_are_told(conf: Path) -> None:
    (conf / "campaigns" / "gone.yml").symlink_to("nowhere.yml")
    (conf / "campaigns" / "summer.yml").mkdir()
    with pytest.raises(ConfigError) as caught:
        load_paths([conf])
    assert {Path(problem.file).name: problem.text for problem in caught.value.problems} == {
        "gone.yml": "is a link to what is not there: nowhere.yml",
        "summer.yml": "is a folder, though named as a file: give it another name",
    }


def test_a_lead_file_that_a_campaign_names_must_be_there(conf: Path) -> None:
    spring = conf / "campaigns" / "spring.yml"
    spring.write_text(CAMPAIGN + "leads: {csv: leads.csv}\n")
    assert load_paths([conf]).campaigns[0].leads.csv == "leads.csv"
    spring.write_text(CAMPAIGN + "leads: {csv: other.csv}\n")
    with pytest.raises(ConfigError, match=r"leads.csv: there is no file .*other.csv"):
        load_paths([conf])


def test_one_problem_anywhere_gives_no_definitions_at_all(conf: Path) -> None:
    (conf / "campaigns" / "bad.yml").write_text("type: progressive\n")
    with pytest.raises(ConfigError):
        load_paths([conf])


# --- whatever is written ---------------------------------------------------------------------------------------------------------------

KEYS = ["type", "caller_id", "agents", "hours", "window", "attempts", "waiting", "ring", "lines", "gateways", "leads", "title", "people", "zone", "mon", "gap"]
WORDS = ["progressive", "30s", "3%", "yes", "lan", "8:00-20:00", "UTC", "2026-12-01 8:00", "5", "", "${x}", "+8491", "[a, b]", "{}", "[]", "~"]


def nodes() -> st.SearchStrategy[str]:
    return st.recursive(
        st.sampled_from(WORDS),
        lambda inner: st.dictionaries(st.sampled_from(KEYS), inner, max_size=4).map(lambda d: "{" + ", ".join(f"{k}: {v}" for k, v in d.items()) + "}"),
        max_leaves=8,
    )


@given(st.dictionaries(st.sampled_from(KEYS), nodes(), min_size=1), st.sampled_from(["campaigns/a.yml", "agents.yml", "installation.yml", "b.yml"]))
@settings(deadline=None, max_examples=300)
def test_any_tree_gives_definitions_or_problems_with_a_place(tree: dict[str, str], name: str) -> None:
    text = "".join(f"{key}: {value}\n" for key, value in tree.items())
    try:
        assert isinstance(load_texts({name: text}, known_agents=["lan"]), Definitions)
    except ConfigError as error:
        assert error.problems and all(problem.file == name and problem.text for problem in error.problems)

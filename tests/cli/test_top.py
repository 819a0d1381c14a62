"""top: what it shows in every size, what its keys do, and that the terminal is given back whatever happens."""

from __future__ import annotations

import re
import signal
import termios
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from rich.cells import cell_len

from fs_dialer.cli import top
from fs_dialer.cli.needs import Missed30
from fs_dialer.cli.settings import Session
from fs_dialer.cli.snapshots import Written
from fs_dialer.cli.standing import Standing, standing
from fs_dialer.cli.top_console import Act, Console, Explain, Quit, Redraw
from fs_dialer.cli.top_feed import Feed
from fs_dialer.cli.top_picture import Chosen, Line, Panel, Seen, listed, picture, plain
from fs_dialer.cli.top_terminal import BEGIN, split_keys
from fs_dialer.core.figures import MissedCount
from fs_dialer.core.snapshot import as_json
from fs_dialer.db.embedded import EmbeddedPostgres
from tests.cli.busy_day import BusyDay
from tests.cli.pty_screen import SHELL, Program
from tests.cli.runner import called
from tests.conftest import _database as database_of
from tests.db.rows import Database

NOW = 1_800_000_000.0
SIZES = [(80, 24), (160, 50), (100, 30), (40, 10), (20, 5), (10, 3), (1, 1), (300, 90), (79, 12)]
TOP = ("-m", "fs_dialer", "top")


@pytest.fixture(scope="module")
def day(pg_server: EmbeddedPostgres, pg_template: str) -> Iterator[BusyDay]:
    """A big day in a database that tests only read."""
    for dsn in database_of(pg_server, pg_template):
        found = BusyDay(dsn)
        with closing(found.store()) as store:
            found.calls(time.time(), 800)
            store.publish(found.snapshot(time.time()))
            yield found


@pytest.fixture(scope="module")
def stood(day: BusyDay) -> Standing:
    return standing(_session(day.dsn))


def _session(dsn: str) -> Session:
    from fs_dialer.config.daemon import load_settings

    session = Session()
    session._settings = load_settings(None, {"FS_DIALER_DSN": dsn})
    return session


def seen(stood: Standing, day: BusyDay | None = None, *, age_s: float = 0.5, trouble: bool = True) -> Seen:
    if day is not None:
        stood = replace(stood, written=Written(age_s, as_json(day.snapshot(NOW, trouble=trouble))))
    return Seen(stood.troubles.now + 9 * 86400, "14:05:32", stood, NOW + 1, 2.0, 3.14)


def texts(lines: list[Line]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def shown(what: Seen, chosen: Chosen | None = None, size: tuple[int, int] = (160, 50)) -> list[str]:
    return texts(picture(what, chosen or Chosen(), *size))


# --- the picture ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize(
    "chosen",
    [
        Chosen(),
        Chosen("vip", message="vip: paused \x1b[2J"),
        Chosen(filter="campaign-1", typing=True),
        Chosen(question="Pause it?"),
        Chosen(filter="nothing"),
        Chosen(panel=Panel("title", tuple(f"line {n}" for n in range(99)), 40)),
    ],
)
def test_no_size_is_overrun(size: tuple[int, int], chosen: Chosen, day: BusyDay, stood: Standing) -> None:
    width, height = size
    for what in (seen(stood, day), seen(stood, day, age_s=99.0), Seen(NOW, "14:05:32", None), Seen(NOW, "14:05:32", stood, error="the database is gone")):
        lines = shown(what, chosen, size)
        assert len(lines) == height
        assert [line for line in lines if cell_len(line) > width or any(ord(each) < 32 for each in line)] == []


@pytest.mark.spec("M16", "D1")
def test_a_wide_terminal_shows_every_campaign_with_its_reason_and_its_agents(day: BusyDay, stood: Standing) -> None:
    what = seen(stood, day)
    header, need, titles, *rest = shown(what)
    assert header.startswith("14:05:32  up 9 d  calls 41/600  cps 3.1/30  lag 0.0 s  db 2 ms")
    assert need.startswith("! gateway north rests since 15 m, next try in 40 s: 8 of the last 10 calls failed") and need.endswith(
        "fs-dialer explain gateway north"
    )
    assert titles.split() == "CAMPAIGN STATE LINES STAYING MISSED 30d AGENTS WHY".split()
    rows = rest[: len(day.campaigns)]
    assert [row.split()[0].replace(">", "") or row.split()[1] for row in rows] == sorted(day.campaigns)
    vip = next(row for row in rows if " vip " in row)
    assert "running" in vip and vip.endswith("every agent is busy or has a call being dialled for him")
    assert any("paused by hand: lunch: fs-dialer start" in row for row in rows)
    assert "q quit" in shown(what)[-1]


def test_the_bar_fills_with_the_missed_calls_that_the_ceiling_allows(stood: Standing) -> None:
    of = {"vip": Missed30(MissedCount(11_400, 240, 0), 0.03), "spring-renewals": Missed30(MissedCount(100, 9, 0), 0.03)}
    lines = shown(Seen(NOW, "", replace(stood, missed={**stood.missed, **of, "campaign-00": Missed30(MissedCount(812, 17, 0), None)})))
    assert "240/342   #######---" in next(line for line in lines if " vip " in line)
    assert "9/3       ##########" in next(line for line in lines if line.startswith("  spring-renewals "))
    assert "17 of 812 " in next(line for line in lines if " campaign-00 " in line)


def test_at_80_columns_the_selected_campaigns_reason_stands_in_full_below(day: BusyDay, stood: Standing) -> None:
    lines = shown(seen(stood, day), Chosen("vip"), (80, 24))
    assert any(line.startswith("> vip") for line in lines)
    assert "vip  progressive r1: every agent is busy or has a call being dialled for him" in lines
    assert any("(+" in line for line in lines)  # campaigns that have no room are counted


def test_agents_who_have_no_room_are_counted(day: BusyDay, stood: Standing) -> None:
    lines = shown(seen(stood, day), Chosen("vip"), (80, 17))
    crew = len(stood.crews["vip"])
    (states,) = [line for line in lines if line.startswith(f"{crew} agents: ")]
    assert sum(int(word) for word in states.split() if word.isdigit()) == 2 * crew  # the title's own number, and the states that add up to it
    below = lines[lines.index(states) + 1 : -1]
    assert below and below[-1].split()[-1] == f"(+{crew - 3 * len(below) + 1})"


def test_the_filter_lets_through_what_has_its_letters(stood: Standing) -> None:
    assert [each.name for each in listed(stood, "CAMPAIGN-1")] == [f"campaign-1{digit}" for digit in range(7)]
    assert {each.state for each in listed(stood, "paused")} == {"paused"}


def test_without_a_daemon_it_says_so_and_what_the_database_knows(day: BusyDay, stood: Standing) -> None:
    lines = shown(seen(stood, day, age_s=65.0))
    assert "no daemon is running, last heard of 1 m 5 s ago" in lines[0]
    assert any(line.startswith("! no daemon is running since 1 m 5 s: 17 campaigns would dial") for line in lines)
    assert any("no daemon is running; start it: fs-dialer run" in line for line in lines)


def test_an_error_keeps_the_last_picture_and_says_what_is_wrong(day: BusyDay, stood: Standing) -> None:
    lines = shown(replace(seen(stood, day), error="the database is not reachable: refused"))
    assert "the database is not reachable: refused" in lines[0] and any(" vip " in line for line in lines)
    assert shown(Seen(NOW, "", None, error="the database is not reachable"))[1] == "the database is not reachable"


@pytest.mark.spec("D7")
def test_what_came_from_outside_moves_no_cursor(day: BusyDay, stood: Standing) -> None:
    snapshot = as_json(day.snapshot(NOW))
    snapshot["campaigns"][-1]["because"] = "\x1b[2J\x1b]0;title\x07 gone\r\n"
    for agent in snapshot["agents"]:
        agent["name"] = "\x1b[31mred\u202e"
    what = seen(replace(stood, written=Written(0.1, snapshot)))
    for line in [*shown(what, Chosen("vip")), plain(what)]:
        assert not any(ord(each) < 32 or each in "\x7f\u202e" for each in line)


def test_a_line_for_logs_names_every_campaign_that_lives(day: BusyDay, stood: Standing) -> None:
    line = plain(seen(stood, day))
    assert "\n" not in line and line.startswith("14:05:32 | calls 41/600 | campaign-00 running, lines ")
    assert all(f"| {name} " in line for name in day.campaigns) and "1 needs you: gateway north rests" in line


def test_a_frame_of_200_agents_and_20_campaigns_is_far_below_five_percent_of_a_core(day: BusyDay, stood: Standing) -> None:
    """Two frames a second may take 25 ms each; measured whole, with terminal and database, it is about 0.6 % of a core."""
    what = seen(stood, day)
    begun = time.process_time()
    for _ in range(10):
        shown(what)
    assert (time.process_time() - begun) / 10 < 0.025


# --- keys -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "keys", "rest"),
    [
        ("q", ["q"], ""),
        ("\x1b[A\x1b[B\x1bOA", ["up", "down", "up"], ""),
        ("\x1b[5~\x1b[6~", ["page up", "page down"], ""),
        ("p\x1b[", ["p"], "\x1b["),
        ("\x1b", [], "\x1b"),
        ("\x1b\x1b[A", ["escape", "up"], ""),
        ("\x1bx", ["escape", "x"], ""),
        ("\x1b[200~ab\x1b[1;5C\r\x7f", ["a", "b", "enter", "backspace"], ""),
        ("ü\x01\x0c", ["ü", "redraw"], ""),
    ],
)
def test_what_is_typed_becomes_keys(typed: str, keys: list[str], rest: str) -> None:
    assert split_keys(typed) == (keys, rest)


def pressed(console: Console, stood: Standing, *keys: str) -> object:
    """What follows from the last of them."""
    todo = None
    for key in keys:
        todo = console.pressed(key, stood, 24)
    return todo


def test_arrows_select_and_stay_inside(stood: Standing) -> None:
    console = Console()
    names = [each.name for each in listed(stood, "")]
    assert console.selected(stood) == names[0]
    pressed(console, stood, "down", "down", "up")
    assert console.chosen.campaign == names[1]
    pressed(console, stood, *["down"] * 30)
    assert console.chosen.campaign == names[-1]
    pressed(console, stood, "home", "up")
    assert console.chosen.campaign == names[0]


def test_the_filter_is_typed_and_a_selection_it_hides_gives_way(stood: Standing) -> None:
    console = Console()
    pressed(console, stood, "/", *"vipq", "backspace")
    assert (console.chosen.filter, console.chosen.typing, console.selected(stood)) == ("vip", True, "vip")
    pressed(console, stood, "enter")
    assert pressed(console, stood, "e") == Explain("vip")
    pressed(console, stood, "escape")
    assert console.chosen.filter == ""


@pytest.mark.spec("M19")
def test_pausing_with_calls_up_is_asked_first(day: BusyDay, stood: Standing) -> None:
    snapshot = as_json(day.snapshot(NOW))
    (vip,) = [view for view in snapshot["campaigns"] if view["id"] == "vip"]
    vip["lines"] = 3
    stood = replace(stood, written=Written(0.1, snapshot))
    console = Console()
    assert pressed(console, stood, "/", *"vip", "enter", "p") is None
    assert console.chosen.question == "3 calls of vip are up and will go on. Pause it?"
    assert pressed(console, stood, "n") is None and console.chosen.message == "nothing was changed"
    assert pressed(console, stood, "p", "y") == Act("pause", "vip")
    vip["lines"] = 0
    assert pressed(console, stood, "p") == Act("pause", "vip")


@pytest.mark.spec("M19")
def test_p_starts_what_is_paused_and_tells_why_it_cannot(stood: Standing) -> None:
    console = Console()
    paused = next(each.name for each in stood.reports if each.state == "paused")
    pressed(console, stood, "/", *paused, "enter")
    without = replace(stood, written=None)
    assert pressed(console, without, "p") == Act("start", paused)
    new = replace(without, reports=[replace(each, state="new") if each.name == paused else each for each in stood.reports])
    assert pressed(console, new, "p") is None and console.chosen.message == f"{paused} is new: fs-dialer approve {paused}"


def panel_of(console: Console) -> Panel:
    panel = console.chosen.panel
    assert panel is not None
    return panel


def test_a_panel_scrolls_and_closes(stood: Standing) -> None:
    console = Console()
    console.show("explain", "\n".join(f"line {n}" for n in range(60)), 80)
    assert len(panel_of(console).lines) == 60
    pressed(console, stood, " ", "down", "up")
    assert panel_of(console).top == 21
    pressed(console, stood, "end")
    assert panel_of(console).top == 60 - 21
    assert "line 59" in shown(Seen(NOW, "", stood), console.chosen, (80, 24))
    assert [pressed(console, stood, "q"), pressed(console, stood, "q")] == [None, Quit()]
    assert pressed(console, stood, "redraw") == Redraw()


# --- where it comes from --------------------------------------------------------------------------------------------------------------


def test_calls_begun_per_second_are_counted_over_the_last_moments() -> None:
    feed = Feed(Session())
    view = {"attempts": 100, "lines": 5}
    assert feed.cps() is None
    for second in range(12):
        feed._note_begun({"now": NOW + second, "campaigns": [{**view, "attempts": 100 + 3 * second}]})
    assert feed.cps() == pytest.approx(3.0)
    feed._note_begun({"now": NOW + 20, "campaigns": [view]})  # another daemon counts anew
    assert feed.cps() is None


def test_a_lost_database_is_a_text_and_no_end(day: BusyDay) -> None:
    feed = Feed(_session("postgresql://nobody@127.0.0.1:9/nowhere?connect_timeout=2"))
    feed.look()
    assert "the database is not reachable" in feed.seen().error
    with closing(Feed(_session(day.dsn))) as good:
        good.look()
        assert good.seen().error == "" and good.seen().standing is not None


def test_everything_is_looked_at_anew_when_a_campaign_changes_its_state(day: BusyDay, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Feed(_session(day.dsn))) as feed:
        feed.look()
        looks: list[int] = []

        def counted(session: Session) -> Standing:
            looks.append(1)
            return standing(session)

        monkeypatch.setattr("fs_dialer.cli.top_feed.standing", counted)
        feed.look()
        assert looks == []
        feed._states, feed._all_at = {**feed._states, "vip": "paused"}, time.monotonic() - 5
        feed.look()
        assert looks == [1]


# --- without a terminal ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("top",), ("top", "--plain")])
def test_without_a_terminal_it_prints_a_line_now_and_then(words: tuple[str, ...], day: BusyDay, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([None, KeyboardInterrupt()])

    def look(feed: Feed) -> None:
        if isinstance(stop := next(looks), KeyboardInterrupt):
            raise stop

    monkeypatch.setattr(top, "PLAIN_EVERY_S", 0.0)
    monkeypatch.setattr(Feed, "look", look)
    done = called(*words, dsn=day.dsn)
    first, second = done.out.splitlines()
    assert done.code == 0 and first[:4].isdigit() and "campaign-00 " in first and "\x1b" not in done.out
    assert "campaign-00 " in second


def test_with_json_it_is_the_status_once(day: BusyDay) -> None:
    assert set(called("top", "--json", dsn=day.dsn).json) == set(called("status", "--json", dsn=day.dsn).json)


def test_a_database_that_is_not_there_is_exit_4_before_anything_is_drawn() -> None:
    done = called("top", dsn="postgresql://nobody@127.0.0.1:9/nowhere?connect_timeout=2")
    assert (done.code, done.out) == (4, "")


# --- on a terminal of its own ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def program(day: BusyDay) -> Iterator[Program]:
    found = Program(TOP, {"FS_DIALER_DSN": day.dsn})
    yield found
    found.close()


def assert_given_back(program: Program) -> None:
    """The screen from before, its cursor, and the line discipline are as they were."""
    assert not program.alternate and program.cursor and program.raw.rstrip().endswith("\x1b[?1049l")
    assert program.settings()[:6] == program.modes[:6]
    assert "Traceback" not in program.raw


def test_q_gives_the_terminal_back(program: Program) -> None:
    program.shows("campaign-00")
    assert program.alternate and not program.cursor and not program.settings()[3] & termios.ECHO
    program.press("q")
    assert program.ended() == 0
    assert_given_back(program)


def test_sigterm_gives_the_terminal_back(program: Program) -> None:
    program.shows("campaign-00")
    program.kill(signal.SIGTERM)
    assert program.ended() == 0
    assert_given_back(program)


def test_ctrl_c_is_as_good_as_q(program: Program) -> None:
    program.shows("campaign-00")
    program.press("\x03")
    assert program.ended() == 0
    assert_given_back(program)


def test_an_exception_gives_the_terminal_back_before_it_is_told(day: BusyDay) -> None:
    script = "from fs_dialer.cli import top, main\ndef picture(*_):\n    raise RuntimeError('a bug')\ntop.picture = picture\nmain.main(['top'])"
    program = Program(("-c", script), {"FS_DIALER_DSN": day.dsn})
    assert program.ended() == 1
    assert not program.alternate and program.cursor and program.settings()[:6] == program.modes[:6]
    assert program.raw.index("\x1b[?1049l") < program.raw.index("RuntimeError: a bug")
    program.close()


def test_ctrl_z_gives_it_back_for_a_while(day: BusyDay) -> None:
    program = Program(("-c", SHELL, *TOP), {"FS_DIALER_DSN": day.dsn})
    program.shows("campaign-00")
    program.press("\x1a")
    program.until(lambda: "the job is stopped" in program.raw, "a stop")
    assert not program.alternate and program.cursor and program.settings()[:6] == program.modes[:6]
    program.press("fg\n")
    program.until(lambda: program.alternate and not program.settings()[3] & termios.ECHO, "the table again")
    program.shows("campaign-00")
    program.press("q")
    assert program.ended() == 0
    assert_given_back(program)
    program.close()


def test_a_new_size_is_drawn_at_once_and_whole(program: Program) -> None:
    program.shows("q quit")
    for columns, lines in ((60, 12), (140, 40)):
        program.resize(columns, lines)
        program.until(lambda columns=columns, lines=lines: len(program.rows) == lines and program.widest() <= columns, f"{columns}x{lines}")  # type: ignore[misc]
        program.shows("spring-renewals" if lines > 30 else "campaign-00")
    program.press("q")
    assert program.ended() == 0


def test_only_lines_that_changed_are_written(day: BusyDay) -> None:
    Database(day.dsn).rows("UPDATE daemon_status SET at = now() - interval '1 hour'")  # so that nothing changes but the clock
    program = Program(TOP, {"FS_DIALER_DSN": day.dsn})
    program.shows("campaign-00")
    begun = program.raw.count(BEGIN)
    program.until(lambda: program.raw.count(BEGIN) > begun + 3, "some frames")
    *_, first, second, third, _ = program.raw.split(BEGIN)
    for frame in (first, second, third):
        assert set(re.findall(r"\x1b\[(\d+);1H", frame)) <= {"1", "2"}  # the clock, and for how long nobody was heard of
    assert program.raw.count("\x1b[2J") == 2  # when the screen was taken, and before the first picture
    program.press("q")
    assert program.ended() == 0
    program.close()


@pytest.mark.spec("M19")
def test_p_asks_and_the_command_reaches_the_daemon_s_table(program: Program, day: BusyDay) -> None:
    program.shows("campaign-00")
    program.press("/spring\r")
    program.shows("filter: spring")
    program.press("p")
    program.until(lambda: "y/n" in program.rows[-1] or "pause …" in program.rows[-1] or "queued" in program.rows[-1], "a question or an answer")
    program.press("y")
    program.shows("spring-renewals: queued: no daemon is running")  # nobody answers in this test
    assert Database(day.dsn).rows("SELECT verb, target FROM commands WHERE target = 'spring-renewals'") == [("pause", "spring-renewals")]
    program.press("q")
    assert program.ended() == 0


def test_e_shows_what_explain_says(program: Program) -> None:
    program.shows("campaign-00")
    program.press("/vip\r")
    program.shows("filter: vip")
    program.press("e")
    program.until(lambda: "q back" in program.rows[-1], "the panel")
    assert program.rows[1].startswith("fs-dialer explain campaign vip") and any(row.strip() for row in program.rows[2:-1])
    program.press("q")
    program.shows("q quit")
    program.press("q")
    assert program.ended() == 0


def test_a_dumb_terminal_gets_lines(day: BusyDay) -> None:
    program = Program(TOP, {"FS_DIALER_DSN": day.dsn, "TERM": "dumb"})
    program.until(lambda: "campaign-00 " in program.raw, "a line")
    assert "\x1b" not in program.raw
    program.kill(signal.SIGTERM)
    program.ended()
    program.close()


def test_no_color_is_heeded(day: BusyDay) -> None:
    program = Program(TOP, {"FS_DIALER_DSN": day.dsn, "NO_COLOR": "1"})
    program.shows("campaign-00")
    assert re.findall(r"\x1b\[[0-9;]*m", program.raw.replace("\x1b[0m", "")) == []  # but for the reset at the end
    program.press("q")
    assert program.ended() == 0
    program.close()

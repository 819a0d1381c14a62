"""What the keys of `top` do: which campaign is selected, the filter, the questions, and what is asked of others. Pure: a key in, what is to be done out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from textwrap import wrap

from fs_dialer.cli.output import clean, plural
from fs_dialer.cli.standing import Standing, state_of
from fs_dialer.cli.top_picture import Chosen, Panel, listed, page

PAUSABLE = ("running",)
STARTABLE = ("approved", "paused")


@dataclass(frozen=True, slots=True)
class Quit:
    pass


@dataclass(frozen=True, slots=True)
class Redraw:
    pass


@dataclass(frozen=True, slots=True)
class Act:
    """Ask the daemon. `verb`: pause or start."""

    verb: str
    campaign: str


@dataclass(frozen=True, slots=True)
class Explain:
    campaign: str


Todo = Quit | Redraw | Act | Explain


class Console:
    """Remembers what was chosen. `pressed` for each key; what others have to say comes in through `say` and `show`."""

    def __init__(self) -> None:
        self.chosen = Chosen()
        self._asked: Act | None = None

    def say(self, message: str) -> None:
        """On the last line, until the next key."""
        self.chosen = replace(self.chosen, message=message)

    def show(self, title: str, text: str, width: int) -> None:
        """Over the table, broken to its width."""
        lines = [part for line in text.splitlines() for part in wrap(clean(line), max(20, width), subsequent_indent="    ", drop_whitespace=False) or [""]]
        self.chosen = replace(self.chosen, panel=Panel(title, tuple(lines)), message="")

    def pressed(self, key: str, standing: Standing | None, height: int) -> Todo | None:
        """What follows from a key; None where it only changed what is chosen."""
        self.chosen = replace(self.chosen, message="")
        if key == "redraw":
            return Redraw()
        if self._asked is not None:
            return self._answered(key)
        if self.chosen.typing:
            self._typed(key)
            return None
        if self.chosen.panel is not None:
            self._scrolled(key, height)
            return None
        return self._commanded(key, standing)

    def selected(self, standing: Standing) -> str:
        """The campaign that keys are about: the one that was selected, else the first that is shown; "" where there is none."""
        names = [each.name for each in listed(standing, self.chosen.filter)]
        return self.chosen.campaign if self.chosen.campaign in names else names[0] if names else ""

    # --- modes of the keyboard --------------------------------------------------------------------------------------------------------

    def _answered(self, key: str) -> Todo | None:
        act, self._asked = self._asked, None
        self.chosen = replace(self.chosen, question="")
        if key in ("y", "Y"):
            return act
        self.say("nothing was changed")
        return None

    def _typed(self, key: str) -> None:
        old = self.chosen
        if key == "enter":
            self.chosen = replace(old, typing=False)
        elif key == "escape":
            self.chosen = replace(old, typing=False, filter="")
        elif key == "backspace":
            self.chosen = replace(old, filter=old.filter[:-1])
        elif len(key) == 1 and len(old.filter) < 100:
            self.chosen = replace(old, filter=old.filter + key)

    def _scrolled(self, key: str, height: int) -> None:
        panel = self.chosen.panel
        assert panel is not None
        if key in ("q", "escape", "e", "enter", "left"):
            self.chosen = replace(self.chosen, panel=None)
            return
        size = page(self.chosen, height)
        last = max(0, len(panel.lines) - size)
        steps = {"up": -1, "down": 1, "page up": -size, "page down": size, " ": size, "home": -len(panel.lines), "end": len(panel.lines)}
        self.chosen = replace(self.chosen, panel=replace(panel, top=min(last, max(0, panel.top + steps.get(key, 0)))))

    def _commanded(self, key: str, standing: Standing | None) -> Todo | None:
        if key == "q":
            return Quit()
        if key == "/":
            self.chosen = replace(self.chosen, typing=True)
        elif key == "escape":
            self.chosen = replace(self.chosen, filter="")
        elif standing is not None and key in ("up", "down", "home", "end", "page up", "page down"):
            self._moved(key, standing)
        elif standing is not None and key in ("e", "enter"):
            campaign = self.selected(standing)
            return Explain(campaign) if campaign else None
        elif standing is not None and key == "p":
            return self._paused(standing)
        return None

    def _moved(self, key: str, standing: Standing) -> None:
        names = [each.name for each in listed(standing, self.chosen.filter)]
        if names:
            at = names.index(self.selected(standing))
            step = {"up": -1, "down": 1, "page up": -10, "page down": 10, "home": -len(names), "end": len(names)}[key]
            self.chosen = replace(self.chosen, campaign=names[min(len(names) - 1, max(0, at + step))])

    def _paused(self, standing: Standing) -> Todo | None:
        """Pause what runs, start what does not; with calls up, after a question."""
        campaign = self.selected(standing)
        report = next((each for each in standing.reports if each.name == campaign), None)
        if report is None:
            return None
        view = standing.view(campaign)
        state = state_of(report, view)
        if state in STARTABLE:
            return Act("start", campaign)
        if state not in PAUSABLE:
            self.say(f"{campaign} is {state}: " + (f"fs-dialer approve {campaign}" if state == "new" else "it can not be paused or started"))
            return None
        calls = report.open_attempts if view is None else int(view["lines"])
        if not calls:
            return Act("pause", campaign)
        self._asked = Act("pause", campaign)
        self.chosen = replace(self.chosen, question=f"{plural(calls, 'call')} of {campaign} {'is' if calls == 1 else 'are'} up and will go on. Pause it?")
        return None

"""What the keys of `agent console` do: acts, results, the script's questions one by one, and what is asked first. Pure: a key in, what is to be done out.

A verb is offered only while the desk says that it is open (`can`); whether it is done the engine decides, and its reason comes back through `say`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

MOST_TYPED = 500
DIGITS = "123456789"
NO_CALLBACK, CALLBACK = ("refused", "wrong_number"), "callback"


@dataclass(frozen=True, slots=True)
class Known:
    """What the interface told last. `ahead`: the server's clock before ours, seconds; `up`: the line stands; `why`: what is wrong where it does not."""

    desk: Mapping[str, Any] | None = None
    card: Mapping[str, Any] | None = None
    ahead: float = 0.0
    up: bool = False
    why: str = "connecting …"

    @property
    def can(self) -> Sequence[str]:
        return () if self.desk is None else self.desk["can"]

    @property
    def call(self) -> Mapping[str, Any] | None:
        return None if self.desk is None else self.desk["call"]

    @property
    def about(self) -> str | None:
        """The call that results and answers are for."""
        if self.desk is None:
            return None
        his = self.desk["call"] or self.desk["last"]
        return None if his is None else his["id"]

    @property
    def questions(self) -> list[Mapping[str, Any]]:
        return [] if self.card is None else [each for each in self.card["script"] if each["ask"] and each["key"]]

    @property
    def dispositions(self) -> list[Mapping[str, Any]]:
        return list(self.card["dispositions"]) if self.card is not None and "dispose" in self.can else []


def heard(known: Known, kind: str, data: Mapping[str, Any], now: float) -> Known:
    """After one more event, or ("saved") the answer to `answers`. `now`: this machine's clock, epoch seconds."""
    if kind == "up":
        return replace(known, up=True, why="")
    if kind in ("down", "goodbye"):
        return replace(known, up=False, why=str(data.get("why", "")))
    if kind == "desk":
        fresh = replace(known, desk=data["desk"], ahead=data["now"] - now)
        if "card" in data:
            return replace(fresh, card=data["card"])
        return fresh if fresh.card is None or fresh.card.get("call") == fresh.about else replace(fresh, card=None)
    if kind == "card":
        return replace(known, card=None if data["card"] is None else {**data["card"], "call": data["call"]})
    if kind == "saved" and known.card is not None and known.card.get("call") == data["call"]:
        return replace(known, card={**known.card, "answers": data["answers"], "missing": data["missing"]})
    return known


@dataclass(frozen=True, slots=True)
class Prompt:
    """Something to be typed. `what`: who reads it; `body`: what is known already."""

    what: str
    label: str
    text: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chosen:
    """`question`: the one that is being answered, None = the keys are acts. `help`: the list of keys covers the card."""

    prompt: Prompt | None = None
    question: int | None = None
    message: str = ""
    bad: bool = False
    help: bool = False


@dataclass(frozen=True, slots=True)
class Quit:
    pass


@dataclass(frozen=True, slots=True)
class Redraw:
    pass


@dataclass(frozen=True, slots=True)
class Do:
    """Ask the interface."""

    verb: str
    body: Mapping[str, Any]


Todo = Quit | Redraw | Do

# key, the verbs it may mean (the first that is open), and the word for it on the screen
ACTS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("g", ("take",), "get a customer"),
    ("a", ("accept",), "accept"),
    ("d", ("dial",), "dial"),
    ("+", ("extend_preview", "extend_wrap_up"), "more time"),
    ("s", ("skip",), "skip"),
    ("h", ("hold", "resume"), "hold/resume"),
    ("t", ("transfer",), "transfer"),
    ("c", ("complete_transfer",), "hand over"),
    ("x", ("hang_up",), "hang up"),
    ("r", ("record", "pause_recording", "resume_recording"), "recording"),
    ("w", ("end_wrap_up",), "ready"),
    ("b", ("available", "not_available"), "break/back"),
    ("o", ("open_screen", "close_screen"), "open/close screen"),
)
WORDS = {
    "hold": "hold", "resume": "back to the customer", "extend_preview": "more time", "extend_wrap_up": "more time", "record": "record",
    "pause_recording": "silence recording", "resume_recording": "record on", "available": "available", "not_available": "break",
    "open_screen": "open screen", "close_screen": "close screen",
}  # fmt: skip
SAME = {"f7": "b", "f8": "x", "f9": "h"}
MAIN = ("accept", "dial", "resume", "end_wrap_up", "take", "available", "open_screen")  # of F2 and Enter: the first that is open
WITH_CALL = frozenset(
    {"accept", "dial", "extend_preview", "skip", "hold", "resume", "transfer", "complete_transfer", "hang_up"}
    | {"record", "stop_recording", "pause_recording", "resume_recording"}
)


class Keyboard:
    """Remembers what was chosen. `pressed` for each key; what others have to say comes in through `say`."""

    def __init__(self) -> None:
        self.chosen = Chosen()
        self._sent: dict[tuple[str, str], Any] = {}  # by call and question: answers that are on their way

    def settled(self, todo: Do) -> None:
        """These answers were saved, or refused: what the card says counts again, where nothing newer is on its way."""
        if todo.verb == "answers":
            for key, value in todo.body["answers"].items():
                if self._sent.get((todo.body["call"], key)) is value:
                    del self._sent[todo.body["call"], key]

    def say(self, message: str, *, bad: bool = False) -> None:
        """On the last line, until the next key."""
        self.chosen = replace(self.chosen, message=message, bad=bad)

    def pressed(self, key: str, known: Known) -> Todo | None:
        """What follows from a key; None where it only changed what is chosen."""
        self.chosen = replace(self.chosen, message="", bad=False)
        if key == "redraw":
            return Redraw()
        if self.chosen.prompt is not None:
            return self._typed(key, self.chosen.prompt, known)
        if self.chosen.help:
            self.chosen = replace(self.chosen, help=False)
            return None
        if self.chosen.question is not None:
            return self._in_script(key, self.chosen.question, known)
        return self._act(SAME.get(key, key), known)

    # --- acts ---------------------------------------------------------------------------------------------------------------------------

    def _act(self, key: str, known: Known) -> Todo | None:
        if key == "q":
            return Quit()
        if key == "?":
            self.chosen = replace(self.chosen, help=True)
        elif key in DIGITS:
            return self._dispose(int(key) - 1, known)
        elif key in ("tab", "down") and known.questions:
            self._go(0, known)
        elif key in ("l", "n"):
            return self._promise(key, known)
        elif key in ("f2", "enter"):
            verb = next((each for each in MAIN if each in known.can and not (each == "take" and known.call)), None)
            return self._say_verb(verb, known) if verb else self._nothing("nothing is to be done now")
        else:
            verbs = next((verbs for letter, verbs, _ in ACTS if letter == key), ())
            verb = next((each for each in verbs if each in known.can), None)
            if verb is not None:
                return self._say_verb(verb, known)
            if verbs:
                return self._nothing(f"{verbs[0].replace('_', ' ')} is not open to you now")
        return None

    def _nothing(self, message: str) -> Todo | None:
        self.say(message, bad=True)
        return None

    def _say_verb(self, verb: str, known: Known) -> Todo | None:
        """Ask for what the verb needs, or do it."""
        body = {"call": known.call["id"]} if verb in WITH_CALL and known.call is not None else {}
        if verb == "take":
            return self._take(known)
        if verb == "skip":
            return self._ask("skip", "why skip (Enter: no reason)", body)
        if verb == "not_available":
            return self._ask("not_available", "reason of the break")
        if verb == "transfer":
            return self._ask("transfer", "to agent NAME, team NAME or a number (! before it: talk first)", body)
        return Do(verb, body)

    def _take(self, known: Known) -> Todo | None:
        assert known.desk is not None
        names = [each["id"] for each in known.desk["campaigns"] if each["type"] == "manual" and each["running"] and not each["paused"]]
        if len(names) == 1:
            return Do("take", {"campaign": names[0]})
        return self._ask("take", f"of which campaign ({', '.join(names)})")

    def _promise(self, key: str, known: Known) -> Todo | None:
        if known.about is None:
            return self._nothing("there is no customer")
        body = {"call": known.about}
        if key == "l":
            return self._ask("callback", "call again when (tomorrow 9:00, +2h; ! before it: I call myself)", body)
        return self._ask("do-not-call", "never call this number again? type yes", body)

    def _dispose(self, index: int, known: Known) -> Todo | None:
        if known.call is not None and "dispose" not in known.can:
            return self._nothing("you give the result when you talk to the customer, or after the call")
        if known.about is None or index >= len(known.dispositions):
            return self._nothing("there is no such result" if known.about else "there is no call to give a result")
        chosen = known.dispositions[index]
        body = {"call": known.about, "code": chosen["code"]}
        if chosen.get("kind") == CALLBACK:
            return self._ask("dispose", f"{chosen['label']}: when (tomorrow 9:00, +2h; ! before it: I call myself)", body)
        return Do("dispose", body)

    # --- typing -------------------------------------------------------------------------------------------------------------------------

    def _ask(self, what: str, label: str, body: Mapping[str, Any] | None = None, text: str = "") -> Todo | None:
        self.chosen = replace(self.chosen, prompt=Prompt(what, label, text, body or {}))
        return None

    def _typed(self, key: str, prompt: Prompt, known: Known) -> Todo | None:
        if key == "escape":
            self.chosen = replace(self.chosen, prompt=None)
        elif key == "backspace":
            self.chosen = replace(self.chosen, prompt=replace(prompt, text=prompt.text[:-1]))
        elif key == "enter":
            self.chosen = replace(self.chosen, prompt=None)
            return self._given(prompt, known)
        elif len(key) == 1 and len(prompt.text) < MOST_TYPED:
            self.chosen = replace(self.chosen, prompt=replace(prompt, text=prompt.text + key))
        return None

    def _given(self, prompt: Prompt, known: Known) -> Todo | None:
        text, body = prompt.text.strip(), dict(prompt.body)
        match prompt.what:
            case "skip" | "not_available":
                return Do(prompt.what, {**body, "reason": text})
            case "take":
                return Do("take", {"campaign": text}) if text else None
            case "transfer":
                return self._transfer(text, body)
            case "callback" | "dispose":
                if not text:
                    return self._nothing("no time was given: nothing was filed")
                own = text.startswith("!")
                when = {"at" if prompt.what == "callback" else "callback_at": text.lstrip("! ")}
                return Do(prompt.what, {**body, **when, "to_me": own})
            case "do-not-call":
                return Do("do-not-call", body) if text.lower() == "yes" else self._nothing("nothing was changed")
        return self._answered(prompt, text, known)

    def _transfer(self, text: str, body: dict[str, Any]) -> Todo | None:
        attended, words = text.startswith("!"), text.lstrip("! ").split(maxsplit=1)
        if not words:
            return None
        if words[0] in ("agent", "team", "number") and len(words) == 2:
            kind, to = words
        elif words[0][:1] in "+0123456789":
            kind, to = "number", " ".join(words)
        else:
            kind, to = "agent", " ".join(words)
        return Do("transfer", {**body, "kind": kind, "to": to, "attended": attended})

    # --- the script ---------------------------------------------------------------------------------------------------------------------

    def _go(self, index: int, known: Known) -> None:
        """To that question; out of the script where there is none."""
        if not 0 <= index < len(known.questions):
            self.chosen = replace(self.chosen, question=None)
            return
        self.chosen = replace(self.chosen, question=index)

    def _in_script(self, key: str, index: int, known: Known) -> Todo | None:
        questions = known.questions
        if key in ("escape", "f2") or index >= len(questions):
            self.chosen = replace(self.chosen, question=None)
            return None
        if key in ("tab", "down"):
            self._go(index + 1, known)
        elif key == "up":
            self._go(index - 1, known)
        elif key == "f8":
            return self._act("x", known)
        elif (item := questions[index])["kind"] in ("choice", "choices"):
            return self._chosen_option(key, item, index, known)
        elif key == "enter":
            given = known.card["answers"].get(item["key"]) if known.card is not None else None
            self._ask("answer", item["ask"], {"key": item["key"]}, "" if given is None else str(given))
        elif len(key) == 1:
            self._ask("answer", item["ask"], {"key": item["key"]}, key)
        return None

    def _chosen_option(self, key: str, item: Mapping[str, Any], index: int, known: Known) -> Todo | None:
        if key not in DIGITS or int(key) > len(item["options"]):
            return self._nothing(f"1 to {len(item['options'])} choose, Tab goes on, Esc leaves the script")
        option = item["options"][int(key) - 1]
        value: Any = option
        if item["kind"] == "choices":
            before = known.card["answers"].get(item["key"]) if known.card is not None else None
            before = self._sent.get((known.about or "", item["key"]), before)
            kept = list(before) if isinstance(before, list) else []
            value = [each for each in kept if each != option] if option in kept else [*kept, option]
        else:
            self._go(index + 1, known)
        return self._saved({item["key"]: value or ""}, known)

    def _answered(self, prompt: Prompt, text: str, known: Known) -> Todo | None:
        if self.chosen.question is not None:
            self._go(self.chosen.question + 1, known)
        return self._saved({str(prompt.body["key"]): text}, known)

    def _saved(self, answers: Mapping[str, Any], known: Known) -> Todo | None:
        if known.about is None:
            return self._nothing("there is no call to answer for")
        self._sent.update({(known.about, key): value for key, value in answers.items()})
        return Do("answers", {"call": known.about, "answers": dict(answers)})

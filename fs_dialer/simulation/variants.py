"""What is compared: `--compare progressive,predictive` and `--what-if agents=8..20` as settings, one after the other.

Knows how ranges are written and which settings of a campaign are numbers; each value is judged by the bounds its setting declares (core/options.py).
ValueError says what is wrong and what to write instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, is_dataclass, replace
from typing import Any

from fs_dialer.config.kinds import KINDS, show
from fs_dialer.config.values import BadValue, nearest
from fs_dialer.core.definition import Campaign
from fs_dialer.core.model import CampaignType
from fs_dialer.core.options import declared
from fs_dialer.simulation.setting import Setting, as_type, why_not

NUMBERS = ("count", "number", "duration", "rate")
OF_THE_DAY = ("agents", "hours", "leads")  # options of the command, not of the campaign
ROWS, MOST_ROWS = 5, 60
MOST_AGENTS, MOST_HOURS = 10_000, 24.0 * 31
# Of no effect within the simulated world.
LEFT_OUT = ("missed.over", "attempts.no_callback", "weight", "priority")


@dataclass(frozen=True, slots=True)
class Variant:
    """`value`: as it would be written; "" = nothing was varied."""

    setting: Setting
    value: str = ""

    @property
    def type(self) -> str:
        return self.setting.campaign.type.value


@dataclass(frozen=True, slots=True)
class Question:
    """A setting by its whole path, and its values as they would be written."""

    name: str
    values: tuple[str, ...]


def types_of(text: str) -> tuple[CampaignType, ...]:
    """`progressive,predictive`, each once, in this order."""
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    known = [each.value for each in CampaignType]
    for word in words:
        if word not in known:
            guess = nearest(word, known)
            raise ValueError(f"`{word}` is no campaign type" + (f"; nearest: {guess}" if guess else f"; there are {', '.join(known)}"))
    found = tuple(CampaignType(word) for word in dict.fromkeys(words))
    if len(found) < 2:
        raise ValueError("name two types or more, as in progressive,predictive")
    for each in found:
        if why := why_not(each):
            raise ValueError(why)
    return found


def question(text: str, setting: Setting) -> Question:
    """`agents=8..20`, `agents=8..20:4`, `missed=1%..5%`, `ring=15s,20s,30s`: what is asked, of this campaign."""
    name, equals, values = text.partition("=")
    name = name.strip().lower()
    if not equals or not name or not values.strip():
        raise ValueError(f"`{text}`: write a setting and its values, as in agents=8..20, missed=1%..5% or ring=15s,20s,30s")
    if name in OF_THE_DAY:
        read, shown, whole = _of_the_day(name)
        return Question(name, _listed(values, read, shown, whole))
    path, field = _number(setting.campaign, name)
    kind = field.metadata["kind"]
    read_text = KINDS[kind].read
    assert read_text is not None

    def judged(word: str) -> float:
        value = float(read_text(word))
        low, high = field.metadata["low"], field.metadata["high"]
        if (low is not None and value < low) or (high is not None and value > high):
            raise BadValue(f"{word} is out of bounds: {show(kind, low)} to {show(kind, high)}")
        return value

    return Question(path, _listed(values, judged, lambda value: show(kind, round(value) if kind == "count" else round(value, 6)), kind == "count"))


def varied(setting: Setting, asked: Question | None, types: tuple[CampaignType, ...] = ()) -> list[Variant]:
    """Every type with every value; the values of one type stand together. ValueError where a type has not the setting, or cannot be made of this campaign."""
    found = []
    for each in types or (setting.campaign.type,):
        base = as_type(setting, each)
        for value in asked.values if asked else ("",):
            found.append(Variant(_with(base, asked.name, value) if asked else base, value))
    return found


def _of_the_day(name: str) -> tuple[Callable[[str], float], Callable[[float], str], bool]:
    most = {"agents": float(MOST_AGENTS), "leads": 10_000_000.0, "hours": MOST_HOURS}[name]

    def read(word: str) -> float:
        try:
            value = float(word.strip().removesuffix("h") if name == "hours" else word)
        except ValueError:
            value = math.nan
        if not (0 < value <= most) or (name != "hours" and value != int(value)):
            raise BadValue(f"`{word.strip()}` is no number of {name}: {'above 0' if name == 'hours' else 'from 1'} to {most:g}")
        return value

    return read, lambda value: f"{value:g}" if name == "hours" else f"{round(value)}", name != "hours"


def _listed(text: str, read: Callable[[str], float], shown: Callable[[float], str], whole: bool) -> tuple[str, ...]:
    words = [word.strip() for word in text.split(",")]
    if len(words) == 1 and ".." in words[0]:
        values = _steps(words[0], read, whole)
    else:
        values = [read(word) for word in words]
    if len(values) > MOST_ROWS:
        raise ValueError(f"{text} would be {len(values)} days to compare; at most {MOST_ROWS}: name a longer step, as in 8..200:16")
    return tuple(dict.fromkeys(shown(value) for value in values))


def _steps(text: str, read: Callable[[str], float], whole: bool) -> list[float]:
    """`8..20:4`: from, to, step. The end belongs to it. Without a step: whole numbers one by one while they are few, else five values."""
    ends, colon, step_text = text.partition(":")
    low, high = (read(word.strip()) for word in ends.split("..", 1))
    if low >= high:
        raise ValueError(f"{ends} must rise, as in 8..20")
    if colon:
        step = _step(step_text.strip(), read)
    elif whole:
        step = 1.0 if high - low <= 12 else math.ceil((high - low) / (ROWS - 1))
    else:
        step = (high - low) / (ROWS - 1)
    count = math.floor((high - low) / step + 1e-9)
    if count > MOST_ROWS:
        raise ValueError(f"{text} would be {count + 1} values; at most {MOST_ROWS}: name a longer step")
    values = [low + step * index for index in range(count + 1)]
    return values if high - values[-1] <= 1e-9 * max(1.0, high) else [*values, high]


def _step(text: str, read: Callable[[str], float]) -> float:
    """A step may be below what the setting itself may be: only its unit counts."""
    try:
        step = read(text)
    except BadValue as wrong:
        plain = text.removesuffix("%")
        try:
            step = float(plain) / (100 if text.endswith("%") else 1)
        except ValueError:
            raise ValueError(f"the step `{text}`: {wrong}") from None
    if not step > 0:
        raise ValueError(f"the step `{text}` must be above 0")
    return step


# --- the settings of a campaign -------------------------------------------------------------------------------------------------------


def numbers_of(campaign: Campaign) -> dict[str, Field[Any]]:
    """The settings of this campaign's type that are numbers, by their path."""
    found = _walk(campaign, campaign.type.value)
    if is_dataclass(campaign.options):
        found |= _walk(campaign.options, campaign.type.value)
    return {path: field for path, field in found.items() if path not in LEFT_OUT}


def _declared(part: Any) -> Mapping[str, Field[Any]]:
    cls: type = type(part)
    return declared(cls)


def _walk(part: Any, campaign_type: str, path: str = "") -> dict[str, Field[Any]]:
    found: dict[str, Field[Any]] = {}
    for key, field in _declared(part).items():
        types, kind, here = field.metadata["types"], field.metadata["kind"], f"{path}.{key}" if path else key
        if types and campaign_type not in types:
            continue
        value = getattr(part, field.name)
        if kind in NUMBERS:
            found[here] = field
        elif kind == "section" and is_dataclass(value):
            found |= _walk(value, campaign_type, here)
    return found


def _number(campaign: Campaign, name: str) -> tuple[str, Field[Any]]:
    """A number by its path, by the short form of its group (`missed` for missed.max), or by its last word where that is clear."""
    known = numbers_of(campaign)
    if name in known:
        return name, known[name]
    for part in (campaign, campaign.options):
        group = _declared(part).get(name) if is_dataclass(part) else None
        if group is not None and group.metadata["kind"] == "section" and (short := f"{name}.{group.metadata['short']}") in known:
            return short, known[short]
    ends = [path for path in known if path.endswith(f".{name}")]
    if len(ends) == 1:
        return ends[0], known[ends[0]]
    guess = nearest(name, [*known, *OF_THE_DAY]) if not ends else None
    advice = f"; nearest: {guess}" if guess else f"; there are {', '.join(ends or [*OF_THE_DAY, *known])}"
    raise ValueError(f"`{name}` is no setting of a {campaign.type.value} campaign that could be varied{advice}")


def _with(setting: Setting, name: str, value: str) -> Setting:
    if name == "agents":
        return replace(setting, agent_count=int(value))
    if name == "hours":
        return replace(setting, hours=float(value))
    if name == "leads":
        return replace(setting, leads=int(value))
    path, field = _number(setting.campaign, name)
    read = KINDS[field.metadata["kind"]].read
    assert read is not None
    return replace(setting, campaign=_changed_campaign(setting.campaign, path.split("."), read(value)))


def _changed_campaign(campaign: Campaign, path: list[str], value: Any) -> Campaign:
    if path[0] not in declared(Campaign) and is_dataclass(campaign.options):
        options = _changed(campaign.options, path, value)
        before, missed = getattr(campaign.options, "missed", None), getattr(options, "missed", None)
        if path == ["missed", "max"] and before is not None and missed is not None and missed.aim is not None:
            # The aim goes with the ceiling, as far below it as before.
            options = replace(options, missed=replace(missed, aim=missed.aim * missed.max / before.max))
        return replace(campaign, options=options)
    changed = _changed(campaign, path, value)
    assert isinstance(changed, Campaign)
    return changed


def _changed(part: Any, path: list[str], value: Any) -> Any:
    field = _declared(part)[path[0]]
    inner = value if len(path) == 1 else _changed(getattr(part, field.name), path[1:], value)
    return replace(part, **{field.name: inner})

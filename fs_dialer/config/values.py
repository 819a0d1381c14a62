"""One text to one value, by the kind its setting declares (core/options.py: KINDS).

Knows how people write durations, rates, moments, telephone numbers, dial strings; knows nothing of files, of which setting it reads, or of bounds
(form.py).
Every reader raises BadValue with a text that says what is wrong and what to write instead. Digits are ASCII: `\\d` would take `٣` too.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

MINUTE, HOUR, DAY = 60, 3600, 86400
_UNITS = {"d": float(DAY), "h": float(HOUR), "m": float(MINUTE), "s": 1.0}
_LONG_UNITS = {"s": "sec secs second seconds", "m": "min mins minute minutes", "h": "hr hrs hour hours", "d": "day days"}
_OTHER_UNITS = {long: unit for unit, words in _LONG_UNITS.items() for long in words.split()}

_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
_DURATION = re.compile(
    r"(?:(?P<d>[0-9]{1,6}(?:\.[0-9]{1,6})?)d)?(?:(?P<h>[0-9]{1,8}(?:\.[0-9]{1,6})?)h)?"
    r"(?:(?P<m>[0-9]{1,8}(?:\.[0-9]{1,6})?)m)?(?:(?P<s>[0-9]{1,10}(?:\.[0-9]{1,6})?)s)?"
)
# The same with more digits than anything that a setting allows; a fraction that is too fine is none of them.
_LONG_DURATION = re.compile("".join(rf"(?:[0-9]+(?:\.[0-9]{{1,6}})?{unit})?" for unit in "dhms"))
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SWITCH_NAME = re.compile(r"[a-z0-9_-]{1,32}")
_MOMENT = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[ T]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?)?")
_OFFSET = re.compile(r"(?:GMT|UTC|Z)?\s*([+-])\s*([0-9]{1,2})(?::?([0-9]{2}))?", re.IGNORECASE)
# The same shapes as in esl/commands.py, which has the last word on what reaches the switch (D7); here an admin is told early. A test compares them.
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
_USER = r"[A-Za-z0-9_+][A-Za-z0-9_+.-]{0,63}"
_DIAL_STRING = re.compile(
    rf"user/{_USER}(?:@{_HOST})?"
    rf"|sofia/gateway/[A-Za-z0-9_.-]{{1,64}}/{_USER}"
    rf"|sofia/(?!gateway/)[A-Za-z0-9_.-]{{1,64}}/{_USER}(?:@{_HOST}(?::[0-9]{{1,5}})?|%{_HOST})"
    rf"|loopback/{_USER}(?:/[A-Za-z0-9_.-]{{1,64}})?"
)
_SOUND_FILE = re.compile(r"(?=.{1,255}\Z)/?[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*){0,31}")
_SOUND_STREAM = re.compile(
    r"(?=.{1,255}\Z)(?:local_stream://[A-Za-z0-9_.-]{1,64}|silence_stream://-?[0-9]{1,9}|tone_stream://(?:%\([0-9]{1,6}(?:,[0-9.]{1,9}){1,5}\)){1,8})"
)
_CALLED_BY_SWITCH = re.compile(r"[${}]")


class BadValue(ValueError):
    """What is wrong with a text, and what to write instead; fit to stand behind a setting's name."""


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that was probably meant, None where none is near. `cutoff`: likeness, 0.0 to 1.0."""
    by_fold = {each.casefold().replace("_", "").replace("-", ""): each for each in known}
    close = difflib.get_close_matches(word.casefold().replace("_", "").replace("-", ""), by_fold, n=1, cutoff=cutoff)
    return by_fold[close[0]] if close else None


def short(text: str, limit: int = 60) -> str:
    """A value as shown inside a message: on one line, and no longer than `limit`."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def text(value: str) -> str:
    value = value.strip()
    if "\n" in value:
        raise BadValue("one line of text is expected: for a long text write `>` after the colon, not `|`")
    if len(value) > 2000:
        raise BadValue(f"a text of {len(value):,} characters; at most 2,000")
    return value


def count(value: str) -> int:
    value = value.strip()
    if re.fullmatch(r"[+-]?[0-9]{1,12}", value):
        return int(value)
    if re.fullmatch(r"[0-9]{1,3}([,._ '\u00a0][0-9]{3})+", value):
        raise BadValue(f"write {re.sub('[^0-9]', '', value)}, without separators")
    raise BadValue(f"`{short(value)}` is not a whole number")


def number(value: str) -> float:
    value = value.strip()
    if re.fullmatch(r"[+-]?[0-9]{1,12}(\.[0-9]{1,9})?", value):
        return float(value)
    if re.fullmatch(r"[0-9]{1,12},[0-9]{1,9}", value):
        raise BadValue(f"write {value.replace(',', '.')}, with a point")
    raise BadValue(f"`{short(value)}` is not a number")


def duration(value: str) -> float:
    """Seconds of `30s`, `15m`, `4h`, `180d`, `1h30m`, `1.5h`: units from large to small, each once."""
    packed = re.sub(r"\s+", "", value).lower()
    if _NUMBER.fullmatch(packed):
        raise BadValue(f"{packed} of what? write {packed}s, {packed}m, {packed}h or {packed}d (seconds, minutes, hours, days)")
    found = _DURATION.fullmatch(packed)
    if packed and found:
        return sum(float(part) * _UNITS[unit] for unit, part in found.groupdict().items() if part)
    if packed and _LONG_DURATION.fullmatch(packed):
        raise BadValue(f"`{short(value)}` is above 365d, the most")
    parts = re.findall(r"([0-9.]+)([a-z]+)", packed)
    if parts and "".join(a + b for a, b in parts) == packed and all(unit in _OTHER_UNITS or unit in _UNITS for _, unit in parts):
        better = "".join(amount + _OTHER_UNITS.get(unit, unit) for amount, unit in parts)
        if _DURATION.fullmatch(better):
            raise BadValue(f"write {better}")
    raise BadValue(f"`{short(value)}` is not a duration: write 30s, 15m, 4h, 180d or 1h30m")


def show_duration(seconds: float) -> str:
    """The same in the words of the file: 5400 → 1h30m. What `duration` reads back to the same value."""
    rest, parts = round(seconds, 6), []
    for unit, size in (("d", DAY), ("h", HOUR), ("m", MINUTE)):
        whole = int(rest // size)
        if whole:
            parts.append(f"{whole}{unit}")
            rest = round(rest - whole * size, 6)
    if rest or not parts:
        parts.append(f"{rest:.6f}".rstrip("0").rstrip(".") + "s")
    return "".join(parts)


def rate(value: str) -> float:
    """0.0 to 1.0 of `3%` or `0.03`; a bare number from 1 on could mean either and is refused (D18)."""
    packed = value.replace(" ", "")
    if found := re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,9})?)%", packed):
        return float(found[1]) / 100
    if _NUMBER.fullmatch(packed):
        if (plain := float(packed)) < 1:
            return plain
        if plain <= 100:
            raise BadValue(f"{packed} could mean {packed}% or {plain * 100:g}%; write {packed}% or {plain / 100:g}")
    if re.fullmatch(r"[0-9]{1,6},[0-9]{1,9}%?", packed):
        raise BadValue(f"write {packed.replace(',', '.')}, with a point")
    raise BadValue(f"`{short(value)}` is not a rate: write 3% or 0.03")


def flag(value: str) -> bool:
    word = value.strip().lower()
    if word in ("yes", "true", "on"):
        return True
    if word in ("no", "false", "off"):
        return False
    raise BadValue(f"`{short(value)}`: write yes or no")


def phone(value: str) -> str:
    """Digits with an optional + in front; spaces, dashes, dots, slashes and brackets between them are dropped."""
    if "+" in value and re.search(r"\(\s*0\s*\)", value):
        raise BadValue(f"`{short(value)}`: leave out the (0), it is not dialled after a country code")
    packed = re.sub(r"[\s()./\u2010-\u2013-]", "", value)
    if not re.fullmatch(r"\+?[0-9]+", packed):
        odd = next((each for each in packed.lstrip("+") if each not in "0123456789"), None)
        raise BadValue(f"`{short(value)}` is not a telephone number" + (f": `{odd}` is no digit" if odd else ""))
    if len(packed.lstrip("+")) > 20:
        raise BadValue(f"`{short(value)}` has {len(packed.lstrip('+'))} digits; a telephone number has at most 15")
    return packed


def name(value: str) -> str:
    value = value.strip()
    if _NAME.fullmatch(value):
        return value
    if re.fullmatch(r"[\w.-]+(\s*,\s*[\w.-]+)+", value):
        listed = ", ".join(part.strip() for part in value.split(","))
        raise BadValue(f"`{short(value)}` is several names in one text: write [{short(listed)}]")
    raise BadValue(f"`{short(value)}` is not a name: letters, digits, - _ . (at most 64)")


def switch_name(value: str) -> str:
    """The name of a flow, of its nodes, of a queue: they become extensions in the switch, and words in what a call leaves behind."""
    value = value.strip()
    if _SWITCH_NAME.fullmatch(value):
        return value
    better = re.sub(r"[^a-z0-9_-]+", "-", value.lower()).strip("-")[:32]
    raise BadValue(f"`{short(value)}` can not be an extension in the switch: lower-case letters, digits, - and _, at most 32; write {better or 'main'}")


def dial_string(value: str) -> str:
    """How the switch reaches an agent: endpoint/address. Refuses whatever FreeSWITCH would expand, split or run (D7)."""
    value = value.strip()
    if _DIAL_STRING.fullmatch(value):
        return value
    if _CALLED_BY_SWITCH.search(value):
        raise BadValue(f"`{short(value)}`: $ {{ }} are refused, the switch would run what they hold; a phone's settings belong into the switch")
    if odd := re.search(r"[\[\]|,;'\"&!`<>()\\\s]", value):
        what = "a space" if odd[0].isspace() else f"`{odd[0]}`"
        raise BadValue(f"`{short(value)}`: {what} has no place in a dial string; one phone per agent, such as user/1001")
    if re.fullmatch(r"[A-Za-z0-9_.-]+", value):
        raise BadValue(f"`{value}` lacks the endpoint: write user/{value} for a phone registered at this switch")
    raise BadValue(f"`{short(value)}` is not a dial string: write user/1001, sofia/gateway/pbx/1001 or sofia/internal/1001@10.0.0.5")


def sound(value: str) -> str:
    """A sound file's name, or a stream of the switch. Refuses whatever FreeSWITCH would expand or split (D7)."""
    value = value.strip()
    if _CALLED_BY_SWITCH.search(value):
        raise BadValue(f"`{short(value)}`: $ {{ }} are refused, the switch would run what they hold")
    if "://" in value:
        if _SOUND_STREAM.fullmatch(value):
            return value
        raise BadValue(f"`{short(value)}` is not a stream we play: local_stream://moh, tone_stream://%(400,200,425), silence_stream://1000")
    if _SOUND_FILE.fullmatch(value):
        return value
    if odd := re.search(r"[^A-Za-z0-9_./-]", value):
        what = "a space" if odd[0].isspace() else f"`{odd[0]}`"
        raise BadValue(f"`{short(value)}`: {what} has no place in the name of a sound file")
    raise BadValue(f"`{short(value)}` is not a sound file's name: folders and file, as in sounds/sorry.wav, none beginning with a dot")


@cache
def zone_names() -> frozenset[str]:
    """The time zones this machine knows; its own "localtime" and the like are none of them."""
    return frozenset(available_timezones() - {"Factory", "localtime", "posixrules"})


def offset_of(value: str) -> timedelta | None:
    """The offset that `GMT+7` or `+05:30` names; None for other texts."""
    found = _OFFSET.fullmatch(value.strip())
    if not found:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return -offset if found[1] == "-" else offset


def zone(value: str) -> str:
    value = value.strip()
    if value in zone_names():
        return value
    if not zone_names():
        raise BadValue("this machine has no time zone data: apt install tzdata (or pip install tzdata)")
    if offset_of(value) is not None:
        raise BadValue(f"`{short(value)}` is not a place: write one, as in Asia/Ho_Chi_Minh; an offset does not say when its clocks change")
    by_fold = {each.casefold(): each for each in zone_names()}
    guess = by_fold.get(value.casefold().replace(" ", "_")) or nearest(value, zone_names(), cutoff=0.75)
    guess = guess or next((each for each in sorted(zone_names()) if each.casefold().endswith("/" + value.casefold().replace(" ", "_"))), None)
    raise BadValue(f"`{short(value)}` is not a time zone" + (f"; nearest: {guess}" if guess else ": write Area/City, as in Asia/Ho_Chi_Minh"))


def moment(value: str, zone: str) -> float:
    """Epoch seconds of `2026-12-01 8:00` on the clocks of `zone`.

    A time that clocks skip in spring is refused. A time they show twice in autumn means the first of the two.
    """
    found = _MOMENT.fullmatch(value.strip())
    if not found:
        raise BadValue(f"`{short(value)}` is not a date and time: write 2026-12-01 8:00")
    year, month, day = (int(part) for part in found.groups()[:3])
    if found[4] is None:
        raise BadValue(f"`{short(value)}` lacks the time of day: write {year}-{month:02}-{day:02} 0:00 for its first moment")
    if not 2000 <= year <= 2200:
        raise BadValue(f"the year {year} is out of reach: 2000 to 2200")
    try:
        local = datetime(year, month, day, int(found[4]), int(found[5]), int(found[6] or 0), tzinfo=ZoneInfo(zone))
    except ValueError as error:
        raise BadValue(f"`{short(value)}` does not exist: {error}") from None
    epoch = local.timestamp()
    shown = datetime.fromtimestamp(epoch, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if (skipped := shown - local.replace(tzinfo=None)) > timedelta(0):
        ahead = show_duration(skipped.total_seconds())
        raise BadValue(f"`{short(value)}` does not exist in {zone}: clocks go forward by {ahead} then; write {_after_gap(local)}")
    return epoch


def _after_gap(local: datetime) -> str:
    """The first minute that clocks show after the gap `local` falls into."""
    minute = local.replace(second=0, fold=0)
    while True:
        minute += timedelta(minutes=1)
        seen = datetime.fromtimestamp(minute.timestamp(), UTC).astimezone(minute.tzinfo)
        if seen.replace(tzinfo=None) == minute.replace(tzinfo=None):
            return f"{minute:%Y-%m-%d} {minute.hour}:{minute:%M}"


def show_moment(epoch: float, zone: str) -> str:
    local = datetime.fromtimestamp(epoch, UTC).astimezone(ZoneInfo(zone))
    return f"{local:%Y-%m-%d} {local.hour}:{local:%M}" + (f":{local:%S}" if local.second else "")

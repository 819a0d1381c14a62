"""How likely one lead is answered, beside the others of its campaign: learnt online from hour, weekday, attempts, last outcome and kind of number.

**The model.** A lead's log-odds are the campaign's own plus one effect for each of its features. The campaign's part follows the newest calls quickly, the
effects are learnt slowly, each call moving all of them by their uncertainty (a Kalman filter without covariances). So an effect is what tells leads apart
that are called *at the same time*: when the whole campaign has a better hour the common part takes it, and no feature gets the credit by accident.

**Nothing from noise.** A feature counts only as far as its effects differ by more than chance would let them: none of it below CHANCE standard deviations
of the chi-square of its levels, nearly all of it well above. And what would be said is scored against the campaign's own rate call by call: it is said only
once it has done better, and as long as it does. Without structure, or with little data, the answer is None: the campaign's rate, exactly.

Pure: leads and times in, a probability out. Knows nothing of the pacer, which weighs how leads differ and learns their common level for itself. Never raises.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from fs_dialer.core.model import Lead
from fs_dialer.core.schedule import zone_of

VERSION = 1
FEATURES = ("hour", "weekend", "attempts", "last", "kind")
ATTEMPTS_MOST = 3  # as many and more are one level
LEVELS_MOST = 64  # of one feature; hours have 24

PRIOR = 0.40  # before anything was seen, and worth PRIOR_CALLS
PRIOR_CALLS = 8.0
COMMON_CALLS = 200.0  # the campaign's own rate is that of about so many newest calls
EFFECT_CALLS = 12_000.0  # what was learnt of a feature fades over about so many calls of the campaign
EFFECT_SD = 0.7  # in log-odds, before anything was seen of a level
CHANCE = 2.7
SETTLE_EVERY = 20  # calls between two weighings of all features
OPEN_AT, SHUT_AT = 1.5, 0.75  # nats of log-loss gained against the campaign's rate, before it is used and when it is used no more
GAIN_MOST = 25.0  # gained; more is no credit against what comes
GAIN_CALLS = 5_000.0
LEAST, MOST = 0.005, 0.98
QUARTER_S = 900  # zones change their offset, and so their hours begin, at quarters at the finest

_PRIOR_WEIGHT = 1.0 / (EFFECT_SD * EFFECT_SD)
_KEPT_LOG = math.log1p(-1.0 / EFFECT_CALLS)


class Part(NamedTuple):
    """What one feature makes of a lead's chance: `times` multiplies its odds; `calls`: about so many calls are behind it, newer ones counting more."""

    feature: str
    level: str
    times: float
    calls: float


class LeadOdds:
    """One campaign's. `rate`: a first guess of how likely its calls are answered."""

    def __init__(self, rate: float | None = None, state: object = None) -> None:
        p = PRIOR if rate is None or not 0.0 < rate < 1.0 else min(MOST, max(LEAST, rate))
        self.calls = 0
        self.gain = 0.0  # nats of log-loss by which what would be said has been better than the campaign's rate, older calls fading
        self.shut = True
        self.rate = p  # the campaign's own, of the newest calls
        self._behind = PRIOR_CALLS  # calls that the common levels stand for
        self._full = self._used = math.log(p / (1.0 - p))  # the common part in log-odds, beside all effects and beside those that count
        self._effects: dict[str, dict[str, list[float]]] = {name: {} for name in FEATURES}  # level: mean, weight (1 / variance), calls when it was touched
        self._weights: dict[str, float] = dict.fromkeys(FEATURES, 0.0)
        self._shown: dict[str, dict[str, float]] = {}  # what is added for a level now; only features that count
        self._local: dict[str, tuple[float, float, str, str]] = {}
        if isinstance(state, Mapping):
            self._restore(state)

    # --- asking -----------------------------------------------------------------------------------------------------------------------

    def of(self, lead: Lead, now: float) -> float | None:
        """How likely this lead is answered if it is called now; None = nothing better is known than the campaign's rate."""
        if not self._shown or self.shut:
            return None
        chance = _chance(self._used + self._added(self.features(lead, now)))
        return min(MOST, max(LEAST, chance))

    @property
    def counts(self) -> bool:
        """Whether leads are told apart now."""
        return bool(self._shown) and not self.shut

    @property
    def weights(self) -> dict[str, float]:
        """How much each feature counts, 0–1: by how far it is beyond chance."""
        return dict(self._weights)

    def parts(self, lead: Lead, now: float) -> tuple[Part, ...]:
        """What of() is made of; empty where it is None."""
        if not self._shown or self.shut:
            return ()
        found, v = [], _variance(self.rate)
        for name, level in zip(FEATURES, self.features(lead, now), strict=True):
            added, known = self._shown.get(name, {}).get(level), self._effects[name].get(level)
            if added is not None and known is not None:
                found.append(Part(name, level, math.exp(added), max(0.0, known[1] - _PRIOR_WEIGHT) / v))
        return tuple(found)

    def features(self, lead: Lead, now: float) -> tuple[str, str, str, str, str]:
        """A lead's levels, in the order of FEATURES: `14`, `weekday`, `0`, `none`, `mobile`."""
        hour, weekend = self._clock(lead.zones[0] if lead.zones else "UTC", now)
        attempts = str(min(ATTEMPTS_MOST, max(0, lead.attempts)))
        return hour, weekend, attempts, lead.last or ("none" if lead.attempts <= 0 else "unknown"), lead.kind or "unknown"

    # --- learning ---------------------------------------------------------------------------------------------------------------------

    def learn(self, lead: Lead, answered: bool, now: float) -> None:
        """A call of this lead ended: a person answered, or nobody did. Calls that failed by our or the network's fault are none of these."""
        if not math.isfinite(now):
            return
        levels = self.features(lead, now)
        y = 1.0 if answered else 0.0
        self._score(levels, y)
        self._move(levels, y)
        self.calls += 1
        if self.calls % SETTLE_EVERY == 0:
            self._settle()

    def _score(self, levels: tuple[str, ...], y: float) -> None:
        """The campaign's rate against what is, or while it is shut would be, said."""
        plain, said = self.rate, _chance(self._used + self._added(levels))
        if self._shown:
            better = math.log(said / plain) if y else math.log((1.0 - said) / (1.0 - plain))
            self.gain = min(GAIN_MOST, self.gain * (1.0 - 1.0 / GAIN_CALLS) + better)
            self.shut = self.gain < (OPEN_AT if self.shut else SHUT_AT)
        else:
            self.shut = True
        self._behind = min(COMMON_CALLS, self._behind + 1.0)
        self._used = _bounded(self._used + (y - said) / (self._behind * _variance(plain)))
        self.rate = min(MOST, max(LEAST, plain + (y - plain) / self._behind))

    def _move(self, levels: tuple[str, ...], y: float) -> None:
        effects = [self._faded(name, level) for name, level in zip(FEATURES, levels, strict=True)]
        chance = _chance(self._full + sum([each[0] for each in effects]))
        v, common = _variance(chance), 1.0 / (self._behind * _variance(self.rate))
        doubt = common + 1.0 / v + sum([1.0 / each[1] for each in effects])
        step = (y - chance) / v / doubt
        for each in effects:
            var = 1.0 / each[1]
            each[0] += var * step
            each[1] = 1.0 / (var - var * var / doubt)
        self._full = _bounded(self._full + (y - chance) * common)

    def _faded(self, name: str, level: str) -> list[float]:
        """The level's effect; what was learnt of it long ago has gone back towards the prior."""
        known = self._effects[name]
        each = known.get(level)
        if each is None:
            if len(known) >= LEVELS_MOST:
                level = "others"
            each = known.setdefault(level, [0.0, _PRIOR_WEIGHT, float(self.calls)])
        elif self.calls > each[2]:
            kept = math.exp(_KEPT_LOG * (self.calls - each[2]))
            weight = each[1] * kept + _PRIOR_WEIGHT * (1.0 - kept)
            each[0] *= each[1] * kept / weight
            each[1], each[2] = weight, float(self.calls)
        return each

    def _settle(self) -> None:
        """Which features count, and how much: by how far the effects of their levels differ beyond chance."""
        self._shown = {}
        for name, known in self._effects.items():
            seen = [(each[0] * each[1] / (each[1] - _PRIOR_WEIGHT), each[1] - _PRIOR_WEIGHT) for each in known.values() if each[1] - _PRIOR_WEIGHT > 1.0]
            self._weights[name] = 0.0
            if len(seen) < 2:
                continue
            total = sum(weight for _, weight in seen)
            middle = sum(mean * weight for mean, weight in seen) / total
            apart = sum(weight * (mean - middle) ** 2 for mean, weight in seen)
            chance = _by_chance(len(seen) - 1)
            if apart > chance:
                share = self._weights[name] = 1.0 - (chance / apart) ** 2
                self._shown[name] = {level: share * (each[0] - middle) for level, each in known.items()}

    def _added(self, levels: tuple[str, ...]) -> float:
        shown = self._shown
        if not shown:
            return 0.0
        return sum(shown[name].get(level, 0.0) for name, level in zip(FEATURES, levels, strict=True) if name in shown)

    def _clock(self, zone: str, now: float) -> tuple[str, str]:
        """Hour and weekday or weekend at the lead's, kept until they may change."""
        kept = self._local.get(zone)
        if kept is not None and kept[0] <= now < kept[1]:
            return kept[2], kept[3]
        begin = now // QUARTER_S * QUARTER_S
        try:
            local = datetime.fromtimestamp(begin, zone_of(zone))
            found = str(local.hour), "weekend" if local.weekday() >= 5 else "weekday"
        except (ValueError, OverflowError, OSError, KeyError):
            found = "unknown", "unknown"
        self._local[zone] = (begin, begin + QUARTER_S, *found)
        return found

    # --- memory -----------------------------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """All that was learnt, JSON-able; LeadOdds(state=it) goes on from there."""
        return {
            "version": VERSION,
            "calls": self.calls,
            "gain": self.gain,
            "shut": self.shut,
            "common": [self.rate, self._behind, self._full, self._used],
            "effects": {name: {level: list(each) for level, each in known.items()} for name, known in self._effects.items()},
            "shown": {name: dict(levels) for name, levels in self._shown.items()},
        }

    def _restore(self, saved: Mapping[str, Any]) -> None:
        """All of it or nothing: what cannot be read is begun anew."""
        try:
            if saved["version"] != VERSION:
                return
            rate, behind, full, used = (_number(each, COMMON_CALLS) for each in saved["common"])
            effects = {
                name: {
                    str(level): [_number(mean, 20.0), max(_PRIOR_WEIGHT, _number(weight, 1e9)), _number(at, 1e15)]
                    for level, (mean, weight, at) in list(saved["effects"].get(name, {}).items())[: LEVELS_MOST + 1]
                }
                for name in FEATURES
            }
            shown = {name: {str(level): _number(added, 20.0) for level, added in levels.items()} for name, levels in saved["shown"].items() if name in FEATURES}
            shut = bool(saved["shut"])
            calls, gain = int(_number(saved["calls"], 1e15)), _number(saved["gain"], 1e6)
            if calls < 0 or not (0.0 < rate < 1.0 and behind >= 1.0):
                return
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            return
        self.rate, self._behind, self._full, self._used = rate, behind, _bounded(full), _bounded(used)
        self.calls, self.gain, self.shut, self._effects, self._shown = calls, min(GAIN_MOST, gain), shut, effects, shown


def _chance(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(12.0, max(-12.0, log_odds))))


def _bounded(log_odds: float) -> float:
    return min(8.0, max(-8.0, log_odds))


def _variance(chance: float) -> float:
    return max(1e-3, chance * (1.0 - chance))


def _by_chance(freedom: int) -> float:
    """The chi-square that chance hardly ever passes, by Wilson and Hilferty's cube."""
    spread = 2.0 / (9.0 * freedom)
    return freedom * (1.0 - spread + CHANCE * math.sqrt(spread)) ** 3


def _number(value: Any, most: float) -> float:
    """ValueError for what is no number of at most this size."""
    found = float(value)
    if not abs(found) <= most:
        raise ValueError(f"{value!r} is no such number")
    return found

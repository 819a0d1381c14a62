"""Reference worlds whose leads differ by what a dialer can know of them: hour where they live, calls so far, last outcome, kind of number.

Beside _pacing_worlds.py, whose customers are all strangers: here every call is to a lead out of a hopper, and what was learnt of leads (LeadOdds) may be
told to the pacer and may order the hopper. Knows nothing of the engine. Deterministic, as the other worlds are.
"""

from __future__ import annotations

import math
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from bench._pacing_worlds import ANSWER, END, MACHINE, Law, Policy, World
from fs_dialer.core.model import CampaignId, Lead, LeadId
from fs_dialer.modes.lead_odds import LeadOdds

BEGIN = 1_795_014_000.0  # 15:00 UTC: ten in the morning in the east, seven in the west
ZONES = tuple(ZoneInfo(f"America/{city}") for city in ("New_York", "Chicago", "Denver", "Los_Angeles"))
HOPPER_LEAST, HOPPER_PER_AGENT = 20, 4
BY_ATTEMPTS = (0.7, 0.1, -0.5, -1.1)
BY_LAST = {"": 0.0, "no_answer": -0.2, "busy": 0.6, "machine": -0.5}
BY_KIND = {"mobile": 0.5, "fixed": -0.4, "": 0.0}


class LeadWorld(World):
    """law.answer is the rate of a lead of no remarkable features. differ: 0 = all leads alike, 1 = by the effects above. ways: told (the pacer is given
    the truth), learnt (what LeadOdds says), ordered (learnt, and the likelier first within each claim), "" (the campaign's rate alone)."""

    def __init__(self, law: Law, policy: Policy, seed: int, differ: float, way: str) -> None:
        super().__init__(law, policy, seed)
        self.people = Random(seed + 500_000)  # the same leads whatever the policy
        self.differ, self.way = differ, way
        self.odds = LeadOdds()
        self.hopper: list[Lead] = []
        self.size = HOPPER_LEAST + HOPPER_PER_AGENT * law.agents
        self.called: dict[int, Lead] = {}
        self.seen = 0

    def happen(self, now: float, kind: int, who: int) -> None:
        if kind in (ANSWER, END, MACHINE):
            self.odds.learn(self.called.pop(who), kind == ANSWER, BEGIN + now)
        super().happen(now, kind, who)

    def launch(self, now: float) -> None:
        lead = self._next(now)
        p = self._chance(lead, now)
        self.shift.launched += 1
        call = self.shift.launched
        own = p if self.way == "told" else self.odds.of(lead, BEGIN + now) if self.way else None
        self.policy.observe("launched", now)
        self.ringing[call] = (now, own)
        self.called[call] = lead
        if self.rng.random() < p:
            self.at(now + self.law.ring(self.rng), ANSWER, call)
        else:
            self.at(now + self.law.unanswered(self.rng), END, call)

    def _next(self, now: float) -> Lead:
        """The hopper is filled again when half of it is gone, as the engine does."""
        if 2 * len(self.hopper) < self.size:
            claimed = [self._lead() for _ in range(self.size - len(self.hopper))]
            if self.way == "ordered":
                claimed.sort(key=lambda lead: -(self.odds.of(lead, BEGIN + now) or 0.0))
            self.hopper += claimed
        return self.hopper.pop(0)

    def _lead(self) -> Lead:
        people = self.people
        self.seen += 1
        attempts = people.choices((0, 1, 2, 3), (4, 3, 2, 1))[0]
        last = people.choice(("no_answer", "no_answer", "busy", "machine")) if attempts else ""
        zone = people.choice(ZONES).key
        return Lead(LeadId(self.seen), CampaignId("bench"), "+1", (zone,), attempts=attempts, last=last, kind=people.choice(("mobile", "fixed", "")))

    def _chance(self, lead: Lead, now: float) -> float:
        p = self.law.answer(now)
        hour = datetime.fromtimestamp(BEGIN + now, ZoneInfo(lead.zones[0])).hour
        by_hour = 0.8 if hour >= 16 else -0.5 if hour < 11 else 0.0
        effects = by_hour + BY_ATTEMPTS[lead.attempts] + BY_LAST[lead.last] + BY_KIND[lead.kind]
        odds = p / (1.0 - p) * math.exp(self.differ * effects)
        return odds / (1.0 + odds)

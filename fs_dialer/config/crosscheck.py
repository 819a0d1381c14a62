"""What a campaign's settings say about each other and about what they name: times that contradict, agents too slow for a profile, numbers no trunk sends.

Judges only settings that were read without a problem, so that one mistake is told once. What needs the clock stands in crosscheck_hours.py, what concerns
scripts, rules, triggers in crosscheck_things.py, flows and queues in crosscheck_flows.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path, PurePath
from typing import Any, Protocol

from fs_dialer.config import crosscheck_flows, crosscheck_things
from fs_dialer.config.crosscheck_hours import nothing_open
from fs_dialer.config.crosscheck_things import judge_rules
from fs_dialer.config.definitions import Unit
from fs_dialer.config.shelf import Shelf
from fs_dialer.config.values import nearest, show_duration, show_moment
from fs_dialer.core.call_rules import HEARD_MOST_S
from fs_dialer.core.definition import AgentDefinition, Campaign
from fs_dialer.core.model import CampaignType, LegKind
from fs_dialer.core.resources import Team
from fs_dialer.modes import autocall, callback, manual, predictive, preview

JUDGES = {**crosscheck_things.JUDGES, **crosscheck_flows.JUDGES}
WITHOUT_AGENTS = frozenset({CampaignType.AUTOCALL})
AUTOCALL_LINES = 100  # S58
FASTEST_RING_S = 5.0  # D10: a phone that has to be picked up can not be faster than this
LONGEST_PREVIEW_S = 3600.0


class Records(Shelf, Protocol):
    """A shelf that also knows agents by their definition."""

    def agent(self, name: str) -> AgentDefinition | None: ...


class Judge:
    def __init__(self, records: Records) -> None:
        self.records = records

    def judge(self, unit: Unit) -> None:
        """Add to the unit's problems."""
        if unit.campaign is not None:
            for check in _CAMPAIGN:
                check(self, unit, unit.campaign)
        elif unit.value is not None and (check_thing := JUDGES.get(unit.kind)):
            check_thing(unit, self.records)

    # --- when -------------------------------------------------------------------------------------------------------------------------

    def window(self, unit: Unit, campaign: Campaign) -> None:
        window = campaign.window
        if unit.form.clean("window") and window.start is not None and window.end is not None and window.end <= window.start:
            ends, starts = show_moment(window.end, window.zone), show_moment(window.start, window.zone)
            unit.form.tell("window.until", f"{ends} is not after `from`, {starts}")
            unit.form.bad.add("window")

    def hours(self, unit: Unit, campaign: Campaign) -> None:
        if unit.form.clean("hours", "window", "compliance") and (text := nothing_open(campaign.hours, campaign.compliance, campaign.window)):
            unit.form.tell("hours" if unit.form.written("hours") else "compliance" if "never" in text else "window", text)

    def gap(self, unit: Unit, campaign: Campaign) -> None:
        """S11: a second call that would come after the end never comes."""
        window, attempts = campaign.window, campaign.attempts
        if campaign.type is CampaignType.MANUAL or attempts.max == 1 or window.start is None or window.end is None:
            return
        if attempts.gap_s >= window.end - window.start and unit.form.clean("attempts.gap", "window"):
            gap, whole = show_duration(attempts.gap_s), show_duration(window.end - window.start)
            unit.form.tell("attempts.gap", f"{gap} is not shorter than the window ({whole}): nobody could be called a second time")

    # --- who --------------------------------------------------------------------------------------------------------------------------

    def agents(self, unit: Unit, campaign: Campaign) -> None:
        none = not campaign.agents.people and not campaign.agents.teams
        if none and campaign.type not in WITHOUT_AGENTS and unit.form.clean("agents", "type"):
            text = f"nobody serves this campaign, and a {campaign.type.value} campaign needs agents: write agents: {{people: [lan, hoa]}}"
            unit.form.tell("agents.people", text)

    def _serving(self, campaign: Campaign) -> list[str]:
        """Everybody who serves it, once each: people, then those in its teams."""
        names = list(campaign.agents.people)
        for team in campaign.agents.teams:
            found = self.records.find("teams", team)
            names += found.people if isinstance(found, Team) else ()
        return list(dict.fromkeys(names))

    def waiting(self, unit: Unit, campaign: Campaign) -> None:
        """An agent's phone that may ring longer than the customer waits would make missed calls (S46, S47); nailed legs do not ring (D10)."""
        form, ring_s, wait_s = unit.form, campaign.agent_ring_s, campaign.waiting.at_most_s
        if campaign.type not in (CampaignType.PROGRESSIVE, CampaignType.PREDICTIVE, CampaignType.AUTOCALL):
            return
        serving = [self.records.agent(name) for name in self._serving(campaign)]
        never_rings = all(each and each.leg is LegKind.NAILED for each in serving) and (serving or campaign.type in WITHOUT_AGENTS or campaign.agents.teams)
        if ring_s < wait_s or never_rings or not form.clean("agent_ring", "waiting.at_most"):
            return
        ring = show_duration(ring_s) + ("" if form.written("agent_ring") else ", the default")
        wait = show_duration(wait_s) + ("" if form.written("waiting.at_most") else ", the default")
        because = "or the customer is let go while the first agent's phone rings"
        if form.written("waiting.at_most"):
            form.tell("waiting.at_most", f"{wait} must be longer than agent_ring ({ring}), {because}")
        else:
            form.tell("agent_ring", f"{ring} must be shorter than waiting.at_most ({wait}), {because}")

    def quota(self, unit: Unit, campaign: Campaign) -> None:
        if not isinstance(campaign.options, manual.Options) or not unit.form.clean("agents", "quota"):
            return
        serving = self._serving(campaign)
        for name, _ in campaign.options.quota.apart:
            if name not in serving:
                _tell_pair(unit, "quota.except", name, f"`{name}` does not serve this campaign{_near(name, serving)}")

    # --- by which number --------------------------------------------------------------------------------------------------------------

    def caller_ids(self, unit: Unit, campaign: Campaign) -> None:
        if not unit.form.clean("caller_id", "gateways"):
            return
        ways = set(campaign.gateways or self.records.names("gateways"))
        for route in campaign.caller_id.routes:
            if route.gateways and not ways & set(route.gateways):
                by = ", ".join(sorted(campaign.gateways)) if campaign.gateways else "no trunk that exists"
                text = f"{route.number} can be sent by {', '.join(route.gateways)} only, and this campaign calls out by {by}"
                unit.form.tell_item("caller_id.from", route.number, text)

    # --- compliance (D10) -------------------------------------------------------------------------------------------------------------

    def compliance(self, unit: Unit, campaign: Campaign) -> None:
        form, profile = unit.form, campaign.compliance
        if not form.clean("compliance"):
            return
        least = profile.ring_at_least_s
        if least is not None and campaign.ring_timeout_s < least and form.clean("ring") and form.written("ring"):
            form.tell("ring", f"{show_duration(campaign.ring_timeout_s)} is shorter than the {show_duration(least)} that {profile.name} asks for")
        within = profile.connect_within_s
        if campaign.agent_hears and within is not None and within <= HEARD_MOST_S and form.clean("agent_hears"):
            text = f"what the agent hears first may take {show_duration(HEARD_MOST_S)}, and {profile.name} wants him there within {show_duration(within)}"
            form.tell("agent_hears", text)
        if campaign.type in (CampaignType.PROGRESSIVE, CampaignType.PREDICTIVE):
            if profile.notice_on_missed and not campaign.waiting.notice and form.clean("waiting"):
                text = f"{profile.name} asks for a message to missed customers: write waiting: {{then: sorry.wav}}"
                form.tell("waiting" if form.written("waiting") else "compliance", text)
            self._fast_enough(unit, campaign)

    def _fast_enough(self, unit: Unit, campaign: Campaign) -> None:
        """Are the agents there as soon after the answer as the profile wants?"""
        form, profile = unit.form, campaign.compliance
        within = profile.connect_within_s
        if within is None or not form.clean("agents", "agent_ring"):
            return
        slow = [name for name in self._serving(campaign) if (agent := self.records.agent(name)) and agent.leg is LegKind.PER_CALL]
        if not slow:
            return
        if within <= FASTEST_RING_S:
            shown = ", ".join(slow[:3]) + (f" and {len(slow) - 3} more" if len(slow) > 3 else "")
            text = (
                f"{profile.name} wants an agent within {show_duration(within)} of the answer, and a phone that rings can not be that fast: "
                f"leg: nailed is needed for {shown}"
            )
            if slow[0] in campaign.agents.people:
                form.tell_item("agents.people", slow[0], text)
            else:
                form.tell("agents.teams", text)
        elif campaign.agent_ring_s > within:
            text = f"{show_duration(campaign.agent_ring_s)} is longer than the {show_duration(within)} after the answer in which {profile.name} wants an agent"
            form.tell("agent_ring", text)

    # --- settings of one type ---------------------------------------------------------------------------------------------------------

    def missed(self, unit: Unit, campaign: Campaign) -> None:
        options, form = campaign.options, unit.form
        if not isinstance(options, predictive.Options) or not form.clean("missed"):
            return
        missed, profile = options.missed, campaign.compliance
        if missed.aim is not None and missed.aim > missed.max:
            form.tell("missed.aim", f"{missed.aim * 100:g}% is above missed.max, {missed.max * 100:g}%")
        if form.clean("compliance") and profile.missed_max is not None and missed.max > profile.missed_max and form.written("missed.max"):
            form.tell("missed.max", f"{missed.max * 100:g}% is above the {profile.missed_max * 100:g}% that {profile.name} allows")

    def preview(self, unit: Unit, campaign: Campaign) -> None:
        if isinstance(campaign.options, preview.Options) and unit.form.clean("preview"):
            card = campaign.options.preview
            times, each_s = card.extend
            longest_s = card.time_s + times * each_s
            if longest_s > LONGEST_PREVIEW_S:
                shown = f"{show_duration(card.time_s)} and {times} x {show_duration(each_s)} make {show_duration(longest_s)}"
                unit.form.tell("preview.extend", f"{shown}; a customer may be looked at for {show_duration(LONGEST_PREVIEW_S)} at most")

    def lines(self, unit: Unit, campaign: Campaign) -> None:
        if campaign.type is CampaignType.AUTOCALL and (campaign.lines or 0) > AUTOCALL_LINES and unit.form.clean("lines"):
            unit.form.tell("lines", f"{campaign.lines} is above {AUTOCALL_LINES}, the most for an autocall campaign")

    def early_media(self, unit: Unit, campaign: Campaign) -> None:
        if campaign.early_media and campaign.type is CampaignType.AUTOCALL and unit.form.clean("early_media", "type"):
            text = "has no place in an autocall campaign: no agent listens, and the flow would speak before anybody has answered"
            unit.form.tell("early_media", text)

    def flow(self, unit: Unit, campaign: Campaign) -> None:
        if isinstance(campaign.options, autocall.Options):
            crosscheck_flows.judge_autocall(unit, campaign, campaign.options)

    def from_queue(self, unit: Unit, campaign: Campaign) -> None:
        if isinstance(campaign.options, callback.Options):
            crosscheck_flows.judge_callback(unit, campaign.options, self.records)

    def tickets(self, unit: Unit, campaign: Campaign) -> None:
        if campaign.tickets == "on_agent_or_voicemail" and campaign.type is not CampaignType.AUTOCALL and unit.form.clean("tickets", "type"):
            unit.form.tell("tickets", f"on_agent_or_voicemail is for autocall campaigns; a {campaign.type.value} campaign has yes and no")

    def rules(self, unit: Unit, campaign: Campaign) -> None:
        form = unit.form
        if form.clean("rules") and "rules" not in form.used and "rules" in form.places:
            judge_rules(form, "rules", campaign.rules)
        if campaign.attempts.max == 1 and form.written("dispositions") and form.clean("dispositions", "attempts.max"):
            free = any(rule.then.beyond_maximum for rule in campaign.rules)
            for disposition in campaign.dispositions if not free else ():
                if disposition.outcome_class == "callback":
                    text = f"{disposition.name} promises another call, and attempts.max is 1: no call is left for it"
                    form.tell_item("dispositions", disposition.name, text)

    def lead_file(self, unit: Unit, campaign: Campaign) -> None:
        origin = unit.thing.origin
        if origin and origin.on_disk and campaign.leads.csv and unit.form.place("leads.csv"):
            path = Path(PurePath(unit.thing.file).parent / campaign.leads.csv)
            if not path.is_file():
                unit.form.tell("leads.csv", f"there is no file {path}; it is looked for beside the campaign's file")


_CAMPAIGN: tuple[Callable[[Judge, Unit, Campaign], None], ...] = (
    Judge.window, Judge.hours, Judge.gap, Judge.agents, Judge.waiting, Judge.quota, Judge.caller_ids, Judge.compliance, Judge.missed, Judge.preview,
    Judge.lines, Judge.tickets, Judge.rules, Judge.lead_file, Judge.early_media, Judge.flow,
    Judge.from_queue,
)  # fmt: skip


def _tell_pair(unit: Unit, path: str, key: str, text: str) -> None:
    unit.form.tell(f"{path}.{key}" if unit.form.place(f"{path}.{key}") else path, text)


def _near(word: str, known: Collection[Any]) -> str:
    guess = nearest(word, known)
    return f"; nearest: {guess}" if guess else ""

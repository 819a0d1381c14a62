"""What flows and queues must be to make sense, and what campaigns say about the ones they name.

A flow by itself is judged by ivr/graph.py, which knows no file; here its findings get their places, and what lies outside the flow is asked: hosts, agents,
trunks, triggers. What works and is hardly meant becomes a warning, and hinders nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fs_dialer.config.crosscheck_things import not_named
from fs_dialer.config.definitions import Unit
from fs_dialer.config.shelf import Shelf
from fs_dialer.config.values import show_duration
from fs_dialer.core.definition import Campaign, Installation
from fs_dialer.core.flow import Ivr, never_ends
from fs_dialer.core.model import CampaignType
from fs_dialer.core.queue_definition import QueueDefinition
from fs_dialer.core.resources import Trigger
from fs_dialer.ivr.graph import judge
from fs_dialer.modes import autocall, callback


def _ivr(unit: Unit, shelf: Shelf) -> None:
    ivr: Ivr = unit.value
    form, base = unit.form, f"ivrs.{unit.thing.name}"
    if not form.clean(f"{base}.nodes") and form.place(f"{base}.nodes") is None:
        return
    written = [path.removeprefix(f"{base}.nodes.") for path in form.places if path.startswith(f"{base}.nodes.")]
    unread = {word for word in written if "." not in word} - {node.name for node in ivr.nodes}
    for each in judge(ivr, unread):
        path = ".".join(part for part in (base, f"nodes.{each.node}" if each.node else "", each.setting) if part)
        if not form.clean(path) and form.place(path) is not None:
            continue
        if each.grave:
            form.tell(path, each.text)
        else:
            form.warn(path, each.text)
    for node in ivr.nodes:
        path = f"{base}.nodes.{node.name}.url"
        if node.do == "http" and node.url and form.clean(path) and (text := not_named(node.url, shelf)):
            form.tell(path, text)


def judge_autocall(unit: Unit, campaign: Campaign, options: autocall.Options) -> None:
    """S64: what the campaign must have for its flow; what is done about machines."""
    form = unit.form
    if options.machines.then == "message" and not options.machines.message and form.clean("machines"):
        form.tell("machines.message", "is missing: which sound is left on the machine?")
    elif options.machines.message and never_ends(options.machines.message) and form.clean("machines"):
        form.tell("machines.message", f"{options.machines.message} never ends: name a sound file")
    elif options.machines.detect == "off" and form.written("machines.then") and form.clean("machines"):
        form.warn("machines.then", "nothing comes of it: machines.detect is off, so that no machine is ever found")
    if not form.clean("ivr", "agents"):
        return
    waits = [node.name for node in options.ivr.nodes if node.do == "connect" and not node.people and not node.teams]
    if waits and not campaign.agents.people and not campaign.agents.teams:
        nodes = f"node {waits[0]}" if len(waits) == 1 else f"nodes {', '.join(waits)}"
        verb = "puts" if len(waits) == 1 else "put"
        text = f"{nodes} of ivr {options.ivr.name} {verb} customers through to the campaign's agents, and it has none: write agents: {{teams: [renewals]}}"
        form.tell("agents.people" if form.written("agents") else "ivr", text)


def judge_callback(unit: Unit, options: callback.Options, shelf: Shelf) -> None:
    """S67: without a key nobody could ask for the callbacks that it waits for."""
    if not options.from_queue or not unit.form.clean("from_queue"):
        return
    queue = shelf.find("queues", options.from_queue)
    if isinstance(queue, QueueDefinition) and queue.callback is None:
        text = f"queue {options.from_queue} has no key that asks for a callback: write callback: {{key: 1}} there"
        unit.form.tell("from_queue", text)


def _queue(unit: Unit, shelf: Shelf) -> None:
    queue: QueueDefinition = unit.value
    base = f"queues.{unit.thing.name}"
    _waiting(unit, queue, base)
    _key(unit, queue, base, shelf)
    _overflow(unit, queue, base, shelf)
    _ends(unit, queue, base)
    for number in queue.numbers if unit.form.clean(f"{base}.numbers") else ():
        for other in sorted(set(shelf.names("queues")) - {unit.thing.name}):
            found = shelf.find("queues", other)
            if isinstance(found, QueueDefinition) and number in found.numbers:
                unit.form.tell_item(f"{base}.numbers", number, f"{number} leads to queue {other} already: a caller can come into one queue only")


def _waiting(unit: Unit, queue: QueueDefinition, base: str) -> None:
    """S46, S76: who serves it, and whether he can be there in time; what is announced."""
    form = unit.form
    if not queue.agents.people and not queue.agents.teams and form.clean(f"{base}.agents"):
        form.warn(f"{base}.agents", "nobody serves this queue: every caller waits until max_wait is over. Write agents: {teams: [support]}")
    if queue.agents.ring_s >= queue.max_wait_s and form.clean(f"{base}.agents.ring", f"{base}.max_wait"):
        ring = show_duration(queue.agents.ring_s) + ("" if form.written(f"{base}.agents.ring") else ", the default of agents.ring")
        text = f"{show_duration(queue.max_wait_s)} must be longer than an agent's phone rings ({ring}), or the caller is let go meanwhile"
        form.tell(f"{base}.max_wait", text)
    told = queue.announce
    if not form.clean(f"{base}.announce"):
        return
    if told.every_s is None and (told.position or told.wait or told.minutes):
        form.tell(f"{base}.announce.every", "is missing: how often are callers told? as in every: 45s")
    elif told.every_s is not None and not (told.position or told.wait):
        form.tell(f"{base}.announce.every", "nothing is said: position or wait names what callers are told")


def _key(unit: Unit, queue: QueueDefinition, base: str, shelf: Shelf) -> None:
    """S67, S74–S76."""
    form, key = unit.form, queue.callback
    if key is None or not form.clean(f"{base}.callback"):
        return
    if key.after_s >= queue.max_wait_s and form.clean(f"{base}.max_wait"):
        after = show_duration(key.after_s) + ("" if form.written(f"{base}.callback.after") else ", the default,")
        text = f"{after} is not before max_wait, {show_duration(queue.max_wait_s)}: nobody could ever press the key"
        form.tell(f"{base}.callback.after", text)
    if not form.written(f"{base}.music"):
        form.warn(f"{base}.callback", f"nobody tells callers of the key {key.key}: it must be said in the music (S75), and this queue has the switch's own")
    in_sight = shelf.names("triggers") or shelf.names("campaigns")  # a file of queues may be looked at alone
    if in_sight and not any(_calls_back(shelf.find("triggers", name), unit.thing.name, shelf) for name in shelf.names("triggers")):
        text = "who presses the key leaves a ticket, and nobody calls him: no trigger with `on: ticket_created, when: {channel: callback}` adds to a campaign"
        form.warn(f"{base}.callback", text + " of type callback")
    installation = shelf.find("installation", "")
    if isinstance(installation, Installation) and not installation.region:
        text = "a caller whose number comes without a country code can not be called back: installation.yml names no region"
        form.warn(f"{base}.callback", text + ", as in region: GB")


def _calls_back(trigger: object, queue: str, shelf: Shelf) -> bool:
    """Does this trigger make a lead of a callback campaign of whoever pressed the key in that queue?"""
    if not isinstance(trigger, Trigger) or trigger.on != "ticket_created":
        return False
    wanted = {"channel": "callback", "queue": queue}
    if any(name in wanted and wanted[name] not in value.split("|") for name, value in trigger.when):
        return False
    campaigns = [shelf.find("campaign", action.add_to) for action in trigger.then if action.add_to]
    return any(isinstance(each, Campaign) and each.type is CampaignType.CALLBACK for each in campaigns)


def _overflow(unit: Unit, queue: QueueDefinition, base: str, shelf: Shelf) -> None:
    form, then = unit.form, queue.overflow
    if not form.clean(f"{base}.then"):
        return
    if then.do == "number":
        if not then.number:
            form.tell(f"{base}.then.to", "is missing: the number to which callers are put through")
        if not then.gateway and not shelf.names("gateways"):
            form.tell(f"{base}.then.gateway", "there is no trunk to that number: none stands below gateways in installation.yml")
        return
    for word, written in (("to", then.number), ("gateway", then.gateway)):
        if written:
            form.tell(f"{base}.then.{word}", f"is for `do: number`, and this says `do: {then.do}`")


def _ends(unit: Unit, queue: QueueDefinition, base: str) -> None:
    """What is played once must end; the music alone may go on for ever."""
    told, key, then = queue.announce, queue.callback, queue.overflow
    once = {"announce.position": told.position, "announce.wait": told.wait, "announce.minutes": told.minutes, "then.sound": then.sound}
    if key is not None:
        once |= {"callback.say": key.say, "callback.too_early": key.too_early, "callback.wrong": key.wrong}
    for word, sound in once.items():
        if sound and never_ends(sound) and unit.form.clean(f"{base}.{word}"):
            unit.form.tell(f"{base}.{word}", f"{sound} never ends: name a sound file")


JUDGES: Mapping[str, Callable[[Unit, Shelf], None]] = {"ivrs": _ivr, "queues": _queue}

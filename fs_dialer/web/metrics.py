"""GET /metrics: figures for Prometheus, made anew from the daemon's view at every scrape.

Counters count since the daemon started, as Prometheus expects of them. A daemon that stands by shows little more than that it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Response
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from fs_dialer.core.snapshot import Snapshot
from fs_dialer.runtime.web_ports import DaemonView

if TYPE_CHECKING:
    from fs_dialer.web.routes import Call


def show(call: Call) -> Response:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Seen(call.view))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Seen(Collector):
    def __init__(self, view: DaemonView) -> None:
        self._view = view

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        yield _gauge("active", "1: this daemon dials; 0: it stands by.", {(): self._view.health().active})
        latencies = {(of,): value for of, value in self._view.latencies_s().items() if value is not None}
        yield _gauge("latency_seconds", "inbox: age of the oldest event that waits; esl, database: a question and its answer.", latencies, "of")
        yield _gauge("leads", "Leads by status, at most half a minute old.", dict(self._view.lead_counts()), "campaign status")
        seen = self._view.snapshot()
        if seen is not None:
            yield from _installation(seen)
            yield from _agents(seen)
            yield from _campaigns(seen)


def _installation(seen: Snapshot) -> Iterable[Metric]:
    yield _gauge("switch_up", "The link to the switch is up.", {(): seen.switch_up})
    yield _gauge("database_up", "The database can be used.", {(): seen.store_up})
    yield _gauge("draining", "The daemon ends when its last call is over.", {(): seen.draining})
    yield _gauge("lines", "Legs the switch has, ours or not.", {(): seen.legs})
    yield _gauge("lines_limit", "Most legs at a time.", {(): seen.legs_limit})
    resting = {(each.kind, each.name): each.health != "closed" for each in seen.breakers}
    yield _gauge("resting", "1: a caller id or gateway that failed too often and rests.", resting, "kind name")


def _agents(seen: Snapshot) -> Iterable[Metric]:
    counts: dict[tuple[str, ...], float] = {}
    for agent in seen.agents:
        key = agent.status.value, agent.state.value
        counts[key] = counts.get(key, 0) + 1
    yield _gauge("agents", "Agents by what they declared and by what is observed of them.", counts, "status state")


def _campaigns(seen: Snapshot) -> Iterable[Metric]:
    runs = seen.campaigns
    yield _gauge("campaign_state", "1 at the state that the campaign is in.", {(c.id, c.type.value, c.state.value): 1 for c in runs}, "campaign type state")
    yield _counter("dials", "Attempts that are over.", {(c.id,): c.attempts for c in runs}, "campaign")
    yield _counter("outcomes", "The same by outcome.", {(c.id, o.value): n for c in runs for o, n in c.outcomes.items()}, "campaign outcome")
    yield _counter("answered", "Answered by a person.", {(c.id,): c.answered for c in runs}, "campaign")
    yield _counter("missed", "Answered by a person who met no agent in time (D1).", {(c.id,): c.missed for c in runs}, "campaign")
    yield _counter("connected", "Met an agent.", {(c.id,): c.bridged for c in runs}, "campaign")
    yield _counter("talk_seconds", "Time talked.", {(c.id,): c.talked_s for c in runs}, "campaign")
    yield _counter("wait_seconds", "Time from the answer to the agent, of those who met one.", {(c.id,): c.waited_s for c in runs}, "campaign")
    yield _gauge("campaign_lines", "Calls up or being dialled.", {(c.id,): c.lines for c in runs}, "campaign")
    limits = {(c.id,): c.lines_limit for c in runs if c.lines_limit is not None}
    yield _gauge("campaign_lines_limit", "Most of them, where the campaign says so.", limits, "campaign")
    calls = {(c.id, state.value): n for c in runs for state, n in c.calls_by_state.items()}
    yield _gauge("campaign_calls", "The same by state.", calls, "campaign state")
    yield _gauge("campaign_waiting", "Answered customers without an agent.", {(c.id,): c.waiting for c in runs}, "campaign")
    yield _gauge("campaign_hopper", "Leads claimed and ready to dial.", {(c.id,): c.hopper for c in runs}, "campaign")
    agents = {(c.id, which): n for c in runs for which, n in (("named", c.crew), ("available", c.staying), ("idle", c.idle))}
    yield _gauge("campaign_agents", "Agents who serve it: named by it, of these available, of these idle.", agents, "campaign which")
    pace = {(c.id,): c.lines / c.staying for c in runs if c.staying}
    yield _gauge("campaign_pace", "Calls up or being dialled for each available agent.", pace, "campaign")


def _gauge(name: str, help: str, values: Mapping[Any, float], labels: str = "") -> Metric:
    """`values`: by the labels' values, in the order of `labels`, a name each."""
    family = GaugeMetricFamily(f"fs_dialer_{name}", help, labels=labels.split())
    for key, value in values.items():
        family.add_metric([str(each) for each in key], float(value))
    return family


def _counter(name: str, help: str, values: Mapping[Any, float], labels: str) -> Metric:
    family = CounterMetricFamily(f"fs_dialer_{name}", help, labels=labels.split())
    for key, value in values.items():
        family.add_metric([str(each) for each in key], float(value))
    return family

"""The switches of a live daemon: a port and a client for each, and what is asked of them together.

`esl` of fs-dialer.yml reaches the one named main; further ones stand below `switches` there, under the names that the installation gives them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fs_dialer.core import actions as act
from fs_dialer.core import events as ev
from fs_dialer.core.model import LegId, OpenAttempt, SwitchId
from fs_dialer.errors import StoreError
from fs_dialer.esl.client import EslSettings, SwitchClient, open_client
from fs_dialer.runtime.perform import MAIN_SWITCH
from fs_dialer.runtime.switch_port import SwitchPort
from fs_dialer.runtime.switchboard import Switchboard

log = logging.getLogger("fs_dialer.switch")

Put = Callable[[ev.Event], None]


@dataclass(frozen=True, slots=True)
class SwitchLink:
    """How one is reached. `client`: which client of the event socket."""

    esl: EslSettings
    client: str


class LiveSwitches(Switchboard[SwitchPort]):
    """All of them; to the store's workers they look like one. `left_open`: every attempt without a result, wherever it was made."""

    def __init__(
        self, links: Mapping[SwitchId, SwitchLink], put: Put, spawn: Callable[..., Any], left_open: Callable[[], Sequence[OpenAttempt]], recordings: Path
    ) -> None:
        self._links, self._spawn, self._put, self._left_open = dict(links), spawn, put, left_open
        ports = {name: SwitchPort(name, self._hearing(name), spawn, self._open_at(name), recordings) for name in links}
        super().__init__(ports, put)
        self.main = ports[MAIN_SWITCH]

    def _hearing(self, name: SwitchId) -> Put:
        if len(self._links) == 1:
            return self._put

        def put(event: ev.Event) -> None:
            self.heard(event, name, time.monotonic())
            self._put(event)

        return put

    def _open_at(self, name: SwitchId) -> Callable[[], Sequence[OpenAttempt]]:
        """An attempt of a switch that is named nowhere any more is asked for at main: it is not there, and is closed."""
        if len(self._links) == 1:
            return self._left_open

        def there(found: OpenAttempt) -> SwitchId:
            return found.attempt.switch if found.attempt.switch in self._links else MAIN_SWITCH

        return lambda: [found for found in self._left_open() if there(found) == name]

    def connect(self) -> None:
        for name, link in self._links.items():
            port = self.ports[name]
            port.client = open_client(link.client, link.esl, port.on_event, port.on_link, spawn=self._spawn)
            port.client.start()

    def close(self) -> None:
        for port in self.ports.values():
            if port.client is not None:
                port.client.close()

    @property
    def client(self) -> SwitchClient | None:
        """The link to a switch that is there, the main one before others."""
        linked = [port for port in (self.main, *self.ports.values()) if port.linked]
        return (linked[0] if linked else self.main).client

    def compare(self, declared: Sequence[SwitchId]) -> None:
        """Tell the log what stands in one file and not in the other."""
        for name in declared:
            if name not in self._links:
                log.error("switch %s is declared in installation.yml, and fs-dialer.yml does not say how to reach it: it gets no calls", name)
        for name in self._links:
            if declared and name not in declared:
                log.warning("switch %s is reached, and installation.yml does not declare it: it gets no new calls", name)
        if not declared and len(self._links) > 1:
            log.warning("fs-dialer.yml reaches several switches, and installation.yml declares none: only %s gets calls", MAIN_SWITCH)

    def given_up(self, action: act.SwitchGivenUp) -> None:
        self._spawn(self._tell_gone, action.switch)

    def _tell_gone(self, switch: SwitchId) -> None:
        """What an earlier daemon left open on a switch that is not there."""
        port = self.ports.get(switch)
        try:
            found = self._left_open() if port is None else self._open_at(switch)()
        except StoreError as error:
            log.error("switch %s: what was left open on it is not known, and told when it is linked: %s", switch, error)
            return
        if port is not None:
            port.tell_gone(found)

    # --- for the store's workers ------------------------------------------------------------------------------------------------------

    def will_originate(self, leg: LegId) -> None:
        if (port := self.port_of(leg)) is not None:
            port.will_originate(leg)

    def will_not_originate(self, leg: LegId) -> None:
        if (port := self.port_of(leg)) is not None:
            port.will_not_originate(leg)

    def originate_lead(self, action: act.OriginateLead) -> None:
        self.send(lambda port, each: port.originate_lead(each), action)

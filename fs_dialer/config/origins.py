"""Where each of a campaign's settings comes from, for `plan --full`: its own file, defaults.yml, a thing it names, or what is built in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import PurePath

from fs_dialer.config.definitions import Unit
from fs_dialer.core.definition import Campaign
from fs_dialer.core.options import declared
from fs_dialer.modes import SETTINGS


class Origins(Mapping[str, str]):
    """Setting → "summer.yml:4", "defaults.yml:3", "schedules office", "built in"; worked out when it is first asked for."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def __getitem__(self, path: str) -> str:
        return self._all[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @cached_property
    def _all(self) -> dict[str, str]:
        campaign = self._unit.campaign
        if campaign is None:
            return {}
        classes = (Campaign, SETTINGS[campaign.type])
        return {path: self._of(path) for cls in classes for path in paths_of(cls, campaign.type.value)}

    def _of(self, path: str) -> str:
        form, thing = self._unit.form, self._unit.thing
        if used := form.used.get(path):
            return " ".join(used)
        if node := form.places.get(path):
            return f"{PurePath(thing.file).name}:{node.line}" if thing.file else "as stored"
        if default := form.defaults.get(path):
            if default.used:
                return " ".join(default.used)
            return f"{PurePath(default.file.name).name}:{default.node.line}" if default.node.line else "the defaults, as stored"
        return "built in"


def paths_of(cls: type, campaign_type: str = "", path: str = "") -> Iterator[str]:
    """Every setting of a dataclass that is no section, as `attempts.busy.gap`; those of one campaign type where it is named."""
    for key, setting in declared(cls).items():
        here = f"{path}.{key}" if path else key
        types = setting.metadata["types"]
        if types and campaign_type and campaign_type not in types:
            continue
        if setting.metadata["kind"] == "section":
            yield from paths_of(setting.metadata["cls"], campaign_type, here)
        else:
            yield here

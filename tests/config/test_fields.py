"""Every setting there is, and what is said of it."""

from __future__ import annotations

import pytest

from fs_dialer.config.daemon import DaemonSettings
from fs_dialer.config.fields import Setting, all_settings, lookup, near
from fs_dialer.config.form import Form
from fs_dialer.config.things import KINDS
from fs_dialer.config.yaml_source import Table, read_yaml
from fs_dialer.core.definition import Campaign, GatewayDefinition, Installation
from fs_dialer.modes import SETTINGS

CLASSES: dict[str, list[type]] = {
    "campaign": [Campaign, *SETTINGS.values()], "installation": [Installation], "gateways": [GatewayDefinition], "fs-dialer": [DaemonSettings],
    **{kind: [each.cls] for kind, each in KINDS.items()},
}  # fmt: skip


def test_a_setting_has_one_name() -> None:
    names = [each.name for each in all_settings()]
    assert len(names) == len(set(names)) > 150


@pytest.mark.spec("D18")
@pytest.mark.parametrize("setting", all_settings(), ids=lambda setting: setting.name)
def test_the_example_of_a_setting_is_one(setting: Setting) -> None:
    file = read_yaml("x.yml", setting.example().encode())
    assert file.root is not None and not file.problems, setting.example()
    table, path = file.root, ""
    if setting.where not in ("campaign", "installation", "fs-dialer"):
        for _ in range(2):
            ((path, entry),) = table.entries.items()
            assert isinstance(entry.value, Table)
            table = entry.value
    first, *others = CLASSES[setting.where]
    Form(file, partial=setting.where == "campaign", root=table).fill(first, table, path, also=others)
    assert not file.problems, (setting.example(), [str(each) for each in file.problems])


@pytest.mark.parametrize("setting", all_settings(), ids=lambda setting: setting.name)
def test_a_setting_says_what_it_is(setting: Setting) -> None:
    assert setting.help.rstrip("`)").endswith((".", "…"))
    assert setting.kind == "section" or setting.default is None or setting.default


def test_a_setting_is_found_by_its_path_its_end_or_its_place() -> None:
    assert [each.name for each in lookup("attempts.gap")] == ["attempts.gap"]
    assert [each.name for each in lookup("gap")] == ["attempts.gap", "attempts.busy.gap"]
    assert [each.name for each in lookup("schedule.zone")] == ["schedules.zone"]
    assert {each.where for each in lookup("webhooks")} == {"webhooks"}
    assert lookup("nonsense") == ()


def test_a_misspelt_setting_is_answered_with_those_that_were_meant() -> None:
    assert "attempts.gap" in near("atempts.gap") and "triggers" in near("triger") and near("zzzz") == []


def test_types_and_bounds_of_a_setting_are_those_declared() -> None:
    (gap,) = lookup("attempts.busy.gap")
    assert gap.types == ("preview", "progressive", "predictive", "autocall", "callback") and gap.bounds == "0s to 30d" and gap.default == "20m"
    (aim,) = lookup("missed.aim")
    assert aim.types == ("predictive",) and aim.spec == ("S40", "S43")

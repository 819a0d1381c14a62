"""The campaign types, one file each: how a call of that type runs, and how many calls to place now."""

from __future__ import annotations

from typing import cast

from fs_dialer.core.model import CampaignType
from fs_dialer.modes import autocall, callback, manual, predictive, preview, progressive
from fs_dialer.modes.base import Mode

OFFERED: dict[CampaignType, Mode] = {mode.TYPE: cast(Mode, mode) for mode in (manual, preview, progressive, predictive, autocall, callback)}
"""The types that can be run now. Adding one = one file and one entry here."""

SETTINGS: dict[CampaignType, type] = {mode.TYPE: mode.Options for mode in (manual, preview, progressive, predictive, autocall, callback)}
"""Each type's own settings. All six can be defined, checked and stored; those in OFFERED can be started."""

"""What a campaign type is made of. The shapes themselves stand at the engine's border, core/mode_port.py; a mode file imports them from here."""

from fs_dialer.core.mode_port import Clocks, Decision, Flow, Mode, Observation, View

__all__ = ["Clocks", "Decision", "Flow", "Mode", "Observation", "View"]

from __future__ import annotations

from dataclasses import replace

from fs_dialer.sim.people import PeopleModel
from fs_dialer.simulation.jobs import simulate_all
from fs_dialer.simulation.setting import Setting
from tests.simulation.test_day import a_campaign


def test_days_in_processes_of_their_own_are_the_same_days_in_the_same_order() -> None:
    """Laws of chance cross as their texts: to the last digit."""
    model = PeopleModel.from_mapping({"customers": {"talk": "quantiles(1.23456789s, 40s, 300.125s)", "ring": "lognormal(9.87654321s, 0.51234567)"}})
    settings = [Setting(a_campaign(), people=model, agent_count=2, hours=0.05, seed=seed) for seed in (3, 1, 2)]
    settings.append(replace(settings[0], agent_count=3))
    told: list[tuple[int, int]] = []
    together = simulate_all(settings, 2, lambda done, of: told.append((done, of)))
    assert together == simulate_all(settings, 1)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)] and [day.seed for day in together] == [3, 1, 2, 3]

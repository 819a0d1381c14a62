"""An opt-out in a flow while the database is away: kept by the daemon on its disk and by the switch in its own keeping, until it is written."""

from __future__ import annotations

from fs_dialer.core.switch_names import KEPT
from fs_dialer.db.embedded import EmbeddedPostgres
from fs_dialer.sim.keypad import KeyRule
from fs_dialer.sim.laws import fixed
from fs_dialer.sim.people import Behaviour
from tests.runtime.service import service
from tests.scenarios.test_autocall import NEVER, Survey
from tests.scenarios.test_database_faults import crash, server, world  # noqa: F401 - fixtures
from tests.scenarios.town import until
from tests.scenarios.world import World


def test_an_opt_out_while_the_database_is_away_is_kept_and_written_when_it_is_back(world: World, server: EmbeddedPostgres) -> None:  # noqa: F811
    slow = Behaviour("answer", 8.0, rules=(KeyRule("main", script=("9",), after=fixed(0.2)),))
    with service() as crm:
        survey = Survey(world, {NEVER: slow}, crm)
    daemon = world.start_daemon()
    try:
        until(lambda: survey.switch.legs, "he is called", 30.0)
        crash(server)
        daemon.says("the database is away")
        until(lambda: not survey.switch.legs, "his call is over", 30.0)
        assert [row for realm, row in survey.switch.database if realm == KEPT], "the switch keeps the row until the database knows"
        daemon.kill()  # and the daemon dies as well
        server.start()
        world.start_daemon()
        until(lambda: survey.leads()[NEVER] == "blocked", "it is written", 60.0)
        assert world.rows("SELECT number FROM do_not_call") == [(NEVER,)]
        until(lambda: not [row for realm, row in survey.switch.database if realm == KEPT], "the row in the switch is settled")
        until(lambda: survey.results().get(NEVER, ("",))[0] == "connected", "its result was in the spool")
    finally:
        survey.server.stop()

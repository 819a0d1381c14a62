from tests.freeswitch import number_plan as plan
from tests.freeswitch.number_plan import STAYS, Kind
from tests.freeswitch.world import World, write_definitions
from contextlib import closing
from fs_dialer.db.backoffice import Backoffice
import time
WAITING = Kind(plan.ANSWERS_AT_ONCE, STAYS).numbers(1)
def test_x(world: World) -> None:
    watch = world.watch
    ag={"never-0":"per_call","nailed-0":"nailed"}
    world.command("apply", str(write_definitions(world.folder, ag, {"waiting": "wrap_up: 1s\nwaiting: {at_most: 5m}\nagent_ring: 2m\nagents: {people: [never-0]}\n","two":"agents: {people: [nailed-0]}\n"})))
    world.add_leads("waiting", WAITING)
    world.order_start(["never-0"], "waiting"); world.order_start(["nailed-0"], "two")
    d = world.start_daemon()
    watch.until(lambda: any(l.at("CHANNEL_PARK") for l in watch.leads()) and any(l.agent=="nailed-0" and l.at("CHANNEL_PARK") for l in watch.agents()), "there")
    d.kill(); k=time.monotonic()
    both=[watch.leads()[0]]+[l for l in watch.agents() if l.agent=="nailed-0"]
    watch.until(lambda: all(l.in_fallback_at for l in both), "fallback", 31)
    f=time.monotonic()
    # the campaign's agents now: nailed-0
    world.command("apply", str(write_definitions(world.folder/"2" if (world.folder/"2").mkdir() is None else None, ag, {"waiting": "wrap_up: 1s\nwaiting: {at_most: 5m}\nagent_ring: 2m\nagents: {people: [nailed-0]}\n"})))
    with closing(Backoffice(world.dsn)) as o: o.submit_command("approve","waiting",{},"t")
    d2 = world.start_daemon()
    watch.until(lambda: bool(both[0].bridged_to), "bridged", 20)
    print("bridged to", both[0].bridged_to==[both[1].uuid], time.monotonic()-f)
    try: watch.until(lambda: not all(l.alive for l in both), "one dies", 45)
    except AssertionError: print("both alive 45 s later")
    for l in watch.legs.values(): print(l.story())
    print(d2.tail())

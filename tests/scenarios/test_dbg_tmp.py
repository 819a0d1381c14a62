import time
from tests.scenarios.test_modes import *
from tests.scenarios.conftest import *
def test_dbg(world):
    crowd = {"outcomes": {"person": 1, "no_answer": 1}, "ring": "2s", "ring_out": "2s", "talk": "8s", "patience": "never", "first_response": "0.1s"}
    world.start_switch(customers=crowd)
    settings = GAPS + "pickup_rate: 50%\nmissed: {max: 50%}\nwrap_up: 0s\nwaiting: {at_most: 20s}\nagent_ring: 10s\n"
    world.define_type("predictive", agents=4, nailed=4, settings=settings, lines=12)
    world.add_leads(numbers(1, 400)); world.order_start(4); d=world.start_daemon(); eyes=world.witness
    for _ in range(9):
        time.sleep(4)
        v=world.snapshot()["campaigns"][0]
        print(len(eyes.legs("lead")), most_at_once(eyes.legs("lead"),"hung_up_at") if eyes.legs("lead") else 0, len(eyes.up("agent")), v["answered"], v["missed"], v["because"])
    d.kill()

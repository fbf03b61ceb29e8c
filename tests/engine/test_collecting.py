"""The collector in a process of its own, since its settings are those of a whole process."""

import json
import subprocess
import sys

_STATE = """
import gc, json, weakref
from streams.engine.collecting import collect_young

class Cycle:
    def __init__(self):
        self.itself = self

collect_young()
collect_young()
looks = []
gc.callbacks.append(lambda phase, found: looks.append(found["collected"]) if phase == "stop" else None)
dropped = weakref.ref(Cycle())
state = []
for number in range(300_000):
    state.append([number])
gone = dropped() is None
young = len(gc.get_objects())
print(json.dumps({"gone": gone, "young": young, "looks": len(looks), "frozen": gc.get_freeze_count()}))
"""


def test_garbage_is_found_while_it_is_new_and_the_state_is_not_looked_at_again() -> None:
    told = json.loads(subprocess.run([sys.executable, "-c", _STATE], check=True, capture_output=True, text=True).stdout)
    assert told["gone"]
    assert told["looks"] >= 50
    assert told["frozen"] >= 290_000
    assert told["young"] < 10_000

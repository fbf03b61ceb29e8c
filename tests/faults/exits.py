"""How processes of a trial may end: as they were asked to, or with a code that belongs to the trial."""

import signal
from collections import defaultdict
from collections.abc import Collection

from tests.faults.history import History


def out_of_place(history: History, ends_with: Collection[int] = ()) -> str | None:
    """Return which process ended as nothing explains: no signal that it was sent, no stop point, no code of its trial.

    `ends_with` are the codes that belong to the trial, also for one that was told to leave, or is started anew.
    """
    may: defaultdict[str, set[int]] = defaultdict(lambda: set(ends_with))
    handles: set[str] = set()
    for one in history.operations:
        match one:
            case {"op": "started", "worker": name}:
                may[name] = {*ends_with} | ({-signal.SIGKILL} if "stop_at" in one else set())
                handles.discard(name)
            case {"op": "signal", "worker": name, "signal": "SIGTERM"}:
                may[name] |= {0} if name in handles else {0, -signal.SIGTERM}
            case {"op": "signal", "worker": name, "signal": sent}:
                may[name].add(-signal.Signals[sent])
            case {"op": "exited", "worker": name, "code": code} if code not in may[name]:
                return f"{name} ended with {code}, which nothing in this trial explains: {one['why']}"
            case {"op": "told", "worker": name}:  # whoever tells of something handles signals by then
                handles.add(name)
            case _:
                pass
    return None

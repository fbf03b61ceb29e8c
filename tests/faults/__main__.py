"""`python -m tests.faults`: trials of every kind on a real Kafka, for as long as wanted, and one table."""

import argparse
import asyncio
import logging
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.campaign import Outcome, Plan, campaign, new_folder
from tests.faults.kinds import KINDS
from tests.faults.report import line, markdown, shortcomings

_MANY = 1_000_000


class Terminated(Exception):  # noqa: N818 -- somebody asked for it
    """SIGTERM came, and everything that was started has ended."""


def main() -> int:
    """Read the command line, play, and print the table; 1 when anything was wrong or a fault never struck."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description="Play trials of every kind on a real Kafka with real processes; progress goes to standard error, "
        "the table to standard output. The seed of a trial is that of its round: "
        "to play one again, name its kind with --only and its seed with --seed.",
        epilog="Example: python -m tests.faults --minutes 60 --seed 7",
    )
    parser.add_argument("--rounds", type=int, help="how often every kind is played; 1 unless --minutes is given")
    parser.add_argument("--minutes", type=float, help="begin no trial after so many")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first round, the next one has the next")
    parser.add_argument("--only", action="append", metavar="KIND", help="play this kind only; may be repeated")
    parser.add_argument("--list", action="store_true", help="name the kinds and end")
    asked = parser.parse_args()
    names = [kind.name for kind in KINDS]
    if asked.list:
        sys.stdout.write("".join(f"{name}\n" for name in names))
        return 0
    if unknown := set(asked.only or ()) - set(names):
        parser.error(f"expected --only to be one of {', '.join(names)}; got {', '.join(sorted(unknown))}")
    chosen = [kind for kind in KINDS if asked.only is None or kind.name in asked.only]
    rounds = asked.rounds or (1 if asked.minutes is None else _MANY)
    seconds_max = float("inf") if asked.minutes is None else asked.minutes * 60
    return play(Plan(chosen, rounds, asked.seed, seconds_max))


def play(plan: Plan) -> int:
    """Play a plan and print its table, also when it ends early; what ended it by itself is raised after that."""
    begun = time.monotonic()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that brokers are away is what this is about
    folder = new_folder()
    outcomes: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        outcomes.append(outcome)
        sys.stderr.write(f"{(time.monotonic() - begun) / 60:6.1f} min  {line(outcome)}\n")
        sys.stderr.flush()

    try:
        asyncio.run(until_terminated(plan, folder, tell))
    except (KeyboardInterrupt, Terminated):
        sys.stderr.write("stopped; the table is of what was played\n")
    finally:
        if all(one.verdict.good for one in outcomes):
            shutil.rmtree(folder, ignore_errors=True)
        command = shlex.join(["python", "-m", "tests.faults", *sys.argv[1:]])
        wrong = shortcomings(outcomes, every_kind=len(plan.kinds) == len(KINDS))
        sys.stdout.write(markdown(outcomes, wrong, command, time.monotonic() - begun) + "\n")
        sys.stdout.flush()
    return 1 if wrong else 0


async def until_terminated(plan: Plan, folder: Path, tell: Callable[[Outcome], None]) -> None:
    """Play a plan; SIGTERM ends it as Ctrl-C does, and a second one does not disturb what the first has begun."""
    playing, terminated = asyncio.current_task(), asyncio.Event()
    assert playing is not None

    def terminate() -> None:
        if not terminated.is_set():
            terminated.set()
            playing.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
    try:
        await campaign(plan, folder, tell)
    except asyncio.CancelledError:
        if terminated.is_set():
            raise Terminated from None
        raise


if __name__ == "__main__":
    sys.exit(main())

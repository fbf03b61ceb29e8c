"""The table of a campaign, in Markdown."""

import os
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import quantiles

from streams.broker_installation import KAFKA_VERSION
from tests.faults.campaign import Outcome
from tests.faults.checkers import WRONGS

_COLUMNS = (
    "trial", "trials", "counted", "faults", "kills", "exits", "events", *(f"**{wrong}**" for wrong in WRONGS), "failed",
    "recovery p50", "p95", "max", "3/n",
)  # fmt: skip


def shortcomings(outcomes: Sequence[Outcome], *, every_kind: bool = True) -> list[str]:
    """Return what keeps a run from being called good: what was wrong, and faults that matter and never struck."""
    wrong = [f"{one.kind}, seed {one.seed}: {_why(one)}" for one in outcomes if not one.verdict.good]
    idle = {one.kind for one in outcomes} - {one.kind for one in outcomes if one.verdict.counts}
    wrong += [f"{kind} was played and never counted: no fault struck while work was waiting" for kind in sorted(idle)]
    if not every_kind:
        return wrong
    if not any(one.verdict.kills_in_transaction for one in outcomes):
        wrong.append("no kill struck inside an open transaction")
    if not any(one.verdict.zombies for one in outcomes):
        wrong.append("no zombie was fenced")
    return wrong


def markdown(outcomes: Sequence[Outcome], wrong: Sequence[str], command: str, seconds: float) -> str:
    """Return the whole table with what is needed to repeat it."""
    kinds = sorted({one.kind for one in outcomes})
    rows = [_row(kind, [one for one in outcomes if one.kind == kind]) for kind in kinds]
    rows.append(_row("**all**", outcomes))
    lines = [
        f"`{command}` on {machine()}; {seconds / 60:.0f} minutes, {len(outcomes)} trials.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        f"|---|{'---:|' * (len(_COLUMNS) - 1)}",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        f"- kills inside an open transaction: {sum(one.verdict.kills_in_transaction for one in outcomes)}",
        f"- zombies fenced: {sum(one.verdict.zombies for one in outcomes)}",
        f"- records refused: {sum(one.verdict.refused for one in outcomes):,}",
        f"- exits, zombies among them: workers that ended by themselves; {_codes(outcomes)}",
    ]
    if wrong:
        lines += ["", "Not good:", "", *(f"- {one}" for one in wrong)]
    return "\n".join(lines)


def _row(name: str, outcomes: Sequence[Outcome]) -> list[str]:
    verdicts = [one.verdict for one in outcomes]
    counted = sum(one.counts and one.good for one in verdicts)
    failed = sum(not one.good for one in verdicts)
    return [
        name,
        str(len(verdicts)),
        str(counted),
        str(sum(one.landed for one in verdicts)),
        str(sum(one.kills for one in verdicts)),
        str(sum(one.exits.total() for one in verdicts)),
        f"{sum(one.events for one in verdicts):,}",
        *(str(sum(one.wrong[wrong] for one in verdicts)) for wrong in WRONGS),
        str(failed),
        *_times(ms for one in verdicts for ms in one.recoveries_ms),
        f"{3 / counted:.2g}" if counted and not failed else "-",  # the rule of three is one of no failures
    ]


def _codes(outcomes: Sequence[Outcome]) -> str:
    codes = sum((one.verdict.exits for one in outcomes), Counter[int]())
    return ", ".join(f"{count} with code {code}" for code, count in sorted(codes.items())) or "none"


def _times(found: Iterable[int]) -> list[str]:
    times = sorted(found)
    if not times:
        return ["-", "-", "-"]
    cut = quantiles(times, n=20, method="inclusive") if len(times) > 1 else times * 19
    return [f"{ms / 1000:.1f} s" for ms in (cut[9], cut[18], times[-1])]


def line(outcome: Outcome) -> str:
    """Return one trial as it ended, in a line for people."""
    verdict = outcome.verdict
    said = "good" if verdict.good else "WRONG"
    if verdict.good and not verdict.counts:
        said = "good, but no fault struck while work was waiting"
    found = f"{verdict.events:,} events, {verdict.landed} of {verdict.faults} faults landed"
    return f"{outcome.kind} (seed {outcome.seed}): {said}; {found}; {outcome.seconds:.0f} s"


def _why(outcome: Outcome) -> str:
    verdict = outcome.verdict
    counts = ", ".join(f"{count} {wrong}" for wrong, count in verdict.wrong.items())
    first = (verdict.findings or [verdict.trouble or ""])[0].splitlines()
    return f"{counts or 'not played to its end'}; {first[-1] if first else ''}; {verdict.folder / 'history.jsonl'}"


def machine() -> str:
    """Return what this runs on, in words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, Apache Kafka {KAFKA_VERSION}, commit {commit()}"
    )


def commit() -> str:
    """Return the commit of this tree, with a + when files differ from it."""
    root = Path(__file__).parent
    said = [
        subprocess.run(["git", *words], cwd=root, check=False, capture_output=True, text=True).stdout.strip()
        for words in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain"))
    ]
    return f"{said[0]}+" if said[1] else said[0]

"""The verdict on a trial: what its topics hold against the reference, and what its history shows."""

import signal
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from streams.engine import ExitCode, Record, decode_cut
from streams.topics import partition_of
from tests.faults.checkers import Finding, Wrong, check_covered, check_cut, check_ledger, check_outputs, check_rows
from tests.faults.landing import recovered_ms, waiting_at
from tests.faults.places import APPENDED, TABLES, Contents, Places
from tests.faults.reference import Reference, reference
from tests.faults.trial import Trial

_SHOWN_MAX = 10
_RECOVERED_WITHIN_S = 60
_ASKED = (0, -signal.SIGKILL, -signal.SIGTERM)


@dataclass(slots=True)
class Verdict:
    """What came of a trial. `trouble` says why it could not be played to its end, or what else was not as expected.

    landed: how many of the faults struck while work was waiting; kills, of those, and among these the ones inside an
    open transaction; zombies: paused workers that woke up behind their successor and were refused; exits: workers that
    ended by themselves, these zombies among them, by exit code; refused: records that were not let onto the ledger.
    """

    folder: Path
    events: int = 0
    wrong: Counter[Wrong] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    trouble: str | None = None
    faults: int = 0
    landed: int = 0
    kills: int = 0
    kills_in_transaction: int = 0
    zombies: int = 0
    refused: int = 0
    exits: Counter[int] = field(default_factory=Counter)
    recoveries_ms: list[int] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing was wrong."""
        return not self.wrong and self.trouble is None

    @property
    def counts(self) -> bool:
        """A fault struck where it could do harm."""
        return self.landed > 0

    def add(self, findings: Iterator[Finding]) -> None:
        """Take findings in."""
        for finding in findings:
            self.wrong[finding.wrong] += 1
            if self.wrong[finding.wrong] <= _SHOWN_MAX:
                self.findings.append(str(finding))


async def judge(trial: Trial, verdict: Verdict) -> None:
    """Compare everything, once all is quiet and the workers have left.

    Where the trial damaged the ledger, outputs have to be those of what was there before, up to the cut.
    """
    places = trial.places
    if trial.before_damage is None:
        ledger = await places.read(places.ledger)
        verdict.add(check_ledger(trial.history.operations, ledger))
    else:
        cuts = {n: told[-1][1].offset if told else -1 for n, told in (await places.cuts(trial.outputs)).items()}
        ledger = {n: [one for one in found if one.offset <= cuts[n]] for n, found in trial.before_damage.items()}
        verdict.add(check_covered(ledger, cuts))
    ends = _lengths(ledger)
    trial.history.note("observed", topic=places.ledger, records=ends)
    verdict.events = sum(ends.values())
    await judge_faults(trial, verdict)
    judge_refusals(trial, verdict)
    references = references_of(ledger, trial.majors)
    for outputs in (trial.outputs, *trial.replays):
        await judge_outputs(trial, verdict, references, ends, outputs)


def judge_refusals(trial: Trial, verdict: Verdict) -> None:
    """See that of each producer who is careless something was refused; that none of it landed is for `check_ledger`."""
    refused = Counter(one["producer"] for one in trial.history.of("append") if one["outcome"] == "refused")
    verdict.refused = refused.total()
    for name in sorted(trial.careless - refused.keys()):
        verdict.trouble = verdict.trouble or f"expected some records of {name} to be refused, none was"


def references_of(ledger: Contents, majors: Sequence[int] = (1,)) -> dict[int, Reference]:
    """Return what each partition must bring about."""
    keys = {record.key for records in ledger.values() for record in records if record.key is not None}
    homes: dict[bytes | None, int] = {key: partition_of(key, len(ledger)) for key in keys}
    return {n: reference(records, homes, majors=majors) for n, records in ledger.items()}


async def judge_outputs(
    trial: Trial, verdict: Verdict, references: Mapping[int, Reference], ends: Mapping[int, int], outputs: str
) -> None:
    """Compare appended records, rows before and after forced compaction, and cuts."""
    places = trial.places
    for name in APPENDED:
        found = await places.read(f"{outputs}.{name}")
        for n, one in references.items():
            expected = {"changes": one.changes, "alerts": one.alerts, "dead-letters": one.dead_letters}[name]
            named = [(identity_of(name, record), record) for record in found[n]]
            verdict.add(check_outputs(f"{outputs}.{name}/{n}", expected, named))
    for table in TABLES:
        topic = f"{outputs}.{table}"
        before = await places.read(topic)
        after = await places.compact(topic)
        trial.history.note("compacted", topic=topic, before=_lengths(before), after=_lengths(after))
        for state, found in (("", before), (" compacted", after)):
            for n, one in references.items():
                expected_rows = {key: values for (name, key), values in one.rows.items() if name == table}
                verdict.add(check_rows(f"{topic}/{n}{state}", expected_rows, last_values(found[n])))
    cuts = await places.cuts(outputs)
    for n, one in references.items():
        last = (cuts[n][-1][1].offset, dict(cuts[n][-1][1].counts)) if cuts[n] else None
        verdict.add(check_cut(n, ends[n], one, last, outputs))


def last_values(records: Sequence[Record]) -> dict[bytes, bytes]:
    """Return the last value of each key; those that were deleted are left out."""
    last = {record.key or b"": record.value for record in records}
    return {key: value for key, value in last.items() if value is not None}


def identity_of(name: str, record: Record) -> str:
    """Return the id under which the reference has an appended record."""
    if name == "dead-letters":
        headers = dict(record.headers)
        return f"{headers['position'].decode()} {headers['code'].decode()}"
    value = (record.value or b"").decode()
    return value.partition('"id":"')[2].partition('"')[0]


@dataclass(frozen=True, slots=True)
class Sent:
    """The cuts of a set of outputs: time and offset of those that counted, the times of those that never did."""

    committed: dict[int, list[tuple[int, int]]]
    aborted: dict[int, list[int]]

    def open_at(self, at_ms: int, partition: int, since_ms: int) -> bool:
        """Tell whether a cut that never counted was the last that a process sent before an instant.

        It had the partition from `since_ms` on: with its fence it ended what others had left open before.
        """
        last = max((sent for sent in self.aborted[partition] if since_ms <= sent <= at_ms), default=None)
        return last is not None and not any(last < sent <= at_ms for sent, _ in self.committed[partition])


async def judge_faults(trial: Trial, verdict: Verdict) -> None:
    """See which faults struck while work was waiting, how long it took to move on, and what was refused to zombies."""
    operations = trial.history.operations
    sent = {outputs: await _sent(trial.places, outputs) for outputs in (trial.outputs, *trial.replays)}
    healed = list(trial.history.of("heal"))
    for fault in trial.history.of("fault"):
        verdict.faults += 1
        at_ms, cuts = fault["at_ms"], sent[fault["outputs"]]
        waiting = waiting_at(at_ms, operations, cuts.committed)
        if not waiting:
            continue
        verdict.landed += 1
        if fault["fault"].startswith("kill"):
            verdict.kills += 1
            held = _held(trial, fault["target"], at_ms)
            verdict.kills_in_transaction += any(
                cuts.open_at(at_ms, partition, since) for partition, since in held.items()
            )
        heals = [one["at_ms"] for one in healed if one["target"] == fault["target"] and one["at_ms"] >= at_ms]
        recovered = recovered_ms(at_ms, min(heals, default=at_ms), waiting, cuts.committed)
        if recovered is not None:
            verdict.recoveries_ms.append(recovered)
        if trial.before_damage is None and (recovered is None or recovered > _RECOVERED_WITHIN_S * 1000):
            moved = "never moved on" if recovered is None else f"moved on only after {recovered / 1000:.1f} s"
            why = f"{fault['fault']} of {fault['target']}: the partitions {moved}"
            verdict.trouble = verdict.trouble or f"{why}, expected within {_RECOVERED_WITHIN_S} s"
    verdict.exits = Counter(one["code"] for one in trial.history.of("exited") if one["code"] not in _ASKED)
    paused = {fault["target"] for fault in trial.history.of("fault") if fault["fault"] == "pause"}
    verdict.zombies = sum(
        1
        for one in trial.history.of("exited")
        if one["worker"] in paused and one["code"] == ExitCode.PRODUCER and "Fenced" in one["why"]
    )


async def _sent(places: Places, outputs: str) -> Sent:
    committed = await places.read(f"{outputs}.cuts")
    counted = {n: {one.offset for one in records} for n, records in committed.items()}
    everything = await places.read(f"{outputs}.cuts", committed=False)
    return Sent(
        {n: [(one.timestamp, decode_cut(one.value or b"").offset) for one in found] for n, found in committed.items()},
        {n: [one.timestamp for one in found if one.offset not in counted[n]] for n, found in everything.items()},
    )


def _held(trial: Trial, worker: str, at_ms: int) -> dict[int, int]:
    """Return the partitions that a worker process had told of by an instant, each with when it did so first."""
    started = max(
        (one["at_ms"] for one in trial.history.of("started") if one["worker"] == worker and one["at_ms"] <= at_ms),
        default=at_ms,
    )
    found: dict[int, int] = {}
    for one in trial.history.of("told"):
        if one["worker"] == worker and started <= one["at_ms"] <= at_ms and "partition" in one:
            found.setdefault(one["partition"], one["at_ms"])
    return found


def _lengths(found: Contents) -> dict[int, int]:
    return {n: len(records) for n, records in found.items()}

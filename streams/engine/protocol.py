"""The protocol of one partition as a pure step machine: events in, commands out.

    assign -> fence -> read cut -> fold silently to the cut -> project -> send -> commit -> ... -> release
    any fault, at any point -> exit

There is no input or output here and no clock; the runtime performs the commands and feeds back what came of them.
Three rules carry the promise: the cut is read only after the fence stands; what is committed is always the outputs
together with the cut that covers exactly them; and a state is saved, or believed, only up to the cut.

Records at or before the cut are folded, records after it are projected, those set aside are left out of either, and
every offset that arrives must be the next one. Whatever is not foreseen ends in `Exit`: stopping is always safe,
because a successor starts from the cut.
"""

from dataclasses import replace
from typing import assert_never

from streams.engine.cut import Cut
from streams.engine.faults import ExitCode, Fault
from streams.engine.moves import (
    Arrived,
    Assigned,
    Command,
    Commit,
    Committed,
    CutRead,
    Event,
    Exit,
    Failed,
    Fence,
    Fenced,
    Fold,
    Folded,
    LedgerBounds,
    Project,
    Projected,
    ReadCut,
    Ready,
    Release,
    Renew,
    Revoked,
    Save,
    Seek,
    Send,
    Sent,
    Stage,
    State,
    Terms,
)

Step = tuple[State, tuple[Command, ...]]


def step(state: State, event: Event) -> Step:  # noqa: C901, PLR0912  one case per event: this is the protocol's table
    """Return the state after the event, and what to do now."""
    stage = state.stage
    match event:
        case _ if stage is Stage.CLOSED:
            return state, ()
        case Failed(fault):
            return _exit(state, fault)
        case Revoked():
            return _revoked(state)
        case Arrived(offsets) if stage not in (Stage.NEW, Stage.FENCING, Stage.READING_CUT):
            return _arrived(state, offsets)
        case Assigned(held, origin) if stage is Stage.NEW:
            return replace(state, stage=Stage.FENCING, folded=held, origin=origin), (Fence(),)
        case Fenced() if stage is Stage.FENCING:
            return replace(state, stage=Stage.READING_CUT), (ReadCut(),)
        case CutRead() as read if stage is Stage.READING_CUT:
            return _resume(replace(state, aside=read.aside), read)
        case Folded() if stage is Stage.FOLDING:
            return _batch_done(state)
        case Projected() if stage is Stage.PROJECTING:
            return replace(state, stage=Stage.SENDING), (Send(state.folded),)
        case Sent() if stage is Stage.SENDING:
            return replace(state, stage=Stage.COMMITTING), (Commit(),)
        case Committed() if stage is Stage.COMMITTING:
            return _batch_done(replace(state, cut=state.folded))
        case Arrived() | Assigned() | Fenced() | CutRead() | Folded() | Projected() | Sent() | Committed():
            return _exit(state, Fault(ExitCode.PRODUCER, _unforeseen(state, event)))
        case _:
            assert_never(event)


def _exit(state: State, fault: Fault) -> Step:
    return replace(state, stage=Stage.CLOSED), (Exit(fault),)


def _revoked(state: State) -> Step:
    if state.stage in (Stage.FOLDING, Stage.PROJECTING, Stage.SENDING, Stage.COMMITTING):
        return replace(state, leaving=True), ()
    closed = replace(state, stage=Stage.CLOSED, leaving=True)
    if state.stage is Stage.WAITING:
        return closed, (Save(state.folded, last=True), Release())
    return closed, (Release(),)


def _resume(state: State, read: CutRead) -> Step:
    cut, ledger = read.cut, read.ledger
    offset = -1 if cut is None else cut.offset
    # A state that is ahead of the cut has folded what was never committed by anybody: it cannot be used.
    ours = state.terms.origin(ledger.topic_id, read.cuts_id)
    renew = state.folded > offset or (state.folded >= 0 and state.origin != ours)
    folded = -1 if renew else state.folded
    fault = _unfit(state.terms, cut, ledger)
    if fault is not None:
        return _exit(state, fault)
    following = replace(state, stage=Stage.WAITING, folded=folded, arrived=folded, cut=offset)
    commands: tuple[Command, ...] = (Seek(folded + 1),)
    if renew:
        commands = (Renew(), *commands)
    if folded == offset:
        commands = (*commands, Ready())
    return following, commands


def _unfit(terms: Terms, cut: Cut | None, ledger: LedgerBounds) -> Fault | None:
    """Return the reason why this ledger cannot be followed from this cut, if there is one."""
    # also where a snapshot would do without them: what is gone nobody else can fold either
    if ledger.begin > 0:
        return Fault(
            ExitCode.HOLE,
            f"{terms.place} begins at offset {ledger.begin}, expected 0: the records before it are gone, so "
            "the state cannot be folded. Restore the ledger from an export, and set its retention to unlimited.",
        )
    if cut is None:
        return None
    if (cut.topic, cut.partition) != (terms.topic, terms.partition):
        return Fault(
            ExitCode.LEDGER,
            f"expected the cut of {terms.place}, found one of {cut.topic}/{cut.partition}: give every ledger a cuts "
            "topic of its own.",
        )
    if not cut.speaks_of(ledger.topic_id):
        return Fault(
            ExitCode.LEDGER,
            f"{terms.place} has topic id {ledger.topic_id}, the cut speaks of {cut.topic_id}: the ledger was deleted "
            "and made anew. Give the new ledger new derived topics, or restore the old one.",
        )
    if ledger.end <= cut.offset:
        return Fault(
            ExitCode.LEDGER,
            f"{terms.place} ends at offset {ledger.end}, the cut is at {cut.offset}: the ledger has lost its last "
            "records. Restore it before the worker starts again.",
        )
    if cut.version != terms.version:
        return Fault(
            ExitCode.VERSION,
            f"the cut of {terms.place} was written by fold version {cut.version!r}, this worker folds version "
            f"{terms.version!r}: run the version that wrote it, or give this one derived topics of its own.",
        )
    return None


def _arrived(state: State, offsets: tuple[int, ...]) -> Step:
    expected = state.arrived + 1
    if offsets != tuple(range(expected, expected + len(offsets))):
        return _exit(state, _hole(state, offsets))
    state = replace(state, arrived=state.arrived + len(offsets))
    if state.stage is Stage.WAITING:
        return _next_batch(state)
    return state, ()


def _hole(state: State, offsets: tuple[int, ...]) -> Fault:
    first = state.arrived + 1
    expected, came = next((first + i, offset) for i, offset in enumerate(offsets) if offset != first + i)
    if came > expected:
        return Fault(
            ExitCode.HOLE,
            f"hole in {state.terms.place}: expected offset {expected}, got {came}. The ledger may never be compacted, "
            "expired or written in transactions; find out what removed the records and restore them.",
        )
    return Fault(
        ExitCode.LEDGER,
        f"{state.terms.place} went back: expected offset {expected}, got {came}. If starting anew ends here too, the "
        "ledger was truncated or made anew.",
    )


def _batch_done(state: State) -> Step:
    ready: tuple[Command, ...] = (Ready(),) if state.stage is Stage.FOLDING and state.folded == state.cut else ()
    done = (*ready, Save(state.folded, last=state.leaving))
    if state.leaving:
        return replace(state, stage=Stage.CLOSED), (*done, Release())
    state, commands = _next_batch(state)
    return state, (*done, *commands)


def _next_batch(state: State) -> Step:
    if state.arrived == state.folded:
        return replace(state, stage=Stage.WAITING), ()
    first = state.folded + 1
    last = min(state.arrived, state.folded + state.terms.batch_max)
    if state.folded < state.cut:
        last = min(last, state.cut)
        return replace(state, stage=Stage.FOLDING, folded=last), (Fold(first, last, _aside(state, first, last)),)
    return replace(state, stage=Stage.PROJECTING, folded=last), (Project(first, last, _aside(state, first, last)),)


def _aside(state: State, first: int, last: int) -> tuple[int, ...]:
    return tuple(sorted(offset for offset in state.aside if first <= offset <= last))


def _unforeseen(state: State, event: Event) -> str:
    return (
        f"{state.terms.place}: {type(event).__name__} came while {state.stage.name.lower().replace('_', ' ')}; the "
        "outcome of an earlier step is unknown, start the worker anew."
    )

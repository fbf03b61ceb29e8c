"""What an act does to a component, as bytes: whoever brings it back need not resolve all reports of the act again."""

from typing import Any

import orjson

from ledger.acts import SETTABLE, ActOnComponent, as_told
from ledger.micros import from_micros, micros
from ledger.resolution import same
from schemas.codec import decode
from schemas.encoding import plain_json
from schemas.events import ComponentChanged


def head_of(act: ActOnComponent) -> bytes | None:
    """Return what is to stand before the leading report of an act, so that both are a line that `unpack` reads.

    None if the act is not what that report alone says: it is resolved anew.
    """
    lead = act.lead
    if not act.data or act.disputes or any(not same(getattr(act, name), getattr(lead, name)) for name in SETTABLE):
        return None
    instants = [micros(one) for one in (act.order[0], act.public_at, act.made_at, act.start_heard_at, act.end_heard_at)]
    return plain_json([act.status, act.unanimous, *instants])


def one_line(document: bytes) -> bytes:
    """Return JSON without line ends: they can only stand between its tokens."""
    return document.replace(b"\n", b" ")


def unpack(line: bytes) -> ActOnComponent:
    """Bring it back."""
    head, data = line[: line.index(b"]") + 1], line[line.index(b"]") + 1 :]
    status, unanimous, *instants = orjson.loads(head)
    ordered_at, public_at, made_at, start_heard_at, end_heard_at = map(from_micros, instants)
    lead: Any = decode(data)
    if not isinstance(lead, ComponentChanged):
        raise TypeError(f"expected what an act does as it was put away, got {lead!r}")
    return as_told(
        lead,
        data,
        status=status,
        unanimous=unanimous,
        ordered_at=ordered_at,
        public_at=public_at,
        made_at=made_at,
        start_heard_at=start_heard_at,
        end_heard_at=end_heard_at,
    )

"""The issuer's own report of what an act does to its components."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal

from schemas.events import ComponentChanged, Goods, Instrument, Stage, UntilKind
from schemas.rates import ByProduct, PlainRate, Rate, RateRange
from schemas.times import When
from streams.demo.convert.control_moves import CONTROL_MOVES
from streams.demo.convert.corpus import ActLine, RateLine
from streams.demo.convert.corrections import SCHEDULED, SIGNED
from streams.demo.convert.issuers import authority_of, document, issuer_of, own_source
from streams.demo.convert.moves import ALL_GOODS, EXCEPTIONS, GIVEN, Ended, Move
from streams.demo.convert.printed import when, zone_of
from streams.demo.convert.tariff_moves import TARIFF_MOVES
from streams.demo.convert.telling import Telling

STAGES: Final[Mapping[str, Stage]] = MappingProxyType(
    {
        "announce": "announced",
        "announce_threat": "threatened",
        "authority_created": "announced",
        "decrease": "changed",
        "decrease_and_suspend": "changed",
        "exempt": "exempted",
        "extend": "extended",
        "extend_suspension": "extended",
        "impose": "imposed",
        "increase": "changed",
        "list_entities": "imposed",
        "open_procedure": "imposed",
        "propose": "proposed",
        "relax": "changed",
        "stacking_rule": "imposed",
        "suspend": "suspended",
        "terminate": "ended",
    }
)
INSTRUMENTS: Final[Mapping[str, Instrument]] = MappingProxyType(
    {
        "agreement": "agreement",
        "de_minimis": "de_minimis",
        "deadline": "enforcement_delay",
        "entity_list": "entity_list",
        "export_control": "export_control",
        "port_fee": "port_fee",
        "statute": "statute",
        "tariff": "tariff",
        "tariff_exclusion": "tariff_exclusion",
        "tariff_rule": "tariff_rule",
    }
)
ON_GOODS: Final = frozenset({"tariff", "tariff_exclusion", "de_minimis", "export_control"})
ORIGINS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "CN firm": ("CN",),
        "CN+15": ("CN",),
        "CN+59": ("CN",),
        "CN+HK": ("CN", "HK"),
        "CN+HK+58": ("CN", "HK"),
        "CN+HK+MO": ("CN", "HK", "MO"),
        "CN+MO": ("CN", "MO"),
        "CN+others": ("CN",),
        "NL/US": ("NL", "US"),
        "US+CN": ("US", "CN"),
        "US+others": ("US",),
        "US/N. America": ("US", "NORTH-AMERICA"),
        "WORLD (CN mainly)": ("WORLD",),
    }
)
MOVES_NOTHING: Final = frozenset({"threatened", "proposed", "announced", "withdrawn"})
NO_COMPONENT: Final = frozenset({"A009", "A119", "A140", "A175"})
"""Acts on a date, a promise or a procedure whose kind would otherwise ask for a component."""

_SUSPENDED_POINTS_RETURN: Final = "34"
_NO_CLOCK_TIME: Final = "date only"


def moves_of(act: ActLine) -> tuple[Move, ...]:
    """Return what an act does to which components; nothing for meetings, rulings, promises and words."""
    if act.id in TARIFF_MOVES:
        return TARIFF_MOVES[act.id]
    if act.id in CONTROL_MOVES:
        return CONTROL_MOVES[act.id]
    if act.id in NO_COMPONENT or act.event_kind not in STAGES or act.instrument_type not in INSTRUMENTS:
        return ()
    if act.rate:
        return tuple(Move(component=name) for name in dict.fromkeys(line.component for line in act.rate))
    if act.measure_id is None:
        raise ValueError(f"{act.id}: expected a measure, a rate or an entry in the tables of moves, got none")
    return (Move(component=act.measure_id.lower().replace("-", "_")),)


def own_reports(telling: Telling, act: ActLine) -> Iterator[ComponentChanged]:
    """Give the issuer's report of each component that an act works on."""
    for move in moves_of(act):
        yield _report(telling, act, move)


def _report(telling: Telling, act: ActLine, move: Move) -> ComponentChanged:
    imposer = move.imposer or act.imposer or ""
    issuer = move.imposer or issuer_of(act)
    zone = zone_of(issuer)
    stage, ended_how = _stage(act, move)
    lines = [line for line in act.rate if line.component == move.component]
    suspended = next((line.suspended_pp for line in lines if line.suspended_pp is not None), None)
    instrument = move.instrument or INSTRUMENTS[act.instrument_type]
    effective = None if move.operational else _effective(act, move, stage, zone)
    until = _until(act, move, stage, zone)
    return ComponentChanged(
        negotiation=telling.negotiation,
        act=move.act or telling.act_id(act.id),
        title=move.title or telling.title(act.id),
        source=own_source(
            act, f"{move.component}{'/' if move.suffix else ''}{move.suffix}", issuer=issuer, grade=move.grade
        ),
        document=document(act, issuer=issuer, kind=move.kind),
        announced=move.announced or telling.announced(act.id, zone),
        component=move.component,
        measure=move.measure or act.measure_id or "",
        instrument=instrument,
        imposer=imposer,
        origins=move.origins if move.origins is not None else _origins(act),
        goods=_goods(act, move, instrument),
        exceptions=EXCEPTIONS.get((act.id, move.component), ()),
        stage=stage,
        ended_how=ended_how,
        rate=None if stage == "ended" else _rate(lines) if move.rate == GIVEN else move.rate,
        suspended=move.suspended or suspended,
        effective=effective,
        signed=_signed(act, move, zone),
        retroactive_from=effective if act.event_kind == "exempt" and "T" in (act.effective or "") else None,
        operational=_given(act, move, zone) if move.operational else None,
        collection=move.collection,
        until=until,
        until_kind=move.until_kind or _until_kind(act, until),
        on_lapse=move.on_lapse or (_SUSPENDED_POINTS_RETURN if suspended is not None else None),
        contingent_on=act.contingent_on,
        members=move.members,
        authority=move.authority or authority_of(act),
        stacking=act.stacking,
        supersedes=tuple(telling.act_id(name) for name in act.supersedes),
    )


def _stage(act: ActLine, move: Move) -> tuple[Stage, Ended | None]:
    stage = move.stage or STAGES[act.event_kind]
    return stage, move.ended_how or ("revoked" if stage == "ended" else None)


def _rate(lines: list[RateLine]) -> Rate | None:
    by_product = {line.product_scope: rate for line in lines if (rate := _plain(line)) is not None}
    if not by_product or None in by_product:
        return by_product.get(None)
    return ByProduct(by_product={name: rate for name, rate in by_product.items() if name is not None})


def _plain(line: RateLine) -> PlainRate | None:
    if isinstance(line.after_pct, RateRange):
        return RateRange(low=line.after_pct.low, high=line.after_pct.high)
    return line.after_pct


def _effective(act: ActLine, move: Move, stage: Stage, zone: str) -> When | None:
    if move.effective != GIVEN:
        return when(move.effective, zone, basis=move.effective_basis) if move.effective is not None else None
    if act.id in SCHEDULED:
        return when(SCHEDULED[act.id], zone)
    return None if stage in MOVES_NOTHING else _given(act, move, zone)


def _given(act: ActLine, move: Move, zone: str) -> When | None:
    if act.effective is None or "effective" in act.unsourced_fields:
        return None
    printed = act.effective_tz if "effective_tz" not in act.unsourced_fields else None
    if printed is not None:
        printed = printed.split(" (")[0].split(" =")[0].split(": same")[0]
    as_printed = None if printed is None or printed.startswith(_NO_CLOCK_TIME) else printed
    return when(act.effective, zone, as_printed=as_printed, basis=move.effective_basis)


def _until(act: ActLine, move: Move, stage: Stage, zone: str) -> When | None:
    text = act.end if move.until == GIVEN else move.until
    return when(text, zone, basis=move.until_basis) if text is not None and stage != "ended" else None


def _until_kind(act: ActLine, until: When | None) -> UntilKind:
    if until is not None:
        return "stated"
    return "until_condition" if act.event_kind == "suspend" and act.contingent_on is not None else "none_stated"


def _signed(act: ActLine, move: Move, zone: str) -> When | None:
    return when(move.signed, zone) if move.signed is not None else SIGNED.get(act.id)


def _origins(act: ActLine) -> tuple[str, ...]:
    target = act.target or ""
    return ORIGINS.get(target, (target,))


def _goods(act: ActLine, move: Move, instrument: Instrument) -> Goods | Literal["all"] | None:
    if move.component in ALL_GOODS and move.goods == GIVEN:
        return "all"
    if instrument not in ON_GOODS and move.goods == GIVEN:
        return None
    words = act.scope if move.goods == GIVEN else move.goods
    return Goods(listed=words) if words else None

"""What happens in a negotiation of the workload, an act at a time.

Most acts work on components, four on one as a rule: imposed or threatened, then changed, suspended, extended, ended.
The others set and move deadlines, plan and hold meetings, make and keep promises, name figures, say something.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from streams.bench.acts import ZONES, Act, Chronicle, Claim, Document, instant_text

_INSTRUMENTS: Final = ("tariff", "tariff", "tariff", "export_control", "entity_list", "port_fee")
_RATES: Final = ("2.5", "5", "7.5", "10", "12.5", "15", "20", "25", "30", "34", "50", "84", "100", "125")
_GOODS: Final = ("steel and aluminum", "vehicles and parts", "semiconductors", "soybeans", "ships", "rare earths")
_PLACES: Final = ("Geneva", "London", "Stockholm", "Madrid", "Kuala Lumpur", "Busan")
_HOURS_SHARE: Final = 0.5  # announcements that name their hour
_AHEAD_SHARE: Final = 0.6  # acts that take effect later
_ENDING_SHARE: Final = 0.3  # impositions that name their end
_DATE_CONTESTED_SHARE: Final = 0.3  # contests of the date, not of the rate


def next_act(story: Chronicle, now: datetime) -> Act:
    """Let the next act of a negotiation happen."""
    story.acts += 1
    issuer = story.pick(story.parties)
    zone = ZONES[issuer]
    at_an_hour = story.random() < _HOURS_SHARE
    common = {
        "negotiation": story.negotiation,
        "act": f"{story.negotiation}.act-{story.acts}",
        "document": {"kind": "instrument", "issuer": story.issuers(issuer), "ref": f"Notice {story.acts}"},
        "announced": {"at": instant_text(now), "zone": zone}
        if at_an_hour
        else {"on": now.date().isoformat(), "zone": zone},
    }
    chance = story.random()
    telling = next(telling for share, telling in _KINDS if chance < share)
    body, claim = telling(story, issuer, now)
    return Act(story, issuer, {**common, **body}, claim)


def _component(story: Chronicle, issuer: str, now: datetime) -> tuple[Document, Claim]:
    name, is_new = story.thing("component", 0.25)
    chance = story.random()
    choices = _FIRST_STAGES if is_new else _LATER_STAGES
    stage = next(stage for share, stage in choices if chance < share)
    zone, rate, other = ZONES[issuer], story.pick(_RATES), story.pick(_RATES)
    number = int(name.removeprefix("component-"))
    body: Document = {
        "type": "component_changed",
        "title": f"{story.negotiation}: {name} {stage}",
        "component": name,
        "measure": f"{issuer.upper()}-ORDER-{number}",
        "imposer": issuer.upper(),
        "origins": [next(party.upper() for party in story.parties if party != issuer)],
        "goods": {"listed": _GOODS[number % len(_GOODS)]} if number % 3 else "all",
        "stage": stage,
        "effective": story.later(now, zone, 1, 60) if story.random() < _AHEAD_SHARE else story.later(now, zone, -5, 0),
        "authority": "Trade Act 1974",
    }
    instrument = _INSTRUMENTS[number % len(_INSTRUMENTS)]
    if instrument != "tariff":
        body["instrument"] = instrument
    if stage == "ended":
        body["ended_how"] = "revoked"
        story.open["component"].remove(name)
    else:
        body["rate"] = rate
    if stage == "suspended":
        body["suspended"] = rate
    if stage in {"suspended", "extended"} or (stage == "imposed" and story.random() < _ENDING_SHARE):
        body |= {"until": story.later(now, zone, 61, 240), "until_kind": "stated"}
    if stage == "ended" or story.random() < _DATE_CONTESTED_SHARE:
        return body, (name, "effective", body["effective"], story.later(now, zone, -5, 60))
    return body, (name, "rate", rate, other)


def _deadline(story: Chronicle, issuer: str, now: datetime) -> tuple[Document, Claim]:
    name, is_new = story.thing("deadline", 0.5)
    stage = "set" if is_new else story.pick(("moved", "moved", "met", "missed", "withdrawn"))
    due, other = (story.later(now, ZONES[issuer], 5, 120) for _ in range(2))
    body = {"type": "deadline_changed", "deadline": name, "kind": "promise", "stage": stage, "what": "purchases end"}
    return body | {"due": due}, (name, "due", due, other)


def _meeting(story: Chronicle, issuer: str, now: datetime) -> tuple[Document, Claim]:
    name, is_new = story.thing("meeting", 0.5)
    number = int(name.removeprefix("meeting-"))
    first_day, other = ({"on": (now + timedelta(days=n)).date().isoformat(), "zone": ZONES[issuer]} for n in (3, 4))
    body: Document = {
        "type": "meeting_changed",
        "meeting": name,
        "stage": "planned" if is_new else story.pick(("held", "held", "postponed", "cancelled")),
        "format": "in_person",
        "kind": ("round", "bilateral", "other")[number % 3],
        "first_day": first_day,
        "place": story.pick(_PLACES),
        "participants": [{"id": party, "name": f"Minister of {party.upper()}"} for party in story.parties],
    }
    return body, (name, "first_day", first_day, other)


def _commitment(story: Chronicle, issuer: str, now: datetime) -> tuple[Document, None]:
    name, is_new = story.thing("commitment", 0.5)
    body: Document = {
        "type": "commitment_changed",
        "commitment": name,
        "stage": "made" if is_new else story.pick(("fulfilled", "broken", "withdrawn")),
        "promisor": issuer.upper(),
        "what": "purchases of soybeans",
        "quantity": "12",
        "unit": "million tonnes",
        "due": story.later(now, ZONES[issuer], 30, 300),
    }
    return body, None


def _figure(story: Chronicle, issuer: str, now: datetime) -> tuple[Document, None]:
    body = {"type": "figure_claimed", "metric": "additional.collected", "value": story.pick(_RATES), "unit": "percent"}
    return body | {"by": f"Office of {issuer.upper()}", "about": now.date().isoformat()}, None


def _statement(story: Chronicle, issuer: str, now: datetime) -> tuple[Document, None]:
    says = f"{issuer.upper()} and the other side of {story.negotiation} spoke on {now.date().isoformat()}"
    return {"type": "statement_made", "says": says}, None


_FIRST_STAGES: Final = ((0.1, "threatened"), (0.2, "announced"), (1.0, "imposed"))
_LATER_STAGES: Final = ((0.5, "changed"), (0.65, "suspended"), (0.8, "extended"), (0.85, "exempted"), (1.0, "ended"))
_Telling = Callable[[Chronicle, str, datetime], tuple[Document, Claim | None]]
_KINDS: Final[tuple[tuple[float, _Telling], ...]] = (
    (0.70, _component),
    (0.78, _deadline),
    (0.85, _meeting),
    (0.92, _commitment),
    (0.97, _figure),
    (1.00, _statement),
)

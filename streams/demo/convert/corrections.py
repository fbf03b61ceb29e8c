"""Where the corpus is wrong or tells too early, and what is told instead. Reasons: streams/demo/CORRECTIONS.md."""

from collections.abc import Mapping
from typing import Final

from schemas.times import When
from streams.demo.convert.printed import WASHINGTON, when

ANNOUNCED: Final[Mapping[str, When]] = {
    "A052": when("2025-04-15", WASHINGTON),
    "A060": when("2025-05-29", WASHINGTON),
    "A146": when("2026-07-24", WASHINGTON),
    "A170": when("2026-07-24", WASHINGTON, basis="inferred"),
    "A172": when("2023-12-31", WASHINGTON, as_printed="2023", basis="inferred"),
    "A173": when("2026-10-05", WASHINGTON),
}
"""When an act was made public, where the corpus has a placeholder or tells too early."""

SIGNED: Final[Mapping[str, When]] = {
    "A052": when("2025-04-09", WASHINGTON),
    "A060": when("2025-05-23", WASHINGTON),
}
"""When a document was signed that became public later."""

SCHEDULED: Final[Mapping[str, str]] = {
    "A013": "2019-12-15",
    "A023": "2025-02-01",
    "A037": "2025-04-09T00:01:00-04:00",
    "A038": "2025-04-10T12:01:00+08:00",
    "A049": "2025-05-02T00:01:00-04:00",
    "A089": "2025-11-08",
    "A091": "2025-11-01",
}
"""The start that an act named, where the corpus has none because it never came."""

CLAIM_TOLD: Final[Mapping[str, str]] = {
    "C005": "2025-06-11",
    "C006": "2025-06-11",
    "C012": "2025-04-30",
    "C013": "2025-05-31",
    "C029": "2025-06-11",
    "C030": "2025-06-11",
    "C048": "2025-05-12",
    "C051": "2025-06-06",
    "C053": "2026-01-16",
    "C055": "2018-09-21",
    "C063": "2025-06-09",
    "C064": "2025-06-09",
    "C065": "2025-09-14",
    "C070": "2025-10-23",
    "C072": "2026-05-13",
    "C073": "2026-05-13",
    "C075": "2025-08-11",
    "C079": "2026-09-21",
    "C080": "2026-09-23",
    "C082": "2026-05-13",
    "C125": "2026-06-11",
    "C139": "2026-09-24",
}
"""The day from which an undated claim is told, where that of its act would be before what it tells of."""

CLAIM_ACT: Final[Mapping[str, str]] = {
    "C022": "A101",
    "C031": "A016",
    "C033": "A015",
    "C048": "A055",
    "C070": "A095",
    "C071": "A127",
    "C082": "A133",
    "C089": "A100",
    "C097": "A138",
    "C116": "A102",
    "C117": "A102",
    "C122": "A125",
    "C131": "A109",
    "C133": "A111",
    "C142": "A105",
    "C143": "A105",
    "C144": "A105",
    "C145": "A105",
    "C146": "A105",
    "C154": "A105",
    "C156": "A106",
}
"""The act that a claim is told of, where it is not the first that the corpus names and that had been announced."""

CLAIM_WITHOUT_ABOUT: Final = frozenset({"C071", "C107"})
"""Claims made before the day that they turned out to be about was known."""

CLAIM_TITLE: Final[Mapping[str, str]] = {
    "C031": "PIIE gave 20.3% as China's average tariff after 14 February 2020.",
    "C071": "MOFCOM called the coming talks the 6th round.",
    "C106": "NPR had units of Lockheed Martin among the ten firms listed on 4 March 2025.",
}
"""Sentences that would tell what came later, in words of their own day."""

CLAIM_BY: Final[Mapping[str, str]] = {"C106": "NPR"}
"""Names of witnesses that would tell what came later."""

"""Who says so, speaking of which document."""

from typing import Annotated, Literal, Self

from pydantic import StringConstraints, model_validator

from schemas.shape import Language, Line, Party, Quote, Reference, Shape
from schemas.times import Day, Instant, ZoneName

Grade = Literal["instrument", "operational", "official-statement", "wire", "secondary", "unverified"]
"""How good the witness is, best first."""
DocumentKind = Literal["instrument", "operational-notice", "official-statement", "remark"]
"""The authority of the document spoken of, highest first."""

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s\x00-\x1f<>\"]{1,1990}$")]


class Published(Shape):
    """When a report came out. A bare day is local to `zone`, else to the zone of the act's announcement."""

    at: Instant | None = None
    on: Day | None = None
    zone: ZoneName | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.at is None) == (self.on is None):
            raise ValueError("expected exactly one of at and on")
        return self


class Source(Shape):
    """A witness: who reports, how good a witness that is, in whose words.

    `speaks_as` tells the issuer's own text from a report about it. `basis` tells whether the text itself was seen, is
    known through a citation only, or is assumed from the act; an assumed report is not counted as a second witness.
    """

    name: Line
    own_id: Line | None = None
    url: Url | None = None
    grade: Grade
    speaks_as: Literal["issuer", "reporter"] = "reporter"
    basis: Literal["seen", "cited", "assumed"] = "seen"
    published: Published | None = None
    quote: Quote | None = None
    lang: Language = "en"
    original: Quote | None = None
    translator: Line | None = None

    @model_validator(mode="after")
    def _a_translation_names_its_translator(self) -> Self:
        if self.original is not None and self.quote is not None and self.translator is None:
            raise ValueError("expected a translator beside a quote that translates an original wording")
        return self


class Document(Shape):
    """The document that a report speaks of: an order, a notice, a statement, a remark; and who issued it."""

    kind: DocumentKind
    issuer: Party
    ref: Line | None = None
    refs: tuple[Line, ...] = ()


EventId = Reference

"""What every report of the history shares: the negotiation, and how acts are called and when they were announced."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.times import Basis, When
from streams.demo.convert.corpus import ActLine
from streams.demo.convert.corrections import ANNOUNCED
from streams.demo.convert.issuers import zone
from streams.demo.convert.printed import when
from streams.demo.convert.titles import act_id, title

NEGOTIATION: Final = "us-china"


@dataclass(frozen=True, slots=True)
class Telling:
    """The acts of one negotiation, as the reports name them."""

    acts: Mapping[str, ActLine]
    negotiation: str = NEGOTIATION

    def act_id(self, name: str) -> str:
        """Return the public id of the act that the corpus calls `name`."""
        return act_id(self.acts[name])

    def title(self, name: str) -> str:
        """Return the title of an act as of its own day."""
        return title(self.acts[name])

    def announced(self, name: str, in_zone: str | None = None) -> When:
        """Return when an act was made public by its actor, in the zone of its issuer if none is given.

        A day that no source carries is inferred.
        """
        act = self.acts[name]
        corrected = ANNOUNCED.get(name)
        if corrected is not None:
            return corrected
        basis: Basis = "inferred" if "announced" in act.unsourced_fields else "stated"
        return when(act.announced, in_zone or zone(act), basis=basis)

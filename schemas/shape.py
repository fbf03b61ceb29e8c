"""What every shape on the wire has in common, and the texts they are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.+/-]{0,99}$")]
"""A lower-case name for one thing: `us-china`, `ieepa_fentanyl`, `he-lifeng+bessent`."""
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+:/-]{0,99}$")]
"""An identifier that others gave: an act, an instrument, an event."""
Party = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9+-]{0,23}$")]
"""Who acts or is acted on: `US`, `CN`, `HK`, `US-COURT`, `WORLD`."""
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""One line of text."""
Quote = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]+$")]
"""At most 300 characters of somebody's words."""
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$")]
"""A language tag (BCP 47, the short forms)."""


class Shape(BaseModel):
    """A value on the wire: immutable, strict, closed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=False)

    @property
    def __pydantic_fields_set__(self) -> set[str]:
        """The names of the fields that differ from their defaults.

        Pydantic keeps a set of those that were given, for each value: a third of the memory of a state, and nobody
        asks for it. An absent field and its default are one and the same here.
        """
        return {name for name, field in type(self).model_fields.items() if getattr(self, name) != field.default}

    @__pydantic_fields_set__.setter
    def __pydantic_fields_set__(self, given: set[str]) -> None:
        """Keep nothing."""

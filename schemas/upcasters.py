"""Typed steps from older event shapes to the present one, one major version at a time."""

from collections.abc import Callable, Mapping
from typing import Any

Step = Callable[[dict[str, Any]], dict[str, Any]]
STEPS: Mapping[tuple[str, int], Step] = {}
"""(event type, major version) to the step that lifts it by one. Version 1 is the first, so there is none yet."""


def upcast(kind: str, major: int, document: dict[str, Any]) -> dict[str, Any]:
    """Lift a document of an older major version to the present shape; the same object where nothing is to be done."""
    step = STEPS.get((kind, major))
    return document if step is None else upcast(kind, major + 1, step(document))

"""Settings of this installation: the one place that reads the environment."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from streams.topics import OUTPUTS_MARK

_LEAD = re.compile(r"([1-9][0-9]{0,3})([dh])")
_LEADS_MAX = 16
_PREFIX = "PARLEY_"


class UsageError(ValueError):
    """Whoever calls has asked for what cannot be; the message says what was expected, what came, and what to do."""


class LeadTime(NamedTuple):
    """How long before a deadline a warning is due: calendar days in the deadline's zone, or exact hours."""

    amount: int
    unit: Literal["d", "h"]

    def __str__(self) -> str:
        """Return the lead as it is written in settings: `30d`, `24h`."""
        return f"{self.amount}{self.unit}"

    @classmethod
    def parse(cls, text: str) -> "LeadTime":
        """Read `30d` or `24h`; ValueError says what a lead looks like."""
        match = _LEAD.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"a lead time is a number of days or hours such as 30d or 24h, not {text.strip()!r}")
        return cls(int(match[1]), "d" if match[2] == "d" else "h")


def _lead_times(value: object) -> object:
    if not isinstance(value, str):
        return value
    leads = tuple(LeadTime.parse(part) for part in value.split(",") if part.strip())
    if len(leads) > _LEADS_MAX:
        raise ValueError(f"at most {_LEADS_MAX} lead times, got {len(leads)}")
    return leads


def _without_dot(prefix: str) -> str:
    if "." in prefix:
        raise ValueError(
            "expected no dot: parley.blue.changes.v1 is of the prefix parley and its set of outputs blue, and no other "
            "prefix may have the same topics; a hyphen will do"
        )
    return prefix


class Settings(BaseSettings):
    """What may differ between installations; each field is an environment variable `PARLEY_…` in capitals."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    brokers: str | None = Field(
        default=None, description="host:port[,host:port…] of your own Kafka; without it the embedded broker is used"
    )
    prefix: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$"), AfterValidator(_without_dot)] = (
        Field(default="parley", description="first part of every topic name: parley.events.v1")
    )
    outputs: Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9-]{0,39})?$")] = Field(
        default="", description="name of the set of derived topics to write and read: parley.NAME.changes.v1"
    )
    partitions: int = Field(default=4, ge=1, le=256, description="partitions of each topic, fixed once created")
    replication: int = Field(default=1, ge=1, le=7, description="copies of each partition; 1 on the embedded broker")
    state_directory: Path = Field(
        default_factory=lambda: platformdirs.user_state_path("parley"),
        description="data of the embedded broker, snapshots of worker and clock, logs of `up`",
    )
    cache_directory: Path = Field(
        default_factory=lambda: platformdirs.user_cache_path("parley"), description="Apache Kafka, once fetched"
    )
    maven_repository: str | None = Field(
        default=None, description="URL of a mirror to fetch Apache Kafka from, in place of the public one"
    )
    log_format: Literal["people", "json"] = Field(default="people", description="logs for people or JSON lines")
    lead_times: Annotated[tuple[LeadTime, ...], NoDecode, BeforeValidator(_lead_times)] = Field(
        default=(LeadTime(30, "d"), LeadTime(7, "d"), LeadTime(24, "h"), LeadTime(1, "h")),
        description="how long before a deadline a warning is due: 30d,7d,24h,1h",
    )

    def changed(self, **given: str) -> "Settings":
        """Return these settings with others in their place. ValidationError for what cannot be."""
        return Settings.model_validate({**self.model_dump(), **given}) if given else self

    @property
    def installation(self) -> str:
        """The prefix and, behind a mark, the set of outputs: what every topic's name is made of."""
        return f"{self.prefix}{OUTPUTS_MARK}{self.outputs}" if self.outputs else self.prefix

    @property
    def broker_directory(self) -> Path:
        """The folder of the embedded broker: its data, log, lock and address."""
        return self.state_directory / "broker"


def usable_folder(folder: Path) -> None:
    """Make a folder of the state directory; UsageError, which says what to do, if that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot use the folder {folder}: {error.strerror}. Choose another one: PARLEY_STATE_DIRECTORY=FOLDER"
        ) from error


def environment_with(**settings: str) -> dict[str, str]:
    """Return this process's environment for one that it starts, with these settings in the place of its own."""
    return os.environ | {f"{_PREFIX}{name.upper()}": value for name, value in settings.items()}

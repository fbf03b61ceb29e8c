"""Logs: lines for people or JSON for machines, on standard error, without secrets."""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

import orjson
from rich.console import Console
from rich.logging import RichHandler

_CONFIDENTIAL: Final = r"[\w.-]*(?:password|passwd|secret|api[_-]?key|access[_-]?key|token)[\w.-]*"
_NAMED: Final = re.compile(_CONFIDENTIAL, re.IGNORECASE)
_SECRET: Final = re.compile(
    rf"""
    (?P<kept> \b {_CONFIDENTIAL} ["']? \s* [=:] \s*
            | \b authorization ["']? \s* [=:] \s* ["']? (?: basic | bearer )? \s*
            | :// [^\s:/@]* : (?= [^\s/@]* @ ) )
    (?P<secret> "[^"]*" | '[^']*' | [^\s,;&"')}}@]+ )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_DEPTH_MAX: Final = 8
_OWN_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_CLIENT: Final = "aiokafka"
_REPEAT_S: Final = 30.0
_TEMPLATES_MAX: Final = 256


def without_secrets(text: str) -> str:
    """Return the text with what follows `password=`, `token:` and the like, or stands in a URL, replaced by `***`."""
    return _SECRET.sub(r"\g<kept>***", text)


class _People(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class _Json(logging.Formatter):
    """One JSON object a line: at, level, logger, message, then what was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _OWN_FIELDS and name not in line}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        return orjson.dumps({name: _clean(name, value) for name, value in line.items()}).decode()


def _clean(name: str, value: object, depth: int = 0) -> object:
    """Return a value that JSON can hold, without secrets."""
    if _NAMED.fullmatch(name):
        return "***"
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) < 1 << 63:
        return value
    if isinstance(value, dict) and depth < _DEPTH_MAX:
        return {str(key): _clean(str(key), inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple) and depth < _DEPTH_MAX:
        return [_clean("", inner, depth + 1) for inner in value]
    return without_secrets(str(value))


class RepeatFilter(logging.Filter):
    """Lets the same message of a logger, or of those below it, pass once in a while, with the number held back.

    A Kafka client that lost its broker says so ten times a second; once is enough: what reads or writes says it too.
    """

    def __init__(self, logger: str, within_s: float = _REPEAT_S) -> None:
        super().__init__(logger)
        self._within_s = within_s
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record passes; those of other loggers do."""
        if not super().filter(record):
            return True
        key = (record.name, str(record.msg))
        passed_at, held_back = self._seen.get(key, (float("-inf"), 0))
        if record.created - passed_at < self._within_s:
            self._seen[key] = (passed_at, held_back + 1)
            return False
        if len(self._seen) >= _TEMPLATES_MAX:
            self._seen.clear()
        self._seen[key] = (record.created, 0)
        if held_back:
            record.msg = f"{record.msg} ({held_back} more like this)"
        return True


def set_up_logs(
    log_format: Literal["people", "json"] = "people",
    *,
    level: int = logging.INFO,
    kafka_client: bool = False,
    stream: TextIO | None = None,
) -> None:
    """Send all logs to standard error in the given form, replacing what was set up before.

    For people: coloured on a terminal, plain lines otherwise. Kafka's client is silent, since whoever reads or writes
    tells by its error what is wrong; with `kafka_client`, for what runs on and on, it warns, repeats held back.
    """
    out = stream or sys.stderr
    handler: logging.Handler
    if log_format == "json":
        handler = logging.StreamHandler(out)
        handler.setFormatter(_Json())
    elif (console := Console(file=out)).is_terminal:
        handler = RichHandler(console=console, show_path=False, markup=False, rich_tracebacks=False)
        handler.setFormatter(_People("%(message)s", datefmt="[%X]"))
    else:
        handler = logging.StreamHandler(out)
        handler.setFormatter(_People("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    root = logging.getLogger()
    for old in tuple(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.getLogger(_CLIENT).setLevel(max(level, logging.WARNING) if kafka_client else logging.CRITICAL)
    # a logger's own filter does not see what the loggers below it say: the handler's does
    handler.addFilter(RepeatFilter(_CLIENT))

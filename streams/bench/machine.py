"""On what was measured, and with what."""

import os
import platform
import shlex
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from streams.broker_installation import KAFKA_VERSION

_PACKAGES: Final = ("parley-ledger", "faust-streaming", "aiokafka", "pydantic", "orjson", "uvloop")


def machine() -> dict[str, Any]:
    """Return processor, cores, memory, system, versions, and how busy the machine is by now."""
    return {
        "processor": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": cores(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 2),
        "versions": {
            "python": platform.python_version(),
            "kafka": KAFKA_VERSION,
            **{package: version(package) for package in _PACKAGES},
        },
    }


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def command() -> str:
    """Return the command as it was typed."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _field(path: str, name: str) -> str | None:
    lines = Path(path).read_text("utf-8", "replace").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)

"""Java's and Kafka's classes, loaded and linked ahead of time: Kafka is up in half the time.

The Java runtime brings no archive of its own classes, so one is made at the first start. Kafka's comes on top of it
when a broker that had none is stopped. Both are kept beside Kafka; without them, or with ones that do not fit, Java
runs all the same.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streams.broker_installation import KafkaInstallation
from streams.broker_properties import JVM_OPTIONS, SHORT_LIVED

_DUMP_S: Final = 60


@dataclass(frozen=True, slots=True)
class ClassArchive:
    """The archives of one installation; `unfinished` is where a broker that ends may leave a new one."""

    kafka: KafkaInstallation
    unfinished: Path

    def prepare(self) -> None:
        """Make the archive of Java's own classes if there is none, in a second."""
        self.unfinished.unlink(missing_ok=True)
        if self.kafka.java_archive.exists():
            return
        dump = ("-Xshare:dump", f"-XX:SharedArchiveFile={self.unfinished}")
        command = [str(self.kafka.java), *JVM_OPTIONS, *SHORT_LIVED, *dump]
        done = subprocess.run(  # noqa: S603 - the command is Parley's own
            command, check=False, capture_output=True, timeout=_DUMP_S
        )
        if done.returncode == 0:
            self._keep(self.kafka.java_archive)

    def options(self) -> tuple[str, ...]:
        """Return what to tell Java: which archive to use, and whether to make Kafka's at the end."""
        if self.kafka.archive.exists():
            return (f"-XX:SharedArchiveFile={self.kafka.archive}",)
        if self.kafka.java_archive.exists():
            return (f"-XX:SharedArchiveFile={self.kafka.java_archive}", f"-XX:ArchiveClassesAtExit={self.unfinished}")
        return ()

    def options_for_tools(self) -> tuple[str, ...]:
        """Return what to tell Java when it runs something short: use what is there, make nothing."""
        there = [archive for archive in (self.kafka.archive, self.kafka.java_archive) if archive.exists()]
        return tuple(f"-XX:SharedArchiveFile={archive}" for archive in there[:1])

    def keep(self) -> None:
        """Keep what a broker left that ended as it should."""
        self._keep(self.kafka.archive)

    def _keep(self, archive: Path) -> None:
        if not self.unfinished.exists():
            return
        arriving = archive.with_name(f"{archive.name}.{os.getpid()}")
        try:
            shutil.copyfile(self.unfinished, arriving)  # they may lie on different disks
            arriving.replace(archive)
        except OSError:  # no space, perhaps: then the next start is as slow as this one
            arriving.unlink(missing_ok=True)
        self.unfinished.unlink(missing_ok=True)

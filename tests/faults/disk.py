"""A disk that is full, for one node: a small file system where this may mount one, else a limit on the node's files.

Both make every write fail that Kafka still tries, in the middle of a record too. The small file system is the real
thing (ENOSPC) and needs root; the limit (RLIMIT_FSIZE, EFBIG) can be set on any process of one's own, at any time.
"""

import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SIZE = "512m"
_BALLAST_BYTES = 1 << 20
_FILE_BYTES_MAX = 4_096


@dataclass(slots=True)
class Disk:
    """A folder for a node's data, on a small file system if that can be had."""

    folder: Path
    mounted: bool = False

    def mount(self) -> None:
        """Make it."""
        self.folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "parley-faults", str(self.folder)]
        self.mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0

    def unmount(self) -> None:
        """Take it away."""
        if self.mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
            self.mounted = False

    @property
    def means(self) -> str:
        """How it is filled."""
        return f"tmpfs of {_SIZE}" if self.mounted else "RLIMIT_FSIZE"

    def fill(self, pid: int) -> None:
        """Leave no room for what the process with this id wants to write."""
        if not self.mounted:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (_FILE_BYTES_MAX, _FILE_BYTES_MAX))
            return
        piece = b"\0" * _BALLAST_BYTES
        with self._ballast.open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(piece)
            except OSError:
                return

    def free(self) -> None:
        """Make room again; a process that was limited has to be started anew."""
        if self.mounted:
            self._ballast.unlink()

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

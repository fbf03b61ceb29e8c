"""Processes that Parley starts: how they are started, watched and ended."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streams import guard

_STOP_S: Final = guard.GRACE_S + 5
_LOG_BYTES_MAX: Final = 4 << 20


class NotStarted(Exception):  # noqa: N818 - says what became of the process
    """A process did not come up at all; `why` ends the sentence, with the reason or where to look for it."""

    def __init__(self, why: str, what: str = "The process") -> None:
        super().__init__(f"{what} did not start{why}")
        self.why = why


@dataclass(frozen=True, slots=True)
class Started:
    """A process: its own id, and the process to wait for (itself, or the guard that ends it with us)."""

    pid: int
    waited: "subprocess.Popen[bytes]"

    @property
    def exit_code(self) -> int | None:
        """None while it runs, else how it ended (128 + n for signal n)."""
        code = self.waited.poll()
        return 128 - code if code is not None and code < 0 else code

    def stop(self) -> int | None:
        """End it cleanly, or by force after some seconds; return how it ended."""
        if self.waited.stdin is None:
            self.waited.terminate()
        else:
            with contextlib.suppress(BrokenPipeError):
                self.waited.stdin.close()  # the guard ends the process when its input ends
        try:
            self.waited.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.waited.kill()
            self.waited.wait()
        if self.waited.stdout is not None:
            self.waited.stdout.close()
        return self.exit_code


def spawn(
    command: Sequence[str],
    *,
    log: int,
    lock: int | None = None,
    guarded: bool = True,
    environment: Mapping[str, str] | None = None,
) -> Started:
    """Start a process in a session of its own, so that a Ctrl-C for us is not one for it; its output goes to `log`.

    It inherits the open file `lock`, and the environment of this process unless one is given. Guarded, it ends when
    this process does, and its log stays below some MiB. NotStarted when it, or its guard, does not come up.
    """
    inherited = () if lock is None else (lock,)
    if not guarded:
        with _starting():
            direct = subprocess.Popen(  # noqa: S603 - the command is Parley's own
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=inherited,
                start_new_session=True,
                env=environment,
            )
        return Started(direct.pid, direct)
    with _starting():
        guarding = subprocess.Popen(  # noqa: S603 - as above
            [sys.executable, "-I", "-S", guard.__file__, "-" if lock is None else str(lock), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=inherited,
            start_new_session=True,
            env=environment,
        )
    if guarding.stdout is None:
        raise AssertionError("the guard's output is a pipe")
    told = guarding.stdout.readline()
    if not told.strip().isdigit():
        guarding.kill()
        guarding.communicate()  # closes both pipes
        raise NotStarted("; its log says why.")
    return Started(int(told), guarding)


@contextlib.contextmanager
def _starting() -> Iterator[None]:
    """Turn what the system refuses (no memory, no more processes, no such program) into NotStarted."""
    try:
        yield
    except OSError as error:
        raise NotStarted(f": {error.strerror or error}.") from error


def open_log(path: Path) -> int:
    """Open a log to append to; what is beyond some MiB is put aside, replacing what was put aside before."""
    if path.exists() and path.stat().st_size > _LOG_BYTES_MAX:
        path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

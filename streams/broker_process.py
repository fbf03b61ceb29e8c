"""The Java process of the embedded broker: how it is started, watched and ended."""

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from streams import broker_guard
from streams.broker_installation import BrokerError

_STOP_S: Final = broker_guard.GRACE_S + 5


@dataclass(frozen=True, slots=True)
class KafkaProcess:
    """A running Kafka: its own process id, and the process to wait for (itself, or the guard that ends it with us)."""

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
                self.waited.stdin.close()  # the guard ends Kafka when its input ends
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


def spawn(command: list[str], *, lock: int, log: int, guarded: bool) -> KafkaProcess:
    """Start Kafka in a session of its own, so that a Ctrl-C for us is not one for it; it inherits the open file `lock`.

    Guarded, it ends when this process does; BrokerError when not even the guard comes up.
    """
    if not guarded:
        direct = subprocess.Popen(  # noqa: S603 - the command is Parley's own
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(lock,), start_new_session=True
        )
        return KafkaProcess(direct.pid, direct)
    guard = subprocess.Popen(  # noqa: S603 - as above
        [sys.executable, "-I", "-S", broker_guard.__file__, str(lock), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        pass_fds=(lock,),
        start_new_session=True,
    )
    if guard.stdout is None:
        raise AssertionError("the guard's output is a pipe")
    told = guard.stdout.readline()
    if not told.strip().isdigit():
        guard.kill()
        guard.wait()
        raise BrokerError("The broker's process did not start; its log says why.")
    return KafkaProcess(int(told), guard)

"""Stands between Parley and a process that it starts: ends that cleanly when Parley is gone, however it went.

Run by its path, with a plain Python: `guard.py LOCK COMMAND…`. It writes the process id of what it starts to standard
output and reads standard input until that ends; then it ends the process. LOCK is the number of an open file that the
process inherits, so that the lock on it lasts exactly as long as the process does, or `-` for none. The exit code is
that of the process, 128 + n for signal n.

Standard error is the log. The guard writes it for the process, and while it is the only one who does it can shorten it
without losing a line that comes meanwhile; the last that a process says is read to its end.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading

GRACE_S = 20
PR_SET_PDEATHSIG = 1
LOG_BYTES_MAX = 8 << 20
LOG_BYTES_KEPT = 2 << 20
LAST_WORDS_S = 2  # a child of the process may hold its output open for ever


def main(lock: int | None, command: list[str]) -> int:
    """Run a process until it ends or standard input does."""
    guarded = subprocess.Popen(  # noqa: S603 - the command is Parley's own
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=() if lock is None else (lock,),
        preexec_fn=die_with_parent,  # noqa: PLW1509 - no other thread runs yet
    )
    if guarded.stdout is None:
        raise AssertionError("the process's output is a pipe")
    if lock is not None:
        os.close(lock)  # from here on the lock belongs to the process alone
    sys.stdout.write(f"{guarded.pid}\n")
    sys.stdout.flush()
    threading.Thread(target=end_with_input, args=(guarded,), daemon=True).start()
    writing = threading.Thread(target=write_log, args=(guarded.stdout.fileno(), sys.stderr.fileno()), daemon=True)
    writing.start()
    code = guarded.wait()
    writing.join(LAST_WORDS_S)
    return code


def write_log(said: int, log: int) -> None:
    """Write all that the process says to the log, and keep the log short."""
    while chunk := os.read(said, 1 << 16):
        with contextlib.suppress(OSError):  # the disk is full: the process goes on without a log
            write(log, chunk)
            shorten(log)


def write(log: int, data: bytes) -> None:
    """Write all of it."""
    while data:
        data = data[os.write(log, data) :]


def shorten(log: int) -> None:
    """Leave the last lines of a log that has become too long."""
    size = os.fstat(log).st_size
    if size > LOG_BYTES_MAX:
        _, _, kept = os.pread(log, LOG_BYTES_KEPT, size - LOG_BYTES_KEPT).partition(b"\n")
        os.ftruncate(log, 0)
        write(log, kept)


def end_with_input(guarded: "subprocess.Popen[bytes]") -> None:
    """Wait for the end of standard input, then end the process: kindly first, then not."""
    while os.read(0, 4096):  # not sys.stdin: its lock would be held when this process ends
        pass
    guarded.terminate()
    try:
        guarded.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        guarded.kill()


def die_with_parent() -> None:
    """Have the kernel end the process if its parent is killed itself (Linux; elsewhere nothing can)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    code = main(None if sys.argv[1] == "-" else int(sys.argv[1]), sys.argv[2:])
    sys.exit(code if code >= 0 else 128 - code)

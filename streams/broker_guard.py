"""Stands between Parley and Kafka: ends Kafka cleanly when whoever started it is gone, however it went.

Run by its path, with a plain Python: `broker_guard.py LOCK COMMAND…`. It writes Kafka's process id to standard output
and reads standard input until that ends; then it ends Kafka. LOCK is the number of an open file that Kafka inherits, so
that the lock on it lasts exactly as long as Kafka does. The exit code is Kafka's.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading

GRACE_S = 20
PR_SET_PDEATHSIG = 1


def main(lock: int, command: list[str]) -> int:
    """Run Kafka until it ends or standard input does."""
    kafka = subprocess.Popen(  # noqa: S603 - the command is Parley's own
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=sys.stderr,
        pass_fds=(lock,),
        preexec_fn=die_with_guard,  # noqa: PLW1509 - no other thread runs yet
    )
    os.close(lock)  # from here on the lock is Kafka's alone
    sys.stdout.write(f"{kafka.pid}\n")
    sys.stdout.flush()
    threading.Thread(target=end_with_input, args=(kafka,), daemon=True).start()
    return kafka.wait()


def end_with_input(kafka: "subprocess.Popen[bytes]") -> None:
    """Wait for the end of standard input, then end Kafka: kindly first, then not."""
    while os.read(0, 4096):  # not sys.stdin: its lock would be held when this process ends
        pass
    kafka.terminate()
    try:
        kafka.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        kafka.kill()


def die_with_guard() -> None:
    """Have the kernel end Kafka if this process is killed itself (Linux; elsewhere nothing can)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    code = main(int(sys.argv[1]), sys.argv[2:])
    sys.exit(code if code >= 0 else 128 - code)

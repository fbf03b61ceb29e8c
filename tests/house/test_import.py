"""Nothing happens on import: no file is written, no address looked up, no process or thread started."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, ROOT, paths

DEEDS = """
import os, sys, threading
root, *modules = sys.argv[1:]
deeds = {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen",
         "os.system", "os.fork", "os.exec", "os.mkdir", "os.remove", "os.rename", "os.rmdir"}

def is_deed(event, arguments):
    flags = arguments[2] if event == "open" else 0
    return event in deeds or isinstance(flags, int) and flags & (os.O_RDWR | os.O_WRONLY)

def is_ours(path):
    # a virtual environment may lie inside the tree
    return path.startswith(root) and not path.startswith(sys.prefix)

def culprit(frame):
    # what a library does when it is imported itself is not ours
    while frame is not None and not (is_ours(path := frame.f_code.co_filename) or path.startswith("<frozen importlib")):
        frame = frame.f_back
    return frame if frame is not None and is_ours(frame.f_code.co_filename) else None

def hear(event, arguments):
    if is_deed(event, arguments) and (frame := culprit(sys._getframe(1))) is not None:
        print(f"{frame.f_code.co_filename}:{frame.f_lineno}: {event} {arguments[:1]}", flush=True)
        os._exit(1)

sys.addaudithook(hear)
sys.path.insert(0, root)
for name in modules:
    __import__(name)
    if len(threading.enumerate()) > 1:
        print(f"{name}: thread {threading.enumerate()[1:]}", flush=True)
        os._exit(1)
"""


def imported(root: Path, *modules: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", "-c", DEEDS, str(root), *modules], check=False, capture_output=True, text=True, cwd=root
    )


def test_nothing_happens_on_import() -> None:
    files = [path for path in paths() if path.endswith(".py") and path.split("/")[0] in PACKAGES]
    modules = [path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in files]
    done = imported(ROOT, *(name for name in modules if not name.endswith(".__main__")))
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("code", "caught"),
    [
        ("open('x', 'w')\n", "open"),
        ("import pathlib\npathlib.Path('x').mkdir()\n", "os.mkdir"),
        ("import subprocess\nsubprocess.run(['true'])\n", "subprocess.Popen"),
        ("import socket\nsocket.socket().bind(('127.0.0.1', 0))\n", "socket.bind"),
        ("import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n", "thread"),
    ],
)
def test_a_deed_on_import_is_caught(tmp_path: Path, code: str, caught: str) -> None:
    (tmp_path / "planted.py").write_text(code, encoding="utf-8")
    done = imported(tmp_path, "planted")
    assert (done.returncode, f": {caught} " in done.stdout) == (1, True), done.stdout + done.stderr

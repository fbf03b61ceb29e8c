"""What a stranger installs: the packages with their data, and nothing else."""

import subprocess
import sys
import zipfile
from collections.abc import Iterable

import pytest

from tests.house.tree import PACKAGES, ROOT, paths

LEFT_OUT = ("streams/demo/convert/",)  # the converter of the shipped history; its result is shipped


def belongs(path: str) -> bool:
    return path.split("/", maxsplit=1)[0] in PACKAGES and not path.startswith(LEFT_OUT)


def differences(held: Iterable[str], tree: Iterable[str]) -> tuple[list[str], list[str]]:
    own = {name for name in held if ".dist-info/" not in name}
    expected = {path for path in tree if "/" in path and belongs(path)}
    return sorted(expected - own), sorted(own - expected)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return archive.namelist()


def test_the_wheel_holds_every_file_of_the_packages_and_no_other(wheel: list[str]) -> None:
    assert differences(wheel, paths()) == ([], [])


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_says_that_its_packages_are_typed(wheel: list[str], package: str) -> None:
    assert f"{package}/py.typed" in wheel


def test_the_wheel_holds_the_shipped_history(wheel: list[str]) -> None:
    assert [name for name in wheel if name.startswith("streams/demo/") and name.endswith(".jsonl")]


def test_a_file_left_behind_and_one_too_many_are_caught() -> None:
    tree = ["README.md", "ledger/__init__.py", "streams/demo/us-china.jsonl", "streams/demo/convert/acts.py"]
    held = ["ledger/__init__.py", "tests/__init__.py", "streams/demo/convert/acts.py", "x.dist-info/METADATA"]
    assert differences(held, tree) == (
        ["streams/demo/us-china.jsonl"],
        ["streams/demo/convert/acts.py", "tests/__init__.py"],
    )

"""deploy/constraints.txt pins what pyproject.toml asks for, and the tests run on exactly these versions."""

import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import ROOT


def wanted() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(text) for text in (*project["dependencies"], *project["optional-dependencies"]["tests"])]


def pins() -> dict[str, str]:
    lines = (ROOT / "deploy/constraints.txt").read_text(encoding="utf-8").splitlines()
    exact = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): pinned for name, pinned in exact}


def unmet(requirements: Iterable[Requirement], pinned: dict[str, str]) -> Iterator[str]:
    for requirement in requirements:
        pin = pinned.get(canonicalize_name(requirement.name))
        if pin is None or pin not in requirement.specifier:
            yield f"{requirement} is pinned to {pin}"


def strangers(pinned: dict[str, str]) -> Iterator[str]:
    for name, pin in pinned.items():
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "nothing"
        if installed != pin:
            yield f"{name} is pinned to {pin}, installed is {installed}: pip install -c deploy/constraints.txt {name}"


def test_every_dependency_is_pinned_within_its_range() -> None:
    assert list(unmet(wanted(), pins())) == []


def test_the_tests_run_on_the_pinned_versions() -> None:
    assert list(strangers(pins())) == []


def test_a_pin_outside_its_range_and_a_missing_one_are_caught() -> None:
    asked = [Requirement("rich>=14,<16"), Requirement("orjson>=3.11,<4"), Requirement("jgo>=3.2,<4")]
    assert list(unmet(asked, {"rich": "16.0.0", "jgo": "3.2.0"})) == [
        "rich<16,>=14 is pinned to 16.0.0",
        "orjson<4,>=3.11 is pinned to None",
    ]


def test_another_version_than_the_pinned_one_is_caught() -> None:
    found = list(strangers({"pytest": "1.0", "no-such-package": "2.0"}))
    assert [line.partition(":")[0] for line in found] == [
        f"pytest is pinned to 1.0, installed is {version('pytest')}",
        "no-such-package is pinned to 2.0, installed is nothing",
    ]

"""Names say what a thing is; files can be read in one sitting; text names nothing that a reader does not have."""

from pathlib import Path

import pytest

from tests.house.naming import (
    LINES_AT_MOST,
    REGISTRIES,
    foreign_places,
    links_out,
    long_files,
    missing_pages,
    packages_without_decisions,
    vague_names,
)
from tests.house.tree import ROOT, Source, listed, paths, report, sources


def test_every_module_is_named_for_what_it_holds() -> None:
    found = list(vague_names(paths()))
    assert not found, report(found)


@pytest.mark.parametrize(
    "path",
    ["ledger/utils.py", "streams/common/__init__.py", "schemas/base_event.py", "tests/helpers.py", "streams/data/x.py"],
)
def test_a_vague_name_is_caught(path: str) -> None:
    assert [offence.path for offence in vague_names(["ledger/timeline.py", path])] == [path]


def test_no_file_is_too_long() -> None:
    found = list(long_files(sources(suffix=".py")))
    assert not found, report(found)


def test_a_line_too_many_is_caught() -> None:
    just_right, too_long = (Source(f"ledger/{n}.py", "x = 1\n" * n) for n in (LINES_AT_MOST, LINES_AT_MOST + 1))
    assert [offence.path for offence in long_files([just_right, too_long])] == [too_long.path]


def test_no_file_names_a_registry_or_one_machine() -> None:
    found = list(foreign_places(sources()))
    assert not found, report(found)


@pytest.mark.parametrize(
    "place",
    [*(f"https://{host}/simple" for host in REGISTRIES), *(f"/{top}/parley" for top in ("root", "work", "home"))],
)
def test_a_registry_or_a_path_of_one_machine_is_caught(place: str) -> None:
    assert [offence.line for offence in foreign_places([Source("README.md", f"Install\nfrom {place}\n")])] == [2]


@pytest.mark.parametrize("text", ["streams/work/x", "https://example.org/home/index", "~/work/parley"])
def test_a_path_below_another_is_no_path_of_one_machine(text: str) -> None:
    assert list(foreign_places([Source("README.md", text)])) == []


def test_no_link_leads_out_of_the_tree() -> None:
    found = list(links_out(ROOT, listed()))
    assert not found, report(found)


def test_a_link_out_of_the_tree_is_caught(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "inside").symlink_to(tree / "page")
    (tree / "environment").symlink_to(tmp_path / "elsewhere")
    assert [offence.path for offence in links_out(tree, ["inside", "environment"])] == ["environment"]


def test_every_page_that_is_named_is_in_the_tree() -> None:
    here = paths()
    found = list(missing_pages((*sources(suffix=".md"), *sources(suffix=".py"), *sources(suffix=".toml")), here))
    assert not found, report(found)


def test_a_page_that_is_not_in_the_tree_is_caught() -> None:
    gone = "a-page-gone" + ".md"
    text = f"See README.md and ledger/decisions.md.\nSee [there](../{gone}).\n"
    found = missing_pages([Source("streams/decisions.md", text)], ["README.md", "ledger/decisions.md"])
    assert [(offence.line, offence.what) for offence in found] == [(2, f"../{gone}")]


def test_every_package_says_why_it_is_as_it_is() -> None:
    found = list(packages_without_decisions(paths()))
    assert not found, report(found)


def test_a_package_without_decisions_is_caught() -> None:
    tree = ["ledger/__init__.py", "ledger/decisions.md", "streams/__init__.py", "streams/doors/__init__.py"]
    assert [offence.path for offence in packages_without_decisions(tree)] == ["streams/decisions.md"]

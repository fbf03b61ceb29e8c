"""One word per idea: the README explains words that the code uses."""

from tests.house.glossary import names, rows, wrong_rows
from tests.house.tree import PACKAGES, ROOT, Source, paths, report, sources

PAGE = """\
## Glossary

| word | meaning |
|---|---|
| event | a fact, `Event`, in `parley.events.v1` |
| cut | a position, `ledger.cut.Cut` |
| rumour | `Gossip` |
| state | what a fold holds |

## Limits

| not | `a glossary` |
"""


def known() -> frozenset[str]:
    return names(sources(*PACKAGES, suffix=".py"), paths())


def test_the_readme_explains_words_that_the_code_uses() -> None:
    page = Source("README.md", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert list(rows(page.text)), "README.md has no table below `## Glossary`"
    found = list(wrong_rows(page, known()))
    assert not found, report(found)


def test_a_word_that_the_code_does_not_know_is_caught() -> None:
    code = [
        Source("ledger/cut.py", "class Cut:\n    pass\n"),
        Source("schemas/events.py", "class Event:\n    topic = 'parley.events.v1'\n"),
    ]
    found = wrong_rows(Source("README.md", PAGE), names(code, []))
    assert [(offence.line, offence.what) for offence in found] == [
        (7, "`Gossip` is not in the code"),
        (8, "state names nothing"),
    ]


def test_the_words_of_a_real_class_are_known() -> None:
    assert {"schemas.events", "ClockStruck", "schemas.events.ClockStruck", "schemas/events.py"} <= known()

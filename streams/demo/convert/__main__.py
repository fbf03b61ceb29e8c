"""`python -m streams.demo.convert CORPUS_DIR`: writes the shipped history again."""

import argparse
from pathlib import Path

from streams.demo.convert.corpus import read
from streams.demo.convert.history import history

SHIPPED = Path(__file__).resolve().parent.parent / "us_china.jsonl"


def main() -> None:
    """Read the corpus and write the history."""
    parser = argparse.ArgumentParser(
        prog="python -m streams.demo.convert",
        description="Convert the corpus of acts and claims into the shipped history.",
        epilog="Example: python -m streams.demo.convert ../corpus",
    )
    parser.add_argument("corpus", type=Path, metavar="CORPUS_DIR", help="holds acts.jsonl and claims.jsonl")
    parser.add_argument("--output", type=Path, default=SHIPPED, metavar="FILE", help="default: the shipped file")
    asked = parser.parse_args()
    asked.output.write_bytes(history(read(asked.corpus)))


if __name__ == "__main__":
    main()

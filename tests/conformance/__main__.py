"""``make conformance``: every outside judge on every representation through every door, with broken twins."""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from rich.console import Console

from tests.conformance.court import Court, Judged
from tests.conformance.matrix import Row, rows
from tests.conformance.report import WIDTH, document, heading, lines, summary
from tests.conformance.samples import SAMPLES
from tests.judges.required import in_ci

RECORD = Path(__file__).parents[2] / ".conformance" / "matrix.json"


def main() -> int:
    """The exit code: 1 where a row failed, or with CI=true was not run."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("words", nargs="*", help="only rows that have all these words, such as: NIfTI HTTP")
    chosen = [row for row in rows() if all(word.lower() in str(row).lower() for word in parser.parse_args().words)]
    if not chosen:
        parser.error("no row has all these words")
    warnings.simplefilter("ignore")  # of judges; the suite takes its own for errors
    # Lines are as wide as they are: cut by a narrow terminal they could not be searched.
    console = Console(highlight=False, soft_wrap=True, width=max(WIDTH, Console().width))
    console.print(heading())
    start = perf_counter()
    matrix = list(_judged(console, chosen))
    console.print()
    console.print(summary(matrix, perf_counter() - start))
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps(document(matrix), indent=1), encoding="utf-8")
    console.print(f"What each twin was rejected for is in {RECORD.parent.name}/{RECORD.name}.")
    return int(any(map(is_bad, matrix)))


def _judged(console: Console, chosen: list[Row]) -> Iterator[Judged]:
    with TemporaryDirectory(prefix="conformance-") as folder:
        court = Court(Path(folder, "samples"), SAMPLES)
        try:
            for row, before in zip(chosen, [None, *chosen], strict=False):
                with console.status(str(row)):
                    judged = court.judged(row)
                for line in lines(judged, repeated=before is not None and before.representation == row.representation):
                    console.print(line)
                yield judged
        finally:
            court.close()


def is_bad(judged: Judged) -> bool:
    """Whether the row is a failure of the whole."""
    if judged.verdict == "NOT RUN":
        return in_ci() and not judged.row.optional
    return judged.verdict == "FAIL"


if __name__ == "__main__":
    sys.exit(main())

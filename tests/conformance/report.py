"""The matrix as lines of text, and as a JSON document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from rich.text import Text

from tests.conformance.court import Judged, Outcome
from tests.judges.pixels import Seen

COLOURS = {"PASS": "green", "FAIL": "bold red", "NOT RUN": "bold yellow"}
WIDTHS = (16, 6, 21, 8, 44, 8, 8)
HEADINGS = ("Representation", "Door", "Judge", "Verdict", "Saw", "Twins", "Time")
WIDTH = sum(WIDTHS) + len(WIDTHS) - 1


def heading() -> Text:
    return Text(_columns(HEADINGS), "bold")


def lines(judged: Judged, *, repeated: bool = False) -> Iterator[Text]:
    """The line of a row, and one for each thing that went wrong in it; a repeated name stands back."""
    twins = [outcome for outcome in judged.outcomes if outcome.twin]
    noticed = sum(outcome.verdict == "PASS" for outcome in twins)
    row = judged.row
    line = Text(
        _columns(
            (
                row.representation.name,
                row.door.name,
                row.judge.name,
                judged.verdict,
                saw(judged.outcomes),
                f"{noticed}/{len(twins)}" if twins else "",
                f"{judged.seconds:.1f} s",
            )
        )
    )
    line.stylize("dim" if repeated else "bold", 0, WIDTHS[0])
    start = sum(WIDTHS[:3]) + 3
    line.stylize(COLOURS[judged.verdict], start, start + len(judged.verdict))
    yield line
    for outcome in judged.outcomes:
        if outcome.verdict != "PASS":
            yield Text(f"    {'  '.join(filter(None, (_what(outcome), outcome.reason)))}", COLOURS[outcome.verdict])
    if not judged.outcomes:
        yield Text("    no sample can be served so", COLOURS["FAIL"])


def _what(outcome: Outcome) -> str:
    return f"{outcome.sample}, broken by: {outcome.twin}" if outcome.twin else outcome.sample


def _columns(cells: Iterable[str]) -> str:
    *texts, twins, time = (cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True))
    return " ".join([*texts, twins.strip().rjust(WIDTHS[-2]), time.strip().rjust(WIDTHS[-1])])


def saw(outcomes: list[Outcome]) -> str:
    """How much of how many images was right."""
    right = [outcome.seen for outcome in outcomes if outcome.twin is None and outcome.verdict == "PASS"]
    total = sum(right, Counter[str]())
    return f"{counted(len(right), 'images')}: {spoken(total)}" if right else "nothing"


def spoken(seen: Seen) -> str:
    return ", ".join(counted(number, word) for word, number in seen.items())


def counted(number: int, words: str) -> str:
    """Such as ``1 level`` and ``9.7 M pixels``."""
    if number >= 1_000_000:
        return f"{number / 1_000_000:.1f} M {words}"
    return f"{number} {words.removesuffix('s') if number == 1 else words}"


def summary(matrix: list[Judged], seconds: float) -> Text:
    """How many rows had which verdict, and what they rest on."""
    verdicts = Counter[str](judged.verdict for judged in matrix)
    outcomes = [outcome for judged in matrix for outcome in judged.outcomes]
    good = sum(outcome.twin is None and outcome.verdict == "PASS" for outcome in outcomes)
    noticed = sum(outcome.twin is not None and outcome.verdict == "PASS" for outcome in outcomes)
    worst = next((verdict for verdict in ("FAIL", "NOT RUN") if verdicts[verdict]), "PASS")
    told = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in COLOURS if verdicts[verdict])
    return Text(
        f"{counted(len(matrix), 'rows')}: {told}. {counted(good, 'looks')} at what is served, "
        f"{counted(noticed, 'broken twins')} rejected, in {seconds:.0f} s.",
        COLOURS[worst],
    )


def document(matrix: list[Judged]) -> list[dict[str, Any]]:
    """Everything, with what each twin was rejected for."""
    return [
        {
            "representation": judged.row.representation.name,
            "door": judged.row.door.name,
            "judge": judged.row.judge.name,
            "verdict": judged.verdict,
            "seconds": round(judged.seconds, 2),
            "looks": [outcome._asdict() for outcome in judged.outcomes],
        }
        for judged in matrix
    ]

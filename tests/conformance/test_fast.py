"""The fast half of the matrix: the same records on the small samples; ``make conformance`` runs all of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.court import Court
from tests.conformance.matrix import Row, rows
from tests.conformance.samples import SAMPLES
from tests.judges.required import required

pytestmark = [
    pytest.mark.judge,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # judges' own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    quick = {name: sample for name, sample in SAMPLES.items() if not sample.slow}
    held = Court(tmp_path_factory.mktemp("conformance") / "samples", quick)
    yield held
    held.close()


CASES = [pytest.param(row, id=str(row), marks=[pytest.mark.slow] if row.judge.slow else []) for row in rows()]


@pytest.mark.parametrize("row", CASES)
def test_the_judge_takes_what_is_served_and_no_broken_twin(row: Row, court: Court) -> None:
    required(None if row.optional else row.missing)
    judged = court.judged(row)
    assert [outcome for outcome in judged.outcomes if outcome.verdict == "FAIL"] == []
    assert judged.verdict != "FAIL", "no sample can be served so"

"""The court itself: a judge that accepts a broken twin, or refuses what is right, is found out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conformance.__main__ import is_bad
from tests.conformance.court import Court, Judged
from tests.conformance.doors import FILES
from tests.conformance.matrix import JUDGES, REPRESENTATIONS, ROOMS, Row, rows
from tests.conformance.nifti import REPRESENTATIONS as NIFTI
from tests.conformance.records import Judge, Sample, Served, Twin
from tests.conformance.report import lines, summary
from tests.conformance.samples import SAMPLES
from tests.conformance.twins import changed, packed
from tests.judges.pixels import Rejected, Seen, same

OTHER_PIXELS = packed("other pixels", r"\.nii$", 500, "<Q", 0x7766554433221100)
UNTOUCHED = changed("untouched", r"\.nii$", lambda data: data)
IMPOSSIBLE = changed("impossible", r"\.nii$", lambda data: bytes(data[10**12]))


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    held = Court(tmp_path_factory.mktemp("court") / "samples", {"volume.nii": SAMPLES["volume.nii"]})
    yield held
    held.close()


def row(look: Callable[[Served], Seen], *twins: Twin, **changes: object) -> Row:
    judge = Judge(name="mine", representations=("NIfTI",), doors=("files",), look=look, twins=twins, **changes)  # type: ignore[arg-type]
    return Row(NIFTI[0], FILES, judge)


def careful(served: Served) -> Seen:
    data = np.frombuffer(Path(served.where).read_bytes(), np.int16, offset=352)
    return Counter(pixels=same(data, served.image[...].ravel(), "the file"))


def blind(served: Served) -> Seen:
    return Counter(pixels=1)


def stubborn(served: Served) -> Seen:
    raise Rejected("never right")


def reasons(judged: Judged) -> list[str]:
    return [outcome.reason for outcome in judged.outcomes if outcome.verdict == "FAIL"]


def shown(judged: Judged) -> str:
    return "\n".join(line.plain for line in lines(judged))


def test_a_careful_judge_passes(court: Court) -> None:
    judged = court.judged(row(careful, OTHER_PIXELS))
    assert judged.verdict == "PASS"
    assert [outcome.verdict for outcome in judged.outcomes] == ["PASS", "PASS"]
    assert "1 image: 398259 pixels" in shown(judged)
    assert "1/1" in shown(judged)
    assert not is_bad(judged)


def test_a_judge_that_accepts_a_broken_twin_fails(court: Court) -> None:
    judged = court.judged(row(blind, OTHER_PIXELS))
    assert (judged.verdict, reasons(judged)) == ("FAIL", ["the broken twin was accepted"])
    assert "volume.nii, broken by: other pixels  the broken twin was accepted" in shown(judged)
    assert is_bad(judged)


def test_a_judge_that_refuses_what_is_right_fails(court: Court) -> None:
    judged = court.judged(row(stubborn, OTHER_PIXELS))
    assert (judged.verdict, reasons(judged)) == ("FAIL", ["never right"])


@pytest.mark.parametrize("twin", [UNTOUCHED, IMPOSSIBLE])
def test_a_twin_that_is_not_broken_proves_nothing(court: Court, twin: Twin) -> None:
    judged = court.judged(row(stubborn, twin))
    assert len(reasons(judged)) == 2
    assert "twin" in reasons(judged)[1]


def test_a_row_without_a_sample_fails(court: Court) -> None:
    judged = court.judged(row(careful, takes=lambda image: False))
    assert judged.verdict == "FAIL"
    assert "no sample" in shown(judged)


def test_a_missing_judge_is_a_failure_in_ci_alone(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = court.judged(row(careful, missing=lambda: "install it"))
    optional = court.judged(row(careful, missing=lambda: "install it", optional=True))
    assert judged.verdict == "NOT RUN"
    assert "install it" in shown(judged)
    assert "1 row: 1 NOT RUN" in summary([judged], 1.0).plain
    monkeypatch.setenv("CI", "true")
    assert is_bad(judged)
    assert not is_bad(optional)
    monkeypatch.delenv("CI")
    assert not is_bad(judged)


def test_a_sample_that_is_read_otherwise_than_written_is_no_sample(tmp_path: Path) -> None:
    def make(path: Path) -> object:
        return SAMPLES["volume.nii"].make(path)[::-1]

    with pytest.raises(AssertionError, match="not read as it was written"):
        Court(tmp_path / "samples", {"volume.nii": Sample(name="volume.nii", make=make)})  # type: ignore[arg-type]


def test_every_representation_has_a_judge_through_a_door_and_every_judge_a_twin() -> None:
    assert {each.representation.name for each in rows()} == set(REPRESENTATIONS)
    assert {each.judge for each in rows()} == set(JUDGES)
    assert all(judge.twins for judge in JUDGES)


def test_every_layout_is_represented() -> None:
    """A new layout comes with a judge: a module of its own, one name in ``ROOMS``."""
    from diascope.registry import registry

    assert {each.layout for room in ROOMS for each in room.REPRESENTATIONS} == set(registry("layouts"))

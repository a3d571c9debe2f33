"""Readers that crash, hang, bloat and lie: the file is refused with the reason, and nothing else happens."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np
import pytest

from diascope.catalogue.opening import opened_file
from diascope.errors import DiascopeError, Quarantined, Unreadable
from diascope.image.region import Region, whole
from tests.isolation.misbehaving import DESCRIBED, LIES, SHAPE, pixels, written

MEMORY = 300 << 20

GRIEF = {
    "segfault": "crashed with SIGSEGV",
    "abort": "crashed with SIGABRT",
    "kill": "crashed with SIGKILL",
    "exit": "ended with the status 3",
    "hang": "took longer than 3 s",
    "drip": "took longer than 3 s",
    "bloat shared": "needed more memory than 300 MiB",
    "garbage": "does not speak as agreed",
    "deep": "does not speak as agreed",
    "huge": "does not speak as agreed",
    "strange question": "does not speak as agreed",
    "leave child": "crashed with SIGSEGV",
    "hang up": "ended with the status 1",
}


def check_good(folder: Path, seed: int = 3) -> None:
    image = opened_file(written(folder / f"good{seed}.mis", seed)).images["it"]
    assert np.array_equal(image[:], pixels(seed, whole(SHAPE)))


@pytest.mark.parametrize(
    ("how", "when"), [*((how, "read") for how in GRIEF), *((how, "open") for how in ("segfault", "hang", "garbage"))]
)
def test_grief_is_told_and_not_repeated(how, when, workers, tmp_path) -> None:
    pool = workers(seconds=3.0 if "longer" in GRIEF[how] else 20.0, memory=MEMORY, workers=1)
    plan: dict[str, Any] = {when: how}
    bad = written(tmp_path / "bad.mis", **plan)

    def look():
        image = opened_file(bad).images["it"]
        image[0, 0, 0]

    check_good(tmp_path)
    with pytest.raises(Quarantined, match=GRIEF[how]) as told:
        look()
    assert "bad.mis" in str(told.value)
    started = len(pool.seen)
    for _ in range(3):
        with pytest.raises(Quarantined, match=f"{GRIEF[how]}.*left alone for"):
            look()
    assert len(pool.seen) == started, "a file that is left alone costs no further process"
    check_good(tmp_path)
    check_good(tmp_path, 4)


@pytest.mark.parametrize("when", ["open", "read"])
def test_memory_that_is_refused_is_told_by_the_reader(when, workers, tmp_path) -> None:
    pool = workers(memory=MEMORY, workers=1)
    plan: dict[str, Any] = {when: "bloat"}
    bad = written(tmp_path / "bad.mis", **plan)
    with pytest.raises(Unreadable, match="more memory"):
        opened_file(bad).images["it"][:]
    check_good(tmp_path)
    assert len(pool.seen) == 1


def test_a_listing_may_crash(workers, tmp_path) -> None:
    workers()
    images = opened_file(written(tmp_path / "bad.mis", many="1000", list="segfault")).images
    assert "999" in images
    assert "1000" not in images
    assert images["17"].name == "17"
    with pytest.raises(Quarantined, match="SIGSEGV"):
        list(images)


@pytest.mark.parametrize("lie", [*LIES, *DESCRIBED])
def test_lies_are_refused(lie, workers, tmp_path) -> None:
    workers()
    check_good(tmp_path)
    with pytest.raises(Unreadable, match=r"bad\.mis"):
        opened_file(written(tmp_path / "bad.mis", lie=lie)).images["it"][:]
    check_good(tmp_path)


@pytest.mark.parametrize("name", ["", "..", "a/../b", "/etc", "a//b", "nul\0"])
def test_names_lead_nowhere(name, workers, tmp_path) -> None:
    workers()
    with pytest.raises(Unreadable, match=r"bad\.mis.*no name|at least 1"):
        opened_file(written(tmp_path / "bad.mis", name=name))


def test_who_is_retried_was_not_to_blame(workers, tmp_path) -> None:
    """A worker that dies once, for whatever reason, is replaced before anybody sees it."""
    pool = workers(workers=1)
    for k, how in enumerate(["segfault", "garbage", "hang up", "kill"]):
        path = written(tmp_path / f"{k}.mis", k, read=how, once=str(tmp_path / f"once{k}"))
        image = opened_file(path).images["it"]
        assert np.array_equal(image[:], pixels(k, whole(SHAPE)))
    assert len(pool.seen) == 5


@pytest.mark.parametrize("how", ["chatter", "shrink", "ask later"])
def test_harmless(how, workers, tmp_path) -> None:
    """Printing fills no pipe, the memory of pixels cannot be made smaller, and threads may live on."""
    pool = workers(workers=1)
    odd = opened_file(written(tmp_path / "odd.mis", 5, read=how))
    try:
        assert np.array_equal(odd.images["it"][:], pixels(5, whole(SHAPE)))
    except DiascopeError:
        assert how == "shrink"
    check_good(tmp_path)
    assert len(pool.seen) == 1


def test_children_of_a_worker_go_with_it(workers, tmp_path) -> None:
    workers()
    with pytest.raises(Quarantined):
        opened_file(written(tmp_path / "bad.mis", open="leave child"))
    deadline = time.monotonic() + 10
    while _sleeping() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _sleeping()


def _sleeping() -> list[Path]:
    return [each for each in Path("/proc").glob("[0-9]*/cmdline") if _command(each) == b"sleep\x001234567\x00"]


def _command(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_quarantine_ends_with_time(workers, tmp_path) -> None:
    workers(quarantine=0.5)
    once = tmp_path / "once"
    bad = written(tmp_path / "bad.mis", read="exit")
    with pytest.raises(Quarantined):
        opened_file(bad).images["it"][:]
    with pytest.raises(Quarantined):
        opened_file(bad)
    time.sleep(0.6)
    assert opened_file(bad).images["it"].shape == SHAPE
    assert not once.exists()


def test_quarantine_ends_with_a_change(workers, tmp_path) -> None:
    workers()
    with pytest.raises(Quarantined):
        opened_file(written(tmp_path / "bad.mis", open="segfault"))
    with pytest.raises(Quarantined):
        opened_file(tmp_path / "bad.mis")
    image = opened_file(written(tmp_path / "bad.mis", 77)).images["it"]
    assert np.array_equal(image[:], pixels(77, whole(SHAPE)))


def test_an_image_of_which_a_part_crashes_is_left_alone_as_a_whole(workers, tmp_path) -> None:
    workers()
    dataset = opened_file(written(tmp_path / "bad.mis", read="segfault"))
    for _ in range(2):
        with pytest.raises(Quarantined, match=r"bad\.mis.*SIGSEGV"):
            dataset.images["other"].levels[0].read(Region((0, 0, 0), (1, 1, 1)))


def test_temporary_files_go_with_the_worker(workers, tmp_path) -> None:
    pool = workers()
    extra = opened_file(written(tmp_path / "it.mis", tell="all")).images["it"].metadata.extra
    folder = Path(extra["folder"])
    assert folder.is_dir()
    assert folder.parent == Path(gettempdir())
    pool.close()
    assert not folder.exists()


def test_a_worker_is_told_no_secrets(workers, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setenv("DIASCOPE_S3_KEYS__A", "hidden")
    workers()
    extra = opened_file(written(tmp_path / "it.mis", tell="all")).images["it"].metadata.extra
    assert "hidden" not in str(extra["environment"])
    assert "PATH" in extra["environment"]

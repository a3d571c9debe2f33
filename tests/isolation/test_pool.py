"""Workers while many threads ask, when they are killed, and when the process that has them ends."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, RLock, Semaphore, Thread
from time import sleep

import numpy as np
import pytest

from diascope.errors import Overloaded, Quarantined, Unavailable
from diascope.image.image import Image
from diascope.image.region import Region, whole
from diascope.isolation.folder import Folder, sweep
from diascope.isolation.isolated import isolated
from diascope.isolation.limits import Limits, limits
from diascope.isolation.pool import Pool
from diascope.isolation.turns import Turns
from diascope.settings import Settings
from diascope.stores.local import LocalStore
from tests.isolation.misbehaving import SHAPE, pixels, source, written

THREADS = 16
READS = 800


def image_of(path: Path) -> Image:
    return isolated(source, LocalStore(path.parent), path.name, str(path.parent)).images["it"]


def read_at_random(images: list[Image], seed: int, reads: int) -> int:
    """How many reads gave the right pixels; whatever else comes must be an error of the worker's."""
    chance = random.Random(seed)  # noqa: S311
    right = 0
    for _ in range(reads):
        k = chance.randrange(len(images))
        ends = [sorted(chance.sample(range(size + 1), 2)) for size in SHAPE]
        region = Region(tuple(low for low, _ in ends), tuple(high for _, high in ends))
        try:
            read = images[k].levels[0].read(region)
        except (Quarantined, Unavailable):
            continue
        assert np.array_equal(read, pixels(k, region)), (k, region)
        right += 1
    return right


def test_sixteen_threads_while_workers_are_killed(workers, tmp_path) -> None:
    """Never a wrong pixel; hardly a read fails, because it is tried again elsewhere."""
    pool = workers(workers=2, datasets=3, quarantine=0.1)
    images = [image_of(written(tmp_path / f"{k}.mis", k)) for k in range(5)]
    done = Event()
    killed = []

    def kill() -> None:
        chance = random.Random(0)  # noqa: S311
        while not done.wait(0.05 + 0.2 * chance.random()):
            # On a busy machine a worker that has just been started would never come to read.
            served = [process for process in list(pool._processes) if process.has_served]
            for process in served[: chance.randint(1, 2)]:
                os.kill(process.pid, signal.SIGKILL)
                killed.append(process.pid)

    killer = Thread(target=kill)
    killer.start()
    try:
        with ThreadPoolExecutor(THREADS) as threads:
            counts = list(threads.map(lambda k: read_at_random(images, k, READS // THREADS), range(THREADS)))
    finally:
        done.set()
        killer.join()
    assert killed
    assert sum(counts) > READS // 2


def test_one_bad_file_takes_nobody_with_it(workers, tmp_path) -> None:
    """Every read of the good files is right, while others crash the workers that they share."""
    workers(workers=2, quarantine=0.0)
    images = [image_of(written(tmp_path / f"{k}.mis", k)) for k in range(3)]
    bad = [image_of(written(tmp_path / f"bad{k}.mis", read=how)) for k, how in enumerate(["segfault", "garbage"])]
    griefs = []

    def grieve(image: Image) -> None:
        for _ in range(4):
            with pytest.raises(Quarantined) as told:
                image.levels[0].read(whole(SHAPE))
            griefs.append(told)

    with ThreadPoolExecutor(8) as threads:
        bad_ones = [threads.submit(grieve, image) for image in bad]
        good_ones = [threads.submit(read_at_random, images, k, 60) for k in range(6)]
        assert [each.result() for each in good_ones] == [60] * 6
        for each in bad_ones:
            each.result()
    assert len(griefs) == 8


def test_workers_work_side_by_side(workers, tmp_path) -> None:
    pool = workers(workers=4)
    levels = [image_of(written(tmp_path / f"{k}.mis", k, read="sleep")).levels[0] for k in range(4)]
    one = Region((0, 0, 0), (1, 1, 1))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda level: level.read(one), levels))
        assert len(pool.seen) == 4
        start = time.monotonic()
        list(threads.map(lambda level: level.read(one), levels))
        assert time.monotonic() - start < 4 * 0.4


def test_who_waits_for_long_is_told_to_come_back(workers, tmp_path) -> None:
    pool = workers(workers=1, seconds=1.5)
    slow, other = (image_of(written(tmp_path / f"{k}.mis", k, read=how)) for k, how in enumerate(["hang", "sleep"]))
    with ThreadPoolExecutor(2) as threads:
        busy = threads.submit(slow.levels[0].read, whole(SHAPE))
        time.sleep(0.2)
        pool.limits = Limits(workers=1, seconds=0.3)
        with pytest.raises(Overloaded, match=r"free for 0\.3 s"):
            other.levels[0].read(whole(SHAPE))
        pool.limits = Limits(workers=1, seconds=1.5, waiting=0)
        with pytest.raises(Overloaded, match="wait"):
            other.levels[0].read(whole(SHAPE))
        with pytest.raises(Quarantined):
            busy.result()


def test_that_none_can_be_started_is_told(workers, tmp_path, monkeypatch) -> None:
    workers()
    monkeypatch.setattr(subprocess, "Popen", refused)
    with pytest.raises(Unavailable, match="no process that reads can be started"):
        image_of(written(tmp_path / "it.mis"))
    monkeypatch.undo()


def test_that_none_begins_is_told(workers, tmp_path, monkeypatch) -> None:
    pool = workers()
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Unavailable, match="ended at once"):
        image_of(written(tmp_path / "it.mis"))
    assert not pool._processes


def refused(*_arguments, **_more) -> None:
    raise BlockingIOError(11, "Resource temporarily unavailable")


def test_limits_are_those_of_the_settings(workers, tmp_path) -> None:
    pool = workers(workers=1)
    image = image_of(written(tmp_path / "it.mis", 3))
    told = limits(Settings(reader_processes=2, reader_seconds=5, reader_memory=1 << 30, quarantine_seconds=7))
    assert (told.workers, told.seconds, told.memory, told.quarantine) == (2, 5.0, 1 << 30, 7.0)
    assert limits(Settings()) == Limits()
    pool.limit(told)
    assert np.array_equal(image.levels[0].read(whole(SHAPE)), pixels(3, whole(SHAPE)))
    (process,) = pool._processes
    assert process.limits == told
    status = Path(f"/proc/{process.pid}/limits").read_text()
    assert f"{(1 << 30) // 8 * 7}" in next(line for line in status.splitlines() if line.startswith("Max data size"))
    core = next(line for line in status.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    assert "NoNewPrivs:\t1" in Path(f"/proc/{process.pid}/status").read_text()


def test_workers_rest(workers, tmp_path, monkeypatch) -> None:
    pool = workers()
    image = image_of(written(tmp_path / "it.mis", 3))
    monkeypatch.setattr("diascope.isolation.pool.IDLE", 0.0)
    pool._rested()
    assert not pool._processes
    assert np.array_equal(image.levels[0].read(whole(SHAPE)), pixels(3, whole(SHAPE)))


def test_a_child_that_is_forked_has_workers_of_its_own(workers, tmp_path) -> None:
    workers(workers=1)
    level = image_of(written(tmp_path / "it.mis", 3)).levels[0]
    script = f"""
import os, sys
sys.path += [{sys.path[-1]!r}, os.getcwd()]
from pathlib import Path
from diascope.isolation.pool import pool
from tests.isolation.misbehaving import SHAPE, pixels, source
from tests.isolation.test_pool import image_of, whole, np
level = image_of(Path({str(tmp_path / "it.mis")!r})).levels[0]
theirs = {{process.pid for process in pool()._processes}}
child = os.fork()
right = np.array_equal(level.read(whole(SHAPE)), pixels(3, whole(SHAPE)))
ours = {{process.pid for process in pool()._processes}}
assert right
if child:
    assert os.waitpid(child, 0)[1] == 0
    assert ours == theirs
    assert np.array_equal(level.read(whole(SHAPE)), pixels(3, whole(SHAPE)))
    print("both")
else:
    assert ours and not ours & theirs
"""
    done = run(script)
    assert done.stdout.split() == ["both"], done.stderr
    assert "Traceback" not in done.stderr
    assert np.array_equal(level.read(whole(SHAPE)), pixels(3, whole(SHAPE)))


ENDS = {
    "at its end": "",
    "by an error": "raise SystemExit(0)",
    "killed": "os.kill(os.getpid(), 9)",
    "at once": "os._exit(0)",
    "while it reads": "threading.Thread(target=hanging, daemon=True).start(); time.sleep(0.5)",
    "killed while it reads": (
        "threading.Thread(target=hanging, daemon=True).start(); time.sleep(0.5); os.kill(os.getpid(), 9)"
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_no_worker_outlives_its_server(end, tmp_path) -> None:
    written(tmp_path / "it.mis", 3)
    written(tmp_path / "slow.mis", 3, read="hang")
    script = f"""
import contextlib, os, sys, threading, time
sys.path += [{sys.path[-1]!r}, os.getcwd()]
from pathlib import Path
from diascope.isolation.pool import pool
from tests.isolation.test_pool import image_of, whole, SHAPE
level = image_of(Path({str(tmp_path / "it.mis")!r})).levels[0]
level.read(whole(SHAPE))
slow = image_of(Path({str(tmp_path / "slow.mis")!r})).levels[0]
def hanging():
    with contextlib.suppress(Exception):
        slow.read(whole(SHAPE))
print(*(process.pid for process in pool()._processes), flush=True)
{ENDS[end]}
"""
    done = run(script)
    pids = done.stdout.split()
    assert pids, done.stderr
    assert "Traceback" not in done.stderr
    deadline = time.monotonic() + 10
    while any(is_running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not [pid for pid in pids if is_running(pid)]


def test_what_a_killed_server_left_is_swept(monkeypatch, tmp_path) -> None:
    """Of the next one, and never what another has in use."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    script = "import os; from diascope.isolation.folder import Folder; print(Folder().path, flush=True); os._exit(0)"
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    left = Path(done.stdout.strip())
    mine = Folder()
    sweep()
    assert left.is_dir(), "it may be one that is just being made"
    for each in (left, Path(mine.path)):
        os.utime(each, (0, 0))
    sweep()
    assert not left.exists()
    assert Path(mine.path).is_dir()
    mine.remove()
    mine.forget()
    assert not list(tmp_path.iterdir())


def is_running(pid: str) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
    )


def test_a_pool_that_is_closed_says_so() -> None:
    pool = Pool(Limits(workers=1))
    pool.close()
    with pytest.raises(Overloaded, match="about to end"):
        pool.run(1, lambda process: process.pid)


def test_who_came_first_goes_first() -> None:
    """One who gives his seat back and wants another at once does not pass those who wait."""
    lock, room, started = RLock(), [1], Semaphore(0)
    order: list[int] = []

    def seated(k: int) -> None:
        with lock:
            started.release()
            assert turns.come(lambda: bool(room), 20)
            room.pop()
        order.append(k)
        with lock:
            room.append(1)
            turns.call()

    turns = Turns(lock)
    room.pop()
    threads = []
    for k in range(8):
        threads.append(Thread(target=seated, args=(k,)))
        threads[-1].start()
        started.acquire()
        while len(turns) <= k:
            sleep(0.001)
    with lock:
        room.append(1)
        turns.call()
        # Whoever comes now finds room, and has to wait nevertheless.
        assert not turns.come(lambda: bool(room), 0)
    for thread in threads:
        thread.join(20)
    assert order == list(range(8))
    assert len(turns) == 0

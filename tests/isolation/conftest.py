"""Worker processes of a test's own, and that nothing of them is left."""

from __future__ import annotations

import gc
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest

from diascope.isolation import pool as pools
from diascope.isolation.limits import Limits
from diascope.isolation.pool import Pool
from tests.isolation.misbehaving import installed


@pytest.fixture(autouse=True)
def _misbehaving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with installed(tmp_path_factory.mktemp("installed")):
        yield


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Pool]]:
    """``workers(seconds=1, …)`` are the ones that read, with these limits; all of them are gone afterwards."""
    gc.collect()
    files, others = open_files(), folders()  # tests before may have left workers of the process at work
    made: list[Pool] = []
    seen: set[int] = set()

    def with_limits(**limits: Any) -> Pool:
        made.append(Watched(Limits(**{"workers": 2, "seconds": 20.0, **limits}), seen))
        monkeypatch.setattr(pools._current, "pool", made[-1])
        return made[-1]

    yield with_limits
    for pool in made:
        pool.close()
        if pool._keeper:
            pool._keeper.join(10)
        assert not pool._seats
    assert not [pid for pid in seen if Path(f"/proc/{pid}").exists()]
    assert not folders() - others
    gc.collect()
    assert not open_files() - files


def folders() -> set[Path]:
    """Those of the temporary files of workers of this process."""
    return set(Path(gettempdir()).glob(f"diascope-reader-{os.getpid()}-*"))


class Watched(Pool):
    """Remembers which processes there were."""

    def __init__(self, limits: Limits, seen: set[int]) -> None:
        super().__init__(limits)
        self.seen = seen

    def _started(self):
        process = super()._started()
        self.seen.add(process.pid)
        return process


def open_files() -> Counter[str]:
    """What the descriptors of this process lead to that have to do with workers."""
    links = Counter[str]()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            links[re.sub(r":\[.*", "", str(descriptor.readlink()))] += 1
    return Counter({link: count for link, count in links.items() if link in {"socket", "/memfd:diascope (deleted)"}})

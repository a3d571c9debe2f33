"""Every source takes what is spoilt at random, for a bounded time, and what was ever found.

``DIASCOPE_FUZZ_SECONDS`` says how long each source is tried; ``python -m tests.fuzz`` does so for longer.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from time import sleep

import pytest

from diascope.errors import BadRequest
from diascope.registry import registry
from tests.fuzz import campaign, judge, structures
from tests.fuzz.__main__ import FOUND
from tests.fuzz.campaign import findings
from tests.fuzz.judge import judged
from tests.fuzz.mutations import spoilt

SECONDS = float(os.environ.get("DIASCOPE_FUZZ_SECONDS", "1"))

KEPT = sorted(path for path in FOUND.glob("*/*/*") if not path.name.startswith("."))


@pytest.mark.parametrize("source", registry("sources"))
def test_what_is_spoilt_at_random_is_refused_or_read(source: str, tmp_path: Path) -> None:
    found, cases = findings(source, tmp_path, SECONDS)
    assert cases > 1
    assert not found, "\n".join(f"case {each.number}, {each.path}: {each.wrong}" for each in found)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: "/".join(path.parts[-3:]))
@pytest.mark.filterwarnings("ignore")
def test_what_was_ever_found_is_refused_or_read(path: Path) -> None:
    assert judged(path) is None


@pytest.mark.parametrize("source", ["czi", "gatan", "leica", "tiff"])
def test_what_is_spoilt_on_the_way_to_new_code_is_refused_or_read(source: str) -> None:
    if sys.version_info >= (3, 12):
        pytest.skip("atheris is not made for this Python")
    words = [sys.executable, "-W", "ignore", "-m", "tests.fuzz.guided", source, str(max(int(SECONDS), 1))]
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_reader_that_does_what_none_may_do_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.synthetic.json"
    path.write_text('{"axes": "yx", "shape": [40, 40]}')
    kept: list[bytes] = []

    def slow(path: Path) -> None:
        sleep(0.3)

    def greedy(path: Path) -> None:
        kept.append(b"x" * (64 << 20))

    def unclear(path: Path) -> None:
        raise BadRequest("something is wrong")

    def crashing(path: Path) -> None:
        raise KeyError("shape")

    monkeypatch.setattr(judge, "SECONDS", 0.2)
    monkeypatch.setattr(judge, "GROWTH", 16 << 20)
    for reader, told in ((greedy, "MiB"), (slow, "seconds"), (unclear, "does not name"), (crashing, "KeyError")):
        monkeypatch.setattr(judge, "_read", reader)
        wrong = judged(path)
        assert wrong is not None, told
        assert told in wrong


def test_where_nothing_can_be_tried_nothing_is_proven(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no case of nothing was tried"):
        findings("nothing", tmp_path, 0.1)


def test_no_mutation_leaves_a_file_as_it_was() -> None:
    chance = random.Random(0)  # noqa: S311
    data = bytes(range(256)) * 9 + b"shape 512 600"
    spoils = [spoilt(data, chance) for _ in range(300)]
    assert data not in spoils
    assert len(set(spoils)) > 250
    assert any(b"18446744073709551616" in each for each in spoils)


def test_what_is_described_is_spoilt_so_that_it_is_still_understood() -> None:
    chance = random.Random(0)  # noqa: S311
    text = b'{"shape": [4, 5], "codecs": [{"name": "zstd"}]}'
    documents = []
    for _ in range(50):
        data = bytearray(text)
        structures.described(data, chance)
        documents.append(json.loads(data))
    assert {"shape", "codecs"} & {key for each in documents for key in each}
    assert len({json.dumps(each) for each in documents}) > 20
    tags = bytearray(b"II*\0\x08\0\0\0" + b"\1\0" + b"\0\1\3\0\1\0\0\0\7\0\0\0" + b"\0\0\0\0")
    rounds = set()
    for _ in range(40):
        data = bytearray(tags)
        structures.looped(data, chance)
        rounds.add(bytes(data[-4:]))
    assert b"\x08\0\0\0" in rounds, "the directory after the first is the first"


def test_a_worker_that_takes_much_memory_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.synthetic.json"
    words = [sys.executable, "-c", "x = bytearray(200 << 20); input()"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:

        def waits(path: Path) -> None:
            while max(judge._peaks_of_workers()) < 200 << 20:
                sleep(0.01)

        monkeypatch.setattr(judge, "_read", waits)
        monkeypatch.setattr(judge, "GROWTH", 100 << 20)
        wrong = judged(path)
        child.communicate(b"\n")
    assert wrong is not None
    assert "MiB" in wrong


def test_a_worker_that_is_left_behind_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "GOING", 0.2)
    words = [sys.executable, "-c", "print(flush=True); input()", "diascope.isolation.worker", "7", "123456789"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()  # the kernel tells no words of a process that is only about to run
        assert campaign.left_by(123456789) == [child.pid]
        child.communicate(b"\n")
    assert campaign.left_by(123456789) == []

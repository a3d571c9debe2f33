"""Gzip without compression, read again by Python's own reader and by the program gzip."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import numpy as np
import pytest

from diascope.testing.trees import check_tree
from diascope.tree.file import File
from diascope.tree.gzipped import BLOCK, BLOCKS, STORED, gzipped
from diascope.tree.table import Table

SIZES = [1, 5, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 1, 7 * BLOCK + 100]


def content(size: int, reads: list[tuple[int, int | None]] | None = None) -> File:
    """A file of noise, which notes what is read of it."""
    data = np.random.default_rng(size).integers(0, 256, size, np.uint8).tobytes()

    def read(start: int, stop: int | None) -> bytes:
        if reads is not None:
            reads.append((start, stop))
        return data[start:stop]

    return File(media_type="x/y", size=size, read=read)


@pytest.mark.parametrize("blocks", [1, 2, 3, BLOCKS])
@pytest.mark.parametrize("size", SIZES)
def test_it_is_the_gzip_of_its_content(size: int, blocks: int) -> None:
    file = gzipped(content(size), blocks)
    data = file.read(0, None)
    assert len(data) == file.size
    assert gzip.decompress(data) == content(size).read(0, None)


@pytest.mark.judge
@pytest.mark.parametrize("blocks", [2, BLOCKS])
def test_gzip_takes_it_and_rejects_a_broken_twin(blocks: int, tmp_path: Path) -> None:
    path = tmp_path / "data.gz"
    data = gzipped(content(7 * BLOCK + 100), blocks).read(0, None)
    path.write_bytes(data)
    assert subprocess.run(["gzip", "-t", path], check=False).returncode == 0
    assert subprocess.run(["zcat", path], capture_output=True, check=True).stdout == content(7 * BLOCK + 100).read(
        0, None
    )
    path.write_bytes(data[:1000] + bytes([data[1000] ^ 1]) + data[1001:])
    assert subprocess.run(["gzip", "-t", path], capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("blocks", [2, BLOCKS])
def test_any_range_is_the_same_bytes(blocks: int) -> None:
    size = 7 * BLOCK + 100
    data = gzipped(content(size), blocks).read(0, None)
    file = gzipped(content(size), blocks)
    random = np.random.default_rng(5)
    near = [edge + by for edge in range(0, len(data), STORED) for by in range(-25, 30)]
    for start in [each for each in near if 0 <= each < len(data)]:
        stop = start + int(random.integers(1, 40))
        assert file.read(start, stop) == data[start:stop], (start, stop)
    for start, stop in np.sort(random.integers(0, len(data) + 10, (200, 2))):
        assert file.read(int(start), int(stop)) == data[start:stop]


def test_no_more_is_read_than_is_asked_for() -> None:
    reads: list[tuple[int, int | None]] = []
    file = gzipped(content(10 * BLOCK, reads))
    assert file.size is not None
    file.read(0, 15)
    file.read(file.size - 4, None)
    assert reads == []
    file.read(10 + 2 * STORED + 5 + 100, 10 + 2 * STORED + 5 + 300)
    assert reads == [(2 * BLOCK + 100, 2 * BLOCK + 300)]


def test_what_has_gone_by_is_not_read_again_for_its_check() -> None:
    reads: list[tuple[int, int | None]] = []
    file = gzipped(content(10 * BLOCK, reads))
    assert file.size is not None
    for start in range(0, file.size, 100_000):
        file.read(start, start + 100_000)
    total = sum((stop or 0) - start for start, stop in reads)
    assert total == 10 * BLOCK


def test_a_huge_file_is_made_of_members_that_need_no_other() -> None:
    reads: list[int] = []

    def read(start: int, stop: int | None) -> bytes:
        assert stop is not None
        reads.append(stop - start)
        return bytes(stop - start)

    file = gzipped(File(media_type="x/y", size=2**60, read=read), blocks=4)
    assert file.size is not None
    file.read(file.size // 2, file.size // 2 + 5 * STORED)
    assert sum(reads) <= 13 * BLOCK
    assert len(file.read(file.size - 100, None)) == 100


@pytest.mark.parametrize("size", [None, 0])
def test_a_file_without_a_size_has_none(size: int | None) -> None:
    with pytest.raises(ValueError, match="empty"):
        gzipped(File(media_type="x/y", size=size, read=lambda start, stop: b""))


def test_it_keeps_the_contract_of_trees() -> None:
    table = Table()
    table.add("data.gz", lambda: gzipped(content(5 * BLOCK), 2))
    check_tree(table)

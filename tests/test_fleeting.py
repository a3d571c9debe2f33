"""What is true only for now is not kept, by whomever it was made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
import zarr

from diascope import fleeting
from diascope.bounded import BoundedCache
from diascope.errors import Changed
from diascope.stores.local import LocalStore


def test_what_is_fleeting_is_handed_out_and_not_kept() -> None:
    values: BoundedCache[bytes] = BoundedCache(100, weigh=len)
    gate = threading.Event()

    def make() -> bytes:
        gate.wait(5)
        fleeting.note()
        return b"for now"

    def asked() -> tuple[bytes, bool]:
        before = fleeting.noted()
        value = values.get("key", make)
        return value, fleeting.noted() != before

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(asked) for _ in range(8)]
        gate.set()
        assert {each.result() for each in answers} == {(b"for now", True)}
    assert len(values) == 0
    assert values.get("key", lambda: b"for ever") == b"for ever"
    assert values.get("key", lambda: pytest.fail("it was kept")) == b"for ever"
    values.discard("key")
    assert (len(values), values.bytes) == (0, 0)


@pytest.mark.parametrize("shards", [None, (8, 64, 64)])
@pytest.mark.parametrize("layout", ["z.zarr2.ome.zarr/0/0/0/0", "z.n5/s0/0/0/0", "z.nrrd"])
def test_a_chunk_that_comes_later_is_seen(
    tmp_path: Path, server: Callable[[Path], str], layout: str, shards: tuple[int, ...] | None
) -> None:
    folder = tmp_path / "images"
    array = zarr.create_array(
        folder / "z.zarr", shape=(8, 64, 64), chunks=(4, 64, 64), shards=shards, dtype="u2", fill_value=0
    )
    array[4:] = 7
    url = f"{server(folder)}/data/images/z.zarr/original/{layout}"
    first = httpx.get(url, follow_redirects=True).raise_for_status()
    assert "etag" not in first.headers
    assert first.headers["cache-control"] == "no-store"
    array[:4] = 9
    second = httpx.get(url, follow_redirects=True).raise_for_status()
    assert second.content != first.content
    assert "etag" in second.headers


def test_a_file_that_is_written_to_is_no_longer_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    blob = LocalStore(tmp_path).open("file")
    assert blob.read(0, 6) == b"before"
    with path.open("r+b") as file:
        file.write(b"behind")
    with pytest.raises(Changed, match="file was written to"):
        blob.read(0, 6)


def test_a_file_that_is_replaced_is_read_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    blob = LocalStore(tmp_path).open("file")
    (tmp_path / "other").write_bytes(b"behind")
    (tmp_path / "other").rename(path)
    assert blob.read(0, 6) == b"before"


def test_who_reads_while_a_file_changes_is_told_to_ask_again(tmp_path: Path, server: Callable[[Path], str]) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    import tifffile

    pixels = np.arange(512 * 512, dtype=np.uint16).reshape(512, 512)
    tifffile.imwrite(folder / "a.tif", pixels, tile=(256, 256))
    url = f"{server(folder)}/api/cutout/images/a.tif"
    assert httpx.get(url, params={"y": "0..2", "x": "0..2"}).status_code == 200
    tifffile.imwrite(folder / "a.tif", pixels + 1, tile=(256, 256))
    told = httpx.get(url, params={"y": "300..302", "x": "0..2"})
    assert (told.status_code, told.headers.get("retry-after")) == (503, "1")
    assert "a.tif was written to" in told.json()["detail"]
    # Who asks again is answered at once, however long a change may take to be seen.
    assert httpx.get(url, params={"y": "300..302", "x": "0..2"}).status_code == 200

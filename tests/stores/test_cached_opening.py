"""Files that are opened in haste, and those that are not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from diascope.haste import Wait, hastily
from diascope.stores import cached_opening
from diascope.stores.local import LocalStore

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="openat2 is Linux's")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    (tmp_path / "chunks").mkdir()
    for number in range(3):
        (tmp_path / "chunks" / str(number)).write_bytes(bytes([number]) * 400_000)
    return LocalStore(tmp_path)


def in_haste(store: LocalStore, path: str) -> bytes | None:
    return hastily(lambda: store.read(path))


def test_a_file_of_a_known_folder_is_read_in_haste(store: LocalStore) -> None:
    with pytest.raises(Wait):
        in_haste(store, "chunks/1")
    store.read("chunks/0")
    os.stat(store.root / "chunks" / "1")  # noqa: PTH116  # so that the kernel has looked for it
    try:
        first = in_haste(store, "chunks/1")
    except Wait:
        pytest.skip("this kernel or file system does not tell what is in memory")
    assert first == bytes([1]) * 400_000
    os.stat(store.root / "chunks" / "2")  # noqa: PTH116
    assert in_haste(store, "chunks/2") == bytes([2]) * 400_000
    assert first == bytes([1]) * 400_000, "what is read next is written over it"


def test_a_file_system_that_does_not_tell_is_never_asked_in_haste(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "preadv", refused)
    store.read("chunks/0")
    with pytest.raises(Wait):
        in_haste(store, "chunks/0")


def test_a_kernel_without_the_call_waits(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.read("chunks/0")
    monkeypatch.setattr(cached_opening, "OPENAT2", 4095)
    with pytest.raises(Wait):
        in_haste(store, "chunks/0")


def test_a_link_that_leads_out_is_not_followed_in_haste(store: LocalStore, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.write_bytes(b"secret")
    (store.root / "chunks" / "link").symlink_to(outside)
    store.read("chunks/0")
    os.stat(store.root / "chunks" / "link")  # noqa: PTH116
    with pytest.raises(Wait):
        in_haste(store, "chunks/link")

"""A source whose files say how it shall misbehave; the worker processes find it like any plug-in, as a package does."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.metadata import Metadata
from diascope.image.region import Region
from diascope.registry import registry
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.source import Head, Source, stat_version
from diascope.stores.local_file import local_file
from diascope.stores.store import Store

MAGIC = b'{"misbehaving"'
SHAPE = 7, 96, 128


def pixels(seed: int, region: Region) -> Any:
    """What the file of a seed holds: each pixel tells where it is, and whose."""
    z, y, x = np.ogrid[region.slices]
    return (z * 13007 + y * 131 + x + seed * 7919).astype(np.uint16)


def written(path: Path, seed: int = 0, **when: str) -> Path:
    """A file that misbehaves when it is opened, listed or read: ``written(path, read="segfault")``."""
    path.write_text(json.dumps({"misbehaving": seed} | when))
    return path


def opened(store: Store, path: str) -> Dataset:
    version = stat_version(store, path)
    local = local_file(store, path) if b'"local"' in store.open(path).read(0, 1 << 20) else None
    plan = json.loads(store.open(path).read(0, 1 << 20))
    plan["held"] = local
    misbehave(plan, "open")
    image = made(plan, path)
    images: Mapping[str, Image] = {"it": image, "other": replace(image, name="other")}
    if "name" in plan:
        images = {"it": image, plan["name"]: image}
    if "many" in plan:
        images = Lazily(Names(plan), lambda name: replace(image, name=name))
    return Dataset(version=version, images=images, files=(path,))


class Names(Mapping[str, None]):
    """Names that are not to be listed."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan

    def __getitem__(self, name: str) -> None:
        if not name.isdecimal() or int(name) >= int(self.plan["many"]):
            raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.isdecimal() and int(name) < int(self.plan["many"])

    def __iter__(self) -> Iterator[str]:
        misbehave(self.plan, "list")
        return map(str, range(int(self.plan["many"])))

    def __len__(self) -> int:
        return int(self.plan["many"])


def made(plan: dict[str, Any], path: str) -> Image:
    def read_pixels(region: Region) -> Any:
        misbehave(plan, "read")
        read = pixels(plan["misbehaving"], region)
        return LIES.get(plan.get("lie", ""), lambda read: read)(read)

    level = Level(
        shape=SHAPE,
        dtype=np.dtype(np.uint16),
        chunk_shape=(1, 32, 64),
        scale=(2.0, 1.0, 1.0),
        translation=(0.0, 0.0, 0.0),
        read_pixels=read_pixels,
    )
    level = replace(level, **DESCRIBED.get(plan.get("lie", ""), {}))
    told = {"environment": dict(os.environ), "pid": os.getpid(), "folder": os.environ.get("TMPDIR")}
    return Image(
        name="it",
        kind="intensity",
        axes=axes_named("zyx"),
        levels=(level,),
        metadata=Metadata(format="Misbehaving", extra=told if plan.get("tell") else {}),
    )


LIES: dict[str, Callable[[Any], Any]] = {
    "fewer pixels": lambda read: read[:, :-1],
    "another type": lambda read: read.astype(np.float32),
    "objects": lambda read: read.astype(object),
    "no array": lambda read: None,
}

DESCRIBED: dict[str, dict[str, Any]] = {
    "rank": {"shape": (7, 96)},
    "negative": {"shape": (7, -96, 128)},
    "endless": {"shape": (7, 1 << 70, 128)},
    "nothing": {"shape": (7, 0, 128)},
    "type": {"dtype": np.dtype(object)},
    "order": {"dtype": np.dtype(">u2")},
    "letters": {"dtype": np.dtype("S4")},
    "no chunks": {"chunk_shape": (1, 0, 64)},
    "negative chunks": {"chunk_shape": (1, -1, 64)},
    "vast chunks": {"shape": (7, 1 << 20, 1 << 20), "chunk_shape": (1, 1 << 20, 1 << 20)},
    "no distance": {"scale": (0.0, float("nan"), 1.0)},
}


def misbehave(plan: dict[str, Any], when: str) -> None:
    how = plan.get(when)
    if how and not _behaves_now(plan):
        HOW[how]()


def _behaves_now(plan: dict[str, Any]) -> bool:
    """With ``once`` it misbehaves in the first process only."""
    if "once" not in plan:
        return False
    try:
        Path(plan["once"]).touch(exist_ok=False)
    except FileExistsError:
        return True
    return False


def segfault() -> None:
    ctypes.string_at(0)


def hang() -> None:
    """As a loop in C does that holds the lock of the interpreter."""
    ctypes.PyDLL(None).sleep(1000)


def bloat() -> None:
    held = []
    while True:
        held.append(b"\1" * (1 << 24))


def bloat_shared() -> None:
    """Memory that is no data."""
    held = mmap.mmap(-1, 1 << 34)
    piece = b"\1" * (1 << 20)
    for _ in range(0, len(held), len(piece)):
        held.write(piece)


def channel() -> int:
    return int(sys.argv[1])


def garbage() -> None:
    os.write(channel(), b"\0\0\0\5\0\0\0\0hello" * 100)
    time.sleep(1000)


def deep() -> None:
    text = b"[" * 1_000_000
    write_all(struct.pack(">II", len(text), 0) + text)
    time.sleep(1000)


def huge() -> None:
    os.write(channel(), b"\xff" * 1000)
    time.sleep(1000)


def drip() -> None:
    """A message that never ends."""
    os.write(channel(), struct.pack(">II", 1 << 20, 0))
    while True:
        os.write(channel(), b" ")
        time.sleep(0.01)


def strange_question() -> None:
    text = b'{"ask": {"what": "read", "blob": 1, "start": 0, "stop": 1000000000000}, "drop": []}'
    write_all(struct.pack(">II", len(text), 0) + text)
    time.sleep(1000)


def write_all(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(channel(), view) :]


def shrink() -> None:
    """The memory that pixels come in, from under the server."""
    os.ftruncate(int(sys.argv[2]), 0)


def leave_child() -> None:
    subprocess.Popen(["sleep", "1234567"])
    segfault()


def chatter() -> None:
    """More than a pipe takes that nobody reads."""
    for stream in (1, 2):
        for _ in range(100):
            os.write(stream, b"warning " * 1000)


def ask_later() -> None:
    """A thread that outlives the request."""
    threading.Thread(target=time.sleep, args=(1000,)).start()


HOW: dict[str, Callable[[], object]] = {
    "segfault": segfault,
    "abort": os.abort,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda: os._exit(3),
    "leave": sys.exit,
    "hang": hang,
    "sleep": lambda: time.sleep(0.4),
    "bloat": bloat,
    "bloat shared": bloat_shared,
    "garbage": garbage,
    "deep": deep,
    "huge": huge,
    "drip": drip,
    "strange question": strange_question,
    "shrink": shrink,
    "leave child": leave_child,
    "chatter": chatter,
    "ask later": ask_later,
    "hang up": lambda: os.close(channel()),
}

source = Source(
    name="misbehaving",
    title="Misbehaving",
    suffixes=(".mis",),
    matches=lambda head: head.first.startswith(MAGIC),
    open=opened,
    is_isolated=True,
)


def h5_opened(store: Store, path: str) -> Dataset:
    """The dataset ``it`` of an HDF5 file."""
    import h5py

    from diascope.sources.reading.blob_file import buffered

    file = h5py.File(buffered(store.open(path)), "r")
    array = file["it"]
    level = Level(
        shape=array.shape,
        dtype=array.dtype,
        chunk_shape=array.chunks,
        scale=(1.0,) * array.ndim,
        translation=(0.0,) * array.ndim,
        read_pixels=lambda region: array[region.slices],
    )
    image = Image(name="it", kind="intensity", axes=axes_named("zyx"), levels=(level,))
    return Dataset(version=stat_version(store, path), images={"it": image}, files=(path,))


def is_h5(head: Head) -> bool:
    return head.name.endswith(".tinyh5") and head.first.startswith(b"\x89HDF")


h5_source = replace(source, name="tiny-h5", suffixes=(".tinyh5",), matches=is_h5, open=h5_opened)


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """The sources as those of an installed package, of which the metadata lie in a folder."""
    package = folder / "misbehaving-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: misbehaving\nVersion: 1.0\n")
    entries = f"misbehaving = {__name__}:source\ntiny-h5 = {__name__}:h5_source\n"
    (package / "entry_points.txt").write_text(f"[diascope.sources]\n{entries}")
    sys.path.append(str(folder))
    try:
        with registry("sources").including("misbehaving", source), registry("sources").including("tiny-h5", h5_source):
            yield
    finally:
        sys.path.remove(str(folder))

"""Every registered layout keeps the contract, of images of every kind; broken ones are found out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from diascope.image.affine import affine
from diascope.image.image import Image
from diascope.layouts.layout import Layout
from diascope.registry import registry
from diascope.testing.layouts import check_layout
from diascope.testing.synthetic import ramp
from diascope.tree.file import File, Tree, in_memory, whole
from diascope.tree.table import Table

IMAGES: list[Image] = [
    ramp("yx", (1, 1), np.uint8, name="one pixel"),
    ramp("yx", (37, 53), np.uint8, name="plane"),
    ramp("yx", (300, 7), np.uint16, levels=2, name="tall"),
    ramp("yx", (137, 253), np.uint16, levels=3, chunk_shape=(32, 32), name="a {b} é%20.tif"),
    ramp("zyx", (5, 37, 53), np.int16, name="volume"),
    ramp("zyx", (5, 70, 90), np.uint8, levels=2, chunk_shape=(2, 32, 32), name="stack"),
    ramp("zyx", (5, 37, 53), np.uint32, kind="labels", levels=2, name="labels"),
    ramp("zyx", (5, 37, 53), np.int32, kind="labels", name="signed labels"),
    ramp("cyx", (3, 70, 90), np.uint8, kind="rgb", levels=2, name="colours"),
    ramp("cyx", (4, 33, 47), np.uint8, kind="rgb", name="with opacity"),
    ramp("cyx", (3, 33, 47), np.uint16, kind="rgb", name="deep colours"),
    ramp("czyx", (2, 3, 20, 31), np.uint16, name="channels"),
    ramp("tyx", (4, 20, 31), np.uint8, name="film"),
    ramp("tczyx", (2, 3, 4, 20, 31), np.float32, name="everything"),
    *(
        ramp("yx", (13, 21), dtype, name=dtype)
        for dtype in ("bool", "int8", "int64", "uint64", "float16", "float64", "complex64", "complex128")
    ),
    replace(ramp("zyx", (5, 9, 13), np.float32, name="placed"), world=affine(np.diag([-2, 3, 4, 1]), "scanner")),
]


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
@pytest.mark.parametrize("name", registry("layouts"))
def test_every_layout_keeps_the_contract(name: str, image: Image) -> None:
    check_layout(registry("layouts")[name], image)


@pytest.mark.parametrize("name", registry("layouts"))
def test_every_layout_holds_some_image(name: str) -> None:
    assert any(registry("layouts")[name].refuses(image) is None for image in IMAGES)


@pytest.mark.parametrize("name", registry("layouts"))
def test_a_layout_is_registered_under_its_name(name: str) -> None:
    assert registry("layouts")[name].name == name


def test_suffixes_and_companions_differ() -> None:
    names = [suffix for layout in registry("layouts").values() for suffix in (layout.suffix, *layout.companions)]
    assert len(set(names)) == len(names)


def sound(image: Image) -> Table:
    """A layout that keeps the contract: one file of level 0."""
    table = Table()
    size = image.levels[0].dtype.itemsize * int(np.prod(image.shape))

    def pixels() -> bytes:
        return image[...].tobytes()

    table.add(f"{image.name}.raw/{{k}}", lambda k: whole(pixels, "x/y", size), k=lambda: range(1))
    return table


class Wrapped:
    """A tree with a fault."""

    def __init__(self, fault: str, image: Image) -> None:
        self.tree = sound(image)
        self.fault = fault
        self.image = image
        self.asked = 0

    def file(self, path: str) -> File | None:  # noqa: PLR0911
        if self.fault == "folder is file" and path.endswith(".raw"):
            return in_memory(b"", "x/y")
        if self.fault == "sloppy spelling":
            path = path.replace("/00", "/0")
        file = self.tree.file(path)
        if file is None:
            return None
        read = file.read
        if self.fault == "wrong size":
            return replace(file, size=(file.size or 0) + 1)
        if self.fault == "ignores ranges":
            return replace(file, read=lambda start, stop: read(0, None))
        if self.fault == "changes":
            self.asked += 1
            return replace(file, read=partial(changed, read, self.asked))
        if self.fault == "reads to look up":
            read(0, 1)
        if self.fault == "hides trouble":
            return replace(file, read=partial(hidden, read))
        if self.fault == "no media type":
            return replace(file, media_type="")
        return file

    def entries(self, path: str) -> Any:
        found = self.tree.entries(path)
        if found is None or (self.fault == "ghost" and not path):
            return found
        listed = list(found)
        if self.fault == "ghost":
            return iter([*listed, listed[0]._replace(name="ghost")])
        return iter(listed * 2) if self.fault == "twice" else iter(listed)


def changed(read: Any, times: int, start: int, stop: int | None) -> bytes:
    return bytes(b"%d" % times + read(0, None)[1:])[start:stop]


def hidden(read: Any, start: int, stop: int | None) -> bytes:
    try:
        return bytes(read(start, stop))
    except Exception:  # noqa: BLE001
        return b""


def raw(fault: str = "", **changes: Any) -> Layout:
    def tree(image: Image) -> Tree:
        return Wrapped(fault, image)

    record = Layout(name="raw", title="", suffix=".raw", is_folder=True, refuses=lambda _: None, tree=tree)
    return replace(record, **changes)


IMAGE = ramp("yx", (9, 13), np.uint8)


def test_a_sound_layout_passes() -> None:
    assert check_layout(raw(), IMAGE)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("wrong size", "118 bytes and has 117"),
        ("ignores ranges", "from 0 to 0"),
        ("changes", "0 from|other bytes"),
        ("reads to look up", "reads pixels to find"),
        ("hides trouble", "has pixels"),
        ("no media type", "media type"),
        ("ghost", "ghost is listed, and no file"),
        ("twice", "twice"),
        ("folder is file", "a folder, and a file"),
        ("sloppy spelling", "is a file as"),
    ],
)
def test_a_broken_layout_is_found_out(fault: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        check_layout(raw(fault), IMAGE)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"suffix": ".other"}, "of which its record says nothing"),
        ({"is_folder": False}, "lacks"),
        ({"refuses": lambda _: "no"}, "no sentence"),
        ({"steps": {"Viewer": "open it"}}, "lacks its URL"),
    ],
)
def test_a_wrong_record_is_found_out(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        check_layout(raw(**changes), IMAGE)

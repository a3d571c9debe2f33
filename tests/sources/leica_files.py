"""Tiny LIF, LOF and XLEF files, written as Leica Image File Formats 3.2 draws them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from struct import pack
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import PIL.Image
import tifffile
from numpy.typing import NDArray

IDS = {"x": 1, "y": 2, "z": 3, "t": 4, "λ": 5, "a": 6, "Λ": 9, "m": 10}
LENGTHS = {
    "x": (0.0, 24e-6, "m"),
    "y": (0.0, 16e-6, "m"),
    "z": (1e-6, 4e-6, "m"),
    "t": (0.0, 9.0, "s"),
    "λ": (500e-9, 60e-9, "m"),
}
SETTING = (
    '<Attachment Name="HardwareSetting" Application="LAS AF" SystemTypeName="TCS SP8">'
    '<ATLConfocalSettingDefinition Magnification="63" ObjectiveName="HC PL APO  63x/1.40 OIL" NumericalAperture="1.4"'
    ' MicroscopeModel="DMI8-CS" StagePosX="0.01" StagePosY="-0.02" ZPosition="1E-06"/></Attachment>'
)
STAMP = 132_000_000_000_000_000


@dataclass(frozen=True)
class Picture:
    """An image and how it lies: ``pixels`` along ``axes``, slowest first; c are channels, s samples of colours."""

    name: str
    axes: str
    pixels: NDArray[Any]
    tables: tuple[str, ...] = ("Green",)
    tags: tuple[int, ...] = (0,)
    padding: int = 0
    """Bytes behind each row."""
    children: tuple[Picture, ...] = ()
    extra: str = SETTING

    @property
    def steps(self) -> dict[str, int]:
        """How many bytes neighbours are apart."""
        steps, step = {}, self.pixels.itemsize
        for name, size in zip(reversed(self.axes), reversed(self.pixels.shape), strict=True):
            steps[name] = step
            step = step * size + (self.padding if name == "x" else 0)
        return steps

    @property
    def memory(self) -> bytes:
        data = np.zeros(self.pixels.shape[0] * self.steps[self.axes[0]], np.uint8)
        strides = tuple(self.steps[name] for name in self.axes)
        view: NDArray[Any] = np.ndarray(self.pixels.shape, self.pixels.dtype.newbyteorder("<"), data.data, 0, strides)
        view[...] = self.pixels
        return data.tobytes()

    @property
    def described(self) -> str:
        sizes, steps = dict(zip(self.axes, self.pixels.shape, strict=True)), self.steps
        letter = next((each for each in "cs" if each in sizes), "")
        step = steps.get(letter, 0)
        kind, bits = int(self.pixels.dtype.kind == "f"), self.pixels.itemsize * 8
        channels = "".join(
            f'<ChannelDescription DataType="{kind}" ChannelTag="{tag}" Resolution="{bits}" NameOfMeasuredQuantity=""'
            f' Min="0" Max="{2**bits - 1}" Unit="" LUTName="{table}" IsLUTInverted="0" BytesInc="{k * step}"'
            ' BitInc="0"/>'
            for k, (table, tag) in enumerate(zip(self.tables, self.tags, strict=True))
        )
        order = sorted((name for name in self.axes if name in IDS), key=lambda name: IDS[name])
        dimensions = "".join(
            '<DimensionDescription DimID="{}" NumberOfElements="{}" Origin="{}" Length="{}" Unit="{}" BitInc="0"'
            ' BytesInc="{}"/>'.format(IDS[name], sizes[name], *LENGTHS.get(name, (0.0, 0.0, "")), steps[name])
            for name in order
        )
        count = sizes.get("t", 1)
        stamps = " ".join(f"{STAMP + 10_000_000 * k:x}" for k in range(count))
        return (
            f'<Data><Image TextDescription=""><ImageDescription><Channels>{channels}</Channels>'
            f"<Dimensions>{dimensions}</Dimensions></ImageDescription>"
            f'<TimeStampList NumberOfTimeStamps="{count}">{stamps}</TimeStampList>{self.extra}</Image></Data>'
        )


def element(name: str, content: str, memory: str, size: int, children: str = "") -> str:
    inner = f'{content}<Memory Size="{size}" MemoryBlockID="{memory}"/><Children>{children}</Children>'
    return f'<Element Name={quoteattr(name)} UniqueID="u-{memory}">{inner}</Element>'


Tree = dict[str, Any]
"""Pictures by number, folders by name."""


def lif(tree: Tree, *, version: int = 2, cut: int = 0) -> bytes:
    """A file of folders and pictures; of the last memory some bytes may be cut off."""
    blocks: list[bytes] = []

    def written(name: str, each: Any) -> str:
        if isinstance(each, Picture):
            blocks.append(each.memory)
            number = len(blocks)
            inner = "".join(written(child.name, child) for child in each.children)
            return element(each.name, each.described, f"MemBlock_{number}", len(blocks[number - 1]), inner)
        inner = "".join(written(*item) for item in each.items())
        return element(name, "<Data><Experiment/></Data>", f"MemBlock_{name}", 0, inner)

    content = "".join(written(*item) for item in tree.items())
    top = element("file", "<Data><Experiment/></Data>", "MemBlock_0", 0, content)
    data = text(f'<LMSDataContainerHeader Version="{version}">{top}</LMSDataContainerHeader>')
    for k, block in enumerate(blocks):
        name = f"MemBlock_{k + 1}".encode("utf-16-le")
        size = pack("<Q" if version == 2 else "<I", len(block))
        head = b"\x2a" + size + b"\x2a" + pack("<I", len(name) // 2) + name
        data += pack("<II", 0x70, len(head)) + head + block
    return data[: len(data) - cut]


def text(content: str) -> bytes:
    encoded = content.encode("utf-16-le")
    return pack("<IIBI", 0x70, len(encoded) + 5, 0x2A, len(encoded) // 2) + encoded


def lof(picture: Picture) -> bytes:
    top = element(picture.name, picture.described, "MemBlock_1", len(picture.memory))
    head = pack("<BIBIBQ", 0x2A, 2, 0x2A, 0, 0x2A, len(picture.memory))
    xml = f'<LMSDataContainerHeader Version="2">{top}</LMSDataContainerHeader>'
    return text("LMS_Object_File") + head + picture.memory + text(xml)


def xlif(folder: Path, picture: Picture, kind: str = "lof") -> str:
    """The name of a file of an image whose pixels are in a LOF file, or in a picture for each plane."""
    frames: list[tuple[str, int, int]] = []
    if kind == "lof":
        (folder / f"{picture.name}.lof").write_bytes(lof(picture))
        frames.append((f"{picture.name}.LOF", 0, len(picture.memory)))
    else:
        size = prod(picture.pixels.shape[-2:]) * picture.pixels.itemsize
        planes = picture.pixels.reshape(-1, *picture.pixels.shape[-2:])
        for k, plane in enumerate(planes):
            file = folder / f"{picture.name} {k}.{kind}"
            tifffile.imwrite(file, plane) if kind == "tif" else PIL.Image.fromarray(plane).save(file)
            frames.append((f"{picture.name}%20{k}.{kind}", k * size, size))
    listed = "".join(
        f'<{"Block" if kind == "lof" else "Frame"} File="{name}" Offset="{start}" Size="{size}" UUID="{k}"/>'
        for k, (name, start, size) in enumerate(frames)
    )
    memory = f'<Memory Size="{len(picture.memory)}" MemoryBlockID="MemBlock_1">{listed}</Memory>'
    top = f'<Element Name={quoteattr(picture.name)} UniqueID="u">{picture.described}{memory}<Children/></Element>'
    return document(folder / f"{picture.name}.xlif", top)


def document(path: Path, top: str) -> str:
    content = (
        f'<?xml version="1.0" encoding="utf-16"?><LMSDataContainerHeader Version="2">{top}</LMSDataContainerHeader>'
    )
    path.write_bytes(content.encode("utf-16"))
    return path.name


def references(path: Path, name: str, files: list[str], kind: str = "Experiment") -> str:
    listed = "".join(f'<Reference File="{file}" UUID="{k}"/>' for k, file in enumerate(files))
    top = f'<Element Name="{name}" UniqueID="p"><Data><{kind}/></Data><Memory/><Children>{listed}</Children></Element>'
    return document(path, top)


def random(shape: tuple[int, ...], dtype: str = "u1") -> NDArray[Any]:
    return np.random.default_rng(6).integers(0, 200, shape).astype(dtype)


STACK = Picture("stack", "tzcyx", random((2, 3, 2, 9, 16)), ("Green", "Red"), (0, 0))
COLOURS = Picture("colours", "yxs", random((9, 13, 3)), ("Red", "Green", "Blue"), (1, 2, 3), padding=3)
BACKWARDS = Picture("backwards", "yxs", random((9, 16, 3)), ("Blue", "Green", "Red"), (3, 2, 1))
TILES = Picture(
    "mosaic",
    "mcyx",
    random((4, 2, 9, 16), "u2"),
    ("Blue", "Gray"),
    (0, 0),
    extra='<Attachment Name="TileScanInfo">'
    + "".join(f'<Tile FieldX="{k % 2}" FieldY="{k // 2}" PosX="{k}E-3" PosY="2E-3" PosZ="0"/>' for k in range(4))
    + "</Attachment>",
)
WAVES = Picture("waves", "λcyx", random((4, 2, 9, 16)), ("Green", "Red"), (0, 0))
SIDE = Picture("side", "zcx", random((9, 2, 16)), ("Green", "Red"), (0, 0))
REAL = Picture("real", "zyx", random((3, 9, 16), "f4"))


def lif_folders(path: Path) -> None:
    tree = {"first": {"1": STACK, "2": replace(TILES, name="stack")}, "second": {"inner": {"3": REAL}}, "4": BACKWARDS}
    path.write_bytes(lif(tree))


def lif_waves(path: Path) -> None:
    path.write_bytes(lif({"1": WAVES, "2": SIDE, "3": COLOURS}))


def lif_old(path: Path) -> None:
    path.write_bytes(lif({"1": STACK}, version=1))


def lif_real(path: Path) -> None:
    path.write_bytes(lif({"1": REAL}))


def lof_stack(path: Path) -> None:
    path.write_bytes(lof(STACK))


def xlef(path: Path) -> None:
    folder = path.parent
    (folder / "inner").mkdir()
    pages = replace(STACK, name="pages", axes="tcyx", pixels=STACK.pixels[:, 0])
    names = [xlif(folder / "inner", STACK), xlif(folder / "inner", pages, "tif")]
    references(folder / "inner" / "collection.xlcf", "collection", names, "Collection")
    references(path, "project", ["inner\\collection.xlcf", xlif(folder, replace(REAL, name="alone")), "gone.xlif"])

"""Tiny Imaris files as Imaris and BigDataProcessor write them: attributes are arrays of letters, volumes padded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

PIXELS = np.random.default_rng(9).integers(0, 4000, (2, 3, 9, 50, 70), dtype=np.uint16)
"""Along t, c, z, y and x."""

CHUNKS = (4, 32, 32)
FACTORS = ((1, 1, 1), (1, 2, 2), (2, 4, 4))


def binned(volume: NDArray[Any], factors: tuple[int, ...]) -> NDArray[Any]:
    """Every so many-th pixel: the tests look at where the levels lie, not at how they are made."""
    return volume[tuple(slice(0, size // f * f, f) for size, f in zip(volume.shape, factors, strict=True))]


def tell(node: Any, **words: object) -> None:
    for name, word in words.items():
        node.attrs[name] = np.array([letter.encode() for letter in str(word)], "S1")


def add_volume(group: Any, volume: NDArray[Any]) -> None:
    padded = [-(-size // chunk) * chunk for size, chunk in zip(volume.shape, CHUNKS, strict=True)]
    whole = np.full(padded, 65535, volume.dtype)
    whole[tuple(map(slice, volume.shape))] = volume
    group.create_dataset("Data", data=whole, chunks=CHUNKS, compression="gzip", compression_opts=2)
    z, y, x = volume.shape
    tell(group, ImageSizeX=x, ImageSizeY=y, ImageSizeZ=z, HistogramMin="0.000", HistogramMax="4000.000")
    group.create_dataset("Histogram", data=np.zeros(256, "u8"))


def add_info(file: Any, suffix: str = "") -> None:
    t, c, z, y, x = PIXELS.shape
    info = file.create_group(f"DataSetInfo{suffix}")
    image = info.create_group("Image")
    tell(image, X=x, Y=y, Z=z, Noc=c, Unit="um", Name="tiny", Description="a tiny stack", LensPower="63x")
    tell(image, RecordingDate="2021-03-04 05:06:07.890", NumericalAperture="1.4", MicroscopeModality="Confocal")
    tell(image, ExtMin0="100.5", ExtMin1="-20", ExtMin2="3", ExtMax0="135.5", ExtMax1="5", ExtMax2="12")
    for k, colour in enumerate(("1.000 0.000 0.000", "0 0.5 1", "0.2 0.4 0.6")[:c]):
        channel = info.create_group(f"Channel {k}")
        tell(channel, Name=f"dye {k}", Color=colour, ColorMode="BaseColor", ColorRange=f"{k} 4000.000")
        tell(channel, LSMExcitationWavelength="488 nm", LSMEmissionWavelength=f"{510 + k}")
    times = info.create_group("TimeInfo")
    tell(times, DatasetTimePoints=t, FileTimePoints=t)
    for k in range(t):
        tell(times, **{f"TimePoint{k + 1}": f"2021-03-04 05:{6 + k:02}:30.000"})


def add_data(file: Any, suffix: str = "", pixels: NDArray[Any] = PIXELS) -> None:
    for level, factors in enumerate(FACTORS):
        for t, channels in enumerate(pixels):
            for c, volume in enumerate(channels):
                path = f"DataSet{suffix}/ResolutionLevel {level}/TimePoint {t}/Channel {c}"
                add_volume(file.create_group(path), binned(volume, factors))


def stack(path: Path) -> None:
    with h5py.File(path, "w") as file:
        tell(
            file, DataSetDirectoryName="DataSet", DataSetInfoDirectoryName="DataSetInfo", ImarisDataSet="ImarisDataSet"
        )
        tell(file, ImarisVersion="5.5.0", NumberOfDataSets="1", ThumbnailDirectoryName="Thumbnail")
        add_data(file)
        add_info(file)
        thumbnail = np.arange(20 * 4 * 12).reshape(12, 80) % 256
        file.create_dataset("Thumbnail/Data", data=thumbnail.astype("u1"))


def single(path: Path) -> None:
    with h5py.File(path, "w") as file:
        add_data(file, "", PIXELS[1:, 1:2])
        add_info(file)


def two_sets(path: Path) -> None:
    with h5py.File(path, "w") as file:
        add_data(file)
        add_data(file, "1", PIXELS[:1, :1].astype("f4"))
        add_info(file)


def linked(path: Path) -> None:
    """Each volume in a file beside it, as BigDataProcessor has them."""
    with h5py.File(path, "w") as file:
        add_info(file)
        for t, c in np.ndindex(PIXELS.shape[:2]):
            name = f"{path.stem}--C{c:02}--T{t:05}.h5"
            with h5py.File(path.with_name(name), "w") as part:
                for level, factors in enumerate(FACTORS):
                    add_volume(part.create_group(f"ResolutionLevel {level}"), binned(PIXELS[t, c], factors))
                    channel = f"DataSet/ResolutionLevel {level}/TimePoint {t}/Channel {c}"
                    file[channel] = h5py.ExternalLink(f"./{name}", f"ResolutionLevel {level}")


SAMPLES: dict[str, Any] = {"stack.ims": stack, "single.ims": single}
"""The two that every layout and door is tried with."""

FILES: dict[str, Any] = {"two.ims": two_sets, "linked.ims": linked}

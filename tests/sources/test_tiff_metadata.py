"""What TIFF files say of their images: pixel sizes, channels, dates, names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from diascope.image.image import Image
from diascope.sources.dataset import Dataset
from diascope.sources.tiff import source
from diascope.stores.local import LocalStore


def opened(path: Path) -> Dataset:
    return source.open(LocalStore(path.parent), path.name)


def first(path: Path) -> Image:
    return next(iter(opened(path).images.values()))


def spacing(image: Image) -> dict[str, tuple[float, str | None]]:
    """What is known of each axis."""
    scale = image.levels[0].scale
    return {axis.name: (s, axis.unit) for axis, s in zip(image.axes, scale, strict=True) if axis.unit}


def test_ome(tmp_path: Path) -> None:
    metadata = {
        "axes": "TCYX",
        "PhysicalSizeX": 250.0,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 0.5,
        "TimeIncrement": 3.0,
        "TimeIncrementUnit": "min",
        "Channel": {"Name": ["DAPI", "GFP"], "Color": [0x0000FFFF, -16776961], "EmissionWavelength": [461.0, 0.51]}
        | {"EmissionWavelengthUnit": ["nm", "µm"]},
        "Description": "two dyes",
    }
    tifffile.imwrite(tmp_path / "a.ome.tif", np.zeros((3, 2, 20, 20), np.uint8), metadata=metadata)
    image = first(tmp_path / "a.ome.tif")
    assert spacing(image) == {"t": (3.0, "minute"), "y": (0.5, "micrometer"), "x": (250.0, "nanometer")}
    assert [channel.name for channel in image.channels] == ["DAPI", "GFP"]
    assert [channel.colour for channel in image.channels] == ["0000ff", "ff0000"]
    assert [channel.emission for channel in image.channels] == pytest.approx([461.0, 510.0])
    assert image.metadata.format == "OME-TIFF"


def test_ome_stage(tmp_path: Path) -> None:
    """Of the planes where the image has no label, in micrometres, and only where the unit is a length."""
    plane = {"PositionX": [1.5], "PositionXUnit": ["mm"], "PositionY": [-20.0], "PositionYUnit": ["µm"]}
    unknown = {"PositionZ": [7.0], "PositionZUnit": ["reference frame"]}
    metadata = {"axes": "YX", "Plane": plane | unknown}
    tifffile.imwrite(tmp_path / "a.ome.tif", np.zeros((20, 20), np.uint8), metadata=metadata)
    assert first(tmp_path / "a.ome.tif").metadata.position == pytest.approx({"x": 1500.0, "y": -20.0})


def test_each_ome_image_has_its_own(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as writer:
        for k in range(3):
            metadata = {"axes": "YX", "PhysicalSizeX": k + 1.0, "PhysicalSizeY": k + 1.0, "Name": f"n{k}"}
            writer.write(np.zeros((20, 20), np.uint8), metadata=metadata)
    images = opened(tmp_path / "a.ome.tif").images
    assert [spacing(images[f"n{k}"])["x"][0] for k in range(3)] == [1.0, 2.0, 3.0]


def test_imagej(tmp_path: Path) -> None:
    metadata: dict[str, Any] = {"axes": "TZCYX", "unit": "um", "spacing": -2.0, "finterval": 0.5, "mode": "composite"}
    ramp = np.arange(256, dtype=np.uint8)
    metadata["LUTs"] = [np.stack([ramp, ramp * 0, ramp * 0]), np.stack([ramp * 0, ramp, ramp])]
    metadata["Ranges"] = (10.0, 200.0, 5.0, 90.0)
    stored = np.zeros((2, 3, 2, 20, 20), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stored, imagej=True, resolution=(4, 5), metadata=metadata)
    image = first(tmp_path / "a.tif")
    micrometres = {axis: (s, "micrometer") for axis, s in (("z", 2.0), ("y", 0.2), ("x", 0.25))}
    assert spacing(image) == {"t": (0.5, "second"), **micrometres}
    assert [channel.window for channel in image.channels] == [(10.0, 200.0), (5.0, 90.0)]
    assert [channel.colour for channel in image.channels] == ["ff0000", "00ffff"]
    assert image.metadata.format == "ImageJ TIFF"


@pytest.mark.parametrize(
    ("per_unit", "unit", "micrometres"),
    [
        (20_000, "CENTIMETER", 0.5),
        (101_600, "INCH", 0.25),
        (118, "CENTIMETER", None),
        (300, "INCH", None),
        (4800, "INCH", None),
        (20_000, "NONE", None),
    ],
)
def test_resolution_tags_count_where_they_are_a_microscopes(
    tmp_path: Path, per_unit: int, unit: str, micrometres: float | None
) -> None:
    stored = np.zeros((20, 20), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stored, resolution=(per_unit, per_unit), resolutionunit=unit, metadata=None)
    known = spacing(first(tmp_path / "a.tif"))
    assert set(known) == (set("yx") if micrometres else set())
    for size, name in known.values():
        assert size == pytest.approx(micrometres)
        assert name == "micrometer"


def test_a_palette_is_told_and_its_indices_stay(tmp_path: Path) -> None:
    colours = np.zeros((3, 256), np.uint16)
    colours[:, 7] = (0xFF00, 0x8000, 0)
    stored = np.full((20, 20), 7, np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="palette", colormap=colours)
    image = first(tmp_path / "a.tif")
    assert (image[...] == 7).all()
    assert image.metadata.palette[7] == "ff8000"
    assert image.metadata.extra["photometric"] == "PALETTE"


def test_slides(shared_data: Path) -> None:
    svs = opened(shared_data / "svs" / "CMU-1-Small-Region.svs")
    image = svs.images["CMU-1-Small-Region"]
    assert spacing(image) == dict.fromkeys("yx", (0.499, "micrometer"))
    assert (image.metadata.magnification, image.metadata.acquired) == (20.0, "2009-12-29T09:59:15")
    assert {name: each.shape for name, each in svs.associated.items()} == {
        "thumbnail": (3, 768, 574),
        "label": (3, 463, 387),
        "macro": (3, 431, 1280),
    }
    ndpi = opened(shared_data / "ndpi" / "test3-DAPI-2-(387).ndpi")
    image = next(iter(ndpi.images.values()))
    assert spacing(image)["x"][0] == pytest.approx(0.2281750559)
    assert (image.metadata.magnification, image.metadata.acquired) == (40.0, "2017-02-07T13:06:43")
    assert list(ndpi.associated) == ["macro", "map"]


def test_channels_of_qptiff(shared_data: Path) -> None:
    dataset = opened(shared_data / "qptiff" / "small_vectra.qptiff")
    image = next(iter(dataset.images.values()))
    assert image.channels[0].name == "DAPI"
    assert image.channels[0].colour == "0000ff"
    assert len({channel.name for channel in image.channels}) == 3
    assert image.metadata.magnification == 10.0
    assert spacing(image)["y"][0] == pytest.approx(0.49653463)
    assert list(dataset.associated) == ["thumbnail"]


def test_hyperstack_of_imagej_itself(shared_data: Path) -> None:
    image = first(shared_data / "imagej-tiff" / "xyzct-mitosis.tif")
    assert image.axis_names == "tczyx"
    assert [name for _, name in spacing(image).values()] == ["second", "micrometer", "micrometer"]
    assert [size for size, _ in spacing(image).values()] == pytest.approx([1 / 7, 0.0885, 0.0885])
    assert [channel.window for channel in image.channels] == [(1582.0, 6440.0), (1614.0, 15787.0)]
    assert all(channel.colour for channel in image.channels)


SCN = """<?xml version="1.0"?><scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01"><collection>
<image name="slide"><creationDate>2012-05-31T10:00:00Z</creationDate><pixels sizeX="300" sizeY="200">
<dimension sizeX="300" sizeY="200" r="0" ifd="0"/><dimension sizeX="150" sizeY="100" r="1" ifd="1"/></pixels>
<view sizeX="150000" sizeY="100000" offsetX="0" offsetY="0"/>
<scanSettings><objectiveSettings><objective>20</objective></objectiveSettings></scanSettings></image>
</collection></scn>"""


def test_scn(tmp_path: Path) -> None:
    fine = np.random.default_rng(1).integers(0, 255, (200, 300, 3), np.uint8)
    options: dict[str, Any] = {"photometric": "rgb", "tile": (64, 64), "metadata": None, "compression": "zlib"}
    with tifffile.TiffWriter(tmp_path / "a.scn", bigtiff=True) as writer:
        writer.write(fine, description=SCN, **options)
        writer.write(fine[::2, ::2], **options)
    image = first(tmp_path / "a.scn")
    assert (image.kind, image.metadata.format, image.metadata.magnification) == ("rgb", "Leica SCN", 20.0)
    assert spacing(image) == dict.fromkeys("yx", (0.5, "micrometer"))
    assert [level.shape for level in image.levels] == [(3, 200, 300), (3, 100, 150)]
    np.testing.assert_array_equal(np.moveaxis(image[...], 0, -1), fine)


def test_metadata_that_nobody_understands_cost_no_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = np.arange(1200, dtype=np.uint16).reshape(3, 20, 20)
    tifffile.imwrite(tmp_path / "a.tif", stored, imagej=True, metadata={"axes": "ZYX"})
    monkeypatch.setattr(
        tifffile.TiffFile, "imagej_metadata", {"images": 3, "slices": 3, "unit": b"\0", "mode": "composite", "LUTs": 9}
    )
    image = first(tmp_path / "a.tif")
    np.testing.assert_array_equal(image[...], stored)
    assert image.metadata.format == "TIFF"


def test_a_mask_is_beside_the_image(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(np.zeros((30, 40), np.uint8), metadata=None)
        writer.write(np.ones((30, 40), np.bool_), metadata=None, subfiletype=4)
    dataset = opened(tmp_path / "a.tif")
    assert list(dataset.images) == ["a"]
    assert dataset.associated["mask"][...].all()

"""CZI files against Zeiss' own library, and against what was written where that has no decoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from pylibCZIrw import czi as zeiss

import diascope
from diascope.errors import DiascopeError
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.region import Region
from diascope.registry import registry
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from tests.judges import bioformats
from tests.judges.required import required
from tests.sources import czi_files
from tests.sources.czi_files import XML, Tile, czi, mosaic, ramp

OPTIONS = ["uncompressed:", "zstd0:ExplicitLevel=3", "zstd1:ExplicitLevel=2;PreProcess=HiLoByteUnpack"]


def plane(image: Image, level: Level, t: int, c: int, z: int) -> NDArray[Any]:
    """Rows, columns and samples in Zeiss' order of colours."""
    places = {"t": t, "z": z} | ({} if image.kind == "rgb" else {"c": c})
    start = [places.get(axis.name, 0) for axis in image.axes]
    stop = [
        places[axis.name] + 1 if axis.name in places else size
        for axis, size in zip(image.axes, level.shape, strict=True)
    ]
    pixels = level.read(Region(tuple(start), tuple(stop)))
    if image.kind == "rgb":
        return np.moveaxis(pixels.reshape(-1, *pixels.shape[-2:]), 0, -1)[..., ::-1]
    return pixels.reshape(*pixels.shape[-2:], 1)


def check_against_zeiss(path: Path) -> int:
    """Every plane of every scene; gives how many there were."""
    count = 0
    with zeiss.open_czi(str(path)) as judge:
        for image in diascope.open_dataset(path).images.values():
            scene = image.metadata.extra.get("scene", {}).get("index")
            box = judge.scenes_bounding_rectangle[scene] if scene is not None else judge.total_bounding_rectangle
            for t in range(image.size("t")):
                for c in range(image.size("c") if image.kind != "rgb" else 1):
                    for z in range(image.size("z")):
                        wanted = judge.read(roi=tuple(box), plane={"T": t, "C": c, "Z": z}, scene=scene)
                        np.testing.assert_array_equal(plane(image, image.levels[0], t, c, z), wanted)
                        count += 1
    return count


@pytest.mark.parametrize(("dtype", "samples"), [("u1", 1), ("u2", 1), ("f4", 1), ("u1", 3), ("u2", 3)])
@pytest.mark.parametrize("packing", ["plain", "zstd0", "zstd1", "hilo", "jpegxr"])
def test_mosaics_are_drawn_as_zeiss_draws_them(packing: str, dtype: str, samples: int, tmp_path: Path) -> None:
    path = tmp_path / "mosaic.czi"
    path.write_bytes(czi(mosaic(packing, dtype, samples), XML))
    if packing == "hilo" and (dtype != "u2" or samples == 3):
        # Zeiss' library refuses the one, and reads the other otherwise than it wrote it.
        check_against_plain(path, dtype, samples)
    else:
        assert check_against_zeiss(path) == (4 if samples == 1 else 2)


def check_against_plain(path: Path, dtype: str, samples: int) -> None:
    plain = path.with_name("plain.czi")
    plain.write_bytes(czi(mosaic("plain", dtype, samples), XML))
    np.testing.assert_array_equal(diascope.open(path)[...], diascope.open(plain)[...])


@pytest.mark.parametrize("packing", ["jpeg", "lzw"])
@pytest.mark.parametrize("samples", [1, 3])
def test_what_zeiss_does_not_decode_is_what_was_written(packing: str, samples: int, tmp_path: Path) -> None:
    tile = Tile(ramp(40, 50, "u1", samples), packing=packing)
    (tmp_path / "image.czi").write_bytes(czi([tile]))
    pixels = diascope.open(tmp_path / "image.czi")[...]
    wanted = tile.pixels if samples == 1 else np.moveaxis(tile.pixels, -1, 0)
    np.testing.assert_allclose(pixels, wanted, atol=12 if packing == "jpeg" else 0)


@pytest.mark.judge
@pytest.mark.parametrize(("packing", "samples"), [("jpeg", 1), ("jpeg", 3), ("lzw", 1), ("hilo", 3)])
def test_bio_formats_decodes_what_zeiss_does_not(packing: str, samples: int, tmp_path: Path) -> None:
    required(bioformats.missing())
    dtype = "u2" if packing == "hilo" else "u1"
    path = tmp_path / "image.czi"
    path.write_bytes(czi([Tile(ramp(40, 50, dtype, samples), packing=packing)]))
    out = bioformats.converted(path, tmp_path / "out.ome.tif")
    assert isinstance(out, Path), out
    wanted = tifffile.imread(out, series=0)
    pixels = diascope.open(path)[...]
    np.testing.assert_allclose(pixels, wanted if samples == 1 else np.moveaxis(wanted, -1, 0), atol=3)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(("dtype", "samples"), [("u1", 1), ("u2", 1), ("f4", 1), ("u1", 3)])
def test_what_zeiss_writes_is_read(options: str, dtype: str, samples: int, tmp_path: Path) -> None:
    path = tmp_path / "written.czi"
    with zeiss.create_czi(str(path), compression_options=options) as out:
        for t, (x, y, scene) in [(t, spot) for t in range(2) for spot in ((-50, -20, 0), (-10, -5, 0), (500, 3, 1))]:
            pixels = ramp(64, 70, dtype, samples, t + x + 50).reshape(64, 70, samples)
            out.write(data=pixels, plane={"C": 0, "T": t, "Z": 0}, location=(x, y), scene=scene)
        out.write_metadata(document_name="written", channel_names={0: "first"}, scale_x=1e-7, scale_y=2e-7)
    assert check_against_zeiss(path) == 4
    images = diascope.open_dataset(path).images
    assert list(images) == ["scene-0", "scene-1"]
    assert images["scene-1"].levels[0].scale[-2:] == (0.2, 0.1)
    assert samples == 3 or images["scene-0"].channels[0].name == "first"


def test_shared_files_are_as_zeiss_sees_them(shared_data: Path) -> None:
    paths = sorted((shared_data / "czi").glob("*.czi"))
    assert paths
    assert sum(map(check_against_zeiss, paths)) >= 3 * 5 * 2 + len(paths)


def test_pyramids_are_levels(tmp_path: Path) -> None:
    path = tmp_path / "pyramid.czi"
    czi_files.pyramid_file(path)
    dataset = diascope.open_dataset(path)
    image = dataset.images["pyramid"]
    # A level of ours is made only below the smallest that is stored.
    assert [level.shape for level in image.levels][:3] == [(128, 128), (64, 64), (32, 32)]
    stored = registry("sources")["czi"].open(LocalStore(tmp_path), path.name).images["pyramid"].levels
    assert [level.scale for level in stored] == [(0.17 * f, 0.16 * f) for f in (1, 2, 4)]
    assert stored[1].translation == pytest.approx((0.085, 0.08))
    with zeiss.open_czi(str(path)) as judge:
        for k, level in enumerate(stored):
            box = tuple(judge.scenes_bounding_rectangle[0])
            wanted = judge.read(roi=box, plane={"C": 0}, scene=0, zoom=0.5**k)
            np.testing.assert_array_equal(plane(image, level, 0, 0, 0), wanted)
    assert dataset.associated["label"].kind == "rgb"
    np.testing.assert_array_equal(dataset.associated["label"][...], np.moveaxis(ramp(20, 30, "u1", 3), -1, 0))
    assert dataset.associated["thumbnail"].shape == (3, 16, 24)


def test_a_pyramid_that_lacks_a_part_is_no_level(tmp_path: Path) -> None:
    half = [tile for tile in czi_files.pyramid() if tile.size is None]
    half.append(Tile(ramp(64, 32, "u1"), -32, 16, {"C": 0, "S": 0}, size=(128, 64)))
    (tmp_path / "part.czi").write_bytes(czi(half))
    levels = registry("sources")["czi"].open(LocalStore(tmp_path), "part.czi").images["part"].levels
    assert [level.shape for level in levels] == [(128, 128)]


def test_metadata(tmp_path: Path) -> None:
    path = tmp_path / "scenes.czi"
    czi_files.contract_file(path)
    images = diascope.open_dataset(path).images
    assert list(images) == ["A1", "B-2"]
    image = images["A1"]
    assert image.axis_names == "tcyx"
    assert image.levels[0].scale == (2.5, 1.0, 0.17, 0.16)
    assert [axis.unit for axis in image.axes] == ["second", None, "micrometer", "micrometer"]
    first, second = image.channels
    assert (first.name, first.colour, first.excitation, first.emission) == ("DAPI", "00a1ff", 353, 465.5)
    assert first.window == pytest.approx((6553.5, 32767.5))
    assert (second.name, second.colour, second.window) == ("GFP", "00ff00", None)
    told = image.metadata
    assert (told.format, told.description, told.acquired) == ("CZI", "A section", "2024-05-06T07:08:09Z")
    assert (told.magnification, told.aperture, told.objective) == (63, 1.4, "Plan-Apochromat 63x/1.4")
    assert (told.instrument, told.position) == ("LSM 900", {"x": 10.5, "y": -20.0})
    assert images["B-2"].metadata.position == {"x": 1, "y": 2, "z": 3}
    assert told.extra["channels"] == [{"ExposureTime": "2000000"}]
    assert told.extra["start"] == {"x": -50, "y": -21}
    assert (told.extra["software"], told.extra["bits"], told.extra["compression"]) == ("ZEN 3.4", 14, ["Zstandard"])


def test_metadata_of_a_microscope(shared_data: Path) -> None:
    images = diascope.open_dataset(shared_data / "czi/S3_1Pos_2Mosaic_T1_Z1_CH1.czi").images
    assert list(images) == ["TR1", "P1", "TR2"]
    told = images["TR2"].metadata
    assert (told.objective, told.aperture, told.magnification) == ("Plan-Apochromat 5x/0.35", 0.35, 5)
    assert (told.instrument, told.acquired) == ("Celldiscoverer 7", "2021-06-15T06:09:43.0304818Z")
    assert images["TR1"].metadata.position == {"x": 38397.296, "y": 12724.718}
    assert images["TR1"].levels[0].scale == (1.6, 1.6)
    (channel,) = images["TR1"].channels
    assert (channel.name, channel.colour, channel.excitation, channel.emission) == ("DAPI", "00a1ff", 353, 465)


def test_unlike_planes_are_images_of_their_own(tmp_path: Path) -> None:
    tiles = [
        Tile(ramp(10, 12), places={"C": 0, "H": 0}),
        Tile(ramp(10, 12, seed=1), places={"C": 0, "H": 1}),
        Tile(ramp(10, 12, "u1", 3), places={"C": 1, "H": 0}),
    ]
    (tmp_path / "mixed.czi").write_bytes(czi(tiles))
    images = diascope.open_dataset(tmp_path / "mixed.czi").images
    assert {name: (image.kind, image.shape) for name, image in images.items()} == {
        "H0-Gray16-C0": ("intensity", (10, 12)),
        "H0-Bgr24-C1": ("rgb", (3, 10, 12)),
        "H1-Gray16-C0": ("intensity", (10, 12)),
    }


@pytest.mark.parametrize("packing", ["plain", "zstd1"])
def test_only_what_a_region_needs_is_read(packing: str, tmp_path: Path) -> None:
    tiles = [Tile(ramp(700, 800, seed=z), places={"C": 0, "Z": z}, packing=packing) for z in range(4)]
    path = tmp_path / "stack.czi"
    path.write_bytes(czi(tiles))
    store = CountingStore(LocalStore(tmp_path))
    (image,) = registry("sources")["czi"].open(store, path.name).images.values()
    opening = store.count
    assert opening < 4096
    pixels = image.levels[0].read(Region((2, 100, 100), (3, 110, 120)))
    np.testing.assert_array_equal(pixels[0], ramp(700, 800, seed=2)[100:110, 100:120])
    size = path.stat().st_size
    assert store.count - opening < (20 * 800 * 2 if packing == "plain" else size // 4 + 1000)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data.replace(b"ZISRAWDIRECTORY", b"ZISRAWDIRECTURY"), "no ZISRAWDIRECTORY"),
        (lambda data: data[: len(data) // 2], "no ZISRAWDIRECTORY"),
        (lambda data: data[:84] + bytes(8) + data[92:], "not finished"),
        (lambda data: data[:32] + b"\2" + data[33:], "version 2"),
        (lambda data: data[:80] + b"\1" + data[81:], "part 1"),
    ],
)
def test_refused(change: Any, reason: str, tmp_path: Path) -> None:
    data = change(czi([Tile(ramp(10, 12))]))
    (tmp_path / "refused.czi").write_bytes(data)
    with pytest.raises(DiascopeError, match=f"refused.czi.*{reason}"):
        diascope.open(tmp_path / "refused.czi")


def test_a_far_place_of_all_planes_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "far.czi").write_bytes(czi([Tile(ramp(9, 9), places={"C": 7, "T": 2**31 - 1})]))
    np.testing.assert_array_equal(diascope.open(tmp_path / "far.czi")[...], ramp(9, 9))


def test_a_directory_that_declares_far_more_planes_than_it_has_is_refused(tmp_path: Path) -> None:
    tiles = [Tile(np.zeros((9, 9), "u1"), places={"C": 0, "T": t}) for t in (0, 10**6)]
    (tmp_path / "sparse.czi").write_bytes(czi(tiles))
    with pytest.raises(DiascopeError, match=r"sparse.czi.*2 subblocks cannot make"):
        diascope.open(tmp_path / "sparse.czi")


@pytest.mark.parametrize("packing", ["jpeg", "jpegxr"])
def test_a_stream_of_another_size_is_refused_before_it_is_decoded(packing: str, tmp_path: Path) -> None:
    told = czi_files.entry(Tile(ramp(40, 50, "u1"), packing=packing), 0)[32:]
    lying = czi_files.entry(Tile(ramp(400, 500, "u1"), packing=packing), 0)[32:]
    data = czi([Tile(ramp(40, 50, "u1"), packing=packing)])
    assert data.count(told) == 2
    (tmp_path / "bomb.czi").write_bytes(data.replace(told, lying))
    with pytest.raises(DiascopeError, match=r"bomb.czi.*a stream of 2000 pixels where 200000 belong"):
        diascope.open(tmp_path / "bomb.czi")[...]

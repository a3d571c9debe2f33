"""The virtual OME-TIFF, judged by tifffile, Pillow, OpenSlide and the OME schema."""

from __future__ import annotations

import io
import tracemalloc
from dataclasses import replace
from itertools import product
from time import thread_time

import numpy as np
import pytest
import tifffile

import diascope
from diascope.errors import Unreadable
from diascope.image.cache import cached, chunk_cache
from diascope.image.image import Image
from diascope.image.level import Level, Pixels, read_whole
from diascope.image.metadata import Channel, Metadata
from diascope.image.order import moved
from diascope.image.pyramid import with_pyramid
from diascope.image.region import Region
from diascope.layouts.ome_tiff import is_big, layout, ome_tiff
from diascope.layouts.ome_xml import signed_colour
from diascope.layouts.plane_stack import flat_levels
from diascope.layouts.tiff_directory import BIG, CLASSIC
from diascope.testing.synthetic import ramp
from diascope.tree.file import Entry
from tests.virtual import all_bytes, opened, written

IMAGES = {
    "tiny": ramp("yx", (10, 7), np.uint8),
    "one pixel": ramp("yx", (1, 1), np.uint8),
    "exact tiles": ramp("yx", (512, 256), np.uint16, levels=2),
    "wide": ramp("yx", (3, 1000), np.int16),
    "volume": ramp("zyx", (5, 40, 300), np.int16, levels=2),
    "five axes": ramp("tczyx", (2, 3, 4, 300, 517), np.uint16, levels=3),
    "channels": ramp("cyx", (3, 70, 80), np.float32),
    "times": ramp("tyx", (3, 70, 80), np.uint32),
    "picture": ramp("czyx", (3, 2, 300, 270), np.uint8, kind="rgb", levels=2),
    "flat picture": ramp("cyx", (3, 300, 270), np.uint8, kind="rgb", levels=2),
    "opacity": ramp("tcyx", (2, 4, 30, 27), np.uint16, kind="rgb"),
    "picture of floats": ramp("cyx", (3, 30, 27), np.float32, kind="rgb"),
    "labels": ramp("zyx", (2, 30, 27), np.int32, kind="labels"),
    **{name: ramp("zyx", (2, 30, 27), name) for name in ("bool", "int8", "float16", "float64", "complex64")},
}


def as_tifffile_has_it(image: Image, level: Level) -> Pixels:
    """The pixels of a level in the order of the axes in the file: colours last where they lie side by side."""
    pixels = read_whole(level)
    picture = image.kind == "rgb" and image.dtype.kind == "u"
    names = "".join(axis for axis in image.axis_names if axis != "c") + "c" if picture else image.axis_names
    return moved(pixels, image.axis_names, names)


def squeezed_names(image: Image, tiff_axes: str) -> str:
    return "".join(name for name in tiff_axes.lower().replace("s", "c") if image.size(name) > 1)


@pytest.mark.parametrize("form", [CLASSIC, BIG], ids=["classic", "big"])
@pytest.mark.parametrize("name", IMAGES)
def test_tifffile_reads_every_plane_of_every_level(name, form):
    image = IMAGES[name]
    with tifffile.TiffFile(io.BytesIO(all_bytes(ome_tiff(image, (form,))))) as tiff:
        assert tiff.is_bigtiff == (form is BIG)
        assert len(tiff.series) == 1
        series = tiff.series[0]
        assert series.kind == "ome"
        assert len(series.levels) == len(image.levels)
        for stored, level in zip(series.levels, image.levels, strict=True):
            expected = as_tifffile_has_it(image, level)
            np.testing.assert_array_equal(stored.asarray().squeeze(), expected.squeeze())
        planes = np.prod([image.size(axis) for axis in "tcz"]) // tiff.pages[0].samplesperpixel
        assert len(tiff.pages) == planes


def test_the_axes_are_named_and_in_order():
    with tifffile.TiffFile(opened(ome_tiff(IMAGES["five axes"]))) as tiff:
        assert (tiff.series[0].axes, tiff.series[0].shape) == ("TCZYX", (2, 3, 4, 300, 517))
    with tifffile.TiffFile(opened(ome_tiff(IMAGES["picture"]))) as tiff:
        assert (tiff.series[0].axes, tiff.series[0].shape) == ("ZYXS", (2, 300, 270, 3))
        assert tiff.pages[0].photometric == tifffile.PHOTOMETRIC.RGB
    with tifffile.TiffFile(opened(ome_tiff(IMAGES["opacity"]))) as tiff:
        assert tiff.pages[0].extrasamples == (tifffile.EXTRASAMPLE.UNASSALPHA,)


def test_any_range_is_that_slice_of_the_whole():
    for name, form in product(("five axes", "picture", "tiny"), (CLASSIC, BIG)):
        file = ome_tiff(IMAGES[name], (form,))
        data = file.read(0, None)
        assert len(data) == file.size
        for k, length in product(range(61), (1, 4000, 300_000)):
            start = len(data) * k // 61
            assert file.read(start, start + length) == data[start : start + length]
        assert file.read(len(data), len(data) + 5) == b""


def test_every_byte_of_the_directories_can_be_read_alone():
    file = ome_tiff(ramp("zyx", (3, 600, 600), levels=2))
    data = file.read(0, 2000)
    assert b"".join(file.read(at, at + 1) for at in range(2000)) == data


def test_reduced_planes_give_way_to_levels_with_all_planes():
    image = with_pyramid(ramp("zyx", (9, 600, 500)))
    image = replace(image, levels=(image.levels[0], replace(image.levels[1], shape=(4, 300, 250)), *image.levels[2:]))
    with tifffile.TiffFile(opened(ome_tiff(image))) as tiff:
        assert [level.shape for level in tiff.series[0].levels] == [(9, 600, 500), (9, 300, 250), (9, 150, 125)]
        np.testing.assert_array_equal(tiff.series[0].levels[0].asarray(), image[...])
        means = image[:, ::2, ::2].astype(float) + image[:, 1::2, ::2] + image[:, ::2, 1::2] + image[:, 1::2, 1::2]
        np.testing.assert_array_equal(tiff.series[0].levels[1].asarray(), np.floor(means / 4 + 0.5))


def counted(image: Image) -> tuple[Image, list[Region]]:
    """The image, and the regions that are read of it."""
    regions: list[Region] = []

    def counting(level: Level) -> Level:
        def read_pixels(region: Region) -> Pixels:
            regions.append(region)
            return level.read(region)

        return replace(level, read_pixels=read_pixels)

    return replace(image, levels=tuple(map(counting, image.levels))), regions


def test_a_chunk_is_decoded_once_whatever_the_tiles():
    image, regions = counted(ramp("zyx", (2, 700, 600), chunk_shape=(1, 100, 130)))
    data = all_bytes(ome_tiff(cached(image, chunk_cache(2**24), "here")))
    assert len(regions) == len(set(regions)) == 2 * 7 * 5
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(data)), image[...])


HUGE = ramp("zyx", (10_000, 1_000_000, 1_000_000), levels=13)


def test_a_huge_file_has_a_size_at_once_and_costs_no_memory():
    image, regions = counted(HUGE)
    before = thread_time()
    tracemalloc.start()
    file = ome_tiff(image)
    assert file.size is not None
    pixels = sum(np.prod([float(size) for size in level.shape]) * 2 for level in image.levels)
    assert pixels < file.size < 1.1 * pixels
    for start in [file.size * k // 50 for k in range(50)] + [file.size - 65536]:
        del regions[:]
        assert len(file.read(start, start + 65536)) == 65536
        assert len(regions) <= 2
        assert sum(np.prod(region.shape) for region in regions) <= 65536 / 2 + 2 * 512
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32_000_000
    # Not a measurement: what is not arithmetic takes hours.
    assert thread_time() - before < 60
    assert is_big(image)


def test_tifffile_finds_its_way_in_a_huge_file():
    image = ramp("zyx", (10, 200_000, 200_000), levels=11)
    with tifffile.TiffFile(opened(ome_tiff(image))) as tiff:
        series = tiff.series[0]
        assert series.shape == (10, 200_000, 200_000)
        np.testing.assert_array_equal(series.levels[-1].asarray(), read_whole(image.levels[-1]))


def test_the_size_decides_between_classic_and_big():
    largest = ramp("zyx", (255, 4096, 2048))
    assert ome_tiff(largest).size == pytest.approx(255 * 2**24, rel=0.01)
    assert not is_big(largest)
    assert ome_tiff(largest).read(0, 4) == b"II*\0"
    assert is_big(ramp("zyx", (256, 4096, 2048)))
    assert ome_tiff(ramp("zyx", (256, 4096, 2048))).read(0, 4) == b"II+\0"


@pytest.mark.parametrize("planes", [255, 256])
def test_the_last_plane_of_a_file_near_four_gibibytes(planes):
    image = ramp("zyx", (planes, 4096, 2048))
    with tifffile.TiffFile(opened(ome_tiff(image))) as tiff:
        assert len(tiff.pages) == planes
        np.testing.assert_array_equal(tiff.pages[-1].asarray()[-1], image[-1, -1])


def described() -> Image:
    image = ramp("tczyx", (2, 2, 3, 20, 30), name='<a & "b">\x00é')
    channels = (
        Channel(name="DAPI <1>", colour="0000ff", excitation=405.0, emission=461.5),
        Channel(name="", colour="ff8000"),
    )
    known = Metadata(description="A & B\x1b <c>\nµ", acquired="2021-03-04T05:06:07", magnification=40.0)
    optics = replace(
        known, objective="Plan <40x>", aperture=0.95, instrument="Scope & Co", position={"x": 1.5, "y": -2e4}
    )
    return replace(image, channels=channels, metadata=optics)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_metadata_is_valid_and_says_what_is_known():
    import ome_types

    with tifffile.TiffFile(opened(ome_tiff(described()))) as tiff:
        xml = tiff.ome_metadata
        resolutions = [tiff.pages[0].tags[tag].value for tag in ("XResolution", "YResolution", "ResolutionUnit")]
        assert tiff.pages[0].tags["Software"].value.startswith("Diascope ")
    assert [resolutions[0][0] / resolutions[0][1], resolutions[1][0] / resolutions[1][1]] == [40_000, 20_000]
    assert resolutions[2] == 3
    assert xml is not None
    ome_types.validate_xml(xml)
    ome = ome_types.from_xml(xml)
    pixels = ome.images[0].pixels
    assert ome.images[0].name == '<a & "b">\ufffdé'
    assert ome.images[0].description == "A & B\ufffd <c>\nµ"
    assert str(ome.images[0].acquisition_date) == "2021-03-04 05:06:07"
    (instrument,) = ome.instruments
    (objective,) = instrument.objectives
    assert (objective.model, objective.lens_na, objective.nominal_magnification) == ("Plan <40x>", 0.95, 40)
    assert instrument.microscope.model == "Scope & Co"
    assert ome.images[0].instrument_ref.id == instrument.id
    assert ome.images[0].objective_settings.id == objective.id
    stage, (plane,) = ome.images[0].stage_label, pixels.planes
    assert (stage.x, stage.y, stage.z, stage.x_unit.value) == (1.5, -2e4, None, "µm")
    assert (plane.position_x, plane.position_y, plane.position_z) == (1.5, -2e4, None)
    assert (plane.the_z, plane.the_c, plane.the_t, plane.position_y_unit.value) == (0, 0, 0, "µm")
    assert (pixels.size_x, pixels.size_y, pixels.size_z, pixels.size_c, pixels.size_t) == (30, 20, 3, 2, 2)
    assert (pixels.physical_size_x, pixels.physical_size_y, pixels.physical_size_z) == (0.25, 0.5, 2.0)
    assert {pixels.physical_size_x_unit.value, pixels.physical_size_z_unit.value} == {"µm"}
    assert (pixels.time_increment, pixels.time_increment_unit.value) == (1.0, "s")
    first, second = pixels.channels
    assert (first.name, first.color.as_rgb_tuple(), first.excitation_wavelength, first.emission_wavelength) == (
        "DAPI <1>", (0, 0, 255), 405.0, 461.5,
    )  # fmt: skip
    assert (second.name, second.color.as_rgb_tuple()) == (None, (255, 128, 0))


def test_the_instrument_the_objective_and_the_stage_come_back(tmp_path):
    (tmp_path / "a.ome.tif").write_bytes(all_bytes(ome_tiff(described())))
    image = next(iter(diascope.open_dataset(tmp_path / "a.ome.tif").images.values()))
    told, wanted = image.metadata, described().metadata
    for name in ("magnification", "objective", "aperture", "instrument", "position"):
        assert getattr(told, name) == getattr(wanted, name)


@pytest.mark.parametrize(
    "known",
    [
        {"instrument": "Scope"},
        {"aperture": 1.4},
        {"objective": "Plan"},
        {"position": {"z": 3.0}},
        {"aperture": float("nan"), "position": {"x": float("inf")}},
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_each_part_of_what_is_known_is_valid_alone(known):
    import ome_types

    image = replace(IMAGES["tiny"], metadata=Metadata(**known))
    with tifffile.TiffFile(opened(ome_tiff(image))) as tiff:
        ome_types.validate_xml(tiff.ome_metadata)


@pytest.mark.parametrize("name", IMAGES)
def test_the_metadata_of_every_kind_of_image_is_valid(name):
    import ome_types

    with tifffile.TiffFile(opened(ome_tiff(IMAGES[name]))) as tiff:
        ome_types.validate_xml(tiff.ome_metadata)


def test_nothing_is_said_of_what_is_not_known():
    image = replace(IMAGES["tiny"], axes=tuple(replace(axis, unit=None) for axis in IMAGES["tiny"].axes))
    with tifffile.TiffFile(opened(ome_tiff(image))) as tiff:
        assert "PhysicalSize" not in tiff.ome_metadata
        assert "XResolution" not in tiff.pages[0].tags


def test_colours_are_signed():
    assert signed_colour("ff0000") == -16776961
    assert signed_colour("0000ff") == 65535


def test_the_same_image_gives_the_same_bytes():
    assert ome_tiff(described()).read(0, None) == ome_tiff(described()).read(0, None)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_types_that_ome_lacks_are_refused_with_the_way_out(dtype):
    reason = layout.refuses(ramp("yx", (5, 5), dtype))
    assert reason is not None
    assert "OME-Zarr" in reason


def test_sizes_that_ome_lacks_are_refused():
    assert "too large" in (layout.refuses(ramp("yx", (2**31, 5))) or "")
    assert "too large" in (layout.refuses(ramp("czyx", (2**11, 2**21, 5, 5))) or "")
    assert "too large" in (layout.refuses(ramp("zyx", (2**30, 2**24, 2**24))) or "")
    assert layout.refuses(HUGE) is None


def test_the_tree_has_the_file_alone():
    tree = layout.tree(replace(IMAGES["tiny"], name="a{b}"))
    assert list(tree.entries("") or ()) == [Entry("a{b}.ome.tif", is_folder=False)]
    file = tree.file("a{b}.ome.tif")
    assert file is not None
    assert file.media_type == "image/tiff"
    assert tree.file("ab.ome.tif") is None


def test_trouble_of_the_source_is_raised_and_not_black():
    def read_pixels(_: Region) -> Pixels:
        raise Unreadable("slide.svs: the tile is broken")

    level = replace(IMAGES["tiny"].levels[0], read_pixels=read_pixels)
    file = ome_tiff(replace(IMAGES["tiny"], levels=(level,)))
    with pytest.raises(Unreadable, match="broken"):
        file.read(0, None)


@pytest.mark.judge
def test_pillow_reads_the_picture(tmp_path):
    from PIL import Image as Pillow

    image = IMAGES["flat picture"]
    with Pillow.open(written(ome_tiff(image), tmp_path / "picture.ome.tif")) as picture:
        np.testing.assert_array_equal(np.asarray(picture), as_tifffile_has_it(image, image.levels[0]))


@pytest.mark.judge
def test_openslide_reads_the_picture(tmp_path):
    import openslide

    image = IMAGES["flat picture"]
    with openslide.OpenSlide(written(ome_tiff(image), tmp_path / "picture.ome.tif")) as slide:
        assert slide.dimensions == (270, 300)
        pixels = np.asarray(slide.read_region((0, 0), 0, slide.dimensions))
        np.testing.assert_array_equal(pixels[..., :3], as_tifffile_has_it(image, image.levels[0]))


REAL = (
    "svs/CMU-1-Small-Region.svs", "pyramid-tiff/CMU-1-small.tiff",
    "imagej-tiff/xyzct-mitosis.tif", "imagej-tiff/xy_rgb__cells.tif", "imagej-tiff/xyt_8bit_polyp.tif",
    "ome-tiff/CZT_peaks.ome.tif", "ome-tiff/multi-channel-z-series.ome.tif",
    "ome-tiff/viv_multi-channel_deflate.ome.tif",
)  # fmt: skip


@pytest.mark.parametrize("path", REAL)
def test_a_real_image_keeps_its_pixels_and_levels(shared_data, path):
    import ome_types

    image = diascope.open(shared_data / path)
    with tifffile.TiffFile(opened(ome_tiff(image))) as tiff:
        ome_types.validate_xml(tiff.ome_metadata)
        for stored, level in zip(tiff.series[0].levels, flat_levels(image), strict=True):
            np.testing.assert_array_equal(stored.asarray().squeeze(), as_tifffile_has_it(image, level).squeeze())

"""DICOM files as pydicom decodes them, series as SimpleITK puts them together, slides as OpenSlide shows them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import imagecodecs
import numpy as np
import openslide
import pydicom
import pytest
import SimpleITK
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    MPEG2MPHL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    PositronEmissionTomographyImageStorage,
    RLELossless,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
)

import diascope
from diascope.catalogue.opening import opened_file, source_of
from diascope.errors import DiascopeError, Unreadable
from diascope.image.image import Image
from diascope.image.level import read_whole
from diascope.image.region import Region
from diascope.operations.view import view
from diascope.registry import registry
from diascope.sources.dicom import content
from diascope.sources.dicom.folder import folder_version
from diascope.sources.source import MOST_NAMES, first_names
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from diascope.testing.sources import check_source
from tests.sources import dicom_files
from tests.sources.dicom_files import COLOURS, PATIENT, TILE, VOLUME, ct_series, ct_slice, with_pixels, written

DICOM = registry("sources")["dicom"]


@pytest.mark.parametrize("name", dicom_files.MORE)
def test_more_kinds_keep_the_contract(name: str, tmp_path: Path) -> None:
    dicom_files.MORE[name](tmp_path / name)
    check_source(DICOM, tmp_path / name)


def only(path: Path) -> Image:
    dataset = opened_file(path)
    assert len(dataset.images) == 1, list(dataset.images)
    return next(iter(dataset.images.values()))


def test_a_series_is_a_volume_as_simpleitk_reads_it(tmp_path: Path) -> None:
    ct_series(tmp_path / "series")
    image = only(tmp_path / "series")
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "series")))
    judge = reader.Execute()
    assert image.name == "3-Head"
    assert image.axis_names == "zyx"
    np.testing.assert_array_equal(image[...], VOLUME)
    np.testing.assert_array_equal(image[...].astype(int) - 1024, SimpleITK.GetArrayFromImage(judge))
    assert image.metadata.rescale == (1, -1024)
    assert image.levels[0].scale == judge.GetSpacing()[::-1]
    check_world(image, judge)


def check_world(image: Image, judge: Any) -> None:
    """Positions of pixels in the patient, whose x and y SimpleITK has the other way round."""
    assert image.world is not None
    for x, y, z in ((0, 0, 0), (3, 5, 2), (19, 1, 6)):
        scale = image.levels[0].scale[::-1]
        ours = image.world.array @ (x * scale[0], y * scale[1], z * scale[2], 1)
        theirs = np.array(judge.TransformIndexToPhysicalPoint((x, y, z))) * (-1, -1, 1)
        np.testing.assert_allclose(ours[:3], theirs, atol=1e-6)


def test_a_real_series_lies_where_simpleitk_has_it(shared_data: Path) -> None:
    folder = shared_data / "dicom" / "ct_series_philips_S2010"
    image = only(folder)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    judge = reader.Execute()
    scaled = image[...].astype(int) - 1024
    np.testing.assert_array_equal(scaled, SimpleITK.GetArrayFromImage(judge))
    assert image.levels[0].scale == pytest.approx(judge.GetSpacing()[::-1])
    assert image.world is not None
    np.testing.assert_allclose(image.world.array[:3, 3], np.array(judge.GetOrigin()) * (-1, -1, 1))


def test_a_dose_lies_where_simpleitk_has_it(shared_data: Path) -> None:
    path = shared_data / "dicom" / "rtdose.dcm"
    judge = SimpleITK.ReadImage(str(path))
    image = only(path)
    assert image.shape == judge.GetSize()[::-1]
    assert image.levels[0].scale == pytest.approx((5, 10, 10))
    assert image.metadata.rescale == (1e-6, 0)
    assert image.world is not None
    np.testing.assert_allclose(image.world.array[:3, 3], np.array(judge.GetOrigin()) * (-1, -1, 1))


@pytest.mark.judge
def test_a_tilted_series_is_the_nifti_that_simpleitk_sees(tmp_path: Path) -> None:
    """Oblique slices, served as NIfTI: every corner lies where ITK's own reader of the same slices has it."""
    turn = np.array([[0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
    normal = np.cross(*turn)
    for k in range(5):
        data = ct_slice(
            VOLUME[k],
            (np.array((10, 20, 30)) + 3.0 * k * normal).tolist(),
            k,
            ImageOrientationPatient=turn.ravel().tolist(),
        )
        written(tmp_path / "oblique" / f"{k}.dcm", data)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "oblique")))
    judge = reader.Execute()
    image = only(tmp_path / "oblique")
    file = registry("layouts")["nifti"].tree(image).file(f"{image.name}.nii")
    assert file is not None
    (tmp_path / "served.nii").write_bytes(file.read(0, None))
    served = SimpleITK.ReadImage(str(tmp_path / "served.nii"))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(served), SimpleITK.GetArrayFromImage(judge))
    for corner in ((0, 0, 0), (19, 0, 0), (0, 23, 0), (0, 0, 4), (19, 23, 4)):
        theirs = judge.TransformIndexToPhysicalPoint(corner)
        np.testing.assert_allclose(served.TransformIndexToPhysicalPoint(corner), theirs, atol=1e-4)


def test_uneven_slices_are_told_and_have_no_world(tmp_path: Path) -> None:
    ct_series(tmp_path / "missing", (0, 1, 2, 3, 6, 7, 8))
    missing = only(tmp_path / "missing")
    assert missing.world is None
    assert missing.metadata.extra["Geometry"]["missing slices"] == 2
    ct_series(tmp_path / "uneven", (0, 1, 2, 3, 3.4, 5, 6))
    uneven = only(tmp_path / "uneven")
    assert uneven.world is None
    assert uneven.metadata.extra["Geometry"] == {"positions": [0, 1, 2, 3, 3.4, 5, 6]}
    np.testing.assert_array_equal(uneven[...], VOLUME)


def test_a_tilted_gantry_shears_the_world(tmp_path: Path) -> None:
    for k in range(4):
        written(tmp_path / "tilted" / f"{k}.dcm", ct_slice(VOLUME[k], (0, 0.5 * k, 2 * k), k))
    image = only(tmp_path / "tilted")
    assert image.metadata.extra["Geometry"]["tilt"] == pytest.approx(np.degrees(np.arctan(0.25)), abs=1e-3)
    assert image.world is not None
    np.testing.assert_allclose(image.world.array @ (0, 0, 3 * image.levels[0].scale[0], 1), (0, -1.5, 6, 1), atol=1e-9)


def test_slices_of_unlike_scales_are_measured_values(tmp_path: Path) -> None:
    for k in range(3):
        scale = {"RescaleSlope": 0.5 + k, "RescaleIntercept": 0, "Modality": "PT"}
        data = ct_slice(VOLUME[k], (0, 0, 3 * k), k, SOPClassUID=PositronEmissionTomographyImageStorage, **scale)
        written(tmp_path / "pet" / f"{k}.dcm", data)
    image = only(tmp_path / "pet")
    assert image.dtype == np.float32
    assert image.metadata.rescale is None
    assert "Rescaled" in image.metadata.extra
    np.testing.assert_allclose(image[...], VOLUME[:3] * np.array([0.5, 1.5, 2.5], np.float32)[:, None, None])
    assert image.channels[0].window == (-160.0, 239.0)


def test_echoes_are_images_and_repeated_places_time(tmp_path: Path) -> None:
    for echo in (10, 20):
        for t in range(2):
            for z in range(3):
                told = {"EchoTime": echo, "AcquisitionNumber": t, "Modality": "MR"}
                data = ct_slice(VOLUME[z] + echo + t, (0, 0, z), 10 * t + z, **told)
                written(tmp_path / "mr" / f"{echo}-{t}-{z}.dcm", data)
    images = list(opened_file(tmp_path / "mr").images.values())
    assert [image.name for image in images] == ["3-Head", "3-Head-2"]
    for image, echo in zip(images, (10, 20), strict=True):
        assert image.axis_names == "tzyx"
        np.testing.assert_array_equal(image[...], np.stack([VOLUME[:3] + echo + t for t in range(2)]))


def test_frames_of_an_enhanced_object_are_put_in_place(tmp_path: Path) -> None:
    dicom_files.enhanced(tmp_path / "enhanced.dcm")
    image = only(tmp_path / "enhanced.dcm")
    assert image.axis_names == "tzyx"
    assert image.levels[0].scale[1:] == (4, 1.5, 1.5)
    np.testing.assert_array_equal(image[...], np.stack([VOLUME[:3], VOLUME[:3] + 1]))


def test_windows_are_of_stored_values_and_inverted_for_monochrome1(tmp_path: Path) -> None:
    written(tmp_path / "a.dcm", ct_slice(VOLUME[0], (0, 0, 0), 1))
    assert only(tmp_path / "a.dcm").channels[0].window == (864, 1263)
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    data = with_pixels(grey, SecondaryCaptureImageStorage, Modality="CR", PhotometricInterpretation="MONOCHROME1")
    written(tmp_path / "b.dcm", data)
    image = only(tmp_path / "b.dcm")
    np.testing.assert_array_equal(image[...], grey)
    assert image.channels[0].window == (255, 0)
    np.testing.assert_array_equal(view("render").applied(image)[0], 255 - grey)
    assert image.metadata.extra["PhotometricInterpretation"] == "MONOCHROME1"


def test_unused_bits_are_left_out(tmp_path: Path) -> None:
    """They may hold an overlay; the sign is that of the bits that are used."""
    dirty = (VOLUME[0].astype(np.int16) & 0x0FFF) | 0x5000
    data = ct_slice(dirty, (0, 0, 0), 1, BitsStored=12, HighBit=11)
    written(tmp_path / "a.dcm", data)
    np.testing.assert_array_equal(only(tmp_path / "a.dcm")[...], VOLUME[0])


JPEG_XL = "1.2.840.10008.1.2.4.110"
WIDE = (VOLUME[0].astype(np.int32) + 1000).astype(np.uint16)
CODECS = {
    JPEGLSLossless: imagecodecs.jpegls_encode,
    JPEG2000Lossless: lambda pixels: imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", level=0),
    JPEG_XL: lambda pixels: imagecodecs.jpegxl_encode(pixels, lossless=True),
    JPEGLosslessSV1: lambda pixels: imagecodecs.ljpeg_encode(pixels, bitspersample=16),
}


@pytest.mark.parametrize("syntax", CODECS, ids=str)
def test_compressed_frames_are_decoded(syntax: str, tmp_path: Path) -> None:
    frames = [np.ascontiguousarray(np.roll(WIDE, k, axis=1)) for k in range(3)]
    data = with_pixels(np.stack(frames), SecondaryCaptureImageStorage, Modality="OT")
    path = tmp_path / "a.dcm"
    # pydicom does not write JPEG XL.
    as_written = MPEG2MPHL if syntax == JPEG_XL else syntax
    dicom_files.encapsulated(path, [CODECS[syntax](frame) for frame in frames], data, as_written)
    path.write_bytes(path.read_bytes().replace(as_written.encode(), syntax.encode(), 1))
    np.testing.assert_array_equal(only(tmp_path / "a.dcm")[...], np.stack(frames))


@pytest.mark.parametrize("pixels", [COLOURS, COLOURS.astype(np.uint16) * 257, VOLUME[:2]], ids=["8", "16", "signed"])
def test_run_lengths_are_decoded(pixels: Any, tmp_path: Path) -> None:
    data = with_pixels(pixels, SecondaryCaptureImageStorage, Modality="OT")
    written(tmp_path / "plain.dcm", data)
    data = pydicom.dcmread(tmp_path / "plain.dcm")
    data.compress(RLELossless)
    data.save_as(tmp_path / "rle.dcm")
    found = only(tmp_path / "rle.dcm")[...]
    np.testing.assert_array_equal(np.moveaxis(found, 0, -1) if pixels.shape[-1] == 3 else found, pixels)


@pytest.mark.parametrize("how", ["basic", "extended", "none", "split"])
def test_frames_are_found_by_any_table(how: str, tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    dicom_files.jpeg_frames(path, how)
    expected = pixel_array(path, raw=False)
    np.testing.assert_allclose(np.moveaxis(only(path)[...], 1, -1).astype(int), expected, atol=2)


def test_a_frame_is_read_alone(tmp_path: Path) -> None:
    pixels = np.tile(VOLUME, (30, 4, 4))
    written(tmp_path / "a.dcm", with_pixels(pixels, SecondaryCaptureImageStorage, Modality="OT"))
    store = CountingStore(LocalStore(tmp_path))
    image = next(iter(DICOM.open(store, "a.dcm").images.values()))
    before = store.count
    shape = image.levels[0].shape
    found = image.levels[0].read(Region((100, 0, 0), (101, *shape[1:])))
    np.testing.assert_array_equal(found[0], pixels[100])
    assert store.count - before == pixels[100].nbytes
    assert before < 20_000


def test_nobody_is_named(tmp_path: Path) -> None:
    for name, write in (dicom_files.SAMPLES | dicom_files.MORE).items():
        write(tmp_path / name)
        dataset = opened_file(tmp_path / name)
        for images in (dataset.images, dataset.associated):
            for image in images.values():
                told = repr((image.name, image.metadata, image.channels))
                assert PATIENT not in told
                assert "Doe" not in told


def test_tiles_make_a_slide(tmp_path: Path) -> None:
    dicom_files.slide(tmp_path / "a.dcm")
    image = only(tmp_path / "a.dcm")
    assert image.kind == "rgb"
    assert image.levels[0].scale[1:] == (1, 1)
    assert [axis.unit for axis in image.axes] == [None, "micrometer", "micrometer"]
    assert (image.metadata.magnification, image.metadata.aperture) == (20, 0.75)
    np.testing.assert_array_equal(np.moveaxis(image[...], 0, -1), COLOURS)


def test_a_tile_that_is_missing_is_white(tmp_path: Path) -> None:
    dicom_files.sparse_slide(tmp_path / "a.dcm")
    expected = COLOURS.copy()
    expected[:TILE, :TILE] = 255
    np.testing.assert_array_equal(np.moveaxis(only(tmp_path / "a.dcm")[...], 0, -1), expected)


def test_tiles_may_be_cut_at_the_edges_alone(tmp_path: Path) -> None:
    """As wsidicomizer writes them, though DICOM wants whole frames."""
    smooth = np.repeat(np.arange(0, 240, 5, dtype=np.uint8)[None, :, None], 40, axis=0).repeat(3, axis=2)
    data = dicom_files.wsi(smooth, 0.001, PhotometricInterpretation="YBR_FULL_422")
    corners = [(y, x) for y in range(0, 40, TILE) for x in range(0, 48, TILE)]
    tiles = [np.ascontiguousarray(smooth[y : y + TILE, x : x + TILE]) for y, x in corners]
    assert tiles[-1].shape == (8, TILE, 3)
    frames = [imagecodecs.jpeg_encode(tile, level=95) for tile in tiles]
    dicom_files.encapsulated(tmp_path / "cut.dcm", frames, data, JPEGBaseline8Bit)
    found = np.moveaxis(only(tmp_path / "cut.dcm")[...], 0, -1)
    assert np.abs(found.astype(int) - smooth).max() <= 4
    frames[0] = imagecodecs.jpeg_encode(tiles[0][:8].copy(), level=95)
    dicom_files.encapsulated(tmp_path / "short.dcm", frames, data, JPEGBaseline8Bit)
    with pytest.raises(Unreadable, match="tile at row 0, column 0 is cut"):
        only(tmp_path / "short.dcm")[...]


def test_files_of_a_slide_are_its_levels(tmp_path: Path) -> None:
    dicom_files.slide_folder(tmp_path / "slide")
    dataset = opened_file(tmp_path / "slide")
    image = next(iter(dataset.images.values()))
    assert [level.shape for level in image.levels[:2]] == [(3, 30, 44), (3, 15, 22)]
    assert image.levels[1].scale == (1, 2, 2)
    assert image.levels[1].translation == (0, 0.5, 0.5)
    np.testing.assert_array_equal(np.moveaxis(read_whole(image.levels[1]), 0, -1), COLOURS[::2, ::2])
    np.testing.assert_array_equal(np.moveaxis(dataset.associated["label"][...], 0, -1), COLOURS[:9, :8])


def test_focal_planes_and_parts_of_a_concatenation(tmp_path: Path) -> None:
    """Six tiles of each of two planes, in two files that part the first plane."""
    deep = np.stack([COLOURS, 255 - COLOURS])
    whole = [dicom_files.wsi(plane, 0.001) for plane in deep]
    raw = b"".join(each.PixelData[: 6 * TILE * TILE * 3] for each in whole)
    for k, (first, stop) in enumerate(((0, 5), (5, 12))):
        data = dicom_files.wsi(COLOURS, 0.001, TotalPixelMatrixFocalPlanes=2, ConcatenationFrameOffsetNumber=first)
        data.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices = 0.004
        data.NumberOfFrames, data.ConcatenationUID = stop - first, dicom_files.SERIES
        size = TILE * TILE * 3
        data.PixelData = raw[first * size : stop * size]
        written(tmp_path / "slide" / f"{k}.dcm", data)
    image = only(tmp_path / "slide")
    assert image.axis_names == "czyx"
    assert image.levels[0].scale == pytest.approx((1, 4, 1, 1))
    np.testing.assert_array_equal(image[...], np.moveaxis(deep, -1, 0))


@pytest.mark.judge
def test_slides_are_as_openslide_shows_them(shared_data: Path) -> None:
    path = shared_data / "dicom" / "openslide_boxes_wsi" / "boxes_0.dcm"
    judge = openslide.OpenSlide(path)
    width, height = judge.dimensions
    expected = np.asarray(judge.read_region((0, 0), 0, (width, height)).convert("RGB")).astype(int)
    found = np.moveaxis(opened_file(path).images[path.stem][...], 0, -1)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 2


@pytest.mark.filterwarnings("ignore:The .0028,0004. 'Photometric:UserWarning")
def test_tiles_lie_in_the_order_of_their_frames(shared_data: Path) -> None:
    """Its colours are said to be RGB, and are YCbCr as the JPEG pictures themselves say."""
    path = shared_data / "dicom" / "small_dicom.dcm"
    image = only(path)
    frames = pixel_array(path, raw=False).astype(int)
    whole = np.moveaxis(image[...], 0, -1)
    columns = -(-3236 // 500)
    for k, frame in enumerate(frames):
        y, x = k // columns * 500, k % columns * 500
        part = whole[y : y + 500, x : x + 500]
        assert np.abs(part - frame[: part.shape[0], : part.shape[1]]).max() <= 1


def test_optical_paths_are_channels(shared_data: Path) -> None:
    folder = shared_data / "dicom" / "wg26_FluorCell_4"
    dataset = opened_file(folder)
    image = next(iter(dataset.images.values()))
    assert (image.name, image.shape) == ("wg26_FluorCell_4", (3, 704, 704))
    assert [level.shape[1] for level in image.levels[:6]] == [704, 352, 176, 88, 44, 22]
    assert len({channel.name for channel in image.channels}) == 3
    frames = pixel_array(folder / "7_0")
    np.testing.assert_array_equal(image[...], frames[:, :704, :704])
    assert set(dataset.associated) == {"label", "map"}


def test_segments_that_do_not_overlap_are_one_label_map(tmp_path: Path) -> None:
    dicom_files.segments(tmp_path / "a.dcm")
    image = only(tmp_path / "a.dcm")
    assert image.kind == "labels"
    assert image.levels[0].scale[0] == 2
    expected = np.zeros((4, *VOLUME.shape[1:]), np.uint8)
    expected[0], expected[1] = VOLUME[0] > 0, VOLUME[1] > 500
    expected[3] = np.where(VOLUME[3] > 0, 1, 2)
    np.testing.assert_array_equal(image[...], expected)
    assert [segment["name"] for segment in image.metadata.extra["Segments"]] == ["liver", "spleen"]


def test_segments_that_may_overlap_are_an_image_each(tmp_path: Path) -> None:
    dicom_files.segments(tmp_path / "a.dcm", overlap="YES")
    images = opened_file(tmp_path / "a.dcm").images
    assert list(images) == ["liver", "spleen"]
    np.testing.assert_array_equal(images["spleen"][3], np.where(VOLUME[3] > 0, 0, 2))
    assert not images["spleen"][:3].any()


def test_fractions_are_intensities(tmp_path: Path) -> None:
    dicom_files.segments(tmp_path / "bits.dcm")
    data = pydicom.dcmread(tmp_path / "bits.dcm")
    fractions = (VOLUME[:4] & 0x7F).astype(np.uint8)
    data.SegmentationType, data.MaximumFractionalValue = "FRACTIONAL", 127
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelData = 7, fractions.tobytes()
    data.save_as(tmp_path / "fractions.dcm")
    images = opened_file(tmp_path / "fractions.dcm").images
    assert images["liver"].metadata.rescale == (1 / 127, 0)
    np.testing.assert_array_equal(images["spleen"][3], fractions[3])
    assert SegmentationStorage == data.SOPClassUID


def test_tiled_segments_are_as_their_frames(shared_data: Path) -> None:
    path = shared_data / "dicom" / "seg_image_sm_dots.dcm"
    frames, data = pixel_array(path), pydicom.dcmread(path)
    expected = np.zeros((50, 50), np.uint8)
    for frame, group in zip(frames, data.PerFrameFunctionalGroupsSequence, strict=True):
        place = group.PlanePositionSlideSequence[0]
        y, x = place.RowPositionInTotalImagePixelMatrix - 1, place.ColumnPositionInTotalImagePixelMatrix - 1
        number = group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        expected[y : y + 10, x : x + 10][frame > 0] = number
    image = only(path)
    np.testing.assert_array_equal(image[...], expected)
    assert len(image.metadata.extra["Segments"]) == len(data.SegmentSequence) == expected.max()


def test_a_medium_is_read_by_its_index(shared_data: Path) -> None:
    images = opened_file(shared_data / "dicom" / "dicomdirtests").images
    assert sum(image.size("z") * image.size("t") for image in images.values()) == 31
    assert {name.partition("/")[0] for name in images} == {f"study-{k}" for k in range(1, 7)}
    folder = shared_data / "dicom" / "dicomdirtests" / "98892001" / "CT5N"
    slices = sorted((pydicom.dcmread(path) for path in folder.iterdir()), key=lambda d: d.ImagePositionPatient[2])
    name = next(name for name in images if "SmartScore" in name)
    np.testing.assert_array_equal(images[name][...], np.stack([each.pixel_array for each in slices]))


def found(path: Path) -> str | None:
    store = LocalStore(path.parent)
    stat = store.stat(path.name)
    assert stat is not None
    source = source_of(store, path.name, stat)
    return source.name if source else None


def test_a_folder_is_an_image_where_it_has_nothing_else(tmp_path: Path) -> None:
    ct_series(tmp_path / "named")
    dicom_files.bare_series(tmp_path / "bare")
    ct_series(tmp_path / "mixed")
    (tmp_path / "mixed" / "notes.txt").write_text("about the series", encoding="utf-8")
    ct_series(tmp_path / "parent" / "child")
    ct_series(tmp_path / "single", (0,))
    (tmp_path / "text").mkdir()
    for name in "ab":
        (tmp_path / "text" / name).write_text("no image", encoding="utf-8")
    assert found(tmp_path / "named") == "dicom"
    assert found(tmp_path / "bare") == "dicom"
    assert [found(tmp_path / name) for name in ("mixed", "parent", "single", "text")] == [None] * 4


def test_a_full_folder_costs_few_names() -> None:
    class Endless:
        listed = 0

        def names(self, path: str) -> Iterator[tuple[str, bool]]:
            while True:
                self.listed += 1
                yield f"{self.listed}.dcm", False

    store: Any = Endless()
    assert len(first_names(store, "")) == MOST_NAMES
    assert store.listed == MOST_NAMES


def test_what_has_no_pixels_says_so(shared_data: Path) -> None:
    with pytest.raises(Unreadable, match="no pixels, being Microscopy Bulk Simple Annotations Storage"):
        opened_file(shared_data / "dicom" / "sm_annotations.dcm")


def test_a_slice_that_is_replaced_is_not_mixed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "HELD", 2)
    ct_series(tmp_path / "series")
    store = LocalStore(tmp_path)
    dataset = DICOM.open(store, "series")
    image = next(iter(dataset.images.values()))
    read_whole(image.levels[0])
    victim = tmp_path / "series" / "00.dcm"
    written(victim, ct_slice(VOLUME[6] * 0, (0, 0, 0), 1))
    with pytest.raises(Unreadable, match=r"00\.dcm has changed"):
        read_whole(image.levels[0])
    assert DICOM.version(store, "series") != dataset.version


def test_an_added_slice_changes_the_version(tmp_path: Path) -> None:
    ct_series(tmp_path / "series", (0, 1, 2))
    store = LocalStore(tmp_path)
    before = DICOM.version(store, "series")
    written(tmp_path / "series" / "new.dcm", ct_slice(VOLUME[3], (-5, -6, 3), 9))
    assert DICOM.version(store, "series") != before
    assert only(tmp_path / "series").shape[0] == 4


def test_one_broken_file_does_not_hide_a_series(tmp_path: Path) -> None:
    ct_series(tmp_path / "series", (0, 1, 2, 3))
    (tmp_path / "series" / "zz.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 100)
    assert only(tmp_path / "series").shape[0] == 4


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS:UserWarning")
def test_an_index_leads_nowhere_else(tmp_path: Path) -> None:
    """A name that leads out of the folder is none."""
    ct_series(tmp_path / "outside", (0, 1))
    index = with_pixels(VOLUME[0], "1.2.840.10008.1.3.10")
    del index.PixelData
    index.DirectoryRecordSequence = [dicom_files.item(ReferencedFileID=["..", "OUTSIDE", "00.DCM"])]
    written(tmp_path / "medium" / "DICOMDIR", index)
    with pytest.raises(DiascopeError, match="none of the files"):
        opened_file(tmp_path / "medium")


def test_a_long_frame_is_a_lie(tmp_path: Path) -> None:
    data = ct_slice(VOLUME[0], (0, 0, 0), 1, Rows=60000, Columns=60000)
    written(tmp_path / "a.dcm", data)
    with pytest.raises(Unreadable, match=r"cannot be"):
        opened_file(tmp_path / "a.dcm")
    data = ct_slice(VOLUME[0], (0, 0, 0), 1, NumberOfFrames=1000000)
    written(tmp_path / "a.dcm", data)
    with pytest.raises(Unreadable, match="of which the file has"):
        opened_file(tmp_path / "a.dcm")


@pytest.mark.filterwarnings("ignore:Invalid value for VR IS:UserWarning")
def test_a_number_of_frames_that_is_none_is_no_one(shared_data: Path) -> None:
    with pytest.raises(Unreadable, match="NumberOfFrames is no number"):
        opened_file(shared_data / "malformed" / "pydicom" / "badVR.dcm")


def test_a_frame_of_another_size_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    dicom_files.jpeg_frames(path)
    data = pydicom.dcmread(path)
    data.Rows = 31
    data.save_as(path)
    with pytest.raises(Unreadable, match="44 by 30 pixels instead of 44 by 31"):
        only(path)[0]


def test_a_deflated_file_is_inflated_within_bounds(shared_data: Path) -> None:
    path = shared_data / "dicom" / "image_dfl.dcm"
    np.testing.assert_array_equal(only(path)[...], pydicom.dcmread(path).pixel_array)


def test_a_palette_is_told(shared_data: Path) -> None:
    path = shared_data / "dicom" / "examples_palette.dcm"
    data = pydicom.dcmread(path)
    image = only(path)
    colours = apply_color_lut(data.pixel_array, data) >> 8
    palette = np.array([list(bytes.fromhex(colour)) for colour in image.metadata.palette])
    np.testing.assert_array_equal(palette[image[...]], colours)


def test_the_public_door_opens_a_series(tmp_path: Path) -> None:
    ct_series(tmp_path / "series")
    assert diascope.open_dataset(tmp_path / "series").images["3-Head"].shape == VOLUME.shape


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS:UserWarning")
def test_links_that_lead_round_are_followed_once(tmp_path: Path) -> None:
    ct_series(tmp_path / "medium" / "inner", (0, 1))
    index = with_pixels(VOLUME[0], "1.2.840.10008.1.3.10")
    del index.PixelData
    index.DirectoryRecordSequence = [dicom_files.item(ReferencedFileID=["INNER", "00.DCM"])]
    written(tmp_path / "medium" / "DICOMDIR", index)
    for k in range(10):
        (tmp_path / "medium" / f"loop-{k}").symlink_to(".")
        (tmp_path / "medium" / "inner" / f"back-{k}").symlink_to("..")
    begun = monotonic()
    assert folder_version(LocalStore(tmp_path), "medium")
    assert monotonic() - begun < 5

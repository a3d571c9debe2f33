"""Coordinate operations against SciPy and SimpleITK, on images of which no axis looks like another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage

from diascope.errors import BadRequest, DiascopeError
from diascope.image.image import Image, Kind
from diascope.image.level import read_whole
from diascope.image.region import Region
from diascope.operations.operation import mapped
from diascope.operations.view import view
from diascope.testing.operations import check_view
from tests.operations.pictures import noise, pictured, seen

SCALE = (2.0, 0.5, 0.25)
FIRST = (3.0, -4.0, 7.0)
# No pixel comes to lie just at an edge or halfway between others, where programs differ by their rounding errors.
TILTED = np.array(
    [
        [0.95173, -0.30231, 0.02117, 1.53191],
        [0.25387, 1.05291, -0.01373, -0.70937],
        [0.10151, 0.05217, 1.10311, 0.40193],
    ]
)
FLAT = np.array([[0.90317, -0.35193, 1.25471], [0.30191, 1.10273, -2.50913]])


def spelled(matrix: Any) -> str:
    return "+".join(repr(float(number)) for number in np.ravel(matrix))


def volume(dtype: Any = np.uint16, **options: Any) -> Image:
    return pictured(noise((17, 40, 61), dtype, 250), "zyx", scale=SCALE, translation=FIRST, **options)


def plane(dtype: Any = np.uint16, **options: Any) -> Image:
    return pictured(noise((43, 61), dtype, 250), "yx", scale=SCALE[1:], translation=FIRST[1:], **options)


def by_itk(image: Image, matrix: Any, result: Image, interpolator: int) -> Any:
    """The image resampled to the result's grid by a matrix from output points to input points."""
    rank = len(image.axes)
    moving = sitk.GetImageFromArray(image[...].astype(np.float64))
    moving.SetSpacing(image.levels[0].scale[::-1])
    moving.SetOrigin(image.levels[0].translation[::-1])
    transform = sitk.AffineTransform(rank)
    transform.SetMatrix(np.asarray(matrix)[:, :rank].ravel().tolist())
    transform.SetTranslation(np.asarray(matrix)[:, rank].tolist())
    finest = result.levels[0]
    made = sitk.Resample(
        moving, finest.shape[::-1], transform, interpolator, finest.translation[::-1], finest.scale[::-1],
        np.eye(rank).ravel().tolist(), 0.0, sitk.sitkFloat64,
    )  # fmt: skip
    return sitk.GetArrayFromImage(made)


@pytest.mark.parametrize("domain", ["whole", "same"])
@pytest.mark.parametrize(("image", "matrix"), [(plane(np.float64), FLAT), (volume(np.float64), TILTED)])
def test_linear_pixels_are_those_of_simpleitk(image, matrix, domain):
    text = f"affine,matrix={spelled(matrix)},inverse=true,domain={domain}"
    result = view(text).applied(image)
    expected = by_itk(image, matrix, result, sitk.sitkLinear)
    assert (expected != 0).mean() > 0.2
    np.testing.assert_allclose(result[...], expected, atol=1e-3)


@pytest.mark.parametrize(("image", "matrix"), [(plane(), FLAT), (volume(), TILTED)])
def test_integers_are_rounded_halves_upwards(image, matrix):
    result = view(f"affine,matrix={spelled(matrix)},inverse=true").applied(image)
    expected = np.floor(by_itk(image, matrix, result, sitk.sitkLinear) + 0.5)
    differing = result[...] != expected
    assert differing.mean() < 1e-4  # what lies halfway between two integers, to the last bit
    assert np.abs(result[...] - expected).max() <= 1


@pytest.mark.parametrize(("axes", "matrix"), [("yx", FLAT), ("zyx", TILTED)])
def test_labels_are_exactly_those_of_simpleitk(axes, matrix):
    image = (plane if axes == "yx" else volume)(np.uint32, kind="labels")
    result = view(f"affine,matrix={spelled(matrix)},inverse=true,interpolation=cubic").applied(image)
    np.testing.assert_array_equal(result[...], by_itk(image, matrix, result, sitk.sitkNearestNeighbor))


def index_matrix(image: Image, matrix: Any, result: Image) -> Any:
    """From indices of the result to those of the image, slowest axis first, of a map of positions x, y(, z)."""
    rank = len(image.axes)
    own, there = image.levels[0], result.levels[0]
    backwards = np.asarray(matrix)[::-1]
    linear = backwards[:, :rank][:, ::-1] * np.array(there.scale) / np.array(own.scale)[:, None]
    at_first = backwards[:, :rank][:, ::-1] @ np.array(there.translation) + backwards[:, rank]
    return linear, (at_first - np.array(own.translation)) / np.array(own.scale)


@pytest.mark.parametrize(("image", "matrix"), [(plane(np.float32), FLAT), (volume(np.float32), TILTED)])
def test_linear_pixels_are_those_of_scipy(image, matrix):
    result = view(f"affine,matrix={spelled(matrix)},inverse=true,domain=same").applied(image)
    linear, offset = index_matrix(image, matrix, result)
    expected = ndimage.affine_transform(image[...], linear, offset, order=1, mode="nearest", prefilter=False)
    inside = result[...] != 0
    assert inside.mean() > 0.3
    np.testing.assert_allclose(result[...][inside], expected[inside], atol=1e-3)


def keys(pixels: Any, places: Any) -> Any:
    """Cubic convolution at fractional places of shape (rank, n), the definition written down, edges repeated."""

    def weight(distance: Any) -> Any:
        d = np.abs(distance)
        near, far = 1.5 * d**3 - 2.5 * d**2 + 1, -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
        return np.where(d <= 1, near, np.where(d < 2, far, 0.0))

    total = np.zeros(places.shape[1])
    low = np.floor(places).astype(int)
    for taps in np.ndindex(*(4,) * pixels.ndim):
        index = [low[d] - 1 + tap for d, tap in enumerate(taps)]
        by = np.prod([weight(places[d] - index[d]) for d in range(pixels.ndim)], axis=0)
        total += by * pixels[tuple(np.clip(i, 0, size - 1) for i, size in zip(index, pixels.shape, strict=True))]
    return total


@pytest.mark.parametrize(("image", "matrix"), [(plane(np.float64), FLAT), (volume(np.float64), TILTED)])
def test_cubic_pixels_are_those_of_the_definition(image, matrix):
    result = view(f"affine,matrix={spelled(matrix)},inverse=true,domain=same,interpolation=cubic").applied(image)
    linear, offset = index_matrix(image, matrix, result)
    index = np.indices(result.shape).reshape(len(image.axes), -1)
    expected = keys(image[...], linear @ index + offset[:, None])
    got = result[...].ravel()
    assert (got != 0).mean() > 0.3
    np.testing.assert_allclose(got[got != 0], expected[got != 0], atol=1e-3)


def test_cubic_overshoot_ends_at_the_limits_of_the_type():
    pixels = np.where(np.indices((32, 32)).sum(axis=0) % 8 < 4, 255, 0).astype(np.uint8)
    got = seen("resample,pixel=0.3,interpolation=cubic", pictured(pixels, "yx"))
    assert got.min() == 0
    assert got.max() == 255
    assert (np.abs(np.diff(got.astype(int), axis=1)) < 200).all()


def test_a_forward_matrix_takes_a_feature_where_it_says():
    pixels = np.zeros((40, 50), np.uint8)
    pixels[6:11, 25:36] = 200  # about x = 7 + 30/4 = 14.5, y = -4 + 8/2 = 0
    image = pictured(pixels, "yx", scale=SCALE[1:], translation=FIRST[1:])
    got = view("affine,matrix=0+-1+20+1+0+3,interpolation=nearest").applied(image)
    y, x = np.argwhere(got[...] == 200).mean(axis=0)
    level = got.levels[0]
    assert level.translation[1] + x * level.scale[1] == pytest.approx(20, abs=0.2)  # 20 - y
    assert level.translation[0] + y * level.scale[0] == pytest.approx(17.5, abs=0.2)  # 3 + x


def test_a_matrix_in_another_unit_scales_its_translation_alone():
    one = view("affine,matrix=0.9+0.1+12+0.2+1+-3").applied(plane(np.float32))
    other = view("affine,matrix=0.9+0.1+0.012+0.2+1+-0.003,unit=mm").applied(plane(np.float32))
    np.testing.assert_allclose(one.levels[0].translation, other.levels[0].translation)
    np.testing.assert_allclose(one[...], other[...], atol=1e-3)


def test_a_grid_can_be_given():
    text = "affine,matrix=1+0+0+0+1+0,size=8+5,origin=9+-2,pixel=0.25+0.125"
    level = view(text).applied(plane()).levels[0]
    assert (level.shape, level.translation, level.scale) == ((5, 8), (-2, 9), (0.125, 0.25))
    np.testing.assert_array_equal(seen(text, plane())[0::4], plane()[4:6, 8:16])


@pytest.mark.parametrize("axes", ["yx", "zyx"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float16, np.complex64, np.bool_, np.uint64, np.float64])
@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
def test_whole_pixels_moved_are_copies_of_every_type(axes, dtype, interpolation):
    pixels = noise((9, 23, 31)[-len(axes) :], np.uint8, 250).astype(dtype)
    if pixels.dtype.kind == "f":
        pixels.flat[100] = np.nan
        pixels.flat[200] = np.inf
    image = pictured(pixels, axes, scale=SCALE[-len(axes) :])
    moved = seen(f"translate,x=0.75,y=-1,domain=same,interpolation={interpolation}", image)
    expected = np.zeros_like(pixels)
    expected[..., :-2, 3:] = pixels[..., 2:, :-3]
    np.testing.assert_array_equal(moved, expected)
    everywhere = view(f"translate,x=0.3333,y=-1.1,interpolation={interpolation}").applied(image)
    np.testing.assert_array_equal(everywhere[...], pixels)
    assert everywhere.levels[0].translation[-1] == pytest.approx(0.3333)


def test_an_exact_quarter_is_the_same_by_angle_matrix_and_whole_pixels():
    image = pictured(noise((24, 31)), "yx", scale=(0.5, 0.5), translation=(3, 5))
    turned = np.rot90(image[...], -1)
    np.testing.assert_array_equal(seen("rotate90", image), turned)
    np.testing.assert_array_equal(seen("rotate,angle=90", image), turned)
    np.testing.assert_array_equal(seen("affine,matrix=0+-1+0+1+0+0", image), turned)


def test_steps_are_one_interpolation():
    """Thirty turns to and fro lose nothing, since only their sum is interpolated."""
    image = plane(np.float32)
    turned = "~".join(["rotate,angle=13,centre=10+5", "flip,axes=x", "flip,axes=x", "rotate,angle=-13,centre=10+5"] * 7)
    grid = "affine,matrix=1+0+0+0+1+0,size=61+43,origin=7+-4"
    assert source_of(view(turned).applied(image)) is image
    np.testing.assert_allclose(seen(f"{turned}~{grid}", image), image[...], atol=1e-2)


def source_of(image: Image) -> Image:
    assert image.resampling is not None
    return image.resampling.source


def test_two_matrices_are_their_product():
    image = volume(np.float64)
    other = np.array([[1.1, 0.2, 0, 3], [-0.1, 0.8, 0.3, 1], [0, 0.1, 0.9, -2]])
    grid = "size=60+40+15,origin=8+8+4"
    both = f"affine,matrix={spelled(TILTED)}~affine,matrix={spelled(other)},{grid}"
    product = (np.vstack([other, [0, 0, 0, 1]]) @ np.vstack([TILTED, [0, 0, 0, 1]]))[:3]
    got = seen(both, image)
    assert (got != 0).mean() > 0.3
    np.testing.assert_allclose(got, seen(f"affine,matrix={spelled(product)},{grid}", image), atol=1e-4)


def test_what_a_crop_between_cuts_away_does_not_come_back():
    image = plane(np.float32)
    grid = "affine,matrix=1+0+0+0+1+0,size=61+43,origin=7+-4"
    there, back = (f"rotate,angle={angle},centre=14+6" for angle in (20, -20))
    cut = view(f"{there}~crop,x=20..60,y=15..30~{back}~{grid}").applied(image)
    whole = view(f"{there}~{back}~{grid}").applied(image)
    assert source_of(cut) is image
    kept = cut[...] != 0
    assert 0.1 < kept.mean() < 0.6 < (whole[...] != 0).mean()
    np.testing.assert_array_equal(cut[...][kept], whole[...][kept])


@pytest.mark.parametrize("step", ["crop,t=1..2", "select,axis=t,index=1", "channels,show=1", "select,axis=c,index=1"])
def test_time_points_and_channels_can_be_picked_in_between(step):
    image = pictured(noise((2, 2, 30, 40), np.float32, 200), "tcyx", scale=(1, 1, 0.5, 0.25))
    there = "affine,matrix=0.9+0.1+0+0.2+0.8+0"
    between, before = (view(f"{a}~{b}~rotate,angle=7") for a, b in [(there, step), (step, there)])
    assert between.applied(image).resampling is not None
    np.testing.assert_array_equal(between.applied(image)[...], before.applied(image)[...])


def test_a_filter_in_between_is_what_is_interpolated():
    image = plane(np.float32)
    filtered = view("rotate,angle=20~gaussian,sigma=0.5").applied(image)
    assert filtered.resampling is None
    turned = view("rotate,angle=20~gaussian,sigma=0.5~rotate,angle=20").applied(image)
    assert source_of(turned).shape == filtered.shape


def test_coarse_levels_are_made_of_coarse_levels():
    """A fine checkerboard is grey from afar, and a coarse level reads few of the finest pixels."""
    pixels = (np.indices((1024, 1024)).sum(axis=0) % 2 * 200).astype(np.uint8)
    image = pictured(pixels, "yx", scale=(0.5, 0.5), levels=4)
    result = view("rotate,angle=30").applied(image)
    assert [level.scale[0] for level in result.levels] == [0.5, 1.0, 2.0, 4.0]
    coarse = read_whole(result.levels[2])
    inside = coarse[coarse.shape[0] // 2 - 50 : coarse.shape[0] // 2 + 50, coarse.shape[1] // 2 - 50 :][:, :100]
    assert set(np.unique(inside)) == {100}
    small = seen("resample,pixel=4", image)
    assert set(np.unique(small)) == {100}
    without = pictured(pixels, "yx", scale=(0.5, 0.5))
    np.testing.assert_array_equal(seen("resample,pixel=4", without), small)


ALONG_LEVELS = [
    "rotate,angle=33", "resample,x=0.7,y=0.3", "affine,matrix=0.9+0.4+50+-0.3+1.2+8", "flip,axes=yx", "rotate90",
    "permute,axes=xy",
]  # fmt: skip


@pytest.mark.parametrize("text", ALONG_LEVELS)
def test_every_level_shows_a_feature_at_the_same_place(text):
    y, x = np.indices((700, 900)) + 0.0
    blob = 200 * np.exp(-(((y - 301.3) / 40) ** 2) - ((x - 420.7) / 60) ** 2)
    image = pictured(blob.astype(np.float32), "yx", scale=(0.5, 0.25), translation=(10, 20), levels=3)
    centres = []
    for level in view(text).applied(image).levels:
        pixels = read_whole(level).astype(np.float64)
        index = np.array([(pixels * i).sum() / pixels.sum() for i in np.indices(pixels.shape)])
        centres.append(index * level.scale + level.translation)
    assert len(centres) > 2
    for centre in centres[1:]:
        np.testing.assert_allclose(centre, centres[0], atol=0.02)


def test_a_wide_volume_read_in_tiles_is_the_whole():
    image = pictured(noise((6, 300, 310)), "zyx", scale=(1.5, 0.5, 0.5), levels=3)
    for text in ("rotate,angle=25,plane=zx", "oblique,normal=1+2+0.5,planes=3,pixel=0.6", "resample,pixel=0.31"):
        assert len(view(text).applied(image).levels) > 1
        assert check_view(view(text), image)


TYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "c8", "c16", "?"]


@pytest.mark.parametrize("seed", range(16))
def test_any_matrix_in_any_tiles_is_the_whole(seed):
    """Random matrices, axes, types, interpolations and levels; tiles are random in ``check_view``."""
    random = np.random.default_rng(seed)
    axes = str(random.choice(["yx", "zyx", "cyx", "tyx", "czyx", "tczyx"]))
    sizes = {"t": 2, "c": 3, "z": 7, "y": 270, "x": 262}
    rank = 3 if "z" in axes and random.random() < 0.6 else 2
    kind: Kind = "rgb" if axes[-3:] == "cyx" and random.random() < 0.5 else "intensity"
    dtype = np.dtype(str(random.choice(TYPES[:1] if kind == "rgb" else TYPES)))
    pixels = random.integers(0, 120, [sizes[name] for name in axes]).astype(dtype)
    image = pictured(pixels, axes, scale=[{"z": 1.3, "y": 0.5, "x": 0.4}.get(n, 1) for n in axes], levels=2, kind=kind)
    matrix = np.eye(rank, rank + 1) + random.normal(0, 0.2, (rank, rank + 1))
    how = random.choice(["nearest", "linear", "cubic"])
    text = f"affine,matrix={spelled(matrix)},interpolation={how},domain={random.choice(['same', 'whole'])}"
    assert len(view(text).applied(image).levels) > 1
    assert check_view(view(text), image, seed)


def test_colours_lie_side_by_side_in_memory():
    image = pictured(noise((3, 60, 70), np.uint8, 250), "cyx", kind="rgb")
    assert view("rotate,angle=5").applied(image)[...].transpose(1, 2, 0).flags.c_contiguous


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("affine,matrix=1+2+3", "6 or 12"),
        ("affine,matrix=1+0+0+0+0+0", "flattens"),
        ("affine,matrix=1+0+0+0+0+1+0+0+0+0+1+0", "the image is a plane"),
        ("affine,matrix=1e12+0+0+0+1e12+0", "the limit is 2147483647"),
        ("affine,matrix=1e99+0+0+0+1+0", "at most"),
        ("affine,matrix=1+0+0+0+1+0,origin=1+1", "origin goes with a size"),
        ("affine,matrix=1+0+0+0+1+0,size=0+1", "whole numbers from 1"),
        ("affine,matrix=1+0+0+0+1+0,size=2+1,pixel=-1+1", "above 0"),
        ("affine,matrix=1+0+0+0+1+0,size=2+1+1", "3 numbers for the axes"),
        ("rotate,angle=5,plane=zx", "no axis z"),
        ("resample,z=1", "no axis z"),
        ("resample,interpolation=linear", "give pixel"),
        ("resample,pixel=1e-300", "greater than or equal to 0.0"),
        ("resample,pixel=1e300,unit=km", "less than or equal to 1000000000000000"),
        ("resample,pixel=1e-12", "the limit is 2147483647"),
        ("rotate,angle=3,centre=1e300+0", "numbers of centre are at most"),
        ("translate,unit=um", "give x"),
        ("permute,axes=xyz", "each of the spatial axes"),
        ("oblique,normal=0+0+1", "a plane already"),
        ("oblique,normal=0+0+1,right=1+0+0,down=0+1+0", "give a normal"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(text, reason):
    with pytest.raises(DiascopeError, match=reason):
        view(text).applied(plane())


@pytest.mark.parametrize(("text", "reason"), [
    ("oblique,normal=0+0+0", "no direction"),
    ("oblique,normal=0+0+2,right=0+0+1", "points along"),
    ("oblique,right=1+0+0,down=3+0+0", "points along"),
])  # fmt: skip
def test_directions_must_make_a_plane(text, reason):
    with pytest.raises(BadRequest, match=reason):
        view(text).applied(volume())


def test_lengths_need_units_of_all_axes():
    with pytest.raises(BadRequest, match="not every spatial axis"):
        view("rotate,angle=5").applied(pictured(noise((9, 9)), "yx", units={"x": "micrometer"}))
    assert seen("rotate,angle=180", pictured(noise((9, 8)), "yx", units={})).shape == (9, 8)


def test_no_pixel_is_read_that_is_not_needed():
    read: list[Region] = []
    image = volume()

    def counting(region: Region) -> Any:
        read.append(region)
        return image.levels[0].read(region)

    counted = mapped(image, lambda level: replace(level, read_pixels=counting))
    result = view(f"affine,matrix={spelled(TILTED)}").applied(counted)
    result.levels[0].read(Region((9, 20, 30), (10, 24, 40)))
    assert sum(np.prod(region.shape) for region in read) < 2500
    read.clear()
    result.levels[0].read(Region((0, 0, 0), (1, 1, 1)))
    assert not read

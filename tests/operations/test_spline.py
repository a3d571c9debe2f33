"""Images bent through landmarks, beside SciPy and SimpleITK."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.interpolate import RBFInterpolator

import diascope
from diascope.errors import BadRequest
from diascope.image.image import Image
from diascope.image.region import Region
from diascope.operations.landmarks import MOST, pairs_of
from diascope.operations.view import view
from diascope.testing.operations import check_view
from diascope.testing.synthetic import ramp
from tests.operations.pictures import noise, pictured
from tests.servers import of_folder

SCALE = (2.0, 0.5, 0.25)
FIRST = (3.0, -4.0, 7.0)
RANDOM = np.random.default_rng(11)

AS_BIGWARP = (
    '"Pt-0","true","9.5","-2.25","9.0","-3.0"\n'
    '"Pt-1","true","20.25","-1.5","21.0","-2.0"\n'
    '"Pt-2","false","12.0","3.0","Infinity","Infinity"\n'
    '"Pt-3","true","8.75","15.5","8.0","14.0"\n'
    '"Pt-4","true","19.5","13.0","20.0","14.5"\n'
    '"Pt-5","true","14.5","6.0","13.0","5.0"\n'
)
"""Of planes, the third pair half done."""


def written(moving: Any, fixed: Any) -> bytes:
    """Landmarks as BigWarp writes them."""
    rows = np.hstack([moving, fixed]).tolist()
    return "".join(
        ",".join(f'"{cell}"' for cell in (f"Pt-{k}", "true", *row)) + "\n" for k, row in enumerate(rows)
    ).encode()


def image_of(axes: str, dtype: Any = np.float64, **options: Any) -> Image:
    pixels = noise((17, 40, 61)[-len(axes) :], dtype, 250)
    return pictured(pixels, axes, scale=SCALE[-len(axes) :], translation=FIRST[-len(axes) :], **options)


def landmarks(axes: int, count: int = 14) -> tuple[Any, Any]:
    """Moving and fixed points about the images above."""
    low, high = np.array([7, -4, 3])[:axes], np.array([22, 16, 35])[:axes]
    fixed = RANDOM.uniform(low, high, (count, axes))
    return fixed + RANDOM.normal(0, 0.3, (count, axes)), fixed


def positions_of(result: Image) -> Any:
    """Of the pixels at level 0, x first."""
    level = result.levels[0]
    index = np.indices(level.shape).reshape(len(level.shape), -1).T
    return (index * level.scale + level.translation)[:, ::-1]


def applied(text: str, image: Image, data: bytes) -> Image:
    settled = view(text).settled(image, lambda name: data)
    return settled.applied(image)


@pytest.mark.parametrize("domain", ["whole", "same"])
@pytest.mark.parametrize("axes", ["yx", "zyx"])
def test_pixels_are_those_of_scipy(axes, domain):
    image, (moving, fixed) = image_of(axes), landmarks(len(axes))
    result = applied(f"spline,landmarks=a.csv,domain={domain}", image, written(moving, fixed))
    there = RBFInterpolator(fixed, moving, kernel="thin_plate_spline", degree=1)(positions_of(result))
    level = image.levels[0]
    index = ((there[:, ::-1] - level.translation) / level.scale).T
    expected = ndimage.map_coordinates(image[...], index, order=1, mode="nearest").reshape(result.shape)
    inside = result[...] != 0
    assert inside.mean() > 0.3
    np.testing.assert_allclose(result[...][inside], expected[inside], atol=1e-5)


@pytest.mark.parametrize(("axes", "kind"), [("yx", "intensity"), ("zyx", "intensity"), ("zyx", "labels")])
def test_pixels_are_those_of_simpleitk_with_the_same_displacements(axes, kind):
    image = image_of(axes, np.float64 if kind == "intensity" else np.uint32, kind=kind)
    moving, fixed = landmarks(len(axes))
    result = applied("spline,landmarks=a.csv,interpolation=cubic" if kind == "labels" else "spline,landmarks=a.csv",
                     image, written(moving, fixed))  # fmt: skip
    points, level, rank = positions_of(result), result.levels[0], len(axes)
    away = RBFInterpolator(fixed, moving, kernel="thin_plate_spline", degree=1)(points) - points
    field = sitk.GetImageFromArray(away.reshape(*level.shape, rank), isVector=True)
    source = sitk.GetImageFromArray(image[...].astype(np.float64))
    for each, own in ((field, level), (source, image.levels[0])):
        each.SetSpacing(own.scale[::-1])
        each.SetOrigin(own.translation[::-1])
    grid = (level.shape[::-1], level.translation[::-1], level.scale[::-1], np.eye(rank).ravel().tolist())
    interpolator = sitk.sitkLinear if kind == "intensity" else sitk.sitkNearestNeighbor
    transform = sitk.DisplacementFieldTransform(field)
    expected = sitk.GetArrayFromImage(
        sitk.Resample(source, grid[0], transform, interpolator, *grid[1:], 0.0, sitk.sitkFloat64)
    )
    assert (expected != 0).mean() > 0.2
    np.testing.assert_allclose(result[...], expected, atol=1e-3)


def test_moving_points_come_to_lie_at_fixed_ones():
    pixels = np.zeros((80, 120), np.uint8)
    moving = np.array([[10, 8], [50, 6], [12, 34], [52, 30], [30, 21.0]])
    fixed = np.array([[14, 5], [53, 9], [9, 30], [50, 34], [26, 18.0]])
    for x, y in moving:
        pixels[int(2 * y) - 1 : int(2 * y) + 2, int(2 * x) - 1 : int(2 * x) + 2] = 200
    result = applied("spline,landmarks=a.csv,domain=same", pictured(pixels, "yx", scale=(0.5, 0.5)),
                     written(moving, fixed))  # fmt: skip
    spots, count = ndimage.label(result[...] > 60)
    found = np.array(ndimage.center_of_mass(spots > 0, spots, range(1, count + 1)))[:, ::-1] * 0.5
    assert count == 5
    np.testing.assert_allclose(sorted(found.tolist()), sorted(fixed.tolist()), atol=0.4)


def test_a_file_and_its_pairs_in_another_unit_are_the_same():
    image, (moving, fixed) = image_of("zyx"), landmarks(3, 6)
    pairs = "+".join(repr(float(number)) for number in np.hstack([moving, fixed]).ravel() / 1000)
    grid = "domain=same,interpolation=cubic"
    one = applied(f"spline,landmarks=a.csv,{grid}", image, written(moving, fixed))
    other = view(f"spline,pairs={pairs},unit=mm,{grid}").applied(image)
    np.testing.assert_allclose(one[...], other[...], atol=1e-5)


def test_points_of_two_axes_leave_the_planes_of_a_volume():
    volume = image_of("zyx", np.float32)
    moved = applied("spline,landmarks=a.csv,domain=same", volume, AS_BIGWARP.encode())
    plane = pictured(volume[4], "yx", scale=SCALE[1:], translation=FIRST[1:])
    np.testing.assert_array_equal(
        moved[4], applied("spline,landmarks=a.csv,domain=same", plane, AS_BIGWARP.encode())[...]
    )
    assert moved[4].any()


def test_affine_steps_before_and_after_are_one_interpolation():
    image, (moving, fixed) = image_of("yx"), landmarks(2)
    text = "rotate,angle=13,centre=10+5~spline,landmarks=a.csv,domain=same~rotate,angle=-13,centre=10+5,domain=same"
    result = applied(text, image, written(moving, fixed))
    assert result.resampling is not None
    assert result.resampling.source is image


def test_tiles_are_the_whole_and_points_find_their_way():
    moving, fixed = landmarks(3)
    image = image_of("zyx", np.uint16, levels=3)
    settled = view("spline,landmarks=a.csv~affine,matrix=0.9+0.1+0+0.2+0.8+0").settled(
        image, lambda name: written(moving, fixed)
    )
    assert check_view(settled, image)
    result = settled.applied(image)
    points = positions_of(result)[::97]
    there = result.stored(points)
    np.testing.assert_allclose(result.stored.inverted()(there), points, atol=1e-5)


def test_a_huge_image_costs_what_a_small_one_does():
    """What is read for a tile depends on the tile alone."""
    counts = []
    for size in (4_000, 2_000_000):
        read: list[Region] = []
        plain = ramp("yx", (size, size), np.uint16, levels=5, chunk_shape=(512, 512))
        image = replace(plain, levels=tuple(_counting(level, read) for level in plain.levels))
        by = image.levels[0].scale[-1] * 2000
        fixed = np.array([[0, 0], [by, 0], [0, by], [by, by], [0.4 * by, 0.3 * by]])
        result = applied(
            "spline,landmarks=a.csv", image, written(fixed + np.array([[0, 9], [5, 0], [-8, 3], [2, 2], [9, 9]]), fixed)
        )
        assert not read
        level = result.levels[0]
        first = (np.array([-level.translation[0], -level.translation[1]]) / level.scale).astype(int) + 700
        assert level.read(Region(tuple(first), tuple(first + 256))).any()
        counts.append(sum(int(np.prod(each.shape)) for each in read))
    assert counts[1] <= 1.2 * counts[0] < 2e6


def _counting(level: Any, read: list[Region]) -> Any:
    def read_pixels(region: Region) -> Any:
        read.append(region)
        return level.read(region)

    return replace(level, read_pixels=read_pixels)


def test_inactive_pairs_are_left_out():
    pairs = pairs_of(AS_BIGWARP.encode())
    assert [pair.line for pair in pairs] == [1, 2, 4, 5, 6]
    assert pairs[2].moving == (8.75, 15.5)
    assert pairs[2].fixed == (8, 14)
    assert (
        pairs_of(b"\xef\xbb\xbf" + AS_BIGWARP.replace('"', "").replace("\n", "\r\n\r\n").encode())[1][1:]
        == pairs[1][1:]
    )


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("", "", "no line has an active pair"),
        ('"8.75"', '"Infinity"', "line 4 is active, and Infinity is no place"),
        ('"8.75"', '"nan"', "line 4 is active"),
        ('"8.75"', '"1e16"', "line 4 is active"),
        ('"8.75"', '"8,75"', "line 4: '8,75' is no number"),
        ('"8.75",', "", "line 4 has 5 columns"),
        ('"Pt-3","true"', '"Pt-3","yes"', "line 4: 'yes' is neither"),
        ('"8.0","14.0"', '"9.0","-3.0"', "lines 1 and 4 have the same fixed point"),
        ('"20.0","14.5"', '"20.0","14.5","3","4"', "line 5 has points of 3 axes, line 1 of 2"),
        ('"Pt-4"', '"Pt-4', "CSV"),
        ("Pt-0", "\xff", "no text"),
    ],
)
def test_what_is_no_landmark_is_told_with_its_line(old, new, reason):
    text = AS_BIGWARP.replace(old, new, 1) if old else '"Pt-0","false","1","2","Infinity","Infinity"\n'
    data = text.encode("latin-1")
    with pytest.raises(ValueError, match=reason):
        pairs_of(data)
    with pytest.raises(BadRequest, match=r"a\.csv has no landmarks: .*" + reason):
        applied("spline,landmarks=a.csv", image_of("yx"), data)


def test_too_many_too_few_and_flat_landmarks_are_refused():
    lines = AS_BIGWARP.splitlines(keepends=True)
    with pytest.raises(ValueError, match="2 active pairs are too few: points of 2 axes need 3"):
        pairs_of("".join(lines[:3]).encode())
    many = RANDOM.uniform(0, 1, (MOST + 1, 2))
    with pytest.raises(ValueError, match="more than 1000 active pairs"):
        pairs_of(written(many, many))
    line = np.array([[0, 0], [1, 1], [2, 2], [3, 3.0]])
    with pytest.raises(BadRequest, match="fixed landmarks lie on a line"):
        applied("spline,landmarks=a.csv", image_of("yx"), written(line + np.eye(4, 2), line))
    deep = landmarks(3)
    with pytest.raises(BadRequest, match="three axes, and the image is a plane"):
        applied("spline,landmarks=a.csv", image_of("yx"), written(*deep))
    with pytest.raises(BadRequest, match="7 numbers are no pairs"):
        view("spline,pairs=1+2+3+4+5+6+7").applied(image_of("yx"))
    mixed = image_of("zyx", units={"x": "micrometer", "y": "micrometer", "z": "millimeter"})
    with pytest.raises(BadRequest, match="different units"):
        applied("spline,landmarks=a.csv", mixed, written(*deep))


def test_folded_landmarks_need_a_grid():
    fixed = np.array([[8, -3], [21, -3], [8, 14], [21, 14], [14, 5], [14.2, 5.0]])
    moving = fixed.copy()
    moving[4:] = moving[[5, 4]] * [[1.2, 1], [0.8, 1]]
    with pytest.raises(BadRequest, match=r"not known, as no way back .* give domain=same or a size"):
        applied("spline,landmarks=a.csv", image_of("yx"), written(moving, fixed))
    assert applied("spline,landmarks=a.csv,domain=same", image_of("yx"), written(moving, fixed))[...].any()


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(st.binary(max_size=300), st.text(alphabet='0123456789 .,"\n-etrufalsIy', max_size=300).map(str.encode))
)
def test_any_bytes_are_landmarks_or_a_reason(data):
    try:
        assert pairs_of(data)
    except ValueError as error:
        assert str(error)  # noqa: PT017


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "bent"
    root.mkdir()
    tifffile.imwrite(
        root / "a.ome.tif", noise((40, 61), np.uint8, 250),
        metadata={"axes": "YX", "PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm",
                  "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"},
    )  # fmt: skip
    (root / "a.csv").write_text(AS_BIGWARP)
    return root


def test_over_http_the_address_has_the_version_of_the_file(folder: Path):
    server = of_folder(folder)
    try:
        base = f"{server.url}/data/bent/a.ome.tif"
        first = httpx.get(f"{base}/spline,landmarks=a.csv/a.ome.zarr/0/zarr.json", follow_redirects=True)
        first.raise_for_status()
        assert "spline,landmarks=a.csv@" in str(first.url)
        bad = httpx.get(f"{base}/spline,landmarks=b.csv/a.ome.zarr/0/zarr.json", follow_redirects=True)
        assert bad.status_code == 422
        picture = httpx.get(f"{base}/spline,landmarks=a.csv/a.ome.tif", follow_redirects=True).content
    finally:
        server.stop()
    opened = diascope.open(folder / "a.ome.tif" / "spline,landmarks=a.csv")
    (folder / "got.tif").write_bytes(picture)
    np.testing.assert_array_equal(tifffile.imread(folder / "got.tif"), opened[...])
    assert opened[...].any()

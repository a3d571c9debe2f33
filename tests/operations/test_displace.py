"""Images bent by displacement fields, beside SimpleITK's resampler."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import tifffile
import zarr

import diascope
from diascope.errors import BadRequest, Unreadable, Unsupported
from diascope.image.axes import axes_named
from diascope.image.displacement import Displacement
from diascope.image.image import Image
from diascope.image.level import in_memory
from diascope.image.mapping import linear
from diascope.image.region import Region
from diascope.operations.displacements import displacement
from diascope.operations.operation import Beside
from diascope.operations.view import view
from diascope.testing.operations import check_view
from tests.operations.fields import beside, waves, written
from tests.operations.pictures import noise, pictured
from tests.servers import of_folder

TURNED = np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1.0]])
TILTED = TURNED @ np.array([[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]])
SPACING, ORIGIN = (1.1, 0.9, 1.7), (-11.0, 7.0, 3.0)


def volume(path: Path, dtype: Any = np.float32) -> Any:
    """A volume that lies askew, as SimpleITK writes it."""
    made = sitk.GetImageFromArray(noise((14, 30, 25), dtype, 250))
    made.SetSpacing((1.0, 0.8, 1.9))
    made.SetOrigin((-10, 5, 4))
    made.SetDirection(TILTED.ravel().tolist())
    sitk.WriteImage(made, str(path))
    return sitk.ReadImage(str(path))


def field(path: Path, height: float = 1.2) -> Any:
    """Of volumes, askew in another way; in single precision where the name is one of ANTs."""
    dtype = np.float32 if "Warp" in path.name else np.float64
    return written(path, waves((12, 22, 27), height).astype(dtype), SPACING, ORIGIN, TURNED)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "bent"
    root.mkdir()
    return root


def resampled(moving: Any, transform: Any, reference: Any, interpolator: int = sitk.sitkLinear) -> Any:
    made = sitk.Resample(moving, reference, transform, interpolator, 0.0, sitk.sitkFloat64)
    return sitk.GetArrayFromImage(made)


def transform_of(vectors: Any) -> Any:
    # The transform takes the field's memory.
    return sitk.DisplacementFieldTransform(sitk.Image(vectors))


def close(got: Any, expected: Any, atol: float = 1e-2) -> None:
    """Equal but for the single precision of headers, which may decide whether a pixel at the edge is inside."""
    assert (expected != 0).mean() > 0.2
    off = np.abs(got - expected) > atol
    assert off.mean() < 2e-4
    assert not (off & (got != 0) & (expected != 0)).any()


@pytest.mark.judge
@pytest.mark.parametrize("name", ["warp.nii", "1Warp.nii.gz"])
def test_volumes_on_the_grid_of_the_field_are_those_of_simpleitk(folder, name):
    moving, vectors = volume(folder / "a.nii.gz"), field(folder / name)
    result = diascope.open(folder / "a.nii.gz" / f"displace,field={name}")
    close(result[...], resampled(moving, transform_of(vectors), vectors))
    # What is written has the place in the world of the field.
    assert result.world is not None
    there = np.diag([-1, -1, 1, 1]) @ result.world.array
    np.testing.assert_allclose(there[:3, :3], TURNED, atol=1e-5)
    np.testing.assert_allclose(there[:3, 3], ORIGIN, atol=1e-4)


@pytest.mark.judge
def test_volumes_on_their_own_grid_are_those_of_simpleitk(folder):
    moving, vectors = volume(folder / "a.nii"), field(folder / "warp.nii.gz")
    result = diascope.open(folder / "a.nii" / "displace,field=warp.nii.gz,domain=same")
    expected = resampled(moving, transform_of(vectors), moving)
    close(result[...], expected)
    # Outside the field nothing moves.
    still = diascope.open(folder / "a.nii")[...]
    assert 0.05 < (np.abs(expected - still) < 1e-3).mean() < 0.95


@pytest.mark.judge
def test_labels_are_those_of_simpleitk(folder):
    moving, vectors = volume(folder / "a.nii", np.int16), field(folder / "warp.nii.gz")
    result = diascope.open(folder / "a.nii" / "displace,field=warp.nii.gz,interpolation=nearest")
    expected = resampled(moving, transform_of(vectors), vectors, sitk.sitkNearestNeighbor)
    assert (expected != 0).mean() > 0.2
    assert (result[...] != expected).mean() < 5e-4


@pytest.mark.judge
def test_displacements_along_the_axes_of_nifti_are_those_of_itk(folder):
    moving, vectors = volume(folder / "a.nii"), field(folder / "warp.nii.gz")
    other = nibabel.load(folder / "warp.nii.gz")
    other.header["intent_code"] = 1006
    nibabel.save(other, folder / "ras.nii.gz")
    vectors = sitk.ReadImage(str(folder / "ras.nii.gz"), sitk.sitkVectorFloat64)
    close(
        diascope.open(folder / "a.nii" / "displace,field=ras.nii.gz")[...],
        resampled(moving, transform_of(vectors), vectors),
    )


def plane(path: Path) -> Any:
    """Micrometres, of which SimpleITK is told millimetres."""
    pixels = noise((40, 61), np.float32, 250)
    sizes = {"PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}
    tifffile.imwrite(path, pixels, metadata={"axes": "YX", **sizes})
    moving = sitk.GetImageFromArray(pixels)
    moving.SetSpacing((0.00025, 0.0005))
    return moving


FLAT: dict[str, Any] = {"spacing": (0.0004, 0.0007), "origin": (0.0011, -0.0007)}


@pytest.mark.judge
@pytest.mark.parametrize("domain", ["field", "same"])
def test_planes_in_micrometres_are_those_of_simpleitk(folder, domain):
    moving = plane(folder / "a.ome.tif")
    vectors = written(folder / "warp.nii.gz", waves((25, 33), 0.0006), **FLAT)
    result = diascope.open(folder / "a.ome.tif" / f"displace,field=warp.nii.gz,domain={domain}")
    close(result[...], resampled(moving, transform_of(vectors), vectors if domain == "field" else moving))
    assert result.axes[-1].unit == "micrometer"
    if domain == "field":
        np.testing.assert_allclose(result.levels[0].scale, (0.7, 0.4), rtol=1e-5)


@pytest.mark.judge
def test_a_matrix_and_a_field_are_one_interpolation(folder):
    moving = plane(folder / "a.ome.tif")
    vectors = written(folder / "warp.nii.gz", waves((25, 33), 0.0006), **FLAT)
    matrix, shift = np.array([[0.9, 0.2], [-0.1, 1.1]]), np.array([0.0005, -0.001])
    text = "0.9+0.2+0.5+-0.1+1.1+-1"
    result = diascope.open(
        folder / "a.ome.tif" / f"affine,matrix={text},inverse=true~displace,field=warp.nii.gz,domain=field"
    )
    both = sitk.CompositeTransform(2)
    both.AddTransform(sitk.AffineTransform(matrix.ravel().tolist(), shift.tolist()))
    both.AddTransform(transform_of(vectors))
    close(result[...], resampled(moving, both, vectors))


@pytest.mark.judge
def test_the_inverse_is_that_of_simpleitk(folder):
    volume(folder / "a.nii")
    vectors = field(folder / "warp.nii.gz", 0.5)
    step = displacement("warp.nii.gz", diascope.open(folder / "warp.nii.gz"))
    inverse = sitk.GetArrayFromImage(sitk.InvertDisplacementField(vectors, 300, 1e-5, 1e-6, False))
    index = np.stack(np.meshgrid(range(4, 23), range(4, 18), range(3, 9), indexing="ij"), axis=-1).reshape(-1, 3)
    points = (index * SPACING) @ TURNED.T + ORIGIN
    found = step.inverted()(points)
    np.testing.assert_allclose(found - points, inverse[tuple(index[:, ::-1].T)], atol=0.02)
    assert np.abs(found - points).max() > 0.5
    np.testing.assert_allclose(step(found), points, atol=1e-4)
    assert step.inverted().inverted() is step


def test_there_and_back_nothing_is_lost(folder):
    volume(folder / "a.nii")
    field(folder / "warp.nii.gz", 0.5)
    text = "displace,field=warp.nii.gz,inverse=true,domain=same~displace,field=warp.nii.gz,domain=same"
    again, once = diascope.open(folder / "a.nii" / text)[...], diascope.open(folder / "a.nii")[...]
    inner = (slice(5, 7), slice(10, 16), slice(8, 16))
    np.testing.assert_allclose(again[inner], once[inner], atol=0.05)


def test_outside_the_field_nothing_moves_and_nothing_comes_from_where_it_breaks_off():
    level = in_memory(np.array([2.0, 2, 2, 2, 2]).reshape(1, 1, 1, 5).repeat(3, axis=0))
    identity = linear(np.eye(4))
    step = Displacement(level, identity, (1, 0, 0), 1)
    x = np.array([-1, -0.5, 0, 1, 4.4, 4.6, 6, 9])
    points = np.stack([x, 0 * x, 0 * x], axis=1)
    assert step(points)[:, 0].tolist() == [-1, 1.5, 2, 3, 6.4, 4.6, 6, 9]
    np.testing.assert_allclose(step.inverted()(points)[:, 0], [-1, np.nan, np.nan, np.nan, 2.4, 2.6, 4, 9], atol=1e-4)


def test_where_the_field_folds_the_inverse_is_refused(folder):
    volume(folder / "a.nii")
    field(folder / "warp.nii.gz", 9)
    result = diascope.open(folder / "a.nii" / "displace,field=warp.nii.gz,inverse=true,domain=same")
    with pytest.raises(Unsupported, match=r"no way back was found for .* space is folded there"):
        result[...]


def test_tiles_are_the_whole_and_points_find_their_way():
    image = pictured(noise((7, 45, 53)), "zyx", scale=(0.9, 0.3, 0.2), levels=2)
    text = "displace,field=warp.nii,domain=same~rotate,angle=20~displace,field=warp.nii,inverse=true,domain=same"
    assert check_view(view(text), image, beside=beside)
    result = view("displace,field=warp.nii,domain=same").settled(image, images=beside).applied(image)
    points = np.random.default_rng(0).uniform(0.5, 4, (50, 3))
    there = result.stored(points)
    assert np.abs(there - points).max() > 0.1
    np.testing.assert_allclose(result.stored.inverted()(there), points, atol=1e-3)


def test_a_region_reads_its_part_of_the_field():
    """However large the field is."""
    read: list[Region] = []
    shape = (3, 300, 4000, 5000)
    vectors = beside("warp.nii").open()

    def read_pixels(region: Region) -> Any:
        read.append(region)
        return np.full(region.shape, 0.0003, np.float32)

    huge = replace(vectors.levels[0], shape=shape, chunk_shape=(3, 8, 64, 64), read_pixels=read_pixels)
    warp = replace(vectors, levels=(huge,))
    image = pictured(np.ones((300, 200, 200), np.uint8), "zyx", scale=(2, 1.5, 1))
    steps = view("displace,field=warp.nii").settled(image, images=lambda _: Beside("1", lambda: warp))
    result = steps.applied(image)
    assert not read
    assert result.shape == shape[1:]
    assert result.levels[0].read(Region((9, 100, 110), (41, 132, 142))).all()
    assert read
    assert sum(int(np.prod(each.shape)) for each in read) <= 3 * 34**3
    read.clear()
    # Far between pixels of a coarse level no more than a bounded part is held at once.
    coarse = result.levels[-1]
    coarse.read(Region((0, 0, 0), (1, *(min(64, size) for size in coarse.shape[1:]))))
    assert max(int(np.prod(each.shape)) for each in read) <= 3 * (1 << 15)


def test_packed_fields_are_read_where_they_are_needed(folder):
    field(folder / "warp.nii.gz")
    volume(folder / "a.nii")
    result = diascope.open(folder / "a.nii" / "displace,field=warp.nii.gz")
    whole = result[...]
    np.testing.assert_array_equal(result.levels[0].read(Region((3, 4, 5), (9, 10, 11))), whole[3:9, 4:10, 5:11])


def changed(warp: Image, **changes: Any) -> Any:
    return lambda _: Beside("1", lambda: replace(warp, **changes))


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("warp.nii", {"metadata": replace(beside("warp.nii").open().metadata, extra={})}, "no field of displacements"),
        ("warp.nii", {"metadata": replace(beside("warp.nii").open().metadata, rescale=(2, 0))}, "plain numbers"),
        ("warp.nii", {"axes": axes_named("tzyx")}, "no field of a vector a pixel"),
        ("warp.nii", {"levels": (in_memory(np.zeros((4, 2, 2, 2))),)}, "no field of a vector a pixel"),
        ("warp.nii", {"levels": (in_memory(np.zeros((2, 2, 2, 2))),)}, "no field of a vector a pixel"),
        ("warp.nii", {"levels": (in_memory(np.zeros((3, 2, 2, 2), np.complex64)),)}, "plain numbers"),
        ("warp.nii", {"world": None}, "neither qform nor sform"),
        ("flat.nii", {}, "moves along 2 axes, and the image has 3"),
    ],
)
def test_what_is_no_field_is_refused(name, changes, reason):
    with pytest.raises(BadRequest, match=reason):
        view(f"displace,field={name}").settled(
            pictured(noise((4, 9, 9)), "zyx"), images=changed(beside(name).open(), **changes)
        ).applied(pictured(noise((4, 9, 9)), "zyx"))


def test_files_that_are_none_are_refused(folder):
    volume(folder / "a.nii")
    (folder / "bad.nii").write_bytes(b"nothing")
    with pytest.raises(BadRequest, match=r"no file 'none\.nii'"):
        diascope.open(folder / "a.nii" / "displace,field=none.nii")
    with pytest.raises(BadRequest, match="no field of displacements"):
        diascope.open(folder / "a.nii" / "displace,field=a.nii")
    with pytest.raises(Unreadable, match=r"bad\.nii"):
        diascope.open(folder / "a.nii" / "displace,field=bad.nii")
    with pytest.raises(BadRequest, match="lies in no folder"):
        view("displace,field=warp.nii").applied(pictured(noise((4, 9, 9)), "zyx"))
    with pytest.raises(BadRequest, match="not every spatial axis has a unit"):
        view("displace,field=flat.nii").settled(pictured(noise((9, 9)), "yx", units={}), images=beside)


@pytest.mark.judge
def test_chunks_over_http_are_those_of_simpleitk(folder):
    moving, vectors = volume(folder / "a.nii.gz"), field(folder / "1Warp.nii.gz")
    expected = resampled(moving, transform_of(vectors), vectors)
    (folder / "deep").mkdir()
    (folder / "a.nii.gz").rename(folder / "deep" / "a.nii.gz")
    server = of_folder(folder, refresh_seconds=0)
    try:
        base = f"{server.url}/data/bent/deep/a.nii.gz"
        first = httpx.get(f"{base}/displace,field=1Warp.nii.gz/a.ome.zarr/zarr.json", follow_redirects=True)
        first.raise_for_status()
        assert "displace,field=1Warp.nii.gz@" in str(first.url)
        close(np.asarray(zarr.open_group(str(first.url).removesuffix("/zarr.json"), mode="r")["0"]), expected)
        tag = first.headers["etag"]
        field(folder / "1Warp.nii.gz", 0.3)
        again = httpx.get(str(first.url), follow_redirects=True)
        assert again.url != first.url or again.headers["etag"] != tag
        none = httpx.get(f"{base}/displace,field=none.nii/a.ome.zarr/zarr.json", follow_redirects=True)
        assert none.status_code == 422
    finally:
        server.stop()


@pytest.mark.parametrize("seconds", [0, 1.0])
def test_an_address_never_has_pixels_of_another_field(folder, seconds):
    """Not before either, when nothing of the image was looked at again."""
    volume(folder / "a.nii")
    field(folder / "warp.nii")
    text = "a.nii/displace,field=warp.nii/a.nii"
    old = np.array(diascope.open(folder / "a.nii" / "displace,field=warp.nii")[...])
    server = of_folder(folder, refresh_seconds=seconds)
    try:
        first = str(httpx.head(f"{server.url}/data/bent/{text}", follow_redirects=True).raise_for_status().url)
        field(folder / "warp.nii", 0.3)
        new = np.array(diascope.open(folder / "a.nii" / "displace,field=warp.nii")[...])
        assert not np.array_equal(old, new)
        end, again = monotonic() + 30, httpx.get(first, follow_redirects=True)
        while seconds and str(again.url) == first and monotonic() < end:
            assert again.status_code == 503 or np.array_equal(_of_nifti(again.content), old)
            again = httpx.get(first, follow_redirects=True)
        assert str(again.url) != first
        np.testing.assert_array_equal(_of_nifti(again.content), new)
    finally:
        server.stop()


def _of_nifti(data: bytes) -> Any:
    return np.asarray(nibabel.Nifti1Image.from_bytes(data).dataobj).T


@pytest.mark.judge
def test_the_pair_of_files_of_ants_is_the_composite_of_simpleitk_over_http(folder):
    """Of ``antsApplyTransforms -t 1Warp.nii.gz -t 0GenericAffine.mat`` the last one is done to the image first."""
    moving, vectors = volume(folder / "moving.nii.gz"), field(folder / "1Warp.nii.gz")
    matrix = TURNED.T @ np.array([[1.1, 0.05, 0], [0, 0.93, 0.02], [0.03, 0, 1.04]])
    affine = sitk.AffineTransform(matrix.ravel().tolist(), (1.7, -2.9, 0.83), (-4.0, 12.0, 9.0))
    sitk.WriteTransform(affine, str(folder / "0GenericAffine.mat"))
    both = sitk.CompositeTransform([affine, transform_of(vectors)])
    expected = resampled(moving, both, vectors)
    # The order matters, and so do both.
    swapped = sitk.CompositeTransform([transform_of(vectors), affine])
    for other in (swapped, affine, transform_of(vectors)):
        assert (np.abs(resampled(moving, other, vectors) - expected) > 1).mean() > 0.1
    server = of_folder(folder)
    try:
        text = "affine,file=0GenericAffine.mat~displace,field=1Warp.nii.gz"
        asked = f"{server.url}/data/bent/moving.nii.gz/{text}/moving.ome.zarr/zarr.json"
        found = httpx.get(asked, follow_redirects=True)
        found.raise_for_status()
        served = zarr.open_group(str(found.url).removesuffix("/zarr.json"), mode="r")["0"]
        assert isinstance(served, zarr.Array)
        assert served.shape == expected.shape
        got = np.empty(served.shape)
        for corner in np.ndindex(2, 2, 2):
            halves = zip(corner, served.shape, strict=True)
            box = tuple(slice(n // 2, n) if k else slice(n // 2) for k, n in halves)
            got[box] = served[box]
        close(got, expected)
    finally:
        server.stop()


def test_a_recipe_has_fields_beside_its_files(folder):
    volume(folder / "a.nii")
    field(folder / "warp.nii.gz")
    text = "displace,field=warp.nii.gz,domain=same"
    (folder / "two.recipe.yaml").write_text(
        f'{{recipe: channels, channels: [{{file: a.nii}}, {{file: a.nii, view: "{text}"}}]}}'
    )
    both, alone = diascope.open(folder / "two.recipe.yaml"), diascope.open(folder / "a.nii" / text)
    np.testing.assert_array_equal(both[1], alone[...])
    assert (both[1] != both[0]).mean() > 0.3

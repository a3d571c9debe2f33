"""Files that registration programs write, beside volumes that lie turned in the world; SimpleITK is the judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import tifffile
from scipy.spatial.transform import Rotation

import diascope
from diascope.errors import BadRequest
from diascope.image.affine import Affine
from diascope.image.image import Image
from tests.operations.pictures import noise

SPACING = (0.7, 1.3, 2.1)
TURN = Rotation.from_euler("xyz", (0.2, -0.35, 0.5)).as_matrix()
ORIGIN = (11.0, -23.0, 31.0)
FLIPPED = np.diag([-1.0, -1.0, 1.0, 1.0])
PLANE_SPACING = (0.4, 0.9)


def sform(flip: bool = False) -> Any:
    """To RAS; flipped it is left-handed, as radiologists store volumes."""
    matrix = np.eye(4)
    matrix[:3, :3] = TURN @ np.diag([-1.0 if flip else 1.0, 1, 1]) @ np.diag(SPACING)
    matrix[:3, 3] = ORIGIN
    return matrix


def nifti(path: Path, matrix: Any, shape: tuple[int, ...] = (23, 19, 13), unit: str = "mm") -> Path:
    """A volume of noise, x first."""
    image = nibabel.Nifti1Image(noise(shape, np.float32, 250), matrix)
    image.set_sform(matrix, 1)
    image.set_qform(matrix, 1)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, path)
    return path


def grid_of(result: Image, rank: int) -> sitk.Image:
    """The result's grid where it lies in the world of ITK."""
    level = result.levels[0]
    world = FLIPPED @ result.world.array if result.world else np.eye(4)
    scale, first = np.diag(level.scale[::-1]), np.array(level.translation[::-1])
    steps = world[:rank, :rank] @ scale
    spacing = np.linalg.norm(steps, axis=0)
    grid = sitk.Image(level.shape[::-1], sitk.sitkFloat32)
    grid.SetSpacing(spacing.tolist())
    grid.SetDirection((steps / spacing).ravel().tolist())
    grid.SetOrigin((world[:rank, :rank] @ first + world[:rank, 3]).tolist())
    return grid


def world_of(image: Image) -> Affine:
    assert image.world is not None
    return image.world


def same_as_itk(image: Path, transform: sitk.Transform, result: Image) -> None:
    moving = sitk.ReadImage(str(image), sitk.sitkFloat32)
    grid = grid_of(result, moving.GetDimension())
    expected = sitk.GetArrayFromImage(sitk.Resample(moving, grid, transform, sitk.sitkLinear, 0.0))
    assert (expected != 0).mean() > 0.1
    assert_close(result[...], expected)


def assert_close(got: Any, expected: Any) -> None:
    """Within a thousandth, but where a rounding error decides whether a pixel lies in the image."""
    differing = np.abs(got.astype(np.float64) - expected) > 2e-3
    assert differing.mean() < 1e-3, f"{differing.sum()} of {differing.size} pixels differ"


def affine3() -> sitk.Transform:
    transform = sitk.AffineTransform(3)
    transform.SetMatrix((TURN.T @ np.array([[1.1, 0.05, 0], [0, 0.93, 0.02], [0.03, 0, 1.04]])).ravel().tolist())
    transform.SetTranslation((1.7, -2.9, 0.83))
    transform.SetCenter((12.0, 20.0, 30.0))
    return transform


VERSOR = (0.11, -0.07, 0.19)
SHIFT = (1.7, -2.9, 0.83)
CENTRE = (-8.0, 17.0, 33.0)
ANGLES = (0.12, -0.21, 0.33)


def euler3(zyx: bool) -> sitk.Transform:
    transform = sitk.Euler3DTransform(CENTRE, *ANGLES, SHIFT)
    transform.SetComputeZYX(zyx)
    return transform


def with_skew(kind: Any, skew: tuple[float, ...]) -> sitk.Transform:
    transform = kind()
    transform.SetRotation((0.3, 0.5, 0.8), 0.4)
    transform.SetScale((1.1, 0.9, 1.2))
    if skew:
        transform.SetSkew(skew)
    transform.SetTranslation(SHIFT)
    transform.SetCenter(CENTRE)  # the last, as the offset does not follow scales
    return transform


def similarity3() -> sitk.Transform:
    transform = sitk.Similarity3DTransform()
    transform.SetCenter(CENTRE)
    transform.SetRotation((0.3, 0.5, 0.8), 0.4)
    transform.SetTranslation(SHIFT)
    transform.SetScale(1.2)
    return transform


def versor_rigid() -> sitk.Transform:
    transform = sitk.VersorRigid3DTransform()
    transform.SetCenter(CENTRE)
    transform.SetRotation((0.3, 0.5, 0.8), 0.4)
    transform.SetTranslation(SHIFT)
    return transform


def versor_alone() -> sitk.Transform:
    transform = sitk.VersorTransform((0.3, 0.5, 0.8), 0.1)
    transform.SetCenter(CENTRE)
    return transform


TRANSFORMS = {
    "identity": lambda: sitk.Transform(3, sitk.sitkIdentity),
    "translation": lambda: sitk.TranslationTransform(3, SHIFT),
    "scale": lambda: sitk.ScaleTransform(3, (1.1, 0.9, 1.2)),
    "affine": affine3,
    "euler": lambda: euler3(zyx=False),
    "euler-zyx": lambda: euler3(zyx=True),
    "versor": versor_alone,
    "versor-rigid": versor_rigid,
    "similarity": similarity3,
    "scale-versor": lambda: with_skew(sitk.ScaleVersor3DTransform, ()),
    "scale-skew-versor": lambda: with_skew(sitk.ScaleSkewVersor3DTransform, (0.1, -0.05, 0.02, 0.03, 0.07, -0.04)),
    "composed-scale-skew": lambda: with_skew(sitk.ComposeScaleSkewVersor3DTransform, (0.1, -0.05, 0.02)),
    "composite": lambda: sitk.CompositeTransform([euler3(zyx=True), affine3(), sitk.TranslationTransform(3, SHIFT)]),
}


FILES = [
    *((name, "tfm") for name in TRANSFORMS),
    *((name, "mat") for name in TRANSFORMS if name != "composite"),  # which MATLAB's format cannot hold
    *((name, "h5") for name in ("identity", "euler", "affine", "composite")),
]


@pytest.mark.parametrize(("name", "suffix"), FILES)
def test_every_linear_transformation_of_itk_moves_a_turned_volume_as_simpleitk_does(name, suffix, tmp_path):
    image = nifti(tmp_path / "head.nii", sform())
    transform = TRANSFORMS[name]()
    sitk.WriteTransform(transform, str(tmp_path / f"moved.{suffix}"))
    result = diascope.open(f"{image}/affine,file=moved.{suffix}")
    same_as_itk(image, transform, result)
    np.testing.assert_allclose(world_of(result).array, world_of(diascope.open(image)).array)


PLANES = {
    "identity": lambda: sitk.Transform(2, sitk.sitkIdentity),
    "translation": lambda: sitk.TranslationTransform(2, SHIFT[:2]),
    "scale": lambda: sitk.ScaleTransform(2, (1.1, 0.9)),
    "affine": lambda: sitk.AffineTransform((1.10317, 0.20511, -0.10793, 0.93371), SHIFT[:2], (3.0, 4.0)),
    "euler": lambda: sitk.Euler2DTransform((3.0, 4.0), 0.3, SHIFT[:2]),
    "similarity": lambda: sitk.Similarity2DTransform(1.2, 0.3, SHIFT[:2], (3.0, 4.0)),
    "composite": lambda: sitk.CompositeTransform(
        [sitk.Euler2DTransform((3.0, 4.0), 0.3, SHIFT[:2]), sitk.TranslationTransform(2, SHIFT[:2])]
    ),
}


def picture(path: Path, unit: str = "mm") -> Path:
    """A plane in no world, whose pixels are so many micrometres apart as SimpleITK's are millimetres."""
    sizes = {f"PhysicalSize{axis}": size for axis, size in zip("XY", PLANE_SPACING, strict=True)}
    units = {f"PhysicalSize{axis}Unit": unit for axis in "XY"}
    tifffile.imwrite(path, noise((37, 29), np.float32, 250), metadata={"axes": "YX", **sizes, **units}, ome=True)
    return path


def by_itk(transform: sitk.Transform, result: Image) -> Any:
    moving = sitk.GetImageFromArray(noise((37, 29), np.float32, 250))
    moving.SetSpacing(PLANE_SPACING)
    return sitk.GetArrayFromImage(sitk.Resample(moving, grid_of(result, 2), transform, sitk.sitkLinear, 0.0))


@pytest.mark.parametrize(("name", "suffix"), [(name, suffix) for name, suffix in FILES if name in PLANES])
def test_every_linear_transformation_of_itk_moves_a_plane_as_simpleitk_does(name, suffix, tmp_path):
    image, transform = picture(tmp_path / "cells.ome.tif"), PLANES[name]()
    sitk.WriteTransform(transform, str(tmp_path / f"moved.{suffix}"))
    result = diascope.open(f"{image}/affine,file=moved.{suffix}")
    expected = by_itk(transform, result)
    assert (expected != 0).mean() > 0.3
    assert_close(result[...], expected)


def test_lengths_of_a_file_are_millimetres_or_of_the_unit_that_is_said(tmp_path):
    transform = PLANES["euler"]()
    sitk.WriteTransform(transform, str(tmp_path / "moved.tfm"))
    image = picture(tmp_path / "cells.ome.tif", "um")
    expected = by_itk(transform, diascope.open(f"{image}/affine,file=moved.tfm,unit=um"))
    np.testing.assert_allclose(diascope.open(f"{image}/affine,file=moved.tfm,unit=um")[...], expected, atol=2e-3)
    far = diascope.open(f"{image}/affine,file=moved.tfm")
    level = far.levels[0]
    middle = np.array(level.translation) + np.array(level.scale) * (np.array(level.shape) - 1) / 2
    itk = transform.GetInverse().TransformPoint((PLANE_SPACING[0] * 14 / 1000, PLANE_SPACING[1] * 18 / 1000))
    np.testing.assert_allclose(middle[::-1] / 1000, itk, atol=1e-9)


@pytest.mark.parametrize("unit", ["mm", "micron"])
@pytest.mark.parametrize("flip", [False, True])
def test_a_volume_in_any_unit_and_handedness_is_moved_as_simpleitk_does(flip, unit, tmp_path):
    image = nifti(tmp_path / "head.nii", sform(flip), unit=unit)
    transform = affine3()
    if unit == "micron":
        transform = sitk.AffineTransform(transform)
        transform.SetTranslation([by / 1000 for by in SHIFT])
        transform.SetCenter((0.012, 0.02, 0.03))
    sitk.WriteTransform(transform, str(tmp_path / "moved.mat"))
    same_as_itk(image, transform, diascope.open(f"{image}/affine,file=moved.mat"))


def test_the_grid_of_a_reference_may_be_given(tmp_path):
    image, transform = nifti(tmp_path / "head.nii", sform()), affine3()
    sitk.WriteTransform(transform, str(tmp_path / "moved.tfm"))
    reference = np.array([[0, -1, 0, 30.0], [1, 0, 0, -20], [0, 0, 1, 12]])
    world = "+".join(f"{number:g}" for number in reference.ravel())
    text = f"affine,file=moved.tfm,size=31+27+17,pixel=1+0.9+1.5,origin=-2+1+0.5,world={world},space=mni152"
    result = diascope.open(f"{image}/{text}")
    assert result.shape == (17, 27, 31)
    np.testing.assert_array_equal(world_of(result).array[:3], reference)
    assert world_of(result).space == "mni152"
    same_as_itk(image, transform, result)
    named = diascope.open(f"{image}/affine,file=moved.tfm,space=mni152")
    np.testing.assert_array_equal(world_of(named).array, np.eye(4))
    same_as_itk(image, transform, named)


def test_a_file_is_taken_the_other_way_round(tmp_path):
    image, transform = nifti(tmp_path / "head.nii", sform()), affine3()
    sitk.WriteTransform(transform, str(tmp_path / "moved.mat"))
    same_as_itk(image, transform.GetInverse(), diascope.open(f"{image}/affine,file=moved.mat,inverse=true"))


def test_a_plane_that_lies_tilted_is_not_moved_in_itself(tmp_path):
    image = nifti(tmp_path / "tilted.nii", sform(), (23, 19))
    sitk.WriteTransform(PLANES["euler"](), str(tmp_path / "moved.tfm"))
    with pytest.raises(BadRequest, match="tilted"):
        diascope.open(f"{image}/affine,file=moved.tfm")
    sitk.WriteTransform(affine3(), str(tmp_path / "moved.tfm"))
    with pytest.raises(BadRequest, match="moves volumes"):
        diascope.open(f"{image}/affine,file=moved.tfm")


def test_a_plane_that_lies_flat_in_the_world_is_moved_as_simpleitk_does(tmp_path):
    image = nifti(tmp_path / "flat.nii", np.diag([-0.7, -1.3, 1.0, 1.0]), (23, 19))
    sitk.WriteTransform(PLANES["euler"](), str(tmp_path / "moved.tfm"))
    same_as_itk(image, PLANES["euler"](), diascope.open(f"{image}/affine,file=moved.tfm"))


FLIRT = np.array([[1.07, 0.21, -0.1, 3.1], [-0.18, 0.95, 0.07, -2.3], [0.11, 0.03, 1.02, 4.7], [0, 0, 0, 1]])


def resampled_by_nitransforms(image: Path, ras: Any, reference: nibabel.Nifti1Image) -> Any:
    from nitransforms.linear import Affine as Linear
    from nitransforms.resampling import apply

    made = apply(Linear(ras, reference=reference), str(image), order=1, output_dtype=np.float32)
    return np.asarray(made.dataobj).T


def inside(got: Any, expected: Any) -> None:
    """The same, but at the edges: nitransforms fades them out over a pixel."""
    shown = (got != 0) & (expected != 0)
    assert shown.mean() > 0.1
    np.testing.assert_allclose(got[shown], expected[shown], atol=0.05)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("flip_reference", [False, True])
def test_flirts_matrices_move_as_nitransforms_does(flip, flip_reference, tmp_path):
    from nitransforms.io.fsl import FSLLinearTransform

    image = nifti(tmp_path / "head.nii", sform(flip))
    matrix = np.diag([-0.9 if flip_reference else 0.9, 1.1, 1.9, 1.0])
    matrix[:3, 3] = 20, -30, 12
    reference = nibabel.Nifti1Image(np.zeros((21, 33, 11), np.float32), matrix)
    np.savetxt(tmp_path / "moved.mat", FLIRT)
    read = FSLLinearTransform.from_string((tmp_path / "moved.mat").read_text())
    expected = resampled_by_nitransforms(image, read.to_ras(nibabel.load(image), reference), reference)
    world = "+".join(map(repr, (matrix @ np.diag([1 / 0.9, 1 / 1.1, 1 / 1.9, 1]))[:3].ravel().tolist()))
    text = f"affine,file=moved.mat,convention=fsl,size=21+33+11,pixel=0.9+1.1+1.9,world={world}"
    result = diascope.open(f"{image}/{text}")
    inside(result[...], expected)
    np.testing.assert_allclose(world_of(result).array @ np.diag([0.9, 1.1, 1.9, 1]), matrix)


@pytest.mark.parametrize("flip", [False, True])
def test_flirts_matrices_between_images_of_one_grid_need_no_reference(flip, tmp_path):
    from nitransforms.io.fsl import FSLLinearTransform

    image = nifti(tmp_path / "head.nii", sform(flip))
    np.savetxt(tmp_path / "moved.mat", FLIRT)
    own = nibabel.load(image)
    read = FSLLinearTransform.from_string((tmp_path / "moved.mat").read_text())
    expected = resampled_by_nitransforms(image, read.to_ras(own, own), own)
    result = diascope.open(f"{image}/affine,file=moved.mat,convention=fsl,domain=same")
    inside(result[...], expected)
    np.testing.assert_allclose(world_of(result).array, world_of(diascope.open(image)).array)
    with pytest.raises(BadRequest, match="size, pixel and world of the reference"):
        diascope.open(f"{image}/affine,file=moved.mat,convention=fsl")


@pytest.mark.parametrize("convention", ["ras", "lps"])
def test_rows_in_a_world_move_as_nitransforms_does(convention, tmp_path):
    image, own = nifti(tmp_path / "head.nii", sform()), None
    own = nibabel.load(image)
    ras = np.eye(4)
    ras[:3] = np.array([[1.07, 0.21, -0.1, 3.1], [-0.18, 0.95, 0.07, -2.3], [0.11, 0.03, 1.02, 4.7]])
    expected = resampled_by_nitransforms(image, ras, own)
    told = FLIPPED @ ras @ FLIPPED if convention == "lps" else ras
    np.savetxt(tmp_path / "moved.txt", told)
    text = f"affine,file=moved.txt,convention={convention},inverse=true,domain=same"
    inside(diascope.open(f"{image}/{text}")[...], expected)
    np.savetxt(tmp_path / "moved.txt", np.linalg.inv(told))
    inside(diascope.open(f"{image}/affine,file=moved.txt,convention={convention},domain=same")[...], expected)


def test_files_of_itk_mean_to_nitransforms_what_they_mean_here(tmp_path):
    from nitransforms.linear import load

    image = nifti(tmp_path / "head.nii", sform())
    sitk.WriteTransform(affine3(), str(tmp_path / "moved.tfm"))
    own = nibabel.load(image)
    ras = load(tmp_path / "moved.tfm", fmt="itk", reference=image).matrix
    result = diascope.open(f"{image}/affine,file=moved.tfm,domain=same")
    inside(result[...], resampled_by_nitransforms(image, ras, own))

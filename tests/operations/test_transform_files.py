"""What elastix, OME-Zarr and ITK files say, and what is refused of them with the place."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Any

import h5py
import httpx
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import zarr

import diascope
from diascope.errors import BadRequest, Unavailable
from diascope.operations import itk_hdf5
from diascope.operations.transform_file import found
from tests.operations.pictures import noise
from tests.operations.test_registered import (
    ANGLES,
    CENTRE,
    PLANE_SPACING,
    SHIFT,
    TURN,
    affine3,
    assert_close,
    euler3,
    nifti,
    picture,
    same_as_itk,
    sform,
    similarity3,
)
from tests.servers import of_folder

SPACING = (0.75, 1.1, 1.9)
DIRECTION = TURN @ np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])


def numbers(values: Any) -> str:
    return " ".join(repr(float(value)) for value in np.ravel(values))


def elastix(kind: str, parameters: Any, rank: int = 3, *, grid: bool = True, **entries: str) -> str:
    """A file as elastix 5 writes it; SimpleITK 2 and its manual agree that directions come column by column."""
    known = {
        "Transform": f'"{kind}"',
        "NumberOfParameters": str(len(parameters)),
        "TransformParameters": numbers(parameters),
        "InitialTransformParameterFileName": '"NoInitialTransform"',
        "HowToCombineTransforms": '"Compose"',
        "FixedImageDimension": str(rank),
        "MovingImageDimension": str(rank),
        "CenterOfRotationPoint": numbers(CENTRE[:rank]),
        "UseDirectionCosines": '"true"',
    }
    if grid:
        known |= {
            "Size": " ".join(map(str, (25, 21, 15)[:rank])),
            "Index": " ".join(map(str, (2, -1, 3)[:rank])),
            "Spacing": numbers(SPACING[:rank]),
            "Origin": numbers((0.0,) * rank),
            "Direction": numbers((DIRECTION if rank == 3 else np.eye(2)).T),
        }
    lines = [f"({name} {value})" for name, value in (known | entries).items()]
    return "\n".join(["// elastix", *lines[:5], "", "// Image specific", *lines[5:], ""])


RIGID = euler3(zyx=False)
MOVED = affine3()
LINEAR = np.array(MOVED.GetParameters())


@pytest.mark.parametrize(
    ("text", "transform"),
    [
        (elastix("EulerTransform", (*ANGLES, *SHIFT)), RIGID),
        (elastix("EulerTransform", (*ANGLES, *SHIFT), ComputeZYX='"true"'), euler3(zyx=True)),
        (elastix("TranslationTransform", SHIFT), sitk.TranslationTransform(3, SHIFT)),
        (elastix("SimilarityTransform", similarity3().GetParameters()), similarity3()),
        (elastix("AffineTransform", LINEAR, CenterOfRotationPoint=numbers(MOVED.GetFixedParameters())), MOVED),
    ],
    ids=["euler", "euler-zyx", "translation", "similarity", "affine"],
)
def test_elastix_files_give_the_volume_on_the_grid_they_were_found_on(text, transform, tmp_path):
    image = nifti(tmp_path / "head.nii", sform())
    middle = (np.diag([-1.0, -1.0, 1.0, 1.0]) @ sform() @ (11, 9, 6, 1))[:3]
    seen = np.array(transform.GetInverse().TransformPoint(middle.tolist()))
    origin = seen - DIRECTION @ (np.array(SPACING) * (14, 9, 10))
    text = text.replace("(Origin 0.0 0.0 0.0)", f"(Origin {numbers(origin)})")
    (tmp_path / "TransformParameters.0.txt").write_text(text)
    result = diascope.open(f"{image}/affine,file=TransformParameters.0.txt")
    moving = sitk.ReadImage(str(image), sitk.sitkFloat32)
    grid = sitk.Image([25, 21, 15], sitk.sitkFloat32)
    grid.SetSpacing(SPACING)
    grid.SetDirection(DIRECTION.ravel().tolist())
    grid.SetOrigin(origin.tolist())
    grid.SetOrigin(grid.TransformIndexToPhysicalPoint((2, -1, 3)))
    expected = sitk.GetArrayFromImage(sitk.Resample(moving, grid, transform, sitk.sitkLinear, 0.0))
    assert (expected != 0).mean() > 0.1
    assert_close(result[...], expected)
    same_as_itk(image, transform, diascope.open(f"{image}/affine,file=TransformParameters.0.txt,domain=same"))


def test_elastix_files_begin_from_one_another(tmp_path):
    image = nifti(tmp_path / "head.nii", sform())
    (tmp_path / "first.txt").write_text(elastix("EulerTransform", (*ANGLES, *SHIFT)))
    initial = {"InitialTransformParametersFileName": '"/home/someone/out/first.txt"'}
    for how, expected in (
        ("Compose", sitk.CompositeTransform([sitk.TranslationTransform(3, (9, 5, -7)), RIGID])),
        ("Add", None),
    ):
        told = elastix("TranslationTransform", (9, 5, -7), HowToCombineTransforms=f'"{how}"')
        told = told.replace('(InitialTransformParameterFileName "NoInitialTransform")\n', "")
        (tmp_path / "second.txt").write_text(
            told + f"(InitialTransformParametersFileName {next(iter(initial.values()))})\n"
        )
        result = diascope.open(f"{image}/affine,file=second.txt,domain=same")
        added = RIGID if expected is None else expected
        if expected is None:
            added = sitk.Euler3DTransform(RIGID)
            added.SetTranslation(np.add(SHIFT, (9, 5, -7)).tolist())
        same_as_itk(image, added, result)


def test_elastix_files_move_planes_in_no_world(tmp_path):
    image = picture(tmp_path / "cells.ome.tif")
    told = elastix("EulerTransform", (0.3, 1.5, -2.5), 2, CenterOfRotationPoint="3 4")
    told = told.replace("(Origin 0.0 0.0)", "(Origin -1.0 2.0)")
    (tmp_path / "moved.txt").write_text(told)
    result = diascope.open(f"{image}/affine,file=moved.txt")
    moving = sitk.GetImageFromArray(noise((37, 29), np.float32, 250))
    moving.SetSpacing(PLANE_SPACING)
    transform, first = sitk.Euler2DTransform((3, 4), 0.3, (1.5, -2.5)), (-1.0 + 2 * 0.75, 2.0 - 1.1)
    made = sitk.Resample(moving, (25, 21), transform, sitk.sitkLinear, first, SPACING[:2], (1, 0, 0, 1), 0.0)
    expected = sitk.GetArrayFromImage(made)
    assert (expected != 0).mean() > 0.5
    assert_close(result[...], expected)
    np.testing.assert_allclose(result.levels[0].translation, first[::-1])


ROTATED = [[0.9, 0.1, 0.2], [-0.15, 1.1, 0.05], [0.02, 0.3, 1.05]]
SHIFTED = [[*row, shift] for row, shift in zip(ROTATED, (3.5, -2.0, 7.25), strict=True)]
PARTS = [
    {"type": "scale", "scale": [2, 3, 4]},
    {"type": "identity"},
    {"type": "rotation", "rotation": ROTATED},
    {"type": "sequence", "transformations": [{"type": "translation", "translation": [3.5, -2.0, 7.25]}]},
]


def systems(there: str = "zyx", unit: str = "millimeter", *, kind: str = "space") -> list[dict[str, Any]]:
    def system(name: str, axes: str) -> dict[str, Any]:
        types = {"t": "time", "c": "channel"}
        known = [{"name": axis, "type": types.get(axis, kind)} for axis in axes]
        return {"name": name, "axes": [axis | ({"unit": unit} if axis["name"] in "zyx" else {}) for axis in known]}

    return [system("moving", "zyx"), system("fixed", there)]


def matrix_of(document: Any, axes: str = "zyx") -> Any:
    return found("it.json", lambda name: json.dumps(document).encode(), axes, "positions").matrix


def applied(matrix: Any, x: float, y: float, z: float) -> list[float]:
    return np.round(matrix @ (x, y, z, 1), 9)[:3].tolist()


def test_ome_zarr_files_count_the_slowest_axis_first():
    z, y, x = (np.array(SHIFTED) @ (2.0, 3.0, 5.0, 1.0)).tolist()
    alone = {"type": "affine", "affine": SHIFTED}
    assert applied(matrix_of(alone), 5, 3, 2) == pytest.approx([x, y, z])
    assert applied(matrix_of([alone]), 5, 3, 2) == pytest.approx([x, y, z])
    named = alone | {"input": "moving", "output": "fixed"}
    scene = {"coordinateSystems": systems(), "coordinateTransformations": [named]}
    for document in (
        scene,
        {"ome": scene},
        {"zarr_format": 3, "attributes": {"ome": {"version": "0.6", "scene": scene}}},
    ):
        assert applied(matrix_of(document), 5, 3, 2) == pytest.approx([x, y, z])
    z, y, x = (np.array(SHIFTED) @ (2.0 * 2, 3.0 * 3, 5.0 * 4, 1.0)).tolist()
    assert applied(matrix_of({"type": "sequence", "transformations": PARTS}), 5, 3, 2) == pytest.approx([x, y, z])


def test_ome_zarr_files_permute_and_go_by_dimension():
    parts = [
        {"transformation": {"type": "scale", "scale": [3]}, "inputAxes": [0], "outputAxes": [0]},
        {"transformation": {"type": "mapAxis", "mapAxis": [1, 0]}, "inputAxes": [1, 2], "outputAxes": [1, 2]},
    ]
    by = {"type": "byDimension", "transformations": parts}
    assert applied(matrix_of(by), 5, 4, 2) == [4, 5, 6]
    assert applied(matrix_of({"type": "mapAxis", "mapAxis": [2, 0, 1]}), 5, 4, 2) == [4, 2, 5]
    either = {"type": "bijection", "forward": {"type": "scale", "scale": [2, 3]}, "inverse": {"type": "identity"}}
    assert matrix_of(either, "cyx").tolist() == [[3, 0, 0], [0, 2, 0], [0, 0, 1]]
    with pytest.raises(ValueError, match="leads from 3 axes to 2"):
        matrix_of({"type": "projectAxis", "droppedInputs": [1]})


def test_ome_zarr_files_may_order_the_axes_of_the_result_otherwise():
    first, second, third = (np.array(SHIFTED) @ (2.0, 3.0, 5.0, 1.0)).tolist()
    named = {"type": "affine", "affine": SHIFTED, "input": "moving", "output": "fixed"}
    scene = {"coordinateSystems": systems("xzy"), "coordinateTransformations": [named]}
    assert applied(matrix_of(scene), 5, 3, 2) == pytest.approx([first, third, second])


def test_ome_zarr_files_move_all_of_an_images_axes_or_those_of_space():
    five = np.eye(5, 6)
    five[2:, 2:5], five[2:, 5] = ROTATED, (3.5, -2.0, 7.25)
    document = {"type": "affine", "affine": five.tolist()}
    np.testing.assert_array_equal(matrix_of(document, "tczyx"), matrix_of({"type": "affine", "affine": SHIFTED}))
    five[1, 5] = 1
    with pytest.raises(ValueError, match="moves time or channels"):
        matrix_of({"type": "affine", "affine": five.tolist()}, "tczyx")
    assert matrix_of({"type": "scale", "scale": [2, 3]}, "cyx").tolist() == [[3, 0, 0], [0, 2, 0], [0, 0, 1]]


def test_the_unit_of_an_ome_zarr_file_holds(tmp_path):
    image = picture(tmp_path / "cells.ome.tif", "um")
    named = {"type": "translation", "translation": [0.002, 0.003], "input": "moving", "output": "fixed"}
    known = [{**each, "axes": each["axes"][1:]} for each in systems()]
    scene = {"ome": {"coordinateSystems": known, "coordinateTransformations": [named]}}
    (tmp_path / "moved.json").write_text(json.dumps(scene))
    result = diascope.open(f"{image}/affine,file=moved.json")
    np.testing.assert_allclose(result.levels[0].translation, (2, 3))
    np.testing.assert_array_equal(result[...], diascope.open(image)[...])


def itk(*lines: str) -> bytes:
    return "\n".join(["#Insight Transform File V1.0", "#Transform 0", *lines, ""]).encode()


AFFINE = "Transform: AffineTransform_double_3_3"
CENTRED = "FixedParameters: 0 0 0"
TWELVE = "Parameters: 1 0 0 0 1 0 0 0 1 1 2 3"


def array(name: str, values: Any, kind: int = 0) -> bytes:
    packed = np.asarray(values, ">f8" if kind else "<f8").tobytes()
    head = struct.pack(">5i" if kind else "<5i", kind, len(values), 1, 0, len(name) + 1)
    return head + name.encode() + b"\0" + packed


LINES = [
    (itk(), "no transformation"),
    (itk(AFFINE, "Parameters: 1 2 3", CENTRED), "line 3.*12 parameters.*not 3"),
    (itk(AFFINE, TWELVE, "FixedParameters: 0"), "line 3.*3 fixed ones, not 12 and 1"),
    (itk(AFFINE, "Parameters: 1 0 0 0 1 0 0 0 nan 1 2 3", CENTRED), "line 4.*not finite"),
    (itk(AFFINE, "Parameters: 1 0 0 0 1 0 0 0 1e999 1 2 3", CENTRED), "line 4.*not finite"),
    (itk(AFFINE, "Parameters: 1 0 0 0 1 0 0 0 one 1 2 3", CENTRED), "line 4.*not numbers"),
    (itk(AFFINE, "Parameters: 1 0 0 1 0 0 0 0 1 1 2 3", CENTRED), "flattens"),
    (itk(AFFINE, "Parameters: 1e20 0 0 0 1 0 0 0 1 1 2 3", CENTRED), "at most 1e"),
    (itk(AFFINE, TWELVE, TWELVE), "line 5.*twice"),
    (itk(TWELVE), "line 3.*before its Transform"),
    (itk(AFFINE, TWELVE, CENTRED, AFFINE, TWELVE, CENTRED), "line 6.*second transformation"),
    (itk("Transform: CompositeTransform_double_3_3"), "composite of nothing"),
    (itk("Transform: CompositeTransform_double_2_2", AFFINE, TWELVE, CENTRED), "unlike dimensions"),
    (itk("Transform: BSplineTransform_double_3_3", TWELVE, CENTRED), "line 3.*BSplineTransform.*not among the linear"),
    (itk("Transform: AffineTransform_double_4_4", TWELVE, CENTRED), "no type of transformation in 2 or 3"),
    (itk("Transform: VersorTransform_double_3_3", "Parameters: 1 1 1", CENTRED), "longer than 1"),
    (itk("Transform: CompositeTransform_double_3_3", *[AFFINE, TWELVE, CENTRED] * 70), "more than 64"),
    (itk("Nonsense"), "line 3.*Nonsense"),
    (b"#Insight Transform File V1.0\n\xff\xfe", "no text"),
    (array("AffineTransform_double_3_3", range(12))[:60], "byte 0.*cut short"),
    (array("AffineTransform_double_3_3", [np.nan] * 12) + array("fixed", [0, 0, 0]), "byte 0.*not finite"),
    (array("AffineTransform_double_3_3", range(11)) + array("fixed", [0, 0, 0]), "byte 0.*12 parameters"),
    (array("DisplacementFieldTransform_double_3_3", range(11)), "byte 0.*not among the linear"),
    (struct.pack("<5i", 0, 2**31 - 1, 2**31 - 1, 0, 5) + b"evil\0", "byte 0.*no transformation's"),
    (struct.pack("<5i", 0, -5, -5, 0, 5) + b"evil\0", "byte 0.*no transformation's"),
    (array("AffineTransform_double_3_3", range(12)) + b"\x05\0\0\0", "byte 143.*no array"),
    (b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5 cannot be read"),
    (elastix("BSplineTransform", SHIFT).encode(), "line 2: BSplineTransform is not among the linear"),
    (elastix("EulerTransform", SHIFT).encode(), "line 4.*6 parameters.*not 3"),
    (elastix("TranslationTransform", (1, np.nan, 2)).encode(), "line 4: TransformParameters is not finite"),
    (elastix("TranslationTransform", SHIFT, Spacing="1 1").encode(), "Spacing is not 3 finite"),
    (elastix("TranslationTransform", SHIFT, Size="0 1 1").encode(), "line 13.*cannot be"),
    (elastix("TranslationTransform", SHIFT, Size="1e12 1 1").encode(), "whole numbers|too many|limit"),
    (elastix("TranslationTransform", SHIFT, FixedImageDimension="7").encode(), "FixedImageDimension"),
    (elastix("TranslationTransform", SHIFT, UseDirectionCosines='"false"').encode(), "directions.*ignored"),
    (elastix("TranslationTransform", SHIFT, InitialTransformParameterFileName='"../up.txt"').encode(), "lie beside"),
    (elastix("TranslationTransform", SHIFT, InitialTransformParameterFileName='"it.txt"').encode(), "begin from one"),
    (elastix("TranslationTransform", SHIFT, InitialTransformParameterFileName='"gone.txt"').encode(), "gone.txt"),
    (b"(Transform \n", "line 1"),
    (b"(Nothing 1)\n", "names no Transform"),
    (b"{", "line 1: it is no JSON"),
    (b"[" * 100_000, "no JSON"),
    (b'{"type": "scale", "scale": [1, NaN, 1]}', "NaN is no number"),
    (b'{"type": "scale", "scale": [1, 1e999, 1]}', "scale has not 3 finite"),
    (b'{"type": "scale", "scale": [1, 1' + b"0" * 4000 + b", 1]}", "the scale are not.*finite numbers"),
    (b'{"type": "scale", "scale": [1, 0, 1]}', "flattens"),
    (b'{"type": "scale", "scale": [1, 1, 1, 1]}', "4 dimensions"),
    (b'{"type": "affine", "affine": [[1, 0], [0, 1], [0, 0]]}', "rows of 4 finite"),
    (b'{"type": "affine", "path": "matrix"}', "array of their own"),
    (b'{"type": "displacements", "path": "field"}', "displacements is none of"),
    (b'{"scale": [1, 1]}', "no type"),
    (b"[]", "lists 0 transformations"),
    (b'{"type": "sequence", "transformations": [' + b'{"type": "identity"},' * 9 + b"1]}", "no transformation"),
    (b'{"type": "sequence", "transformations": [' + b'{"type": "identity"},' * 100 + b"1]}", "more than 100"),
    (json.dumps({"coordinateSystems": systems(kind="array"), "coordinateTransformations": [
        {"type": "identity", "input": "moving", "output": "fixed"}]}).encode(), "counts pixels"),
    (json.dumps({"coordinateSystems": systems("zyt"), "coordinateTransformations": [
        {"type": "identity", "input": "moving", "output": "fixed"}]}).encode(), "its output has the axes z, y, t"),
]  # fmt: skip


@pytest.fixture(scope="module")
def head(tmp_path_factory) -> Path:
    return nifti(tmp_path_factory.mktemp("files") / "head.nii", sform())


@pytest.mark.parametrize(("data", "reason"), LINES, ids=[str(k) for k in range(len(LINES))])
def test_what_is_wrong_with_a_file_is_told_with_its_name_and_place(data, reason, head):
    (head.parent / "it.txt").write_bytes(data)
    with pytest.raises(BadRequest, match=f"(?s)it.txt.*({reason})"):
        diascope.open(f"{head}/affine,file=it.txt")


def damaged(path: Path, seed: int) -> bytes:
    sitk.WriteTransform(euler3(zyx=True), str(path))
    data = bytearray(path.read_bytes())
    random = np.random.default_rng(seed)
    for _ in range(1 + seed % 4):
        data[int(random.integers(len(data)))] = int(random.integers(256))
    if seed % 3 == 0:
        del data[int(random.integers(len(data))) :]
    return bytes(data)


@pytest.mark.parametrize(
    ("suffix", "seed"), [(suffix, seed) for suffix in ("tfm", "mat") for seed in range(40)] + [("h5", 3), ("h5", 4)]
)
def test_a_damaged_file_is_refused_or_means_something(suffix, seed, tmp_path):
    data = damaged(tmp_path / f"it.{suffix}", seed)
    try:
        told = found("it", lambda name: data, "zyx", "positions")
    except (ValueError, BadRequest):
        return
    assert np.isfinite(told.matrix).all()


def test_hdf5_that_never_ends_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(itk_hdf5, "PATIENCE", 2)
    monkeypatch.setattr(sys, "executable", str(stuck := tmp_path / "stuck"))
    stuck.write_text("#!/bin/sh\nexec sleep 60\n")
    stuck.chmod(0o755)
    with pytest.raises(ValueError, match="damaged"):
        itk_hdf5.matrix_of(b"")


def test_a_big_endian_matlab_file_is_read():
    data = array("AffineTransform_double_3_3", [1, 0, 0, 0, 1, 0, 0, 0, 1, 4, 5, 6], 1000)
    told = found("it.mat", lambda name: data + array("fixed", [0, 0, 0], 1000), "zyx", "positions")
    assert told.matrix[:3, 3].tolist() == [4, 5, 6]


@pytest.mark.parametrize("elsewhere", ["link", "external", "virtual", "soft", "bomb"])
def test_hdf5_that_leads_elsewhere_or_swells_is_refused(elsewhere, head):
    secret = head.parent / "secret.h5"
    sitk.WriteTransform(MOVED, str(secret))
    path = head.parent / "it.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("TransformGroup/0")
        group["TransformType"] = [b"AffineTransform_double_3_3"]
        group["TransformFixedParameters"] = np.zeros(3)
        name = "TransformParameters"
        if elsewhere == "link":
            group[name] = h5py.ExternalLink(str(secret), f"/TransformGroup/0/{name}")
        elif elsewhere == "soft":
            group[name] = h5py.SoftLink("/TransformGroup/0/TransformFixedParameters")
        elif elsewhere == "external":
            group.create_dataset(name, (12,), "f8", external=[(str(secret), 0, 96)])
        elif elsewhere == "virtual":
            layout = h5py.VirtualLayout((12,), "f8")
            layout[:] = h5py.VirtualSource(str(secret), f"/TransformGroup/0/{name}", (12,))
            group.create_virtual_dataset(name, layout)
        else:
            group.create_dataset(name, (12,), "f8", chunks=(2**25,), maxshape=(None,), compression="gzip")
    with pytest.raises(BadRequest, match=r"is a link|lies elsewhere|compressed in a way"):
        diascope.open(f"{head}/affine,file=it.h5")


def test_without_h5py_the_command_is_told_that_installs_it(head, monkeypatch):
    sitk.WriteTransform(MOVED, str(head.parent / "it.h5"))
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(Unavailable, match=r"pip install 'diascope\[transforms\]'"):
        diascope.open(f"{head}/affine,file=it.h5")


def test_a_file_that_says_what_it_is_takes_no_convention(head):
    sitk.WriteTransform(MOVED, str(head.parent / "it.tfm"))
    with pytest.raises(BadRequest, match="leave the convention out"):
        diascope.open(f"{head}/affine,file=it.tfm,convention=ras")
    with pytest.raises(BadRequest, match="world has 12 numbers"):
        diascope.open(f"{head}/affine,file=it.tfm,world=1+2+3")
    with pytest.raises(BadRequest, match="world is flat"):
        diascope.open(f"{head}/affine,file=it.tfm,world=1+2+3+0+2+4+6+0+1+1+1+1")


def test_over_http_a_changed_file_is_seen_and_one_that_it_begins_from(tmp_path: Path) -> None:
    root = tmp_path / "lab"
    root.mkdir()
    nifti(root / "head.nii", sform())
    begun = elastix("TranslationTransform", (9, 5, -7), InitialTransformParameterFileName='"first.txt"')
    (root / "second.txt").write_text(begun)
    server = of_folder(root)
    try:
        told = []
        for shift in ((1, 2, 3), (1, 2, 3), (4, 5, 6), (1, 2, 7)):
            (root / "first.txt").write_text(elastix("TranslationTransform", shift))
            asked = f"{server.url}/data/lab/head.nii/affine,file=second.txt/head.ome.zarr/zarr.json"
            told.append(httpx.get(asked, timeout=30).headers["location"])
        assert told[0] == told[1]
        assert len(set(told)) == 3
    finally:
        server.stop()


def test_over_http_each_chunk_is_that_of_simpleitk(tmp_path: Path) -> None:
    root = tmp_path / "lab"
    (root / "sub-01").mkdir(parents=True)
    image = nifti(root / "sub-01" / "head.nii", sform(), (70, 41, 67))
    sitk.WriteTransform(MOVED, str(root / "sub-01" / "head0GenericAffine.mat"))
    server = of_folder(root)
    try:
        asked = "/data/lab/sub-01/head.nii/affine,file=head0GenericAffine.mat,domain=same/head.ome.zarr"
        answer = httpx.get(f"{server.url}{asked}/zarr.json", timeout=30)
        assert answer.status_code == 308
        settled = answer.headers["location"].removesuffix("/zarr.json")
        assert "file=" not in settled
        group: Any = zarr.open_group(f"{server.url}{settled}", mode="r")
        missing = httpx.get(f"{server.url}{asked.replace('GenericAffine', 'Gone')}/zarr.json", timeout=30)
        assert missing.status_code == 422
        pixels = diascope.open(f"{image}/affine,file=head0GenericAffine.mat,domain=same")
        np.testing.assert_array_equal(np.asarray(group["0"]), pixels[...])
        same_as_itk(image, MOVED, pixels)
    finally:
        server.stop()

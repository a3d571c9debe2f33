"""Coordinate transformations of OME-Zarr 0.6: ngff-zarr makes the same matrices of them, and of broken ones nothing."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

import diascope
from diascope.image.affine import affine
from diascope.image.level import read_whole
from diascope.image.transformation import Reader
from diascope.layouts.ome_zarr import layout_0_6
from diascope.operations.view import view
from tests.judges import ngff_zarr
from tests.judges.required import required
from tests.layouts.on_disk import written
from tests.layouts.test_ome_zarr_0_6 import AFFINE, IMAGES, MATRIX, homogeneous

AXES = [
    {"name": "c", "type": "channel"},
    *({"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"),
]
ARRAY = {"matrix": [[1, 0, 0, 0, 0], [0, 1, 0.1, 0, 5], [0, 0, 2, 0.25, -1], [0, 0.5, 0, 1, 2]]}

TURNED = [[1, 0, 0, 0], [0, 0.6, -0.8, 0], [0, 0.8, 0.6, 0], [0, 0, 0, 1]]
SCALE = {"type": "scale", "scale": [1, 2, 3, 4]}
SHIFT = {"type": "translation", "translation": [0, 5, -6, 7.5]}

ROTATION = {"type": "rotation", "rotation": TURNED}
TURNS = [SCALE, ROTATION, {"type": "mapAxis", "mapAxis": [0, 2, 3, 1]}, SHIFT]

STEPS: dict[str, dict[str, Any]] = {
    "identity": {"type": "identity"},
    "scale": SCALE,
    "translation": SHIFT,
    "affine": {"type": "affine", "affine": ARRAY["matrix"]},
    "affine in an array": {"type": "affine", "path": "matrix"},
    "rotation": ROTATION,
    "mapAxis": {"type": "mapAxis", "mapAxis": [0, 3, 1, 2]},
    "sequence": {"type": "sequence", "transformations": TURNS},
    "byDimension": {
        "type": "byDimension",
        "transformations": [
            {"transformation": {"type": "identity"}, "inputAxes": [0], "outputAxes": [0]},
            {"transformation": {"type": "scale", "scale": [3]}, "inputAxes": [1], "outputAxes": [1]},
            {
                "transformation": {"type": "affine", "affine": [[1, 2, 3], [4, 5, 6]]},
                "inputAxes": [2, 3],
                "outputAxes": [2, 3],
            },
        ],
    },
}  # fmt: skip


def stored(folder: Path, *steps: Any, axes: Any = AXES, systems: Any = None) -> Path:
    """An image in a Zarr group with these transformations, each to a system of its own."""
    path = folder / "image.ome.zarr"
    group = zarr.open_group(path, mode="w", zarr_format=3)
    names = [axis["name"] for axis in axes]
    group.create_array("0", shape=(2, 3, 4, 5)[-len(axes) :], dtype="uint8", dimension_names=names)
    group.create_array("matrix", data=np.array(ARRAY["matrix"], "f8"))
    intrinsic = {"name": "intrinsic", "axes": axes}
    others = [{"name": f"system {k}", "axes": axes} for k in range(len(steps))]
    ends = [{"input": {"name": "intrinsic"}, "output": {"name": f"system {k}"}} for k in range(len(steps))]
    level = {"type": "scale", "scale": [1.0] * len(axes), "input": {"path": "0"}, "output": {"name": "intrinsic"}}
    multiscale = {
        "coordinateSystems": [intrinsic, *others] if systems is None else systems,
        "datasets": [{"path": "0", "coordinateTransformations": [level]}],
        "coordinateTransformations": [
            {**end, **step} if isinstance(step, dict) else step for end, step in zip(ends, steps, strict=True)
        ],
    }
    group.attrs["ome"] = {"version": "0.6", "multiscales": [multiscale]}
    return path


def micrometres(path: Path) -> Any:
    """The map into the world, in the unit of the file."""
    world = diascope.open(path).world
    return None if world is None else np.diag([1000, 1000, 1000, 1]) @ world.array


@pytest.mark.judge
@pytest.mark.parametrize("name", STEPS)
def test_it_does_what_ngff_zarr_says_it_does(name: str, tmp_path: Path) -> None:
    required(ngff_zarr.missing())
    path = stored(tmp_path, STEPS[name])
    (numbers,) = ngff_zarr.program().asked(str(path)).facts["maps"].values()
    np.testing.assert_allclose(micrometres(path), homogeneous(numbers), atol=1e-12)


WRITER = """
import sys
import numpy as np
import ngff_zarr as nz
from ngff_zarr.v06.zarr_metadata import Affine, CoordinateSystem, CoordinateSystemIdentifier

units = dict.fromkeys("zyx", "micrometer")
image = nz.to_ngff_image(
    np.arange(1200, dtype=np.uint16).reshape(2, 3, 10, 20), dims=["c", "z", "y", "x"], axes_units=units,
    scale={"c": 1, "z": 2, "y": 0.5, "x": 0.25}, translation={"c": 0, "z": 1, "y": 2, "x": 3},
)
scales = nz.to_multiscales(image, scale_factors=[])
scales.metadata = told = scales.metadata.to_version("0.6")
own = told.intrinsic_coordinate_system
told.coordinateSystems.append(CoordinateSystem(name="atlas", axes=own.axes))
ends = {"input": CoordinateSystemIdentifier(name=own.name), "output": CoordinateSystemIdentifier(name="atlas")}
told.coordinateTransformations = [Affine(affine=MATRIX, **ends)]
nz.to_ome_zarr(sys.argv[1], scales, version="0.6")
"""


@pytest.mark.judge
def test_a_file_that_ngff_zarr_wrote(tmp_path: Path) -> None:
    """It keeps matrices in arrays."""
    required(ngff_zarr.missing())
    path = tmp_path / "written.ome.zarr"
    program = WRITER.replace("MATRIX", repr(ARRAY["matrix"]))
    command = [str(ngff_zarr.PYTHON), "-W", "ignore", "-c", program, str(path)]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    image = diascope.open(path)
    assert image.world is not None
    assert (image.levels[0].translation, image.world.space) == ((0, 1, 2, 3), "atlas")
    expected = [[1, 0, 0.5, 2], [0.25, 2, 0, -1], [0, 0.1, 1, 5]]
    np.testing.assert_allclose(micrometres(path)[:3], expected, atol=1e-12)
    np.testing.assert_array_equal(image[...], np.arange(1200).reshape(2, 3, 10, 20))


def test_what_is_served_is_read_again(tmp_path: Path) -> None:
    """An affine view comes back as its source in the place that the view gave it."""
    for name, text in (("moved", AFFINE), ("still", "original")):
        (folder := tmp_path / name).mkdir()
        top = written(layout_0_6.tree(view(text).applied(IMAGES[2])), folder)
        document = json.loads((top / "zarr.json").read_text())
        # What Diascope knew before there were transformations would do as well.
        del document["attributes"]["diascope"]
        (top / "zarr.json").write_text(json.dumps(document))
        image = diascope.open(top)
        assert IMAGES[2].world is not None
        assert image.world is not None
        assert image.world.space == "scanner"
        np.testing.assert_allclose(image.world.array, IMAGES[2].world.array, atol=1e-15)
        np.testing.assert_array_equal(image[...], read_whole(IMAGES[2].levels[0]))
    unplaced = written(layout_0_6.tree(view(AFFINE).applied(IMAGES[1])), _made(tmp_path / "unplaced"))
    np.testing.assert_allclose(micrometres(unplaced), MATRIX, atol=1e-12)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_the_last_matrix_is_the_world_and_may_lead_back(tmp_path: Path) -> None:
    path = stored(tmp_path, SCALE, {"type": "displacements", "path": "matrix"})
    np.testing.assert_allclose(micrometres(path), np.diag([4, 3, 2, 1]))
    back = {"input": {"name": "system 1"}, "output": {"name": "intrinsic"}}
    np.testing.assert_allclose(micrometres(stored(tmp_path, SHIFT, SCALE | back)), np.diag([1 / 4, 1 / 3, 1 / 2, 1]))


def test_the_examples_of_the_specification() -> None:
    reader = Reader(lambda _: np.zeros((0, 0)))

    def there(step: dict[str, Any], *point: float) -> list[float]:
        found: list[float] = (reader.matrix(step, len(point)) @ [*point, 1]).tolist()
        return found

    assert there({"type": "scale", "scale": [2, 3.12]}, 10, 100) == [20, 312]
    assert there({"type": "translation", "translation": [-1.42, 9]}, 2, 3) == pytest.approx([0.58, 12])
    assert there({"type": "affine", "affine": [[1, 2, 3], [4, 5, 6]]}, 7, 8) == [26, 74]
    assert there({"type": "rotation", "rotation": [[0, 1], [-1, 0]]}, 2, 3) == [3, -2]
    steps = [{"type": "translation", "translation": [0.9, 0.1]}, {"type": "scale", "scale": [3, 2]}]
    assert there({"type": "sequence", "transformations": steps}, 1, 1) == pytest.approx([5.7, 2.2])
    assert there({"type": "mapAxis", "mapAxis": [1, 0]}, 2, 3) == [3, 2]
    assert there({"type": "projectAxis", "droppedInputs": [1]}, 2, 3, 4) == [2, 4]
    assert there({"type": "projectAxis", "createdOutputs": [0]}, 2, 3) == [0, 2, 3]
    by = [
        {"transformation": {"type": "translation", "translation": [-1.0]}, "input_axes": [1], "output_axes": [1]},
        {"transformation": {"type": "scale", "scale": [2.0]}, "input_axes": [0], "output_axes": [0]},
    ]
    assert there({"type": "byDimension", "transformations": by}, 10, 100) == [20, 99]
    assert there({"type": "bijection", "forward": steps[1], "inverse": steps[0]}, 1, 1) == [3, 2]
    for wrong in ([0, 0], [0, 2]):
        pair = [by[0] | {"output_axes": [wrong[1]]}, by[1] | {"output_axes": [wrong[0]]}]
        with pytest.raises(ValueError, match="byDimension"):
            there({"type": "byDimension", "transformations": pair}, 1, 1)


def nested(depth: int) -> dict[str, Any]:
    return {"type": "sequence", "transformations": [nested(depth - 1)]} if depth else {"type": "identity"}


BROKEN: dict[str, Any] = {
    "no object": 7,
    "no type": {},
    "a list for a type": {"type": ["scale"]},
    "unknown": {"type": "thinPlateSpline"},
    "a field": {"type": "displacements", "path": "matrix"},
    "too few numbers": {"type": "scale", "scale": [1, 2]},
    "texts": {"type": "scale", "scale": ["1", "2", "3", "4"]},
    "truths": {"type": "scale", "scale": [True, True, True, True]},
    "too large": {"type": "scale", "scale": [1, 2, 3, 10**400]},
    "not alike": {"type": "affine", "affine": [[1, 0], [0]]},
    "too many": {"type": "affine", "affine": [[0] * 5] * 1000},
    "no array": {"type": "affine", "path": "elsewhere"},
    "a path upwards": {"type": "affine", "path": "../image.ome.zarr/matrix"},
    "an image for a matrix": {"type": "affine", "path": "0"},
    "the same axis twice": {"type": "mapAxis", "mapAxis": [0, 1, 1, 2]},
    "an axis that is not there": {"type": "mapAxis", "mapAxis": [0, 1, 2, 4]},
    "a mixture with channels": {"type": "mapAxis", "mapAxis": [1, 0, 2, 3]},
    "fewer axes": {"type": "projectAxis", "droppedInputs": [1]},
    "too deep": nested(50),
    "too many steps": {"type": "sequence", "transformations": [{"type": "identity"}] * 1000},
    "flat, and backwards": {
        "type": "scale", "scale": [1, 0, 1, 1], "input": {"name": "system 0"}, "output": {"name": "intrinsic"},
    },
    "to nowhere": {"type": "identity", "output": {"name": "nowhere"}},
    "to a list": {"type": "identity", "output": {"name": ["system 0"]}},
    "to itself": {"type": "identity", "output": {"name": "intrinsic"}},
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_places_nothing_and_hides_nothing(name: str, tmp_path: Path) -> None:
    image = diascope.open(stored(tmp_path, BROKEN[name]))
    assert image.world is None
    assert image.shape == (2, 3, 4, 5)


def test_systems_that_are_none_place_nothing(tmp_path: Path) -> None:
    intrinsic = {"name": "intrinsic", "axes": AXES}
    for other in (7, {"name": ["system 0"], "axes": AXES}, {"name": "system 0"}, {"name": "system 0", "axes": [7] * 4}):
        assert diascope.open(stored(tmp_path, SCALE, systems=[intrinsic, other])).world is None


def test_a_plane_is_placed_in_its_plane(tmp_path: Path) -> None:
    path = stored(tmp_path, {"type": "affine", "affine": [[1, 2, 3], [4, 5, 6]]}, axes=AXES[2:])
    world = diascope.open(path).world
    expected = np.array([[5, 4, 0, 6], [2, 1, 0, 3], [0, 0, 1, 0], [0, 0, 0, 1]])
    assert world == affine(np.diag([1e-3, 1e-3, 1, 1]) @ expected, "system 0")

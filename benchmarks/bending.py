"""A tile and a block of images that are bent, beside SimpleITK and SciPy in the same run.

SimpleITK has no thin-plate spline; what is measured of it is the resampling alone, by displacements that were worked
out before. SciPy works the spline out and resamples. The programs take turns, and the fastest of many rounds counts;
``differs`` is by how many grey values pixels differ from SimpleITK's, at most.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage
from scipy.interpolate import RBFInterpolator

from diascope.image.affine import affine
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import in_memory
from diascope.image.metadata import Metadata
from diascope.image.region import Region
from diascope.operations.operation import Beside
from diascope.operations.view import view

SIDE, TILE, PAIRS = 2048, 256, 20
DEEP, BLOCK = 160, 64


def splines() -> dict[str, Callable[[], Any]]:
    """What each program does for the tile in the middle."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 60_000, (SIDE, SIDE)).astype(np.uint16)
    fixed = random.uniform(0, SIDE, (PAIRS, 2))
    moving = fixed * 0.97 + 11 + random.normal(0, 20, fixed.shape)
    first = (SIDE - TILE) // 2
    y, x = np.mgrid[first : first + TILE, first : first + TILE].astype(float)
    points = np.stack([x.ravel(), y.ravel()], axis=1)

    def by_scipy() -> Any:
        there = RBFInterpolator(fixed, moving, kernel="thin_plate_spline", degree=1)(points)
        return ndimage.map_coordinates(pixels, there[:, ::-1].T.reshape(2, TILE, TILE), order=1)

    away = RBFInterpolator(fixed, moving, kernel="thin_plate_spline", degree=1)(points) - points
    field = sitk.GetImageFromArray(away.reshape(TILE, TILE, 2), isVector=True)
    field.SetOrigin((first, first))
    made = {"diascope": _spline(pixels, moving, fixed, first), "SciPy": by_scipy}
    return made | {"SimpleITK (displacements known)": _itk(pixels, field)}


def _spline(pixels: Any, moving: Any, fixed: Any, first: int) -> Callable[[], Any]:
    rows = [",".join(f'"{cell}"' for cell in ("Pt", "true", *row)) for row in np.hstack([moving, fixed]).tolist()]
    data = "\n".join(rows).encode()
    image = Image(name="it", kind="intensity", axes=axes_named("yx"), levels=(in_memory(pixels),))
    steps = view("spline,landmarks=pairs.csv,domain=same").settled(image, lambda _: data)
    level = steps.applied(image).levels[0]
    region = Region((first, first), (first + TILE, first + TILE))
    return lambda: level.read(region)


def _itk(pixels: Any, field: Any) -> Callable[[], Any]:
    """On the grid of the field."""
    moving = sitk.GetImageFromArray(pixels)
    resampler = sitk.ResampleImageFilter()
    resampler.SetReferenceImage(field)
    resampler.SetTransform(sitk.DisplacementFieldTransform(sitk.Image(field)))
    resampler.SetInterpolator(sitk.sitkLinear)
    return lambda: resampler.Execute(moving)


def fields() -> dict[str, Callable[[], Any]]:
    """What each program does for the block in the middle, on the grid of the image."""
    random = np.random.default_rng(1)
    pixels = random.integers(0, 60_000, (DEEP,) * 3).astype(np.uint16)
    side = DEEP // 2
    vectors = ndimage.gaussian_filter(random.normal(0, 60, (3, side, side, side)), (0, 4, 4, 4)).astype(np.float32)
    first = (DEEP - BLOCK) // 2
    moving = sitk.GetImageFromArray(pixels)
    field = sitk.GetImageFromArray(np.moveaxis(vectors, 0, -1).astype(np.float64), isVector=True)
    field.SetSpacing((2, 2, 2))
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize((BLOCK,) * 3)
    resampler.SetOutputOrigin((first,) * 3)
    resampler.SetTransform(sitk.DisplacementFieldTransform(field))
    resampler.SetInterpolator(sitk.sitkLinear)
    return {"diascope": _field(pixels, vectors, first), "SimpleITK": lambda: resampler.Execute(moving)}


def _field(pixels: Any, vectors: Any, first: int) -> Callable[[], Any]:
    axes = axes_named("zyx", dict.fromkeys("xyz", "millimeter"))
    image = Image(name="it", kind="intensity", axes=axes, levels=(in_memory(pixels),))
    warp = Image(
        name="warp",
        kind="intensity",
        axes=axes_named("czyx", dict.fromkeys("xyz", "millimeter")),
        levels=(in_memory(vectors, (1, 2, 2, 2)),),
        world=affine(np.diag([-1, -1, 1, 1]), "scanner"),
        metadata=Metadata(extra={"intent_code": 1007}),
    )
    steps = view("displace,field=warp.nii,domain=same").settled(image, images=lambda _: Beside("1", lambda: warp))
    level = steps.applied(image).levels[0]
    region = Region((first,) * 3, (first + BLOCK,) * 3)
    return lambda: level.read(region)


def compared(name: str, programs: dict[str, Callable[[], Any]], rounds: int) -> dict[str, Any]:
    """Milliseconds of each program, and how its pixels differ from SimpleITK's."""
    shown = {name: _array(run()) for name, run in programs.items()}
    best = dict.fromkeys(programs, float("inf"))
    for _ in range(rounds):
        for program, run in programs.items():
            begun = perf_counter()
            run()
            best[program] = min(best[program], perf_counter() - begun)
    judge = next(each for program, each in shown.items() if program.startswith("SimpleITK"))
    return {
        "name": name,
        "milliseconds": {program: seconds * 1e3 for program, seconds in best.items()},
        "differs": {program: int(np.abs(each - judge).max()) for program, each in shown.items()},
    }


def _array(pixels: Any) -> Any:
    return np.asarray(pixels if isinstance(pixels, np.ndarray) else sitk.GetArrayFromImage(pixels)).astype(int)


def main() -> None:
    """Print a line for each case, and write all of them to bending.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few rounds, to see that it runs")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "generated")
    options = parser.parse_args()
    rounds = 3 if options.quick else 40
    results = [
        compared("256² tile, 20 pairs of landmarks", splines(), rounds),
        compared("64³ block, field of displacements", fields(), rounds),
    ]
    for each in results:
        told = ", ".join(f"{program} {ms:.2f} ms" for program, ms in each["milliseconds"].items())
        print(f"{each['name']}: {told}; differs by at most {each['differs']}")
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "bending.json").write_text(json.dumps({"results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""A tile and a block of an affine transformation, beside SimpleITK, SciPy and OpenCV in the same run.

All interpolate the same 16-bit pixels in memory at the same places. The programs take turns, and the fastest of many
rounds counts, so that what else the machine does troubles none of them more than another. ``differs`` is by how many
grey values a program's pixels differ from SciPy's, at most.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from scipy import ndimage

from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import in_memory
from diascope.image.region import Region
from diascope.operations.view import view

PLANE = np.array([[0.96127, -0.27191, 151.3173], [0.28213, 0.95119, -97.2531]])
VOLUME = np.array(
    [[0.95173, -0.29141, 0.03117, 27.33], [0.28193, 0.94113, -0.17219, 3.171], [0.04177, 0.181, 0.97211, -11.79]]
)
SIDES = {2: 2048, 3: 192}
TILES = {2: (256, 256), 3: (64, 64, 64)}
ITK = {"nearest": sitk.sitkNearestNeighbor, "linear": sitk.sitkLinear}
ORDERS = {"nearest": 0, "linear": 1}


def programs(rank: int, interpolation: str, pixels: NDArray[np.uint16]) -> dict[str, Callable[[], Any]]:
    """What each program does for the tile in the middle, whose result has the source's grid."""
    matrix = PLANE if rank == 2 else VOLUME
    tile = TILES[rank]
    start = tuple((n - side) // 2 for n, side in zip(pixels.shape, tile, strict=True))
    made = {"diascope": _diascope(matrix, interpolation, pixels, start, tile)}
    made["SimpleITK"] = _itk(matrix, interpolation, pixels, start, tile)
    linear = matrix[::-1, :rank][:, ::-1]
    offset = linear @ start + matrix[::-1, rank]
    made["SciPy"] = lambda: ndimage.affine_transform(pixels, linear, offset, tile, order=ORDERS[interpolation])
    if rank == 2:
        shifted = matrix.copy()
        shifted[:, 2] = offset[::-1]
        flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_LINEAR if interpolation == "linear" else cv2.INTER_NEAREST)
        made["OpenCV"] = lambda: cv2.warpAffine(pixels, shifted, tile[::-1], flags=flags)
    return made


def _diascope(matrix: Any, interpolation: str, pixels: Any, start: Any, tile: Any) -> Callable[[], Any]:
    numbers = "+".join(map(repr, matrix.ravel().tolist()))
    image = Image(name="it", kind="intensity", axes=axes_named("zyx"[-pixels.ndim :]), levels=(in_memory(pixels),))
    steps = f"affine,matrix={numbers},inverse=true,domain=same,interpolation={interpolation}"
    level = view(steps).applied(image).levels[0]
    region = Region(start, tuple(a + n for a, n in zip(start, tile, strict=True)))
    return lambda: level.read(region)


def _itk(matrix: Any, interpolation: str, pixels: Any, start: Any, tile: Any) -> Callable[[], Any]:
    rank = pixels.ndim
    moving = sitk.GetImageFromArray(pixels)
    transform = sitk.AffineTransform(rank)
    transform.SetMatrix(matrix[:, :rank].ravel().tolist())
    transform.SetTranslation(matrix[:, rank].tolist())
    resampler = sitk.ResampleImageFilter()
    resampler.SetTransform(transform)
    resampler.SetInterpolator(ITK[interpolation])
    resampler.SetSize(tile[::-1])
    resampler.SetOutputOrigin([float(at) for at in start[::-1]])
    resampler.SetOutputDirection(np.eye(rank).ravel().tolist())
    # The pixels stay ITK's; a copy of them to an array would cost as much as a tenth.
    return lambda: resampler.Execute(moving)


def compared(rank: int, interpolation: str, rounds: int) -> dict[str, Any]:
    """Milliseconds of each program, and how its pixels differ from SciPy's."""
    pixels = np.random.default_rng(rank).integers(0, 60_000, (SIDES[rank],) * rank).astype(np.uint16)
    made = programs(rank, interpolation, pixels)
    shown = {name: _array(run()) for name, run in made.items()}
    best = dict.fromkeys(made, float("inf"))
    for _ in range(rounds):
        for name, run in made.items():
            begun = perf_counter()
            run()
            best[name] = min(best[name], perf_counter() - begun)
    differs = {name: int(np.abs(each.astype(int) - shown["SciPy"]).max()) for name, each in shown.items()}
    others = min(best["SimpleITK"], best["SciPy"])
    return {
        "axes": rank,
        "interpolation": interpolation,
        "milliseconds": {name: seconds * 1e3 for name, seconds in best.items()},
        "differs": differs,
        "ratio": best["diascope"] / others,
    }


def _array(pixels: Any) -> NDArray[Any]:
    return np.asarray(pixels if isinstance(pixels, np.ndarray) else sitk.GetArrayFromImage(pixels))


def main() -> None:
    """Print a line for each case, and write all of them to resampling.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few rounds, to see that it runs")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "generated")
    options = parser.parse_args()
    results = [
        compared(rank, interpolation, 3 if options.quick else 60)
        for rank in (2, 3)
        for interpolation in ("nearest", "linear")
    ]
    for each in results:
        tile = "×".join(map(str, TILES[each["axes"]]))
        told = ", ".join(f"{name} {ms:.2f} ms" for name, ms in each["milliseconds"].items())
        print(f"{tile} {each['interpolation']}: {told}; {each['ratio']:.2f} of the faster of SimpleITK and SciPy;")
        print(f"    differs by at most {each['differs']}")
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "resampling.json").write_text(json.dumps({"results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()

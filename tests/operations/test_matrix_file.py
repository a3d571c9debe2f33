"""Matrices in files beside the image."""

from __future__ import annotations

from pathlib import Path

import httpx
import numpy as np
import pytest
import tifffile

from diascope.errors import BadRequest
from diascope.operations.matrix_file import matrix_of
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured
from tests.servers import of_folder

VOLUME = np.array([[0.9, 0.1, 0.2, 5], [-0.2, 1.1, 0.1, 3.5], [0, 0.3, 1e-1, -2], [0, 0, 0, 1]])
PLANE = np.array([[0.9, 0.1, 5], [-0.2, 1.1, 3.5], [0, 0, 1]])


@pytest.mark.parametrize("whole", [VOLUME, PLANE])
def test_rows_of_every_spelling_are_read(whole, tmp_path):
    for count in (len(whole), len(whole) - 1):
        for options in ({}, {"delimiter": ","}, {"header": "moved to fixed", "fmt": "%.6f"}, {"delimiter": "\t"}):
            np.savetxt(tmp_path / "m.txt", whole[:count], **options)
            found = np.reshape(matrix_of((tmp_path / "m.txt").read_bytes()), (-1, whole.shape[1]))
            np.testing.assert_allclose(found, whole[:-1])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "rows"),
        (b"1 2\n3 4\n", "rows"),
        (b"1 0 0\n0 1\n", "rows"),
        (b"1 0 0\n0 1 0\n0 1 1\n", "last row"),
        (b"1 0 zero\n0 1 0\n", "not numbers"),
        (b"1 0 nan\n0 1 0\n", "finite"),
        (b"1 0 1e999\n0 1 0\n", "finite"),
        (b"\xff\xfe\x00", "no text"),
        (b"0 " * 40_000, "more than"),
    ],
)
def test_what_is_no_matrix_is_refused_with_the_reason(text, reason):
    with pytest.raises(ValueError, match=reason):
        matrix_of(text)
    with pytest.raises(BadRequest, match=r"it\.txt is no matrix: .*" + reason):
        view("affine,file=it.txt").settled(pictured(noise((9, 9)), "yx"), lambda name: text)


def test_a_number_out_of_bounds_is_refused():
    with pytest.raises(BadRequest, match="at most 1e"):
        view("affine,file=it.txt").settled(pictured(noise((9, 9)), "yx"), lambda name: b"1e20 0 0\n0 1 0")


def test_an_image_in_no_folder_has_no_file():
    with pytest.raises(BadRequest, match="lies in no folder"):
        view("affine,file=it.txt").applied(pictured(noise((9, 9)), "yx"))
    with pytest.raises(BadRequest, match="either a matrix or a file"):
        view("affine,inverse=true")


def test_the_address_becomes_that_of_the_matrix(tmp_path: Path) -> None:
    root = tmp_path / "lab"
    (root / "deep").mkdir(parents=True)
    tifffile.imwrite(root / "deep" / "plane.tif", np.arange(600, dtype=np.uint16).reshape(20, 30))
    np.savetxt(root / "moved.txt", PLANE, fmt="%g")
    server = of_folder(root)
    try:
        with httpx.Client(base_url=server.url, timeout=30) as client:
            asked = "/data/lab/deep/plane.tif/affine,file=moved.txt,interpolation=nearest/plane.ome.zarr/zarr.json"
            answer = client.get(asked)
            assert answer.status_code == 308
            told = "affine,matrix=0.9+0.1+5+-0.2+1.1+3.5,interpolation=nearest"
            assert answer.headers["location"] == asked.replace("affine,file=moved.txt,interpolation=nearest", told)
            assert client.get(answer.headers["location"]).status_code == 200
            missing = client.get(asked.replace("moved", "gone"))
            assert missing.status_code == 422
            assert "gone.txt" in missing.json()["detail"]
    finally:
        server.stop()

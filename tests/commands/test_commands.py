"""The command line, as a user types it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
import tifffile

import diascope
from diascope.commands.sample import sample
from diascope.image.level import read_whole

PIXELS = np.arange(2 * 300 * 400, dtype=np.uint16).reshape(2, 300, 400)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("images")
    tifffile.imwrite(root / "stack.tif", PIXELS, imagej=True, metadata={"axes": "ZYX"})
    (root / "broken.tif").write_bytes(b"II*\0")
    return root


def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "diascope", *words], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, done.stderr
    return done


def test_python_opens_an_image_lazily_and_slices_it(folder: Path) -> None:
    image = diascope.open(folder / "stack.tif")
    assert [axis.name for axis in image.axes] == ["z", "y", "x"]
    assert image.levels[0].shape == (2, 300, 400)
    np.testing.assert_array_equal(image[1, 10:20, ::-2], PIXELS[1, 10:20, ::-2])
    assert list(diascope.open_dataset(folder / "stack.tif").images) == ["stack"]


def test_info_tells_people_and_programs(folder: Path) -> None:
    text = run("info", str(folder / "stack.tif")).stdout
    assert "uint16" in text
    assert "300 x 400" in text
    document = json.loads(run("info", str(folder / "stack.tif"), "--json").stdout)
    assert document["images"]["stack"]["levels"][0]["shape"] == [2, 300, 400]


def test_ls_walks_from_folders_into_representations(folder: Path) -> None:
    assert "stack.tif/" in run("ls", str(folder)).stdout.splitlines()
    assert "stack.ome.zarr/" in run("ls", f"{folder}/stack.tif/original").stdout.splitlines()
    long = run("ls", "--long", f"{folder}/stack.tif/original").stdout
    assert "image/tiff" in long
    assert "… more than 2" in run("ls", "--most", "2", f"{folder}/stack.tif/original").stdout


@pytest.mark.parametrize("remote", [False, True])
def test_get_writes_files_and_folders(
    folder: Path, tmp_path: Path, server: Callable[[Path], str], *, remote: bool
) -> None:
    base = f"{server(folder)}/data/{folder.name}" if remote else str(folder)
    run("get", f"{base}/stack.tif/original/stack.ome.tif", str(tmp_path / "out.ome.tif"))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out.ome.tif"), PIXELS)
    run("get", f"{base}/stack.tif/original/stack.ome.zarr", str(tmp_path / "out.ome.zarr"))
    np.testing.assert_array_equal(diascope.open(tmp_path / "out.ome.zarr")[...], PIXELS)
    again = run("get", f"{base}/stack.tif/original/stack.ome.tif", str(tmp_path / "out.ome.tif"), code=2)
    assert "--overwrite" in again.stderr


def test_what_was_not_written_whole_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    done = run("get", f"{folder}/broken.tif/original/broken.ome.zarr", str(tmp_path / "out"), code=2)
    assert "broken.tif" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["info", "nowhere.tif"], "there is no file"),
        (["info", "{folder}/broken.tif"], "broken.tif"),
        (["ls", "{folder}/stack.tif/nonsense"], "no operation"),
        (["get", "{folder}/stack.tif/original/stack.dzi", "out"], "render"),
        (["serve", "{folder}", "--port", "{taken}"], "--port"),
    ],
)
def test_errors_are_one_line_and_exit_code_2(
    folder: Path, server: Callable[[Path], str], words: list[str], told: str
) -> None:
    taken = server(folder).rpartition(":")[2]
    done = run(*(word.format(folder=folder, taken=taken) for word in words), code=2)
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_debug_shows_where_an_error_comes_from(folder: Path) -> None:
    done = run("--debug", "info", f"{folder}/broken.tif", code=1)
    assert "Traceback" in done.stderr


def test_doctor_says_what_is_missing_and_what_mends_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "diascope", "doctor"], capture_output=True, text=True, timeout=120, check=False
    )
    assert re.search(r"ok {7}sources: \d+ installed", done.stdout)
    assert re.search(r"(ok {5}|MISSING)  mount: ", done.stdout)
    env = dict(os.environ, DIASCOPE_REPOSITORIES__x__path="/nowhere/at/all")
    done = subprocess.run(
        [sys.executable, "-m", "diascope", "doctor"], capture_output=True, text=True, timeout=120, env=env, check=False
    )
    assert done.returncode == 1
    assert "MISSING  settings" in done.stdout
    assert "mend it with" in done.stdout


def test_serve_prints_its_address_and_stops_on_a_signal(folder: Path) -> None:
    import signal

    words = [sys.executable, "-m", "diascope", "serve", str(folder), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        url = line.split()[-1]
        assert httpx.get(f"{url}api/repositories").json() == {"repositories": [{"name": folder.name}]}
        process.send_signal(signal.SIGINT)
        process.wait(20)


def test_the_sample_opens_whole(tmp_path: Path) -> None:
    sample(tmp_path)
    found = [path for path in sorted(tmp_path.glob("*/*")) if not path.name.startswith(".")]
    assert len(found) == 6
    for path in found:
        image = diascope.open(path)
        assert np.ptp(read_whole(image.levels[-1]).astype(float)) > 0


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import diascope, sys; print([m for m in ('numpy', 'tifffile', 'fastapi', 'cv2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

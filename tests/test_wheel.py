"""The wheel carries the built pages, and what is installed from it needs no Node."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from diascope.access.pages import web_folder
from diascope.commands.sample import sample

TOP = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert (web_folder() / "index.html").is_file(), "the pages are not built: make web"
    folder = tmp_path_factory.mktemp("wheel")
    words = ["pip", "wheel", str(TOP), "--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", *words], check=True, timeout=300)
    (built,) = folder.glob("diascope-*.whl")
    return built


def test_the_wheel_carries_the_pages_and_the_viewers(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for name in ("index.html", "neuroglancer/index.html", "reference/index.html", "third-party-notices.txt"):
        assert f"diascope/access/web/{name}" in names
    assert any(name.startswith("diascope/access/web/assets/main.") for name in names)
    assert "diascope/napari/napari.yaml" in names
    assert not any("node_modules" in name or name.startswith("tests/") for name in names)


def test_what_is_installed_from_it_serves_without_node(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    words = ["pip", "install", str(wheel), "--no-deps", "--quiet", "--target", str(site)]
    subprocess.run([sys.executable, "-m", *words], check=True, timeout=300)
    sample(tmp_path / "sample")
    # Nothing is on the path, Node least of all; the package is found before the checkout.
    env = {"PATH": str(tmp_path), "PYTHONPATH": str(site)}
    words = [sys.executable, "-m", "diascope", "serve", str(tmp_path / "sample"), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env, cwd=tmp_path) as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        try:
            for path in ("", "neuroglancer/", "reference/", "image/sample/pictures/rainbow.png"):
                page = httpx.get(url + path)
                assert page.status_code == 200
                assert "<html" in page.text
            assert httpx.get(f"{url}api/thumbnail/sample/pictures/rainbow.png").status_code == 200
        finally:
            process.terminate()

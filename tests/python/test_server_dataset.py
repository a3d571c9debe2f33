"""All the images of a file, from a server as from a path."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import tifffile
import zarr

import diascope
from diascope.errors import NotFound, TooLarge, Unreadable
from diascope.image.image import Image
from diascope.python import server_dataset
from tests.sources.test_zarr_ome import image_group, spaces


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of three images, an OME-Zarr with labels, and a file of one image, below a name with odd letters."""
    folder = tmp_path_factory.mktemp("remote") / "box"
    below = folder / "a b #ä"
    below.mkdir(parents=True)
    with tifffile.TiffWriter(below / "three.ome.tif", ome=True) as out:
        for k, name in enumerate(("first", "second", "third")):
            pixels = np.arange(20 * (30 + k), dtype=np.uint16).reshape(20, 30 + k)
            out.write(pixels, photometric="minisblack", metadata={"Name": name, "axes": "YX"})
    tifffile.imwrite(below / "one.tif", np.arange(600, dtype=np.uint16).reshape(20, 30))
    image_group(below / "a.zarr", [(40, 50)], spaces("yx"), version="0.5")
    for name in ("cells", "nuclei"):
        group = below / "a.zarr" / "labels" / name
        image_group(group, [(40, 50)], spaces("yx"), version="0.5", dtype="i4", attributes={"image-label": {}})
    labels = zarr.open_group(below / "a.zarr" / "labels", mode="a", zarr_format=3)
    labels.attrs["ome"] = {"labels": ["cells", "nuclei"]}
    return folder


def same(remote: Mapping[str, Image], local: Mapping[str, Image]) -> None:
    assert list(remote) == list(local)
    for name, image in local.items():
        found = remote[name]
        assert (found.kind, found.axes, found.shape) == (image.kind, image.axes, image.shape), name
        np.testing.assert_array_equal(found[...], image[...])
        again = pickle.loads(pickle.dumps(found))  # noqa: S301
        assert again.shape == image.shape


@pytest.mark.parametrize("name", ["three.ome.tif", "one.tif", "a.zarr"])
def test_a_server_gives_what_a_path_gives(folder: Path, server: Callable[[Path], str], name: str) -> None:
    local = diascope.open_dataset(folder / "a b #ä" / name)
    url = f"{server(folder)}/data/box/a%20b%20%23%C3%A4/{name}"
    for address in (url, f"{url}/"):
        remote = diascope.open_dataset(address)
        same(remote.images, local.images)
        same(remote.labels, local.labels)
        same(remote.associated, local.associated)
    assert len(local.images) == (3 if name == "three.ome.tif" else 1)
    assert list(local.labels) == (["cells", "nuclei"] if name == "a.zarr" else [])


def test_a_slide_keeps_its_label_macro_and_thumbnail(
    shared_data: Path, tmp_path: Path, server: Callable[[Path], str]
) -> None:
    path = tmp_path / "CMU-1-Small-Region.svs"
    shutil.copy(shared_data / "svs" / path.name, path)
    local = diascope.open_dataset(path)
    remote = diascope.open_dataset(f"{server(tmp_path)}/data/{tmp_path.name}/{path.name}")
    assert set(remote.associated) == {"label", "macro", "thumbnail"}
    same(remote.associated, local.associated)


def test_nothing_is_opened_before_it_is_asked_for(
    folder: Path, server: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = diascope.open_dataset(f"{server(folder)}/data/box/a%20b%20%23%C3%A4/three.ome.tif")
    monkeypatch.setattr("diascope.python.opening._dataset", None)
    assert len(remote.images) == 3
    with pytest.raises(TypeError):
        remote.images[next(iter(remote.images))]


def test_another_version_is_another_dataset(tmp_path: Path, server: Callable[[Path], str]) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((20, 30), np.uint8))
    other = tmp_path / "b.tif"
    tifffile.imwrite(other, np.ones((20, 30), np.uint8))
    url = f"{server(tmp_path)}/data/{tmp_path.name}"
    first = diascope.open_dataset(f"{url}/a.tif")
    assert first.version
    assert diascope.open_dataset(f"{url}/a.tif").version == first.version
    assert diascope.open_dataset(f"{url}/b.tif").version != first.version


def test_a_view_and_an_image_of_several_are_datasets_of_one(folder: Path, server: Callable[[Path], str]) -> None:
    base = f"{server(folder)}/data/box/a%20b%20%23%C3%A4"
    view = diascope.open_dataset(f"{base}/one.tif/crop,x=3..9")
    assert [image.shape for image in view.images.values()] == [(20, 6)]
    name = list(diascope.open_dataset(folder / "a b #ä" / "three.ome.tif").images)[1]
    scene = diascope.open_dataset(f"{base}/three.ome.tif/{name}")
    assert [image.shape for image in scene.images.values()] == [(20, 31)]


def test_what_is_wrong_is_told(folder: Path, tmp_path: Path, server: Callable[[Path], str]) -> None:
    base = f"{server(folder)}/data/box"
    for path in ("", "/nothing.tif", "/a%20b%20%23%C3%A4"):
        with pytest.raises(NotFound):
            diascope.open_dataset(base + path)
    (tmp_path / "broken.tif").write_bytes(b"II*\0\xff\xff\xff\xff")
    with pytest.raises(Unreadable, match=r"broken\.tif"):
        diascope.open_dataset(f"{server(tmp_path)}/data/{tmp_path.name}/broken.tif")


def test_a_dataset_that_a_server_does_not_tell_whole_is_not_cut(
    folder: Path, server: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_dataset, "MOST_SCENES", 3)
    with pytest.raises(TooLarge, match="more images"):
        diascope.open_dataset(f"{server(folder)}/data/box/a%20b%20%23%C3%A4/three.ome.tif")


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[str]:
    """A server that knows nothing of images."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()
    thread.join(10)


@pytest.mark.parametrize(
    "answer", ["{", "[]", '{"stored": 3}', '{"stored": "a/stored", "scenes": [{}]}', "[" * 100_000]
)
def test_what_another_server_says_is_not_taken_for_ours(plain: str, tmp_path: Path, answer: str) -> None:
    (tmp_path / "api" / "image").mkdir(parents=True)
    (tmp_path / "api" / "image" / "a").write_text(answer)
    with pytest.raises(NotFound):
        diascope.open_dataset(f"{plain}/data/a")


def test_a_server_does_not_lead_out(plain: str, tmp_path: Path) -> None:
    scenes = [{"name": "x", "path": "../../secret", "role": "image"}]
    (tmp_path / "api" / "image").mkdir(parents=True)
    (tmp_path / "api" / "image" / "a").write_text(json.dumps({"stored": "a/stored", "scenes": scenes}))
    with pytest.raises(ValueError, match="no path within"):
        diascope.open_dataset(f"{plain}/data/a")

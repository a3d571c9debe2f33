"""Images opened, told, listed and written by the URL of a store."""

from __future__ import annotations

import itertools
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from click.testing import CliRunner

import diascope
from diascope.cli import main
from diascope.commands.serve import settings_for
from diascope.errors import BadRequest, NotFound
from tests.judges import object_stores as servers
from tests.judges.required import required

pytestmark = pytest.mark.judge

PIXELS = np.arange(60 * 70, dtype=np.uint16).reshape(60, 70)
RED = bytes(range(256)) + bytes(512)
"""A look-up table of ImageJ."""
_numbers = itertools.count()


def tiff() -> bytes:
    out = BytesIO()
    tifffile.imwrite(out, PIXELS)
    return out.getvalue()


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a bucket that the environment has the keys of."""
    required(servers.lacking("moto"))
    array = zarr.create_array(tmp_path / "a.zarr", shape=PIXELS.shape, chunks=(32, 32), dtype="uint16")
    array[...] = PIXELS
    files = {f"lab/{p.relative_to(tmp_path)}": p.read_bytes() for p in (tmp_path / "a.zarr").rglob("*") if p.is_file()}
    name = f"distant{next(_numbers)}"
    servers.bucket(name, {**files, "lab/cells.tif": tiff(), "lab/red.lut": RED})
    monkeypatch.setenv("AWS_ENDPOINT_URL", servers.s3())
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", servers.REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", servers.ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", servers.SECRET)
    return f"s3://{name}"


def test_an_image_opens_by_its_url(bucket: str) -> None:
    assert np.array_equal(diascope.open(f"{bucket}/lab/cells.tif")[...], PIXELS)
    assert np.array_equal(diascope.open(f"{bucket}/lab/a.zarr")[...], PIXELS)
    viewed = diascope.open(f"{bucket}/lab/cells.tif/crop,x=10..20")
    assert np.array_equal(viewed[...], PIXELS[:, 10:20])
    again = viewed.origin()  # type: ignore[misc]
    assert np.array_equal(again[...], PIXELS[:, 10:20])
    for path in ("lab/nothing.tif", "lab/sub/nothing.tif", "nothing"):
        with pytest.raises(NotFound):
            diascope.open(f"{bucket}/{path}")


def test_a_view_names_a_file_beside_it_in_the_bucket(bucket: str) -> None:
    with pytest.raises(BadRequest, match="no file"):
        diascope.open(f"{bucket}/lab/cells.tif/colormap,lut=missing.lut")
    coloured = diascope.open(f"{bucket}/lab/cells.tif/colormap,lut=red.lut")
    assert coloured[0].any()
    assert not coloured[1:].any()


def test_a_file_opens_by_the_url_of_a_plain_server(tmp_path: Path) -> None:
    required(servers.lacking("nginx"))
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "my cells.tif").write_bytes(tiff())
    url = f"{servers.nginx(tmp_path)}/lab/my%20cells.tif"
    assert np.array_equal(diascope.open(url)[...], PIXELS)
    assert np.array_equal(diascope.open(f"{url}/crop,x=10..20")[...], PIXELS[:, 10:20])
    with pytest.raises(NotFound, match="no image"):
        diascope.open(f"{servers.nginx(tmp_path)}/lab/nothing.tif")


def test_the_command_line_tells_lists_and_writes(bucket: str, tmp_path: Path) -> None:
    assert "60" in said("info", f"{bucket}/lab/cells.tif")
    assert said("ls", f"{bucket}/lab").split() == ["a.zarr/", "cells.tif/", "red.lut"]
    assert "cells.ome.tif" in said("ls", f"{bucket}/lab/cells.tif/original")
    said("get", f"{bucket}/lab/cells.tif/original/cells.ome.tif", str(tmp_path / "out.tif"))
    assert np.array_equal(tifffile.imread(tmp_path / "out.tif"), PIXELS)


def said(*words: str) -> str:
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_bucket_is_served_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    served = settings_for(["s3://atlas/2026/mouse/", "https://images.example.org"], None, None, follow_links=False)
    assert {name: entry.url for name, entry in served.repositories.items()} == {
        "mouse": "s3://atlas/2026/mouse/",
        "images.example.org": "https://images.example.org",
    }


@pytest.mark.parametrize("url", ["s3://key:hidden@bucket/x", "https://a.example/x?X-Amz-Signature=hidden"])
def test_a_secret_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    for words in (("serve", url), ("info", url), ("ls", url)):
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 2
        assert "hidden" not in done.output

"""A bucket that is served: its images by the addresses of those on a disk, and seen anew when they change."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from io import BytesIO
from time import monotonic, sleep

import httpx
import nibabel as nib
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from diascope.assembly import application
from diascope.settings import RepositorySettings, Settings
from tests.judges import object_stores as servers
from tests.judges.required import required
from tests.servers import LiveServer

pytestmark = pytest.mark.judge

PIXELS = np.arange(60 * 70, dtype=np.uint16).reshape(60, 70)
REFRESH = 0.3
_numbers = itertools.count()


def tiff(pixels: NDArray[np.uint16]) -> bytes:
    out = BytesIO()
    tifffile.imwrite(out, pixels)
    return out.getvalue()


class Bucket:
    """One that is served as the repository ``lab``."""

    def __init__(self) -> None:
        self.name = f"served{next(_numbers)}"
        servers.bucket(
            self.name, {"in/sub/cells.tif": tiff(PIXELS), "in/notes.txt": b"notes", "in/bad.tif": b"II*\0oh"}
        )
        keys = {"access_key_id": servers.ACCESS, "secret_access_key": servers.SECRET}
        entry = {"url": f"s3://{self.name}/in", "endpoint": servers.s3(), "region": servers.REGION, "credentials": keys}
        repositories = {"lab": RepositorySettings.model_validate(entry)}
        settings = Settings(repositories=repositories, refresh_seconds=REFRESH)
        self.server = LiveServer(application(settings))

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.server.url}{path}", timeout=60)

    def put(self, key: str, data: bytes) -> None:
        servers.s3_client().put_object(Bucket=self.name, Key=f"in/{key}", Body=data)


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    required(servers.lacking("moto"))
    made = Bucket()
    yield made
    made.server.stop()


def test_it_is_listed_shown_and_given_as_it_lies(bucket: Bucket) -> None:
    listed = bucket.get("/data/lab/?offset=0").json()["entries"]
    assert [(each["name"], each["type"]) for each in listed] == [
        ("bad.tif", "folder"),
        ("notes.txt", "file"),
        ("sub", "folder"),
    ]
    shown = bucket.get("/data/lab/sub/cells.tif/original/cells.nii")
    image = nib.Nifti1Image.from_bytes(shown.content)
    assert np.array_equal(np.asarray(image.dataobj).squeeze().T, PIXELS)
    assert bucket.get("/data/lab/sub/cells.tif/stored/cells.tif").content == tiff(PIXELS)
    assert bucket.get("/data/lab/notes.txt").content == b"notes"
    assert bucket.get("/api/image/lab/sub/cells.tif").json()["local_copy"] is False


def test_absent_is_404_and_trouble_is_not(bucket: Bucket) -> None:
    assert bucket.get("/data/lab/nothing.tif").status_code == 404
    assert bucket.get("/data/lab/sub/nothing/x").status_code == 404
    broken = bucket.get("/data/lab/bad.tif/original/bad.nii")
    assert broken.status_code == 502
    assert "bad.tif" in broken.json()["detail"]


def test_what_changes_in_the_bucket_is_seen(bucket: Bucket) -> None:
    path = "/data/lab/sub/cells.tif/stored/cells.tif"
    first = bucket.get(path)
    bucket.put("sub/cells.tif", tiff(PIXELS[::-1].copy()))
    bucket.put("sub/new.tif", tiff(PIXELS))
    end = monotonic() + 20
    while (seen := bucket.get(path)).content == first.content and monotonic() < end:
        sleep(0.1)
    assert seen.content == tiff(PIXELS[::-1].copy())
    assert seen.headers["etag"] != first.headers["etag"]
    shown = nib.Nifti1Image.from_bytes(bucket.get("/data/lab/sub/cells.tif/original/cells.nii").content)
    assert np.array_equal(np.asarray(shown.dataobj).squeeze().T, PIXELS[::-1])
    assert bucket.get("/data/lab/sub/new.tif/stored/new.tif").status_code == 200

"""An image of 10,000 by 1,000,000 by 1,000,000 voxels is served as a small one is, in every layout.

Every file is asked for over HTTP, its pixels are compared with the formula of the image, and the pixels that the source
had to give for a request are counted: the same count is the same latency, on whatever machine.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from diascope.registry import registry
from diascope.testing.synthetic_file import source
from tests.probes import PROBES, other
from tests.servers import of_folder
from tests.synthetic_client import HUGE, LEVELS, NAMES, SMALL, Client, Counter
from tests.synthetic_server import started

CHUNK = (16, 64, 64)
WINDOW = "window,low=0,high=65535"
VIEWS = ("original", WINDOW, f"{WINDOW}~render")

ALIKE = 2
"""How many times more may be read for a request: a block that is sampled may touch one chunk or two along an axis."""
MEMORY = 128 << 20
"""By how many bytes the process may grow when it serves the huge image after the small one."""


LABELS = "labels"
"""The folder with the same images as labels."""


def probed(client: Client, layout: str) -> None:
    """The layout of the first of the views that it takes, or else of labels."""
    name = client.name + registry("layouts")[layout].suffix
    for each in (client, replace(client, folder=f"{client.folder}/{LABELS}")):
        view = next((view for view in VIEWS if each.head(f"{view}/{name}").status != 422), None)
        if view is not None:
            PROBES[layout](each, view)
            return
    raise AssertionError(f"{layout} takes none of {VIEWS}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / "synthetic"
    folder.mkdir()
    (folder / LABELS).mkdir()
    for shape, name in NAMES.items():
        document = {"axes": "zyx", "shape": shape, "levels": LEVELS[shape], "chunk_shape": CHUNK}
        (folder / f"{name}.synthetic.json").write_text(json.dumps(document))
        (folder / LABELS / f"{name}.synthetic.json").write_text(json.dumps(document | {"kind": "labels"}))
    return folder


@contextmanager
def both(folder: Path) -> Iterator[tuple[Client, Client]]:
    """Clients of the huge and of the small image; nothing that was decoded is kept between requests."""
    counter = Counter()
    with registry("sources").including("synthetic", replace(source, open=counter.open)):
        server = of_folder(folder, chunk_cache=0)
        try:
            yield Client(server.url, folder.name, HUGE, counter), Client(server.url, folder.name, SMALL, counter)
        finally:
            server.stop()


def check_costs(huge: Client, small: Client) -> None:
    """No request took more pixels or reads than the dearest of its kind did of the small image."""
    assert sum(pixels for pixels, _ in small.costs.values()), "nothing was read"
    for label, costs in huge.costs.items():
        alike = [cost for other, cost in small.costs.items() if other.split()[0] == label.split()[0]]
        for cost, allowed in zip(costs, map(max, *alike, (0, 0)), strict=True):
            assert cost <= ALIKE * allowed, f"{label}: {costs} pixels and reads, where the small image takes {alike}"


@pytest.mark.parametrize("layout", registry("layouts"))
def test_a_huge_image_costs_what_a_small_one_does(layout: str, folder: Path) -> None:
    assert layout in PROBES, f"tests/test_huge.py has no probe of {layout}"
    with both(folder) as (huge, small):
        for client in (huge, small):
            probed(client, layout)
        check_costs(huge, small)


def test_everything_else_costs_the_same(folder: Path) -> None:
    with both(folder) as (huge, small):
        for client in (huge, small):
            other(client)
        check_costs(huge, small)


MOVED = (
    "rotate,angle=30",
    "affine,matrix=0.98+-0.11+0.03+5+0.12+0.97+-0.05+3+0.001+0.002+0.99+1,domain=same",
    "affine,matrix=0.5+-0.1+7+0.2+0.6+9~flip,axes=zx~rotate,angle=-20",
    "oblique,normal=0.02+0.01+1,pixel=0.7,planes=2",
    "resample,pixel=0.7",
    "rotate90,plane=zx",
)


FILTERED = (
    "clahe,low=0,high=65535,tile=64",
    "gradient,sigma=1,axes=zyx~dog,narrow=1,wide=2",
    "median,radius=2,axes=zyx",
    "morphology,radius=3,method=open~unsharp,sigma=2",
    "tophat,radius=20",
)


@pytest.mark.parametrize("view", MOVED + FILTERED)
def test_a_moved_or_filtered_huge_image_costs_what_a_small_one_does(view: str, folder: Path) -> None:
    with both(folder) as (huge, small):
        for client in (huge, small):
            root = f"{view}/{client.name}.ome.zarr"
            levels = client.json("levels", f"{root}/zarr.json")["attributes"]["ome"]["multiscales"][0]["datasets"]
            for label, level in {"finest": 0, "second": 1, "third": 2, "fourth": 3}.items():
                path = f"{root}/{levels[level]['path']}"
                array = client.json("array", f"{path}/zarr.json")
                chunk = array["chunk_grid"]["configuration"]["chunk_shape"]
                middle = "/".join(str(size // side // 2) for size, side in zip(array["shape"], chunk, strict=True))
                client.get(label, f"{path}/c/{middle}")
            # What is shown at first sight is told by a look at the pixels, spread over all of them.
            del client.costs["levels"]
        check_costs(huge, small)


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
def test_memory_does_not_grow_with_the_image(folder: Path) -> None:
    with started(folder, chunk_cache=8 << 20, file_cache=8 << 20, threads=2) as process:
        small, huge = (Client(process.url, folder.name, shape) for shape in (SMALL, HUGE))
        everything(small)
        before = process.peak
        everything(huge)
        assert process.peak - before < MEMORY


def everything(client: Client) -> None:
    for layout in PROBES:
        probed(client, layout)
    other(client)

"""Sharded precomputed volumes and compressed segmentation, judged by TensorStore and cloud-volume."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorstore
from numpy.typing import NDArray

from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.image.level import Level, in_memory, read_whole
from diascope.image.order import moved
from diascope.layouts.layout import Layout
from diascope.layouts.precomputed import layout_cseg, layout_sharded, layout_sharded_cseg, sharded
from diascope.layouts.precomputed_encoding import RAW, SEGMENTATION, Encoding
from diascope.layouts.precomputed_shard import Sharding, sharding
from diascope.testing.synthetic import ramp
from diascope.testing.trees import check_tree
from diascope.tree.cache import Identified, file_cache
from diascope.tree.file import Tree
from diascope.tree.order import entries_from
from tests.judges.cloud_volume import volume as by_cloudvolume
from tests.judges.tensor_store import volume as by_tensorstore
from tests.layouts.on_disk import changed, written

STACK = ramp("zyx", (9, 400, 500), np.uint16, levels=2, chunk_shape=(4, 80, 70), name="stack")
PLANE = ramp("yx", (37, 53), np.uint8, name="plane")
ROW = ramp("yx", (150, 9000), np.uint8, chunk_shape=(150, 300), name="row")
COLOURS = ramp("cyx", (3, 270, 490), np.uint8, kind="rgb", levels=2, chunk_shape=(3, 64, 64), name="colours")
CHANNELS = ramp("czyx", (2, 3, 130, 131), np.float32, chunk_shape=(1, 1, 64, 64), name="channels")
LABELS = ramp("zyx", (7, 200, 290), np.uint32, levels=2, kind="labels", chunk_shape=(2, 80, 70), name="labels")
DEEP = ramp("zyx", (3, 70, 90), np.uint64, kind="labels", name="deep labels")
SHORT = ramp("czyx", (2, 3, 70, 90), np.int16, kind="labels", chunk_shape=(1, 1, 64, 64), name="short labels")

IMAGES = [STACK, PLANE, ROW, COLOURS, CHANNELS, LABELS, DEEP]
SEGMENTED = [LABELS, DEEP, SHORT]

CUTS = {"minishards of one chunk": (9, 0), "both": (1, 2), "shards of one chunk": (0, 0), "no minishards": (0, 3)}
"""Bits of the minishards and of the chunks in them: images that are worth sharding would be too large for a test."""


def cut(name: str) -> Callable[[Encoding, int, int], Sharding]:
    minishard, chunk = CUTS[name]

    def of(_: Encoding, bits: int, __: int) -> Sharding:
        within = min(bits, minishard + chunk)
        return Sharding(bits - within, within - min(within, chunk), min(within, chunk))

    return of


def volume(image: Image, level: Level) -> NDArray[Any]:
    """The pixels of a level as x, y, z and channel."""
    return moved(read_whole(level), image.axis_names, "czyx").transpose(3, 2, 1, 0)


def check_volume(where: str, image: Image) -> None:
    for k, level in enumerate(image.levels):
        wanted = volume(image, level)
        assert np.array_equal(by_tensorstore(where, k), wanted)
        if image is not SHORT:  # the decoder that cloud-volume has for segmentations may crash on channels
            assert np.array_equal(by_cloudvolume(where, k), wanted)


@pytest.mark.judge
@pytest.mark.parametrize("name", CUTS)
@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_every_shard_is_right(image: Image, name: str, tmp_path: Path) -> None:
    top = written(sharded(image, RAW, ".precomputed", cut(name)), tmp_path)
    check_volume(str(top), image)


@pytest.mark.judge
@pytest.mark.parametrize("name", CUTS)
@pytest.mark.parametrize("image", SEGMENTED, ids=lambda image: image.name)
def test_every_shard_of_segmentations_is_right(image: Image, name: str, tmp_path: Path) -> None:
    top = written(sharded(image, SEGMENTATION, ".precomputed", cut(name)), tmp_path)
    check_volume(str(top), image)


@pytest.mark.judge
@pytest.mark.parametrize("kind", [layout_cseg, layout_sharded, layout_sharded_cseg], ids=lambda kind: kind.name)
@pytest.mark.parametrize("image", SEGMENTED, ids=lambda image: image.name)
def test_labels_are_right_over_http(kind: Layout, image: Image, tree_server: Callable[[Tree], str]) -> None:
    name = f"{image.name}{kind.suffix}".replace(" ", "%20")
    check_volume(f"{tree_server(kind.tree(image))}/data/{name}/", image)


@pytest.mark.parametrize(("image", "encoding"), [(STACK, RAW), (COLOURS, RAW), (DEEP, SEGMENTATION)])
@pytest.mark.parametrize("name", ["both", "shards of one chunk"])
def test_shards_keep_the_contract_of_trees(image: Image, encoding: Encoding, name: str) -> None:
    check_tree(sharded(image, encoding, ".precomputed", cut(name)))


def test_any_range_of_a_shard_is_the_same_bytes() -> None:
    tree = sharded(STACK, RAW, ".precomputed", cut("both"))
    file = tree.file("stack.precomputed/0/2.shard")
    assert file is not None
    data = file.read(0, None)
    assert file.size == len(data)
    random = np.random.default_rng(1)
    for start, stop in np.sort(random.integers(0, len(data), (200, 2))):
        assert file.read(int(start), int(stop)) == data[start:stop]
    for at in range(200):
        assert file.read(at, at + 3) == data[at : at + 3]


def noted(image: Image, regions: list[tuple[int, ...]]) -> Image:
    """The same image, which notes the shapes of the regions that are read."""
    (level,) = image.levels

    def read_pixels(region: Any) -> Any:
        regions.append(region.shape)
        return level.read(region)

    return replace(image, levels=(replace(level, read_pixels=read_pixels),))


def test_no_more_planes_are_read_than_a_range_touches() -> None:
    regions: list[tuple[int, ...]] = []
    image = noted(ramp("zyx", (64, 64, 128), np.uint8, chunk_shape=(64, 64, 64)), regions)
    file = layout_sharded.tree(image).file("ramp.sharded.precomputed/0/0.shard")
    assert file is not None
    assert file.size is not None
    file.read(0, 16 + 24 * 2)
    assert regions == []
    file.read(file.size - 64 * 64 - 1, file.size)
    assert regions == [(2, 64, 64)]


HUGE = ramp("zyx", (10_000, 1_000_000, 1_000_000), chunk_shape=(64, 64, 64), name="huge")
HUGE_LABELS = ramp("zyx", (10_000, 1_000_000, 1_000_000), kind="labels", chunk_shape=(16, 64, 64), name="huge")


@pytest.mark.judge
@pytest.mark.parametrize(
    ("kind", "image"), [(layout_sharded, HUGE), (layout_sharded_cseg, HUGE_LABELS)], ids=["raw", "labels"]
)
def test_readers_find_their_way_in_a_huge_volume(
    kind: Layout, image: Image, tree_server: Callable[[Tree], str]
) -> None:
    from cloudvolume import CloudVolume

    tree = Identified(kind.tree(image), "huge", file_cache(64 << 20))
    url = f"{tree_server(tree)}/data/huge{kind.suffix}/"
    opened = tensorstore.open({"driver": "neuroglancer_precomputed", "kvstore": url}).result()
    other = CloudVolume(f"precomputed://{url}", progress=False, cache=False)
    for x, y, z in ((0, 0, 0), (524_280, 262_140, 8_190), (999_999, 999_998, 9_999)):
        box = tuple(slice(at, min(at + 20, size)) for at, size in zip((x, y, z), HUGE.shape[::-1], strict=True))
        wanted = image[box[::-1]].T
        assert np.array_equal(opened[box].read().result()[..., 0], wanted)
        assert np.array_equal(np.asarray(other[box])[..., 0], wanted)


def test_a_huge_volume_has_few_shards_that_are_listed_from_anywhere() -> None:
    tree = layout_sharded.tree(HUGE)
    folder = "huge.sharded.precomputed/0"
    names = [entry.name for entry in tree.entries(folder) or ()]
    assert names == sorted(names)
    assert 2**14 < len(names) <= 2**16
    assert names == [entry.name for entry in entries_from(tree, folder, "") or ()]
    start = names[5_000]
    assert next(iter(entries_from(tree, folder, start) or ())).name == start
    assert next(iter(entries_from(tree, folder, f"{start}\0") or ())).name == names[5_001]
    assert next(iter(entries_from(tree, folder, start[:-3]) or ())).name == start
    assert tree.file(f"{folder}/{len(names):04x}x.shard") is None


def test_shards_of_segmentations_are_small_and_many() -> None:
    tree = layout_sharded_cseg.tree(HUGE_LABELS)
    folder = "huge.sharded.cseg.precomputed/0"
    listed = [entry.name for entry in islice(tree.entries(folder) or (), 100)]
    assert len(set(listed)) == 100
    assert listed == [entry.name for entry in islice(entries_from(tree, folder, "") or (), 100)]
    file = tree.file(f"{folder}/{listed[50]}")
    assert file is not None
    assert file.size is None, "only making it can tell"
    assert len(file.read(0, None)) < 24 << 20


@pytest.mark.parametrize(
    ("bits", "chunk_size", "shard_size", "most", "wanted"),
    [
        (0, 100, 1 << 30, 16, (0, 0, 0)),
        (5, 1 << 19, 1 << 31, 16, (0, 0, 5)),
        (20, 1 << 19, 1 << 31, 16, (8, 3, 9)),
        (40, 1 << 19, 1 << 31, 16, (16, 12, 12)),
        (40, 1 << 19, 1 << 24, 64, (35, 0, 5)),
        (7, 1 << 25, 1 << 24, 64, (7, 0, 0)),
    ],
)
def test_bits_are_shared_out(bits: int, chunk_size: int, shard_size: int, most: int, wanted: tuple[int, ...]) -> None:
    assert sharding(bits, chunk_size, shard_size, most) == wanted


def _preshifted(info: dict[str, Any]) -> None:
    info["scales"][0]["sharding"]["preshift_bits"] += 1


def _of_other_hash(info: dict[str, Any]) -> None:
    info["scales"][0]["sharding"]["hash"] = "murmurhash3_x86_128"


def _of_other_blocks(info: dict[str, Any]) -> None:
    info["scales"][0]["compressed_segmentation_block_size"] = [4, 8, 8]


def other_info(change: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    def of(data: bytes) -> bytes:
        info = json.loads(data)
        change(info)
        return json.dumps(info).encode()

    return of


BROKEN: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "one bit more before the minishard": ("info", other_info(_preshifted)),
    "another hash": ("info", other_info(_of_other_hash)),
    "a shard that ends too soon": ("0/4.shard", lambda data: data[:-100]),
    "an index that ends too soon": ("0/4.shard", lambda data: data[:8] + bytes(8) + data[16:]),
    "a minishard index without its last chunk": ("0/4.shard", lambda data: data[:8] + b"\x18" + data[9:]),
    "chunks that begin later": ("0/4.shard", lambda data: data[:64] + b"\xff" + data[65:]),
    "another voxel": ("0/4.shard", lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]),
}


BROKEN_SEGMENTS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "other blocks": ("info", other_info(_of_other_blocks)),
    "words that end too soon": ("0/4.shard", lambda data: data[:-400]),
}


@pytest.mark.judge
@pytest.mark.parametrize("twin", BROKEN)
@pytest.mark.parametrize("read", [by_tensorstore, by_cloudvolume], ids=["TensorStore", "cloud-volume"])
def test_readers_reject_a_broken_twin(twin: str, read: Callable[[str], NDArray[Any]], tmp_path: Path) -> None:
    check_broken(RAW, BROKEN[twin], read, tmp_path)


@pytest.mark.judge
@pytest.mark.parametrize("twin", BROKEN_SEGMENTS)
def test_tensorstore_rejects_broken_segmentations(twin: str, tmp_path: Path) -> None:
    """cloud-volume reads beyond the end of such, and may end this program."""
    check_broken(SEGMENTATION, BROKEN_SEGMENTS[twin], by_tensorstore, tmp_path)


def check_broken(
    encoding: Encoding, broken: tuple[str, Callable[[bytes], bytes]], read: Callable[[str], NDArray[Any]], folder: Path
) -> None:
    top = written(sharded(LABELS, encoding, ".precomputed", cut("both")), folder)
    wanted = volume(LABELS, LABELS.levels[0])
    assert np.array_equal(read(str(top)), wanted)
    changed(top / broken[0], broken[1])
    try:
        seen = read(str(top))
    except Exception:  # noqa: BLE001  # each reader has errors of its own
        return
    assert not np.array_equal(seen, wanted)


@pytest.mark.parametrize(
    ("kind", "image", "reason"),
    [
        (layout_sharded, ramp("tyx", (2, 3, 4)), "select,axis=t,index=0"),
        (layout_sharded, ramp("zyx", (2**22, 2**22, 2**22)), "too large"),
        (layout_cseg, PLANE, "labels"),
        (layout_sharded_cseg, STACK, "labels"),
        (layout_sharded_cseg, ramp("zyx", (2**22, 2**22, 2**22), kind="labels"), "too large"),
        (layout_cseg, ramp("yx", (3, 4), np.float32, kind="labels"), "no float32"),
    ],
)
def test_what_cannot_be_held_is_refused_with_the_reason(kind: Layout, image: Image, reason: str) -> None:
    assert reason in (kind.refuses(image) or "")


def test_a_negative_label_is_an_error_in_a_shard_too() -> None:
    image = Image(
        name="labels",
        kind="labels",
        axes=ramp("yx", (1, 2)).axes,
        levels=(in_memory(np.array([[1, -1]], np.int32)),),
    )
    for kind in (layout_sharded, layout_sharded_cseg):
        file = kind.tree(image).file(f"labels{kind.suffix}/0/0.shard")
        assert file is not None
        with pytest.raises(Unsupported, match="negative"):
            file.read(0, None)

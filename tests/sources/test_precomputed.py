"""Precomputed volumes as TensorStore and cloud-volume write them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorstore
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import diascope
from diascope.errors import DiascopeError, Unreadable
from diascope.image.image import Image
from diascope.image.level import read_whole
from diascope.image.region import Region
from diascope.sources.precomputed import source
from diascope.sources.precomputed.compresso import decoded
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from tests.sources.precomputed_files import COLOURS, LABELS, SHARDING, VOLUME, colours, labels, plain, written

TYPES = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "float32")


def fresh(path: Path) -> Image:
    """The image without what was read of another file of this name."""
    return next(iter(source.open(LocalStore(path.parent), path.name).images.values()))


@pytest.mark.judge
@pytest.mark.parametrize("scale", [{}, {"sharding": SHARDING}], ids=["files", "shards"])
@pytest.mark.parametrize("name", TYPES)
def test_raw_types_of_tensorstore(name: str, scale: dict[str, Any], tmp_path: Path) -> None:
    pixels = VOLUME.astype(name) - np.dtype(name).type(3)
    written(tmp_path / "a", pixels, **scale)
    image = fresh(tmp_path / "a")
    assert image.dtype == np.dtype(name)
    np.testing.assert_array_equal(image[...], pixels[0])


@pytest.mark.judge
@pytest.mark.parametrize("sharded", [False, True])
@pytest.mark.parametrize(
    ("pixels", "encoding"),
    [
        (VOLUME, "png"),
        (VOLUME.astype(np.uint8), "png"),
        (COLOURS, "png"),
        (COLOURS[[0, 1, 2, 0]], "png"),
        (COLOURS, "raw"),
        (LABELS, "compressed_segmentation"),
        (LABELS.astype(np.uint32), "compressed_segmentation"),
        (np.concatenate([LABELS, LABELS[:, ::-1]]), "compressed_segmentation"),
    ],
    ids=str,
)
def test_encodings_of_tensorstore(pixels: Any, encoding: str, sharded: bool, tmp_path: Path) -> None:
    written(tmp_path / "a", pixels, encoding, **({"sharding": SHARDING} if sharded else {}))
    image = fresh(tmp_path / "a")
    np.testing.assert_array_equal(image[...].reshape(pixels.shape), pixels)


@pytest.mark.judge
@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_decoded_as_tensorstore_does(channels: int, tmp_path: Path) -> None:
    smooth = np.linspace(0, 255, COLOURS.size).reshape(COLOURS.shape).astype(np.uint8)[:channels]
    written(tmp_path / "a", smooth, "jpeg", jpeg_quality=90)
    spec = {"driver": "neuroglancer_precomputed", "kvstore": f"file://{tmp_path}/a/"}
    theirs = tensorstore.open(spec).result().read().result().transpose(3, 2, 1, 0)
    image = fresh(tmp_path / "a")
    assert image.kind == ("rgb" if channels == 3 else "intensity")
    assert np.abs(image[...].reshape(theirs.shape).astype(int) - theirs).max() <= 1


@pytest.mark.judge
@pytest.mark.parametrize("bits", [(0, 0, 0), (0, 3, 0), (2, 0, 5), (9, 1, 1), (1, 2, 9)])
@pytest.mark.parametrize("hashed", ["identity", "murmurhash3_x86_128"])
@pytest.mark.parametrize("packing", ["raw", "gzip"])
def test_shards_of_tensorstore(bits: tuple[int, int, int], hashed: str, packing: str, tmp_path: Path) -> None:
    preshift, minishard, shard = bits
    cut = {"preshift_bits": preshift, "minishard_bits": minishard, "shard_bits": shard, "hash": hashed}
    packed = {"minishard_index_encoding": packing, "data_encoding": packing}
    written(tmp_path / "a", VOLUME, sharding={**SHARDING, **cut, **packed})
    np.testing.assert_array_equal(fresh(tmp_path / "a")[...], VOLUME[0])


@pytest.mark.judge
@pytest.mark.parametrize("packing", ["gzip", "br", "zstd", ""])
def test_files_of_cloud_volume(packing: str, tmp_path: Path) -> None:
    from cloudvolume import CloudVolume

    info = CloudVolume.create_new_info(
        num_channels=1, layer_type="image", data_type="uint16", encoding="raw", resolution=[4, 4, 40],
        voxel_offset=[3, 5, 7], volume_size=[31, 23, 9], chunk_size=[10, 8, 4],
    )  # fmt: skip
    volume = CloudVolume(f"file://{tmp_path}/a", info=info, compress=packing, progress=False, cache=False)
    volume.commit_info()
    volume[...] = VOLUME.transpose(3, 2, 1, 0)
    endings = {path.suffix for path in (tmp_path / "a" / "4_4_40").iterdir()}
    assert endings == {{"gzip": ".gz", "": ""}.get(packing, f".{packing}")}
    np.testing.assert_array_equal(fresh(tmp_path / "a")[...], VOLUME[0])


def test_files_that_a_server_would_unpack(tmp_path: Path) -> None:
    for name, pixels, encoding in (("raw", VOLUME, "raw"), ("labels", LABELS, "compressed_segmentation")):
        written(tmp_path / name, pixels, encoding)
        for file in (tmp_path / name).rglob("*_*-*"):
            file.write_bytes(gzip.compress(file.read_bytes()))
        np.testing.assert_array_equal(fresh(tmp_path / name)[...], pixels[0])


def test_places_resolutions_and_kinds(tmp_path: Path) -> None:
    plain(tmp_path / "a.precomputed")
    image = diascope.open(tmp_path / "a.precomputed")
    assert image.name == "a"
    assert image.kind == "intensity"
    assert [(axis.name, axis.unit) for axis in image.axes] == [(name, "nanometer") for name in "zyx"]
    assert [level.scale for level in image.levels] == [(40.0, 4.0, 4.0), (40.0, 8.0, 8.0)]
    assert image.levels[0].translation == (280.0, -20.0, 12.0)
    assert image.levels[1].translation == (280.0, -22.0, 10.0)
    labels(tmp_path / "labels")
    assert diascope.open(tmp_path / "labels").kind == "labels"
    colours(tmp_path / "colours")
    assert diascope.open(tmp_path / "colours").kind == "rgb"


def test_missing_chunks_are_zeros(tmp_path: Path) -> None:
    written(tmp_path / "a", VOLUME)
    for file in (tmp_path / "a").rglob("*_7-11"):
        file.unlink()
    expected = VOLUME[0].copy()
    expected[:4] = 0
    np.testing.assert_array_equal(fresh(tmp_path / "a")[...], expected)


def test_only_the_ranges_that_are_needed_are_read(tmp_path: Path) -> None:
    raw = {**SHARDING, "minishard_index_encoding": "raw", "data_encoding": "raw", "minishard_bits": 1, "shard_bits": 0}
    written(tmp_path / "a", VOLUME, sharding=raw)
    store = CountingStore(LocalStore(tmp_path))
    level = next(iter(source.open(store, "a").images.values())).levels[0]
    store.count = 0
    level.read(Region((0, 0, 0), (4, 8, 10)))
    first, chunk = store.count, 4 * 8 * 10 * 2
    assert chunk < first <= chunk + 16 + 24 * 36
    level.read(Region((0, 0, 0), (4, 8, 10)))
    assert store.count - first == chunk


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"@type": "neuroglancer_skeletons", "scales": None}, "holds skeletons"),
        ({"@type": "neuroglancer_multilod_draco", "scales": None}, "holds meshes"),
        ({"data_type": "float64"}, "voxels of the type"),
        ({"num_channels": 0}, "no size"),
        ({"scales": []}, "0 scales"),
    ],
)
def test_what_is_no_volume_is_refused(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    written(tmp_path / "a", VOLUME)
    changed = json.loads((tmp_path / "a" / "info").read_bytes()) | change
    kept = {key: value for key, value in changed.items() if value is not None}
    (tmp_path / "a" / "info").write_text(json.dumps(kept), encoding="utf-8")
    with pytest.raises(Unreadable, match=reason):
        diascope.open(tmp_path / "a")


@pytest.mark.parametrize("encoding", ["fpzip", "kempressed", "zfpc", "crackle", "what"])
def test_encodings_without_a_decoder_are_refused_by_name(encoding: str, tmp_path: Path) -> None:
    written(tmp_path / "a", VOLUME)
    text = (tmp_path / "a" / "info").read_text(encoding="utf-8").replace('"raw"', f'"{encoding}"')
    (tmp_path / "a" / "info").write_text(text, encoding="utf-8")
    with pytest.raises(Unreadable, match=f"encoded as '{encoding}' cannot be read"):
        diascope.open(tmp_path / "a")


COMPRESSO = bytes.fromhex(
    "6370736f01040800080002000404010400000000000000030000000000000000000000040000000007000000000000000900000000004444"
    "00f0020003000200030004000400050002020000"
)
"""Two planes of 8 by 8, as the program of that name writes them: the halves 0 and 7, the halves 0 and 9."""


def test_compresso() -> None:
    expected = np.zeros((1, 2, 8, 8), np.uint32)
    expected[0, 0, :, 3:], expected[0, 1, 4:] = 7, 9
    np.testing.assert_array_equal(decoded(COMPRESSO, (1, 2, 8, 8), np.dtype(np.uint32)), expected)
    for shape, name in (((1, 2, 8, 9), "uint32"), ((1, 2, 8, 8), "uint64"), ((1, 1, 8, 8), "uint32")):
        with pytest.raises(ValueError, match=r"it holds|it is no"):
            decoded(COMPRESSO, shape, np.dtype(name))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 75), st.integers(0, 255)), max_size=5), st.integers(36, 76))
def test_hostile_compresso(changes: list[tuple[int, int]], size: int) -> None:
    data = bytearray(COMPRESSO)
    for at, value in changes:
        data[at] = value
    try:
        assert decoded(bytes(data[:size]), (1, 2, 8, 8), np.dtype(np.uint32)).shape == (1, 2, 8, 8)
    except ValueError:
        return


def test_compresso_of_the_shared_volume(shared_data: Path) -> None:
    """The chunks of its finer scales are missing."""
    image = diascope.open(shared_data / "precomputed" / "seg_unsharded")
    assert image.kind == "labels"
    assert [level.shape for level in image.levels[:3]] == [(512, 1024, 1024), (512, 512, 512), (512, 256, 256)]
    assert not image.levels[0].read(Region((0, 0, 0), (1, 9, 9))).any()


def test_shared_folders_that_are_no_images_say_why(shared_data: Path) -> None:
    with pytest.raises(Unreadable, match="holds skeletons, and no image"):
        diascope.open(shared_data / "precomputed" / "skeletons_mip_2")
    with pytest.raises(Unreadable, match="no source knows"):
        diascope.open(shared_data / "precomputed" / "mesh_mip_2_err_40_sv16")


def test_a_folder_with_another_info_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "info").write_text("what lies here", encoding="utf-8")
    with pytest.raises(Unreadable, match="no source knows"):
        diascope.open(tmp_path / "folder")


@pytest.mark.parametrize("name", ["raw", "png", "cseg", "sharded"])
def test_damaged_chunks_are_unreadable(name: str, tmp_path: Path) -> None:
    pixels = LABELS if name == "cseg" else VOLUME
    encoding = {"cseg": "compressed_segmentation", "png": "png"}.get(name, "raw")
    written(tmp_path / "a", pixels, encoding, **({"sharding": SHARDING} if name == "sharded" else {}))
    for file in (tmp_path / "a").rglob("*"):
        if file.is_file() and file.name != "info":
            file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(Unreadable, match="corrupt"):
        fresh(tmp_path / "a")[...]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
SCALE = ("key", "size", "resolution", "voxel_offset", "chunk_sizes", "encoding", "sharding")
TOP = ("data_type", "num_channels", "scales", "type", "@type")
SHARDS = tuple(SHARDING)
small = st.lists(st.integers(-3, 70), min_size=3, max_size=3)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=st.sampled_from([*TOP, *SCALE, *SHARDS]),
    value=values | small | small.map(lambda each: [each]),
    at=st.floats(0, 1),
    noise=st.binary(max_size=24),
)
def test_hostile_documents_and_shards(key: str, value: Any, at: float, noise: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a"
    if not path.exists():
        written(path, LABELS, "compressed_segmentation", sharding={**SHARDING, "shard_bits": 0, "data_encoding": "raw"})
        (path / "good").write_bytes((path / "info").read_bytes())
        (path / "good.shard").write_bytes((path / "4_4_40" / "0.shard").read_bytes())
    document = json.loads((path / "good").read_bytes())
    place = document if key in TOP else document["scales"][0] if key in SCALE else document["scales"][0]["sharding"]
    place[key] = value
    (path / "info").write_text(json.dumps(document), encoding="utf-8")
    shard = bytearray((path / "good.shard").read_bytes())
    start = int(at * len(shard))
    shard[start : start + len(noise)] = noise
    (path / "4_4_40" / "0.shard").write_bytes(shard)
    try:
        image = fresh(path)
        size = 1
        for each in image.shape:
            size *= each
        pixels = read_whole(image.levels[0]) if size < 1 << 22 else None
    except DiascopeError as error:
        assert str(error)  # noqa: PT017
        return
    assert pixels is None or pixels.dtype == image.dtype

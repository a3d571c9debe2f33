"""Corrupt chunks, shards and metadata: an error that names them, never zeros and never a crash."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr
import zarr.codecs

from diascope.errors import Unreadable
from diascope.image.region import Region, whole
from diascope.sources.zarr import source
from diascope.sources.zarr.array import Array
from diascope.sources.zarr.node import node
from diascope.stores.local import LocalStore

SHAPE = (20, 24)
DATA = (np.arange(480).reshape(SHAPE) * 7919 % 60013).astype("u2") + 1
CRC = zarr.codecs.Crc32cCodec()

HOWS: dict[str, dict[str, Any]] = {
    "v2-plain": {"zarr_format": 2, "compressors": None},
    "v2-blosc": {"zarr_format": 2, "compressors": numcodecs.Blosc("lz4")},
    "v2-blosc-zstd": {"zarr_format": 2, "compressors": numcodecs.Blosc("zstd")},
    "v2-zlib": {"zarr_format": 2, "compressors": numcodecs.Zlib(1)},
    "v2-gzip": {"zarr_format": 2, "compressors": numcodecs.GZip(1)},
    "v2-zstd": {"zarr_format": 2, "compressors": numcodecs.Zstd(1)},
    "v2-lz4": {"zarr_format": 2, "compressors": numcodecs.LZ4()},
    "v2-bz2": {"zarr_format": 2, "compressors": numcodecs.BZ2()},
    "v2-lzma": {"zarr_format": 2, "compressors": numcodecs.LZMA(preset=1)},
    "v2-delta": {"zarr_format": 2, "filters": [numcodecs.Delta("<u2")], "compressors": numcodecs.Zlib(1)},
    "v3-plain": {"compressors": None},
    "v3-crc32c": {"compressors": [CRC]},
    "v3-zstd": {"compressors": [zarr.codecs.ZstdCodec(level=1, checksum=True)]},
    "v3-gzip": {"compressors": [zarr.codecs.GzipCodec(level=1)]},
    "v3-blosc": {"compressors": [zarr.codecs.BloscCodec()]},
    "v3-shard": {"shards": SHAPE, "compressors": [zarr.codecs.ZstdCodec(level=1)]},
    "v3-shard-crc32c": {"shards": SHAPE, "compressors": [zarr.codecs.ZstdCodec(level=1), CRC]},
}
CHECKSUMMED = {"v2-zlib", "v2-gzip", "v2-bz2", "v2-lzma", "v2-delta", "v3-crc32c", "v3-gzip", "v3-shard-crc32c"}
"""Every bit of what they store is covered but for fields that say nothing of the pixels."""


def written(path: Path, how: str) -> list[Path]:
    """The files of the chunks of an array that was written so."""
    chunks = (10, 12)
    array = zarr.create_array(path, shape=SHAPE, dtype="u2", fill_value=0, **{"chunks": chunks, **HOWS[how]})
    array[...] = DATA
    return sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith((".z", "zarr.json")))


def opened(path: Path) -> Array:
    found = node(LocalStore(path.parent), path.name)
    assert found is not None
    return found.array(LocalStore(path.parent))


def outcome(path: Path) -> np.ndarray | str:
    """The pixels, or the reason why they cannot be read; any error but Unreadable fails the test."""
    try:
        return np.array(opened(path).read(whole(SHAPE)))
    except Unreadable as error:
        return str(error)


@pytest.mark.parametrize("how", HOWS)
def test_a_truncated_or_lengthened_chunk_is_named(tmp_path: Path, how: str) -> None:
    files = written(tmp_path / "a", how)
    intact = files[-1].read_bytes()
    for length in {0, 1, 3, 7, 15, 16, 20, len(intact) // 2, len(intact) - 8, len(intact) - 1}:
        files[-1].write_bytes(intact[:length])
        seen = outcome(tmp_path / "a")
        assert isinstance(seen, str), f"{how} cut to {length} of {len(intact)} bytes was read"
        assert str(files[-1].relative_to(tmp_path)) in seen
    if "plain" in how:
        files[-1].write_bytes(intact + b"\0")
        assert isinstance(outcome(tmp_path / "a"), str)
    files[-1].write_bytes(intact)
    np.testing.assert_array_equal(outcome(tmp_path / "a"), DATA)


@pytest.mark.parametrize("how", sorted(set(HOWS) - {"v2-plain", "v3-plain"}))
def test_flipped_bits_never_crash_and_never_pass_a_checksum(tmp_path: Path, how: str) -> None:
    files = written(tmp_path / "a", how)
    intact = files[0].read_bytes()
    dice = random.Random(how)  # noqa: S311
    for _ in range(60):
        place = dice.randrange(len(intact))
        flipped = bytearray(intact)
        flipped[place] ^= 1 << dice.randrange(8)
        files[0].write_bytes(flipped)
        seen = outcome(tmp_path / "a")
        if how in CHECKSUMMED and not isinstance(seen, str):
            np.testing.assert_array_equal(seen, DATA)
        if not isinstance(seen, str):
            assert seen[:10, :12].any(), f"{how}: the bit at {place} made zeros of a chunk"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("how", sorted(set(HOWS)))
def test_noise_in_place_of_a_chunk_never_crashes(tmp_path: Path, how: str, seed: int) -> None:
    files = written(tmp_path / "a", how)
    intact = files[0].read_bytes()
    dice = random.Random(seed)  # noqa: S311
    for _ in range(10):
        head = dice.choice([0, 0, 4, 16])
        files[0].write_bytes(intact[:head] + dice.randbytes(dice.choice([1, 5, 17, 100, len(intact)])))
        outcome(tmp_path / "a")


def test_an_index_that_points_outside_its_shard_is_no_missing_chunk(tmp_path: Path) -> None:
    unchecked = zarr.codecs.ShardingCodec(chunk_shape=(10, 12), index_codecs=[zarr.codecs.BytesCodec()])
    array = zarr.create_array(
        tmp_path / "a", shape=SHAPE, chunks=SHAPE, dtype="u2", serializer=unchecked, compressors=None
    )
    array[...] = DATA
    shard = tmp_path / "a" / "c" / "0" / "0"
    intact = shard.read_bytes()
    for start, length in ((2**63, 5), (0, 2**64 - 1), (2**64 - 1, 0), (len(intact), 10), (0, 3)):
        index = np.frombuffer(intact[-64:], "<u8").copy()
        index[2:4] = start, length
        shard.write_bytes(intact[:-64] + index.tobytes())
        reason = outcome(tmp_path / "a")
        assert isinstance(reason, str)
        assert "a/c/0/0" in reason


def test_a_chunk_that_would_inflate_without_end_is_cut_short(tmp_path: Path) -> None:
    zeros = bytes(1 << 26)
    bombs: dict[str, bytes] = {
        "v2-zlib": numcodecs.Zlib(9).encode(zeros),
        "v2-gzip": numcodecs.GZip(9).encode(zeros),
        "v2-zstd": numcodecs.Zstd(9).encode(zeros),
        "v2-bz2": numcodecs.BZ2(9).encode(zeros),
        "v2-lzma": numcodecs.LZMA(preset=1).encode(zeros),
        "v2-lz4": numcodecs.LZ4().encode(zeros),
        "v2-blosc": numcodecs.Blosc("zstd").encode(zeros),
    }
    for how, bomb in bombs.items():
        files = written(tmp_path / how, how)
        files[0].write_bytes(bomb)
        assert isinstance(outcome(tmp_path / how), str), how


OWN = b'{"zarr_format": 3, "node_type": "array", "shape": [4, 4], "data_type": "uint8", "fill_value": 0, '
METADATA = {
    "empty": b"",
    "cut": b'{"zarr_format": 3',
    "no object": b"[1]",
    "no text": b"\xff\xfe\x00",
    "deep": b"[" * 1_000_000,
    "deep object": b'{"a":' * 200_000,
    "a long number": b'{"zarr_format": ' + b"9" * 10_000 + b"}",
    "no node": b"{}",
    "no codecs": OWN + b'"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2, 2]}}}',
}


@pytest.mark.parametrize("name", METADATA)
def test_corrupt_metadata_is_unreadable(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "zarr.json").write_bytes(METADATA[name])
    with pytest.raises(Unreadable):
        source.open(LocalStore(tmp_path), "a")


def test_metadata_of_more_bytes_than_any_has_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with (tmp_path / "a" / "zarr.json").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(Unreadable, match="bytes of metadata"):
        source.open(LocalStore(tmp_path), "a")


ODD: list[Any] = [None, True, -1, 0, 1.5, 10**30, float("nan"), "", "x", [], [[]], {}, {"name": 3}, [None], [-1, 4]]


def every_value(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of all values in a JSON document."""
    items = list(document.items() if isinstance(document, dict) else enumerate(document))
    inner = [
        place for key, value in items if isinstance(value, dict | list) for place in every_value(value, (*at, key))
    ]
    return [(*at, key) for key, _ in items] + inner


def changed(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(document))
    spot = copy
    for key in place[:-1]:
        spot = spot[key]
    spot[place[-1]] = value
    return copy


GROUP = {
    "zarr_format": 3,
    "node_type": "group",
    "attributes": {
        "ome": {
            "version": "0.5",
            "multiscales": [
                {
                    "axes": [{"name": "y", "type": "space", "unit": "micrometer"}, {"name": "x", "type": "space"}],
                    "datasets": [
                        {
                            "path": "0",
                            "coordinateTransformations": [
                                {"type": "scale", "scale": [1.0, 0.5]},
                                {"type": "translation", "translation": [1.0, 0.5]},
                            ],
                        }
                    ],
                    "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0]}],
                }
            ],
            "omero": {
                "channels": [{"color": "FF0000", "label": "a", "window": {"start": 0, "end": 9}}],
                "rdefs": {"model": "color"},
            },
        }
    },
}


@pytest.mark.parametrize("target", ["zarr.json", "0/zarr.json"])
def test_any_value_of_the_metadata_may_be_anything(tmp_path: Path, target: str) -> None:
    """Every field replaced by odd values, one after the other: an image or Unreadable, nothing else."""
    root = tmp_path / "a"
    written(root / "0", "v3-shard")
    (root / "zarr.json").write_text(json.dumps(GROUP))
    document = json.loads((root / target).read_text())
    for place in every_value(document):
        for value in ODD:
            (root / target).write_text(json.dumps(changed(document, place, value)))
            try:
                image = next(iter(source.open(LocalStore(tmp_path), "a").images.values()))
            except Unreadable:
                continue
            level = image.levels[0]
            corner = Region((0,) * len(level.shape), tuple(min(size, 2) for size in level.shape))
            try:
                level.read(corner)
            except Unreadable:
                continue

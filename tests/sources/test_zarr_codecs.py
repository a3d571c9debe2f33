"""Arrays as zarr-python writes them, in every order, type, grid and codec that the source reads."""

from __future__ import annotations

import json
import random
import warnings
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import tensorstore
import zarr
import zarr.codecs
from zarr.core.chunk_key_encodings import ChunkKeyEncodingParams

import diascope
from diascope.errors import Unreadable
from diascope.image.region import Region
from diascope.sources.zarr.array import Array
from diascope.sources.zarr.node import node
from diascope.stores.local import LocalStore

pytestmark = pytest.mark.filterwarnings("ignore:Numcodecs codecs:UserWarning", "ignore:.*:zarr.errors.ZarrUserWarning")

SHAPE = (4, 33, 15)
CHUNKS = (3, 16, 8)
SHARDS = (6, 32, 16)


def pixels(dtype: Any, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    count = int(np.prod(shape))
    ramp = (np.arange(count) * 37 % 251).reshape(shape)
    return (ramp + 1j * ramp[::-1]).astype(dtype) if np.dtype(dtype).kind == "c" else ramp.astype(dtype)


def opened(path: Path) -> Array:
    store = LocalStore(path.parent)
    found = node(store, path.name)
    assert found is not None
    return found.array(store)


def check(path: Path, expected: np.ndarray) -> None:
    """The whole and random regions, as zarr-python and as the pixels that were written have them."""
    array = opened(path)
    judge = zarr.open_array(path, mode="r")
    assert array.metadata.shape == judge.shape == expected.shape
    assert array.metadata.dtype == expected.dtype
    everything = array.read(Region((0,) * expected.ndim, expected.shape))
    np.testing.assert_array_equal(everything, expected)
    np.testing.assert_array_equal(everything, judge[...])
    dice = random.Random(7)  # noqa: S311
    for _ in range(12):
        ends = [sorted((dice.randint(0, n), dice.randint(0, n))) for n in expected.shape]
        region = Region(tuple(a for a, _ in ends), tuple(b for _, b in ends))
        np.testing.assert_array_equal(array.read(region), expected[region.slices])


def written(path: Path, data: np.ndarray, **how: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = zarr.create_array(path, shape=data.shape, dtype=data.dtype, **{"chunks": CHUNKS, **how})
    array[...] = data


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize(
    "dtype", ["?", "i1", "u1", "<i2", ">i2", ">u2", "<u4", ">i8", "<u8", "<f2", ">f4", "<f8", "<c8", ">c16"]
)
def test_types_and_byte_orders(tmp_path: Path, dtype: str, zarr_format: int) -> None:
    data = pixels(dtype)
    written(tmp_path / "a", data, zarr_format=zarr_format)
    check(tmp_path / "a", data.astype(np.dtype(dtype).newbyteorder("=")))


V2_CODECS: dict[str, dict[str, Any]] = {
    "none": {"compressors": None},
    "blosc-lz4": {"compressors": numcodecs.Blosc("lz4", 5, numcodecs.Blosc.SHUFFLE)},
    "blosc-zstd-bit": {"compressors": numcodecs.Blosc("zstd", 3, numcodecs.Blosc.BITSHUFFLE)},
    "blosc-blosclz": {"compressors": numcodecs.Blosc("blosclz", 9)},
    "blosc-lz4hc": {"compressors": numcodecs.Blosc("lz4hc", 9)},
    "blosc-zlib": {"compressors": numcodecs.Blosc("zlib", 1)},
    "blosc-copied": {"compressors": numcodecs.Blosc("lz4", 0)},
    "zlib": {"compressors": numcodecs.Zlib(4)},
    "gzip": {"compressors": numcodecs.GZip(4)},
    "zstd": {"compressors": numcodecs.Zstd(4)},
    "lz4": {"compressors": numcodecs.LZ4()},
    "bz2": {"compressors": numcodecs.BZ2()},
    "lzma": {"compressors": numcodecs.LZMA(preset=1)},
    "lzma-raw": {"compressors": numcodecs.LZMA(format=3, filters=[{"id": 0x21, "preset": 1}])},
    "delta": {"filters": [numcodecs.Delta("<u2")], "compressors": numcodecs.Zstd(1)},
    "delta-wide": {"filters": [numcodecs.Delta("<u2", astype="<i4")], "compressors": numcodecs.Zlib(1)},
    "shuffle": {"filters": [numcodecs.Shuffle(2)], "compressors": numcodecs.GZip(1)},
    "fixedscaleoffset": {"filters": [numcodecs.FixedScaleOffset(0, 1, "<u2", "u1")], "compressors": None},
    "crc32": {"filters": [numcodecs.CRC32()], "compressors": numcodecs.Zstd(1)},
    "adler32": {"filters": [numcodecs.Adler32()], "compressors": None},
    "fletcher32": {"filters": [numcodecs.Fletcher32()], "compressors": numcodecs.Zlib(1)},
    "two": {"filters": [numcodecs.Delta("<u2"), numcodecs.CRC32()], "compressors": numcodecs.Blosc()},
}


@pytest.mark.parametrize("name", V2_CODECS)
@pytest.mark.parametrize(("order", "separator"), [("C", "."), ("F", "/")])
def test_codecs_orders_and_keys_of_v2(tmp_path: Path, name: str, order: Any, separator: Any) -> None:
    data = pixels("<u2")
    keys: ChunkKeyEncodingParams = {"name": "v2", "separator": separator}
    written(tmp_path / "a", data, zarr_format=2, order=order, chunk_key_encoding=keys, **V2_CODECS[name])
    check(tmp_path / "a", data)


def test_packed_bits_of_v2(tmp_path: Path) -> None:
    data = pixels("u2") % 3 == 0
    written(tmp_path / "a", data, zarr_format=2, filters=[numcodecs.PackBits()], compressors=numcodecs.Zlib(1))
    check(tmp_path / "a", data)


def numcodec(name: str, **configuration: Any) -> dict[str, Any]:
    return {"name": f"numcodecs.{name}", "configuration": configuration}


V3_CODECS: dict[str, dict[str, Any]] = {
    "none": {"compressors": None},
    "big-endian": {"serializer": zarr.codecs.BytesCodec(endian="big"), "compressors": None},
    "gzip": {"compressors": zarr.codecs.GzipCodec(level=5)},
    "zstd": {"compressors": zarr.codecs.ZstdCodec(level=3)},
    "zstd-checksum": {"compressors": zarr.codecs.ZstdCodec(level=3, checksum=True)},
    "blosc": {"compressors": zarr.codecs.BloscCodec(cname="lz4", shuffle="bitshuffle")},
    "crc32c": {"compressors": [zarr.codecs.Crc32cCodec()]},
    "zstd-crc32c": {"compressors": [zarr.codecs.ZstdCodec(level=1), zarr.codecs.Crc32cCodec()]},
    "crc32c-zstd": {"compressors": [zarr.codecs.Crc32cCodec(), zarr.codecs.ZstdCodec(level=1)]},
    "gzip-zstd": {"compressors": [zarr.codecs.GzipCodec(level=1), zarr.codecs.ZstdCodec(level=1)]},
    "transpose": {"filters": [zarr.codecs.TransposeCodec(order=(1, 2, 0))]},
    "transpose-twice": {
        "filters": [zarr.codecs.TransposeCodec(order=(1, 2, 0)), zarr.codecs.TransposeCodec(order=(0, 2, 1))]
    },
    "numcodecs.zlib": {"compressors": [numcodec("zlib", level=3)]},
    "numcodecs.lz4": {"compressors": [numcodec("lz4")]},
    "numcodecs.bz2": {"compressors": [numcodec("bz2")]},
    "numcodecs.lzma": {"compressors": [numcodec("lzma", preset=1)]},
    "numcodecs.blosc": {"compressors": [numcodec("blosc", cname="zstd")]},
    "numcodecs.shuffle": {"compressors": [numcodec("shuffle", elementsize=2), numcodec("zlib", level=3)]},
    "numcodecs.crc32": {"compressors": [numcodec("crc32")]},
    "numcodecs.fletcher32": {"compressors": [numcodec("fletcher32")]},
    "numcodecs.delta": {"filters": [numcodec("delta", dtype="<u2")]},
    "numcodecs.fixedscaleoffset": {
        "filters": [numcodec("fixedscaleoffset", offset=0, scale=1, dtype="<u2", astype="u1")]
    },
    "numcodecs.astype": {"filters": [numcodec("astype", encode_dtype="<i4", decode_dtype="<u2")]},
}


@pytest.mark.parametrize("name", V3_CODECS)
@pytest.mark.parametrize("sharded", [False, True])
def test_codecs_of_v3(tmp_path: Path, name: str, sharded: bool) -> None:
    data = pixels("<u2")
    written(tmp_path / "a", data, zarr_format=3, shards=SHARDS if sharded else None, **V3_CODECS[name])
    check(tmp_path / "a", data)


@pytest.mark.parametrize("keys", ["default/", "default.", "v2/", "v2."])
def test_key_encodings_of_v3(tmp_path: Path, keys: Any) -> None:
    data = pixels("<u2")
    encoding = {"name": keys[:-1], "separator": keys[-1]}
    written(tmp_path / "a", data, zarr_format=3, chunk_key_encoding=encoding)
    check(tmp_path / "a", data)


@pytest.mark.parametrize("location", ["start", "end"])
@pytest.mark.parametrize("checksum", [False, True])
def test_shards_with_holes(tmp_path: Path, location: Any, checksum: bool) -> None:
    index_codecs = [zarr.codecs.BytesCodec(), *([zarr.codecs.Crc32cCodec()] if checksum else [])]
    sharding = zarr.codecs.ShardingCodec(chunk_shape=CHUNKS, index_location=location, index_codecs=index_codecs)
    data = np.full(SHAPE, 9, "<u2")
    data[1, 20:30, 3:7] = pixels("<u2")[1, 20:30, 3:7]
    written(tmp_path / "a", data, chunks=SHARDS, serializer=sharding, compressors=None, fill_value=9)
    check(tmp_path / "a", data)
    assert opened(tmp_path / "a").metadata.chunk_shape == CHUNKS


def test_shards_in_compressed_turned_and_nested_wrappings(tmp_path: Path) -> None:
    data = pixels("<u2")
    inner = zarr.codecs.ShardingCodec(chunk_shape=(3, 8, 8), codecs=[zarr.codecs.BytesCodec()])
    nested = zarr.codecs.ShardingCodec(chunk_shape=(3, 16, 8), codecs=[inner])
    written(tmp_path / "nested", data, chunks=SHARDS, serializer=nested, compressors=None)
    check(tmp_path / "nested", data)
    plain = zarr.codecs.ShardingCodec(chunk_shape=(12, 8, 6), codecs=[zarr.codecs.BytesCodec()])
    turned = zarr.codecs.TransposeCodec(order=(1, 2, 0))
    written(tmp_path / "turned", data, chunks=(12, 24, 24), filters=[turned], serializer=plain, compressors=None)
    check(tmp_path / "turned", data)
    whole = zarr.codecs.ShardingCodec(chunk_shape=CHUNKS, codecs=[zarr.codecs.BytesCodec()])
    written(tmp_path / "packed", data, chunks=SHARDS, serializer=whole, compressors=[zarr.codecs.GzipCodec()])
    check(tmp_path / "packed", data)


FILLS: list[tuple[str, Any]] = [
    ("f4", float("nan")), ("f8", float("inf")), ("f8", float("-inf")), ("f4", 0.1), ("i2", -5), ("u8", 2**64 - 1),
    ("?", True), ("c8", complex(float("nan"), 2.5)), ("i8", -(2**63)), ("f2", -0.0),
]  # fmt: skip


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize(("dtype", "value"), FILLS)
def test_missing_chunks_are_the_fill_value(tmp_path: Path, dtype: str, value: Any, zarr_format: int) -> None:
    zarr.create_array(
        tmp_path / "a", shape=(5, 6), chunks=(2, 4), dtype=dtype, fill_value=value, zarr_format=zarr_format
    )
    got = opened(tmp_path / "a").read(Region((0, 0), (5, 6)))
    expected = zarr.open_array(tmp_path / "a", mode="r")[...]
    assert got.dtype == np.asarray(expected).dtype
    assert got.tobytes() == np.asarray(expected).tobytes()


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [("float32", "0x7fc00001", 0x7FC00001), ("float32", "0x3f800000", 0x3F800000), ("float32", "AACAPw==", 0x3F800000)],
)
def test_fill_values_written_as_bits(tmp_path: Path, dtype: str, value: str, expected: int) -> None:
    zarr.create_array(tmp_path / "a", shape=(2, 2), chunks=(2, 2), dtype=dtype)
    changed(tmp_path / "a" / "zarr.json", fill_value=value)
    assert opened(tmp_path / "a").read(Region((0, 0), (2, 2))).view(np.uint32)[0, 0] == expected


def changed(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.mark.parametrize("codec", ["pickle", "json2", "vlen-utf8", "categorize", "no-such", "zfpy"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_unknown_codecs_are_named_and_never_run(tmp_path: Path, codec: str, zarr_format: int) -> None:
    written(tmp_path / "a", pixels("<u2"), zarr_format=zarr_format)
    if zarr_format == 2:
        changed(tmp_path / "a" / ".zarray", compressor={"id": codec})
    else:
        codecs = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": f"numcodecs.{codec}"}]
        changed(tmp_path / "a" / "zarr.json", codecs=codecs)
    with pytest.raises(Unreadable, match=codec):
        diascope.open(tmp_path / "a")


@pytest.mark.parametrize("dtype", ["S4", "U3", "datetime64[s]", "V4"])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_what_is_no_number_is_refused_with_its_name(tmp_path: Path, dtype: str, zarr_format: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        zarr.create_array(tmp_path / "a", shape=(4, 4), chunks=(2, 2), dtype=dtype, zarr_format=zarr_format)
    with pytest.raises(Unreadable, match="data type"):
        diascope.open(tmp_path / "a")


def test_a_chunk_of_more_than_a_gibibyte_is_refused(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "a", shape=(8, 8), chunks=(8, 8), dtype="u2")
    changed(
        tmp_path / "a" / "zarr.json",
        chunk_grid={"name": "regular", "configuration": {"chunk_shape": [1 << 20, 1 << 20]}},
    )
    with pytest.raises(Unreadable, match="larger than"):
        diascope.open(tmp_path / "a")


def test_an_aligned_chunk_is_handed_out_without_a_copy(tmp_path: Path) -> None:
    data = pixels("<u2")
    written(tmp_path / "a", data, compressors=zarr.codecs.ZstdCodec())
    got = opened(tmp_path / "a").read(Region((0, 0, 0), CHUNKS))
    np.testing.assert_array_equal(got, data[:3, :16, :8])
    assert isinstance(got.base, bytes) or got.base is not None
    assert not got.flags.owndata


TENSORSTORE: dict[str, tuple[str, dict[str, Any]]] = {
    "v2-blosc-F": ("zarr", {"chunks": CHUNKS, "order": "F", "dtype": ">u2", "compressor": {"id": "blosc"}}),
    "v2-bz2": ("zarr", {"chunks": CHUNKS, "dtype": "<u2", "compressor": {"id": "bz2"}, "dimension_separator": "/"}),
    "v3-shard-start": (
        "zarr3",
        {
            "data_type": "uint16",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": SHARDS}},
            "codecs": [
                {
                    "name": "sharding_indexed",
                    "configuration": {
                        "chunk_shape": CHUNKS,
                        "index_location": "start",
                        "codecs": [
                            {"name": "transpose", "configuration": {"order": [2, 0, 1]}},
                            {"name": "bytes", "configuration": {"endian": "big"}},
                            {"name": "blosc", "configuration": {"cname": "zstd"}},
                            {"name": "crc32c"},
                        ],
                    },
                }
            ],
        },
    ),
}


@pytest.mark.parametrize("name", TENSORSTORE)
def test_what_tensorstore_writes(tmp_path: Path, name: str) -> None:
    driver, metadata = TENSORSTORE[name]
    kvstore = {"driver": "file", "path": f"{tmp_path}/a/"}
    spec = {"driver": driver, "kvstore": kvstore, "metadata": {"shape": SHAPE, **metadata}, "create": True}
    data = pixels("<u2")
    tensorstore.open(spec).result().write(data).result()
    check(tmp_path / "a", data)

"""An array's metadata in Zarr v3 (https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from diascope.errors import Unreadable
from diascope.image.region import Ints
from diascope.sources.reading.documents import Document, listing, mapping, part, shown, sizes
from diascope.sources.zarr.dtypes import dtype_v3, fill
from diascope.sources.zarr.metadata import Metadata, check_chunk, dimension_names, joined_by, separator
from diascope.sources.zarr.pipeline import Pipeline

KNOWN = {
    "zarr_format", "node_type", "shape", "data_type", "chunk_grid", "chunk_key_encoding", "fill_value", "codecs",
    "attributes", "dimension_names", "storage_transformers", "consolidated_metadata",
}  # fmt: skip


def metadata_v3(zarr_json: Document, path: str) -> Metadata:
    """The metadata of a ``zarr.json``; raises Unreadable with the reason."""
    _check_known(zarr_json, path)
    dtype = dtype_v3(zarr_json.get("data_type"), path)
    shape = sizes(zarr_json.get("shape"), f"{path}: shape")
    stored_shape = _grid(zarr_json, path)
    filling = fill(zarr_json.get("fill_value"), dtype, path)
    if len(stored_shape) != len(shape):
        check_chunk(shape, stored_shape, dtype.itemsize, path)
    chain = Pipeline(listing(zarr_json.get("codecs"), f"{path}: codecs"), path).chain(stored_shape, dtype, filling)
    metadata = Metadata(
        shape=shape,
        dtype=dtype,
        stored_shape=stored_shape,
        fill=filling,
        key=_key(zarr_json, path),
        chain=chain,
        names=dimension_names(zarr_json.get("dimension_names"), len(shape)),
        attributes=part(zarr_json, "attributes"),
    )
    check_chunk(shape, metadata.chunk_shape, dtype.itemsize, path)
    return metadata


def _check_known(zarr_json: Document, path: str) -> None:
    """An extension that says not that it may be ignored must be understood."""
    for key, value in zarr_json.items():
        ignorable = isinstance(value, dict) and value.get("must_understand") is False
        if key not in KNOWN and not ignorable:
            raise Unreadable(f"{path}: the extension {shown(key)} of Zarr v3 is unknown")
    if zarr_json.get("storage_transformers"):
        raise Unreadable(f"{path}: storage transformers are unknown")


def named(value: Any, what: str) -> tuple[str, Document]:
    """Name and configuration of an extension point."""
    if isinstance(value, str):
        return value, {}
    document = mapping(value, what)
    name = document.get("name")
    if not isinstance(name, str):
        raise Unreadable(f"{what}: it has no name")
    return name, part(document, "configuration")


def _grid(zarr_json: Document, path: str) -> Ints:
    name, configuration = named(zarr_json.get("chunk_grid"), f"{path}: chunk_grid")
    if name != "regular":
        raise Unreadable(f"{path}: the chunk grid {shown(name)} is unknown")
    return sizes(configuration.get("chunk_shape"), f"{path}: chunk_shape", least=1)


def _key(zarr_json: Document, path: str) -> Callable[[Ints], str]:
    name, configuration = named(zarr_json.get("chunk_key_encoding"), f"{path}: chunk_key_encoding")
    if name == "v2":
        return joined_by(separator(configuration.get("separator", "."), path))
    if name != "default":
        raise Unreadable(f"{path}: the chunk key encoding {shown(name)} is unknown")
    between = separator(configuration.get("separator", "/"), path)
    return lambda place: between.join(("c", *map(str, place)))

"""An array's metadata in Zarr v2 (https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html)."""

from __future__ import annotations

from typing import Any

from diascope.errors import Unreadable
from diascope.image.region import Ints
from diascope.sources.reading.documents import Document, listing, mapping, shown, sizes, text
from diascope.sources.reading.packed.packing import Packing, blosc_parameters
from diascope.sources.reading.packed.unpacking import Unpack, by_numcodecs, unpacking
from diascope.sources.zarr.chain import Chain, Plain
from diascope.sources.zarr.dtypes import dtype_v2, fill
from diascope.sources.zarr.metadata import Metadata, check_chunk, dimension_names, joined_by, separator

NAMED = {"blosc", "gzip", "zlib", "zstd"}
FILTERS = {"delta", "fixedscaleoffset", "packbits", "astype", "bitround", "quantize"}


def metadata_v2(zarray: Document, attributes: Document, path: str) -> Metadata:
    """The metadata of a ``.zarray`` and its ``.zattrs``; raises Unreadable with the reason."""
    if zarray.get("zarr_format") != 2:
        raise Unreadable(f"{path}: a .zarray of the Zarr format {shown(zarray.get('zarr_format'))}")
    dtype = dtype_v2(zarray.get("dtype"), path)
    shape = sizes(zarray.get("shape"), f"{path}: shape")
    chunk_shape = sizes(zarray.get("chunks"), f"{path}: chunks", least=1)
    check_chunk(shape, chunk_shape, dtype.itemsize, path)
    order = zarray.get("order", "C")
    if order not in ("C", "F"):
        raise Unreadable(f"{path}: {shown(order)} is no order of pixels in a chunk")
    fortran = order == "F"
    return Metadata(
        shape=shape,
        dtype=dtype.newbyteorder("="),
        stored_shape=chunk_shape,
        fill=fill(zarray.get("fill_value"), dtype, path),
        key=joined_by(separator(zarray.get("dimension_separator", "."), path)),
        chain=Chain(
            _unpacks(zarray, path),
            Plain(chunk_shape[::-1] if fortran else chunk_shape, dtype),
            (lambda pixels: pixels.T,) if fortran else (),
            _packing(zarray, tuple(range(len(shape))[:: -1 if fortran else 1]), dtype.itemsize),
        ),
        names=dimension_names(attributes.get("_ARRAY_DIMENSIONS"), len(shape)),
        attributes=attributes,
    )


def _packing(zarray: Document, order: Ints, itemsize: int) -> Packing | None:
    compressor = zarray.get("compressor")
    if zarray.get("filters"):
        return None
    if compressor is None:
        return Packing(codec="raw", order=order)
    if not isinstance(compressor, dict) or compressor.get("id") not in NAMED:
        return None
    codec = str(compressor["id"])
    told = blosc_parameters(compressor, itemsize) if codec == "blosc" else {}
    return Packing(codec=codec, order=order, parameters=told)


def _unpacks(zarray: Document, path: str) -> tuple[Unpack, ...]:
    """The compressor and the filters, in the order of decoding."""
    compressor = zarray.get("compressor")
    filters = listing(zarray.get("filters") or [], f"{path}: filters")
    codecs = [*filters, compressor] if compressor is not None else filters
    return tuple(_unpack(mapping(codec, f"{path}: codec"), path) for codec in reversed(codecs))


def _unpack(codec: dict[str, Any], path: str) -> Unpack:
    name = text(codec.get("id"), f"{path}: id of a codec")
    configuration = {key: value for key, value in codec.items() if key != "id"}
    if name in FILTERS:
        return by_numcodecs(name, configuration, path)
    return unpacking(name, configuration, path)

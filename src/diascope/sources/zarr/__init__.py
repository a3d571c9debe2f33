"""The Zarr source: OME-Zarr images, plates and collections, and plain arrays, read through a store."""

from diascope.sources.zarr.source import source

__all__ = ["source"]

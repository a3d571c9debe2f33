"""The source of Neuroglancer precomputed volumes, images and segmentations, sharded or not."""

from diascope.sources.precomputed.source import source

__all__ = ["source"]

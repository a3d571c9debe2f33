"""The N5 source: every dataset and multiscale group of a container, read through a store."""

from diascope.sources.n5.source import source

__all__ = ["source"]

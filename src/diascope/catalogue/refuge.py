"""Datasets that are opened and read here, but for what is not trusted: that is left to a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TypeVar

from diascope.errors import Changed
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Region
from diascope.image.stored import stored_as, through
from diascope.isolation.isolated import isolated
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.distrust import Untrusted
from diascope.sources.source import Source
from diascope.stores.store import Store

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Refuge:
    """The same dataset in a worker, opened once something has to be read there."""

    source: Source
    store: Store
    path: str
    owner: str
    """Names the store among all of this process."""
    version: str | None = None
    """Of what was opened here, None where nothing was."""
    _dataset: Dataset | None = None
    _lock: Lock = field(default_factory=Lock)

    def opened(self) -> Dataset:
        """The dataset as it is opened here, where it may be."""
        if self.source.is_isolated:
            return self.dataset
        try:
            dataset = self.source.open(self.store, self.path)
        except Untrusted:
            return self.dataset
        self.version = dataset.version
        return dataset

    @property
    def dataset(self) -> Dataset:
        """Raises Changed where it is no longer what was opened here, and Quarantined."""
        with self._lock:
            if self._dataset is None:
                dataset = isolated(self.source, self.store, self.path, self.owner)
                if self.version not in {None, dataset.version}:
                    raise Changed(f"{self.path} has changed since it was opened")
                self._dataset = replace(
                    dataset,
                    images=_kept(dataset.images),
                    labels=_kept(dataset.labels),
                    associated=_kept(dataset.associated),
                )
            return self._dataset

    def image(self, role: str, name: str, images: Mapping[str, Image]) -> Image:
        """One of the images that were opened, each part of it read here where that may be."""
        if self.version is None:
            return images[name]
        image = self._or(lambda: images[name], lambda: self._there(role, name))
        return replace(image, levels=tuple(self._level(role, name, k, level) for k, level in enumerate(image.levels)))

    def _level(self, role: str, name: str, k: int, level: Level) -> Level:
        def read_pixels(region: Region) -> Pixels:
            return self._or(
                lambda: level.read_pixels(region), lambda: self._there(role, name).levels[k].read_pixels(region)
            )

        stored = level.stored and through(level.stored, lambda action: self._or(action, lambda: None))
        return stored_as(replace(level, read_pixels=read_pixels), stored)

    def _there(self, role: str, name: str) -> Image:
        images: Mapping[str, Image] = getattr(self.dataset, role)
        return images[name]

    @staticmethod
    def _or(here: Callable[[], T], there: Callable[[], T]) -> T:
        try:
            return here()
        except Untrusted:
            return there()


def _kept(images: Mapping[str, Image]) -> Lazily[Image]:
    return Lazily(images, lambda name: images[name])

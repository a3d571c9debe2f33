"""Recipes: one image made of several others of the repository, as a YAML file says."""

from __future__ import annotations

from dataclasses import replace

from diascope.image.image import Image
from diascope.image.mapping import IDENTITY
from diascope.sources.dataset import Dataset
from diascope.sources.members import Members
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.unbound import UNBOUND
from diascope.sources.recipe.identity import known
from diascope.sources.recipe.merged import channels, concatenate
from diascope.sources.recipe.model import AnyRecipe, Channels, Concatenate, Mosaic, Stack, Time
from diascope.sources.recipe.mosaic import mosaic
from diascope.sources.recipe.overlay import overlay
from diascope.sources.recipe.parts import Parts
from diascope.sources.recipe.stack import stack, time
from diascope.sources.recipe.written import SUFFIX
from diascope.sources.source import Head, Source
from diascope.stores.store import Store


def _matches(head: Head) -> bool:
    return head.name.endswith(SUFFIX) and not head.markers


def _opened(store: Store, path: str, members: Members) -> Dataset:
    found = known(store, members, path)
    parts = Parts(members, found)
    name = stem(path, (SUFFIX,))
    image = _image(found.written.recipe, parts)
    metadata = replace(
        image.metadata,
        format=f"Recipe ({found.written.recipe.recipe})",
        extra={"files": min(len(parts.planned), 1 << 53), "first": parts.first.member.path},
    )
    files = (path, *(table for table, _ in found.plan.tables))
    made = replace(image, name=name, metadata=metadata, stored=IDENTITY)
    return Dataset(version=found.version, images={name: made}, files=files)


def _image(recipe: AnyRecipe, parts: Parts) -> Image:
    if isinstance(recipe, Stack):
        return stack(recipe, parts)
    if isinstance(recipe, Time):
        return time(recipe, parts)
    if isinstance(recipe, Channels):
        return channels(recipe, parts)
    if isinstance(recipe, Concatenate):
        return concatenate(recipe, parts)
    return mosaic(recipe, parts) if isinstance(recipe, Mosaic) else overlay(recipe, parts)


def _within(members: Members) -> Source:
    return Source(
        name="recipe",
        title="Diascope recipe",
        suffixes=(SUFFIX,),
        matches=_matches,
        open=lambda store, path: _opened(store, path, members),
        version=lambda store, path: known(store, members, path).version,
        within=_within,
        supports="stacks, mosaics, channels, overlays and time series of other images",
    )


source = _within(UNBOUND)

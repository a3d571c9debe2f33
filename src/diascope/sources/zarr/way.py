"""Maps between two coordinate systems of a file by matrices and fields of vectors (OME-Zarr 0.6).

https://ngff.openmicroscopy.org/specifications/0.6/#coordinates-and-displacements
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from diascope.errors import Unreadable
from diascope.image.displacement import Displacement
from diascope.image.image import Image
from diascope.image.mapping import Linear, Step, linear
from diascope.image.space import spatial
from diascope.image.transformation import DEEPEST, MOST_STEPS, Reader
from diascope.image.vector_field import is_vector_field, kind_of, step_of
from diascope.sources.reading.documents import Document, below, listing, mapping, text
from diascope.sources.zarr.image import array_image, multiscale_image
from diascope.sources.zarr.multiscale import multiscale
from diascope.sources.zarr.node import node
from diascope.sources.zarr.world import array_of, spatial_matrix
from diascope.stores.store import Store

MOST_FIELDS = 16
"""Of one file; each is opened when the file is."""

LARGEST = 1e9
"""How far a matrix may stretch, shrink and move."""

KINDS = {"displacements": "displacement", "coordinates": "coordinate"}


@dataclass(slots=True)
class Way:
    """Reads the steps between two systems of the same axes; raises ValueError and Unreadable."""

    store: Store
    path: str
    letters: str
    count: int
    """Of fields that were opened before."""
    fields: list[tuple[Displacement, Image]] = field(default_factory=list)
    """Those that were opened."""

    def steps(self, step: Document, depth: int = 0, *, inverse: bool) -> list[Step]:
        """From the input to the output, or back."""
        kind = text(step.get("type"), self.path)
        if depth > DEEPEST:
            raise ValueError(f"transformations stand in each other more than {DEEPEST} deep")
        if kind == "sequence":
            listed = listing(step.get("transformations"), self.path)[:MOST_STEPS]
            parts = [self.steps(mapping(each, self.path), depth + 1, inverse=inverse) for each in listed]
            return [each for part in (parts[::-1] if inverse else parts) for each in part]
        if kind == "bijection":
            chosen = mapping(step.get("inverse" if inverse else "forward"), self.path)
            return self.steps(chosen, depth + 1, inverse=False)
        if kind == "byDimension":
            made = self._by_dimension(step)
        else:
            made = [self._field(step, self.letters) if kind in KINDS else self._linear(step)]
        if inverse and any(kind_of(image) == "coordinate" for known, image in self.fields if known in made):
            raise ValueError("a field of coordinates has no way back that could be begun from")
        return [each.inverted() for each in made[::-1]] if inverse else made

    def _linear(self, step: Document) -> Linear:
        matrix = Reader(lambda name: array_of(self.store, self.path, name)).matrix(step, len(self.letters))
        found = spatial_matrix(matrix, self.letters, self.letters)
        if found is None:
            raise ValueError("it mixes space with something else")
        if np.abs(found).max() > LARGEST or np.linalg.svd(found[:3, :3], compute_uv=False).min() < 1 / LARGEST:
            raise ValueError("it flattens space, or leads too far")
        return linear(found)

    def _by_dimension(self, step: Document) -> list[Step]:
        """What its matrices do, and its fields, each along axes of its own."""
        fields: list[Step] = []
        parts: list[Document] = []
        for each in listing(step.get("transformations"), self.path)[:MOST_STEPS]:
            part = dict(mapping(each, self.path))
            own = mapping(part.get("transformation"), self.path)
            if text(own.get("type"), self.path) in KINDS:
                inputs, outputs = (part.get(f"{end}Axes", part.get(f"{end}_axes")) for end in ("input", "output"))
                if inputs != outputs:
                    raise ValueError("a field leads from some axes to others")
                places = [k for k in listing(inputs, self.path) if type(k) is int and 0 <= k < len(self.letters)]
                fields.append(self._field(own, "".join(self.letters[k] for k in places)))
                part["transformation"] = {"type": "identity"}
            parts.append(part)
        return [self._linear({"type": "byDimension", "transformations": parts}), *fields]

    def _field(self, step: Document, letters: str) -> Displacement:
        """The field that a step names, which has a vector for each point along these axes."""
        if self.count + len(self.fields) >= MOST_FIELDS:
            raise ValueError(f"there are more than {MOST_FIELDS} fields")
        path = below(self.path, text(step.get("path"), self.path))
        found = node(self.store, path)
        if found is None:
            raise Unreadable(f"{path}: the field that a transformation names is missing")
        own = multiscale(found)
        image = multiscale_image(self.store, own, "field") if own else array_image(self.store, found, "field")
        if not is_vector_field(image) or kind_of(image) != KINDS[str(step["type"])]:
            raise ValueError("what it names is no such field")
        if sorted(spatial(image)) != sorted(letters):
            raise ValueError("the field has other axes than it moves")
        made = step_of(path, image)
        self.fields.append((made, image))
        return made

"""A file's own axes as the axes t c z y x of an image."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from diascope.image.axes import ORDER
from diascope.image.level import Pixels
from diascope.image.region import Ints, Region
from diascope.sources.tiff.stack import Stack

DIRECT = {"T": "t", "C": "c", "Z": "z", "Y": "y", "X": "x", "S": "c", "E": "c"}


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Which of a stack's axes make each axis of an image; the indices of several run as in C order."""

    stack: Stack
    names: str
    members: tuple[Ints, ...]
    """Per axis of the image the stack's axes that it is made of."""

    @property
    def shape(self) -> Ints:
        return tuple(prod(self.stack.shape[d] for d in group) for group in self.members)

    @property
    def chunk_shape(self) -> Ints:
        return tuple(self._chunk(group) for group in self.members)

    def _chunk(self, group: Ints) -> int:
        """Whole inner axes where they are read together, else the innermost one's own chunk."""
        size = 1
        for d in reversed(group):
            size *= self.stack.chunk_shape[d]
            if self.stack.chunk_shape[d] < self.stack.shape[d]:
                break
        return size

    def read(self, region: Region) -> Pixels:
        """The pixels of a region, a view of memory in the stack's order of axes."""
        rank = len(self.stack.shape)
        start, stop = [0] * rank, [1] * rank
        cuts = []
        for group, low, high in zip(self.members, region.start, region.stop, strict=True):
            outer, inner = group[0], prod(self.stack.shape[d] for d in group[1:])
            start[outer], stop[outer] = low // inner, -(-high // inner)
            for d in group[1:]:
                stop[d] = self.stack.shape[d]
            cuts.append(slice(low - start[outer] * inner, high - start[outer] * inner))
        pixels = self.stack.read(Region(tuple(start), tuple(stop)))
        turned = pixels.transpose([d for group in self.members for d in group])
        folded = turned.reshape(self._folded_shape(turned.shape))
        return folded[tuple(cuts)]

    def _folded_shape(self, turned: Ints) -> Ints:
        sizes = iter(turned)
        return tuple(prod(next(sizes) for _ in group) for group in self.members)


def fold(stack: Stack) -> Fold:
    """Known axes as they are, samples with the channels; unknown ones as z if that is free, else t, else channels."""
    members: dict[str, list[int]] = {}
    unknown = []
    for d, dim in enumerate(stack.dims):
        name = DIRECT.get(dim.letter)
        if name is None or (name in members and name != "c"):
            unknown.append(d)
        else:
            members.setdefault(name, []).append(d)
    for d in unknown:
        free = next((name for name in "zt" if name not in members), "c")
        members.setdefault(free, []).append(d)
    names = "".join(name for name in ORDER if name in members)
    return Fold(stack, names, tuple(tuple(sorted(members[name])) for name in names))


def made_up(folded: Fold) -> str:
    """The axes of the image that the file has no name for: nothing is known of their distances."""
    dims = folded.stack.dims
    return "".join(
        name
        for name, group in zip(folded.names, folded.members, strict=True)
        if any(dims[d].letter not in DIRECT for d in group)
    )

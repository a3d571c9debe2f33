"""Where judges look at samples and at their broken twins, and what comes of it."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import Literal, NamedTuple

import numpy as np

import diascope
from diascope.arrangements.by_name import ByName
from diascope.catalogue.catalogue import catalogue
from diascope.image.image import Image
from diascope.operations.view import view
from diascope.registry import registry
from diascope.settings import RepositorySettings, Settings
from diascope.tree.file import Tree
from tests.conformance.matrix import Row
from tests.conformance.records import Door, Representation, Sample, Served, Twin
from tests.judges.pixels import Rejected, Seen

Verdict = Literal["PASS", "FAIL", "NOT RUN"]


class Outcome(NamedTuple):
    """What came of one look."""

    sample: str
    twin: str | None
    verdict: Verdict
    reason: str
    """Of a failure, of a rejection, or why it was not run."""
    seen: Seen


class Judged(NamedTuple):
    """What came of a row of the matrix."""

    row: Row
    outcomes: list[Outcome]
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """The worst of the outcomes; a row in which nothing was looked at has failed."""
        found = {outcome.verdict for outcome in self.outcomes}
        return "FAIL" if "FAIL" in found or not found else "NOT RUN" if "NOT RUN" in found else "PASS"


class Behind(NamedTuple):
    """A door that is open on the samples or on a broken twin of them."""

    where: Callable[[tuple[str, ...]], str]
    tree: Tree | None


@dataclass
class Court:
    """A repository of the samples, and the doors that are open on it until it is closed."""

    folder: Path
    samples: dict[str, Sample]
    _stack: ExitStack = field(default_factory=ExitStack)
    _open: dict[tuple[str, Twin | None], Behind] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        for sample in self.samples.values():
            pixels = sample.make(self.folder / sample.name)
            served = diascope.open(self.folder / sample.name)
            assert pixels is None or np.array_equal(served[...], pixels), f"{sample.name} is not read as it was written"
        self._image = cache(lambda name: diascope.open(self.folder / name))

    def close(self) -> None:
        self._stack.close()

    def judged(self, row: Row) -> Judged:
        """All samples and twins before one judge."""
        start = perf_counter()
        return Judged(row, list(self._outcomes(row)), perf_counter() - start)

    def _outcomes(self, row: Row) -> Iterator[Outcome]:
        lacking = row.missing
        if lacking:
            yield Outcome("", None, "NOT RUN", lacking, Counter())
            return
        for name, twin in product(self.samples, (None, *row.judge.twins)):
            shown = self._shown(name, row.representation)
            if shown and row.judge.takes(shown[1]) and (twin is None or twin.applies(shown[1])):
                yield self._outcome(row, name, twin, *shown)

    def _shown(self, name: str, representation: Representation) -> tuple[str, Image] | None:
        """The first view of a sample that the layout takes, and what it shows."""
        layout = registry("layouts")[representation.layout]
        for spelled in ("original", "render"):
            image = view(spelled).applied(self._image(name))
            if layout.refuses(image) is None:
                return spelled, image
        return None

    def _outcome(self, row: Row, name: str, twin: Twin | None, spelled: str, image: Image) -> Outcome:
        behind = self._behind(row.door, twin)
        paths = tuple(
            f"{self.folder.name}/{path.format(file=name, view=spelled, stem=image.name)}"
            for path in row.representation.paths
        )
        try:
            seen, reason = row.judge.look(Served(behind.where(paths), image, self._image(name))), ""
        except subprocess.TimeoutExpired:
            return Outcome(name, twin.name if twin else None, "FAIL", "it did not answer in time", Counter())
        except Exception as error:  # noqa: BLE001 — each judge has errors of its own
            seen, reason = Counter[str](), _line(error)
        if twin is None:
            return Outcome(name, None, "FAIL" if reason else "PASS", reason, seen)
        verdict, told = _of_twin(f"{self.folder.name}/{name}/", behind.tree, reason)
        return Outcome(name, twin.name, verdict, told, Counter())

    def _behind(self, door: Door, twin: Twin | None) -> Behind:
        key = door.name, twin
        if key not in self._open:
            tree = twin.broken(self._tree()) if twin else None
            self._open[key] = Behind(self._stack.enter_context(door.open(self.folder, tree)), tree)
        return self._open[key]

    def _tree(self) -> Tree:
        return ByName(catalogue(Settings(repositories={self.folder.name: RepositorySettings(path=self.folder)})))


def _of_twin(below: str, tree: Tree | None, reason: str) -> tuple[Verdict, str]:
    """A twin has to be rejected, and for what is wrong with it."""
    faults = getattr(tree, "faults", [])
    if faults:
        return "FAIL", f"the twin could not be made: {_line(faults[0])}"
    if not any(path.startswith(below) for path in getattr(tree, "broken", [below])):
        return "FAIL", "what is broken in the twin was never asked for"
    return ("PASS", reason) if reason else ("FAIL", "the broken twin was accepted")


def _line(error: Exception) -> str:
    """An error on one line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, Rejected) else f"{type(error).__name__}: {text}"

"""What the processes of a server tell one another: each writes its numbers into a file of a common folder."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeAlias

from diascope.access.observability.answers import BOUNDS, Answered, Series
from diascope.access.observability.samples import FAMILIES, Samples

LONGEST = 4 << 20
"""Bytes of a file that is read."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one process tells."""

    process: str
    answers: dict[Answered, Series]
    samples: Samples


@dataclass(slots=True)
class Folder:
    """The common folder, and the file of this process in it."""

    path: Path
    process: str = field(default_factory=lambda: f"{os.getpid()}-{token_hex(3)}")

    def write(self, told: Told) -> None:
        """Readers see this or what was there before, never a part."""
        document = {
            "answers": [[*answered, series] for answered, series in told.answers.items()],
            "samples": [[*key, value] for key, value in told.samples.items()],
        }
        fresh = self.path / f".{self.process}"
        fresh.write_text(json.dumps(document))
        fresh.replace(self.path / f"{self.process}.json")

    def others(self) -> list[Told]:
        """What all others told last; what one that has ended counted stays, what it held does not."""
        files = sorted(self.path.glob("*.json"))
        return [told for file in files if file.stem != self.process and (told := _read(file))]


def _read(file: Path) -> Told | None:
    try:
        with file.open() as opened:
            document: dict[str, Any] = json.loads(opened.read(LONGEST))
        is_alive = _is_alive(int(file.stem.partition("-")[0]))
        answers = {Answered(*labels): series for *labels, series in document["answers"]}
        samples = {
            (name, label): value
            for name, label, value in document["samples"]
            if is_alive or FAMILIES[name].kind == "counter"
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if any(len(series) != len(BOUNDS) + 2 for series in answers.values()):
        return None
    return Told(file.stem, answers, samples)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


Tellings: TypeAlias = list[Told]


def summed(tellings: Tellings) -> dict[Answered, Series]:
    """The answers of all processes."""
    total: dict[Answered, Series] = {}
    for told in tellings:
        for answered, series in told.answers.items():
            total[answered] = [a + b for a, b in zip(total.get(answered, [0.0] * len(series)), series, strict=True)]
    return total

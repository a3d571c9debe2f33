"""Spoils files of a source in a process of its own, whose end is a finding: ``python -m tests.fuzz.worker …``."""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import sys
from pathlib import Path
from time import monotonic

from tests.fuzz.judge import judged
from tests.fuzz.seeds import case, seeds

ADDRESS_SPACE = 8 << 30


def main() -> None:
    """A line of JSON before each case, with its number, and one after it where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    originals = options.folder / "seeds"
    originals.mkdir(parents=True)
    found = seeds(options.source, originals)
    begun, number = monotonic(), options.first
    while number < options.first + 2 or monotonic() < begun + options.seconds:
        chance = random.Random(f"{options.source} {number}")  # noqa: S311
        folder = options.folder / f"case {number}"
        folder.mkdir()
        path = case(chance.choice(found), folder, chance)
        _tell(number=number, path=str(path))
        wrong = judged(path)
        if wrong:
            _tell(number=number, path=str(path), wrong=wrong)
        else:
            shutil.rmtree(folder)
        number += 1
    _tell(number=number, done=True)


def _tell(**line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

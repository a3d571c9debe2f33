"""The long way: ``python -m tests.fuzz --seconds 600 tiff zarr`` keeps what it finds in tests/fuzz/found."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from diascope.registry import registry
from tests.fuzz.campaign import Finding, findings

FOUND = Path(__file__).with_name("found")


def main() -> None:
    """Print a line for each source; exit code 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="*", default=list(registry("sources")))
    parser.add_argument("--seconds", type=float, default=60.0, help="for each source")
    parser.add_argument("--first", type=int, default=random.randrange(10**9), help="the number of the first case")  # noqa: S311
    options = parser.parse_args()
    wrong = 0
    for source in options.sources:
        with TemporaryDirectory() as folder:
            found, cases = findings(source, Path(folder), options.seconds, options.first)
            print(f"{source}: {cases} cases from {options.first} on, {len(found)} wrong", flush=True)  # noqa: T201
            for each in found:
                print(f"  {keep(source, each)}: {each.wrong}", flush=True)  # noqa: T201
            wrong += len(found)
    sys.exit(1 if wrong else 0)


def keep(source: str, finding: Finding) -> Path:
    """Where the case is kept, so that it becomes a test once it is small."""
    path = Path(finding.path)
    target = FOUND / source / str(finding.number)
    if path.parent.is_dir():
        shutil.copytree(path.parent, target, dirs_exist_ok=True)
    return target


if __name__ == "__main__":
    main()

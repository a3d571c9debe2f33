"""Processor time to arrange a large repository, to look again at the same files, and to find a path then.

The files are empty, since an arrangement opens none; the template joins a table and counts.
"""

from __future__ import annotations

import argparse
import json
import resource
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from diascope.arrangements.arranged import Arranged
from diascope.arrangements.root import root
from diascope.catalogue.catalogue import catalogue
from diascope.settings import ArrangementSettings, RepositorySettings, Settings

FILES, QUICK = 100_000, 2_000
SECTIONS = 100
LOOKS = 10_000

STUDY = """\
arrangement: template
rules:
  - files: "{animal}/{stain}_{section:int}.tif"
    tables:
      - file: animals.csv
        on: {Animal: animal}
    layout: ome-tiff
    target: "{group}/{animal}/{n:03}-{stain}-{section:04}{suffix}"
"""


def repository(folder: Path, files: int) -> Settings:
    """So many files, and the settings that arrange them."""
    lab = folder / "lab"
    animals = [f"M{k:05}" for k in range(files // SECTIONS)]
    for animal in animals:
        (lab / animal).mkdir(parents=True)
        for k in range(SECTIONS):
            (lab / animal / f"DAPI_{k}.tif").touch()
    rows = [f"{animal},group {k % 7}" for k, animal in enumerate(animals)]
    (lab / "animals.csv").write_text("\n".join(["Animal,group", *rows]))
    (folder / "study.yaml").write_text(STUDY)
    return Settings(
        repositories={"lab": RepositorySettings(path=lab)},
        arrangements={"study": ArrangementSettings(mapping=folder / "study.yaml")},
    )


def measured(study: Arranged) -> dict[str, float]:
    """Seconds of the processor, but of a request microseconds."""
    start = process_time()
    contents = study.contents
    first = process_time() - start
    again = looked_again(study)
    paths = [path for path, _ in contents.leaves()][:LOOKS]
    start = process_time()
    for path in paths:
        study._walked(path)  # noqa: SLF001
    request = (process_time() - start) / len(paths) * 1e6
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"files": contents.count, "first look": first, "another look": again, "request": request, "MiB": memory}


def looked_again(study: Arranged) -> float:
    """How long it takes to find that nothing has changed."""
    before = study.contents
    start = process_time()
    outcome = study._renewed(study._outcome)  # noqa: SLF001
    assert outcome.contents is before, "nothing has changed"  # noqa: S101
    return process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small repository, to see that it runs")
    parser.add_argument("--folder", type=Path, help="where arrangements.json is written, too")
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="arranged-") as folder:
        settings = repository(Path(folder), QUICK if asked.quick else FILES)
        found = measured(root(settings, catalogue(settings)).arrangements["study"])
    print(
        f"{found['files']:.0f} files are arranged in {found['first look']:.2f} s, looked at again in "
        f"{found['another look']:.2f} s; a path is found in {found['request']:.2f} µs; {found['MiB']:.0f} MiB in all"
    )
    if asked.folder:
        (asked.folder / "arrangements.json").write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()

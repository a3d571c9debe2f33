"""How long starting takes, and how large an installation is: ``python benchmarks/startup.py``.

Importing and the help are medians of processes of their own, beside a Python that does nothing. The repository of a
million files was indexed by a server before; what counts is the time from another server's start to its first tile. The
installation is a fresh environment with this repository and its default dependencies.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from statistics import median
from time import clock_gettime, perf_counter, sleep
from typing import NamedTuple

from million import filled, indexed, serving

TOP = Path(__file__).parents[1]
BARS = {"import": 0.3, "help": 0.5, "repository": 2}
LARGEST = 700
"""Megabytes of an installation."""
TITLES = {
    "import": "import diascope",
    "help": "diascope --help",
    "repository": "{files:,} indexed files to the first tile",
}
REPEATS = 9
PATIENCE = 1800


class Time(NamedTuple):
    """Seconds by the clock, and of the processor: where a machine has other work, the clock tells little."""

    clock: float
    cpu: float


def taken(*words: str) -> Time:
    """By a process from its start to its end."""
    begun, before = perf_counter(), children()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    return Time(perf_counter() - begun, children() - before)


def children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def middle(times: list[Time]) -> Time:
    return Time(*(median(column) for column in zip(*times, strict=True)))


def started(repeats: int) -> dict[str, Time]:
    """Taking turns, so that a busy moment is nobody's."""
    commands = {
        "python": ("-c", "pass"),
        "import": ("-c", "import diascope"),
        "help": ("-m", "diascope", "--help"),
    }
    found: dict[str, list[Time]] = {name: [] for name in commands}
    for words in commands.values():
        taken(*words)
    for _ in range(repeats):
        for name, words in commands.items():
            found[name].append(taken(*words))
    return {name: middle(each) for name, each in found.items()}


def repository(files: int, repeats: int) -> dict[str, Time]:
    """Seconds until the first tile, where the index is whole and where there is none yet."""
    with tempfile.TemporaryDirectory(prefix="startup-") as name:
        scratch = Path(name)
        filled(scratch, files)
        with serving(scratch / "images", scratch) as (_, process, clock):
            first = Time(clock, used(process))
            begun = perf_counter()
            while not is_whole(scratch, files):
                if perf_counter() - begun > PATIENCE:
                    raise SystemExit("the repository is not indexed")
                sleep(1)
        again = []
        for _ in range(repeats):
            with serving(scratch / "images", scratch) as (_, process, clock):
                again.append(Time(clock, used(process)))
    return {"repository without index": first, "repository": middle(again)}


def used(process: int) -> float:
    """Seconds of the processor, by the scheduler's clock of the process."""
    return clock_gettime((~process << 3) | 2)


def is_whole(scratch: Path, files: int) -> bool:
    waiting, entries = indexed(scratch)
    return waiting == 0 and entries > files


def installed() -> float:
    """Megabytes that a fresh environment gains by the default installation, compiled files included."""
    with tempfile.TemporaryDirectory(prefix="install-") as name:
        venv.create(name, with_pip=True)
        before = size(Path(name))
        python, pinned = Path(name) / "bin" / "python", TOP / "constraints.txt"
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--constraint", pinned, TOP], check=True)
        return (size(Path(name)) - before) / 1e6


def size(folder: Path) -> int:
    """Bytes on the disk, as du counts them."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true", help="few files and no installation, to see that it runs")
    parser.add_argument("--folder", type=Path, help="where startup.json is written; none without")
    asked = parser.parse_args()
    files, repeats = (2000, 1) if asked.quick else (asked.files, REPEATS)
    times = {**started(repeats), **repository(files, min(repeats, 3))}
    for name, bar in BARS.items():
        clock, cpu = times[name]
        verdict = "reached" if clock <= bar else "NOT REACHED"
        print(f"{TITLES[name].format(files=files)}: {verdict}, {clock:.2f} of {bar:g} s ({cpu:.2f} s of CPU)")
    clock, cpu = times["python"]
    print(f"of these a Python that does nothing takes {clock:.2f} s ({cpu:.2f} s of CPU)")
    clock, cpu = times["repository without index"]
    print(f"without an index: {clock:.2f} s to the first tile ({cpu:.2f} s of CPU)")
    megabytes = None if asked.quick else installed()
    if megabytes:
        verdict = "reached" if megabytes <= LARGEST else "NOT REACHED"
        print(f"default installation: {verdict}, {megabytes:.0f} of {LARGEST} MB")
    if asked.folder:
        told = {name: time._asdict() for name, time in times.items()} | {"install_megabytes": megabytes}
        (asked.folder / "startup.json").write_text(json.dumps(told, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()

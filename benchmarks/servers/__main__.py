"""Server CPU a request, requests a second, latencies and memory of Diascope beside its peers, on the same work.

Every answer is decoded and compared with the pixels that are to be seen there. Servers take turns, and each round has
processes of its own; medians of rounds are told.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from .beside import prepared
from .measuring import Checked, Round, Wrong, measured, medians
from .peers import Peers, Way
from .pictures import QUICK, Pixels, Sizes, pictures
from .report import judged, tables
from .resampled import LIBRARIES, resampled
from .sequential import sequential, told
from .work import Work, works

SEQUENTIAL = "sequential"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "diascope-benchmarks"


def main() -> None:
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that servers end, too
    console = Console(width=120)
    with console.status("writing pictures"):
        found = pictures(asked.folder / ("quick" if asked.quick else "full"), QUICK if asked.quick else Sizes())
        prepared(found)
    with TemporaryDirectory(prefix="servers-") as scratch:
        peers = Peers(found, asked.peers, Path(scratch), tuple(asked.serve.split()))
        results = _compared(peers, asked, console)
    readings = _readings(asked, console)
    judged(console, results)
    for line in told(readings):
        console.print(line, highlight=False)
    target = asked.folder / "servers.json"
    target.write_text(
        json.dumps({**_machine(), "results": results, "sequential": readings}, indent=2), encoding="utf-8"
    )
    console.print(f"written to {target}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.servers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="on small pictures and for a moment, to see that it runs")
    parser.add_argument("--rounds", type=int, default=3, help="how often each server has its turn")
    parser.add_argument("--seconds", type=float, default=2, help="how long each is asked, at most")
    parser.add_argument("--only", default="", help="works whose names are in this list, such as tile,raw")
    parser.add_argument("--servers", default="", help="servers whose names are in this list")
    parser.add_argument("--serve", default="", help="more arguments of diascope serve")
    parser.add_argument("--folder", type=Path, default=CACHE, help="where pictures and results are kept")
    parser.add_argument("--peers", type=Path, default=CACHE / "peers", help="where install.sh has put the peers")
    asked = parser.parse_args()
    if asked.quick:
        asked.rounds, asked.seconds = 1, 0.3
    return asked


def _compared(peers: Peers, asked: argparse.Namespace, console: Console) -> list[dict[str, Any]]:
    """All works, one after another."""
    todo, ways = works(peers.pictures), peers.ways()
    results = []
    for name in asked.only.split(",") if asked.only else todo:
        if name == SEQUENTIAL:
            continue
        chosen = [way for way in ways[name] if not asked.servers or way.server in asked.servers.split(",")]
        with console.status(f"measuring {todo[name].title}"):
            rows = _work(peers, todo[name], chosen, asked)
            if name == "affine" and not asked.servers:
                rows += resampled(peers, todo[name], LIBRARIES, asked.rounds)
        tables(console, rows, todo[name].title)
        results += rows
    return results


def _work(peers: Peers, work: Work, ways: list[Way], asked: argparse.Namespace) -> list[dict[str, Any]]:
    """All servers taking turns."""
    rounds: list[list[Round]] = [[] for _ in ways]
    troubles = [peers.missing(way.server) for way in ways]
    known: dict[Any, Pixels] = {}
    checks = [Checked(work, way, known) for way in ways]
    for _ in range(asked.rounds):
        for number, way in enumerate(ways):
            if troubles[number]:
                continue
            try:
                rounds[number].append(measured(peers, work, way, checks[number], asked.seconds))
            except (Wrong, OSError) as trouble:
                troubles[number] = f"{type(trouble).__name__}: {trouble}"
    return [
        {
            "work": work.name,
            "name": f"{way.server}, {way.label}" if way.label else way.server,
            "missing": trouble,
            "checked": len(check.sums),
            "peak_bytes": median(each.peak for each in round_) if round_ else 0,
            "phases": [] if trouble else medians(round_),
        }
        for way, round_, trouble, check in zip(ways, rounds, troubles, checks, strict=True)
    ]


def _readings(asked: argparse.Namespace, console: Console) -> list[dict[str, Any]]:
    """W7, which has no peers."""
    if asked.only and SEQUENTIAL not in asked.only.split(","):
        return []
    with console.status("reading a virtual OME-TIFF"):
        return sequential(asked.folder, asked.rounds, is_quick=asked.quick)


def _machine() -> dict[str, Any]:
    """What it was measured on, and when."""
    names = [line for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if "model name" in line]
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": names[0].partition(":")[2].strip() if names else platform.machine(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "kernel": platform.release(),
    }


main()

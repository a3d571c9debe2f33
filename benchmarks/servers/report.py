"""The table of what was measured, and whether the bars are reached."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

BARS: dict[tuple[str, str], tuple[str, float]] = {
    ("tile", "first"): ("W1", 0.06),
    ("tile", "again"): ("W2", 0.05),
    ("composite", "first"): ("W3", 2.2),
    ("region", "first"): ("W4", 2.6),
    ("chunk", "first"): ("W5", 0.15),
    ("raw", "first"): ("W5", 0.9),
    ("affine", "first"): ("W6", 3),
    ("png", "first"): ("W8", 1.1),
}
"""The name of each, and the server's milliseconds of CPU for one request, at most."""
JUDGED = 16
"""The connections at which bars hold."""
WIDEST = 5
"""How many times as long as half of the tiles one in a hundred may take."""
OURS, LIMIT = "Diascope", "nginx"
BUSY = 1.5
"""Load of the machine above which latencies tell little: the server and the client are one or two of it."""


def tables(console: Console, rows: list[dict[str, Any]], title: str) -> None:
    """Of one work: the first time, and again."""
    for (work, when), (name, bar) in BARS.items():
        if rows and rows[0]["work"] == work:
            console.print(_table(f"{name} {title}, {_times(when)}: at most {bar} ms of CPU", rows, when))


def judged(console: Console, results: list[dict[str, Any]]) -> None:
    """The verdicts, what is missing, and what the figures are worth."""
    for line in verdicts(results):
        console.print(line, highlight=False)
    for result in results:
        if result["missing"]:
            console.print(f"[bold red]NOT MEASURED[/]: {result['name']}, {result['work']}: {result['missing']}")
    if any(phase["load"] > BUSY for result in results for phase in result["phases"]):
        console.print(f"the machine was loaded (over {BUSY}): ratios of CPU hold, latencies and requests/s do not")


def _times(when: str) -> str:
    return "first time" if when == "first" else "again"


def _table(title: str, rows: list[dict[str, Any]], when: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("", no_wrap=True)
    for heading in ("CPU ms, 1", f"CPU ms, {JUDGED}", "req/s", "p50 ms", "p99 ms", "peak MB", "load"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        if row["missing"]:
            table.add_row(row["name"], *["not measured"] * 2, style="red")
            continue
        one, many = (phase_of(row, connections, when) for connections in (1, JUDGED))
        figures = (f"{one['cpu_ms']:.3f}", f"{many['cpu_ms']:.3f}", f"{many['per_second']:,.0f}")
        latencies = (f"{many['p50_ms']:.2f}", f"{many['p99_ms']:.2f}")
        table.add_row(row["name"], *figures, *latencies, f"{row['peak_bytes'] / 1e6:,.0f}", f"{many['load']:.1f}")
    return table


def phase_of(result: dict[str, Any], connections: int, when: str) -> dict[str, Any]:
    phases: list[dict[str, Any]] = result["phases"]
    return next(phase for phase in phases if (phase["connections"], phase["when"]) == (connections, when))


def verdicts(results: list[dict[str, Any]]) -> list[str]:
    """A line for each bar and each way in which Diascope is asked."""
    lines = []
    for (work, when), (name, bar) in BARS.items():
        costs = {
            result["name"]: phase_of(result, JUDGED, when)["cpu_ms"]
            for result in results
            if result["work"] == work and not result["missing"]
        }
        lines += [
            f"{name} {label}, {_times(when)}: {_judged(costs[label], bar)}{_beside(costs, label)}"
            for label in costs
            if label.startswith(OURS)
        ]
    return lines + _widths(results)


def _judged(cost: float, bar: float) -> str:
    return f"{'reached' if cost <= bar else 'NOT REACHED'}, {cost:.3f} of {bar} ms"


def _beside(costs: dict[str, float], label: str) -> str:
    """As ratios to the best peer and to files that nginx has."""
    ratios = []
    peers = {name: cost for name, cost in costs.items() if not name.startswith((OURS, LIMIT)) and "library" not in name}
    if peers:
        best = min(peers, key=peers.__getitem__)
        ratios.append(f"{costs[label] / peers[best]:.2f} of {best}'s {peers[best]:.3f}")
    limits = (name for name in costs if name == LIMIT or "library" in name)
    ratios += [f"{costs[label] / costs[name]:.2f} of {name}'s {costs[name]:.3f}" for name in limits]
    return "".join(f"; {ratio}" for ratio in ratios)


def _widths(results: list[dict[str, Any]]) -> list[str]:
    lines = []
    for result in results:
        if result["work"] == "tile" and result["name"].startswith(OURS) and not result["missing"]:
            phase = phase_of(result, JUDGED, "first")
            ratio = phase["p99_ms"] / phase["p50_ms"]
            verdict = "reached" if ratio <= WIDEST else "NOT REACHED"
            lines.append(f"W1 {result['name']}, p99 of {JUDGED} connections: {verdict}, {ratio:.1f} of {WIDEST} × p50")
    return lines

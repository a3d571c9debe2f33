"""Clients in a process of their own: ``python client.py PORT CONNECTIONS SECONDS < orders.json``, the answer on stdout.

The orders are paths, each asked for once, and then at random for so many seconds. Each connection is kept alive and has
one request under way. Every answer must be 200, and the same bytes whenever its path is asked for again.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import zlib
from collections.abc import Iterator
from itertools import takewhile
from time import perf_counter


class Phase:
    """What one round of requests gave."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.bytes = 0
        self.start = perf_counter()

    def told(self) -> dict[str, float]:
        ordered = sorted(self.latencies)
        return {
            "requests": len(ordered),
            "seconds": perf_counter() - self.start,
            "p50": ordered[len(ordered) // 2],
            "p99": ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)],
            "bytes": self.bytes,
        }


async def phase(port: int, connections: int, paths: Iterator[str], seen: dict[str, int]) -> dict[str, float]:
    """All the paths, asked for over so many connections."""
    found = Phase()
    await asyncio.gather(*(connection(port, paths, seen, found) for _ in range(connections)))
    return found.told()


async def connection(port: int, paths: Iterator[str], seen: dict[str, int], found: Phase) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for path in paths:
        start = perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        body = await reader.readexactly(int(length))
        found.latencies.append(perf_counter() - start)
        found.bytes += len(body)
        sum_ = zlib.crc32(body)
        if not head.startswith(b"HTTP/1.1 200 ") or seen.setdefault(path, sum_) != sum_:
            raise SystemExit(f"{path} was answered with {head.decode('latin-1')}{body[:300]!r}")
    writer.close()


def main() -> None:
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    paths: list[str] = json.loads(sys.stdin.readline())
    seen: dict[str, int] = {}
    order = random.Random(1)  # noqa: S311
    first = asyncio.run(phase(port, connections, iter(paths), seen))
    print(json.dumps(first), flush=True)
    sys.stdin.readline()  # the server's processor time is read between the two
    end = perf_counter() + seconds
    again = takewhile(lambda _: perf_counter() < end, iter(lambda: order.choice(paths), None))
    print(json.dumps(asyncio.run(phase(port, connections, again, seen))), flush=True)
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()

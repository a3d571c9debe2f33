"""The numbers that a process tells of itself, by name and at most one label."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias


class Family(NamedTuple):
    """What numbers of a name mean."""

    kind: Literal["counter", "gauge"]
    told: str
    label: str = ""


Samples: TypeAlias = dict[tuple[str, str], float]
"""By the name of the family and the value of its label, empty where it has none."""

FAMILIES = {
    "diascope_cache_hits": Family("counter", "What was asked of a cache and there", "cache"),
    "diascope_cache_misses": Family("counter", "What was asked of a cache and had to be made", "cache"),
    "diascope_cache_bytes": Family("gauge", "What a cache holds", "cache"),
    "diascope_cache_limit_bytes": Family("gauge", "What a cache may hold", "cache"),
    "diascope_chunks": Family("counter", "Stored chunks by how they were read: decoded, or passed on unopened", "how"),
    "diascope_open_datasets": Family("gauge", "Datasets that are open, and those remembered as unreadable"),
    "diascope_open_handles": Family("gauge", "File handles and sockets of the process"),
    "diascope_resident_bytes": Family("gauge", "Memory of the process that is not swapped out"),
    "diascope_threads": Family("gauge", "Threads of the process"),
    "diascope_work_running": Family("gauge", "Requests that a thread works for", "lane"),
    "diascope_work_waiting": Family("gauge", "Requests that wait for a thread or for memory", "lane"),
    "diascope_work_memory_bytes": Family("gauge", "Memory that is set aside for requests of the large lane"),
    "diascope_work_memory_limit_bytes": Family("gauge", "Memory that may be (work_memory)"),
    "diascope_refused": Family("counter", "Requests that were refused by admission", "reason"),
    "diascope_vanished": Family("counter", "Clients that left before they had an answer"),
    "diascope_connections": Family("gauge", "Connections of clients"),
    "diascope_unsent_bytes": Family("gauge", "Bytes of answers that clients have not taken yet"),
    "diascope_cut": Family("counter", "Connections that were cut", "reason"),
    "diascope_reader_processes": Family("gauge", "Processes that run the readers which could crash or hang"),
    "diascope_quarantined_files": Family("gauge", "Files that are left alone because their reader came to grief"),
}
"""In the order in which they are told; Prometheus puts ``_total`` behind the names of counters."""

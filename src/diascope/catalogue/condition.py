"""How a server's catalogue does: what its caches hold, which of its repositories cannot be reached."""

from __future__ import annotations

from diascope.bounded import BoundedCache
from diascope.catalogue import guard
from diascope.catalogue.catalogue import Catalogue
from diascope.errors import DiascopeError
from diascope.isolation.pool import pool


def condition(catalogue: Catalogue) -> dict[tuple[str, str], float]:
    """Numbers by name and label, as ``diascope.access.observability.samples`` describes them."""
    samples: dict[tuple[str, str], float] = {
        ("diascope_chunks", "decoded"): guard.decoded.value,
        ("diascope_chunks", "passed"): guard.passed.value,
        ("diascope_reader_processes", ""): pool().alive,
        ("diascope_quarantined_files", ""): len(pool().quarantine),
    }
    caches: dict[str, BoundedCache[object]] = {"chunks": catalogue.chunks, "files": catalogue.files}  # type: ignore[dict-item]
    for name, cache in caches.items():
        samples["diascope_cache_hits", name] = cache.hits
        samples["diascope_cache_misses", name] = cache.misses
        samples["diascope_cache_bytes", name] = cache.bytes
        samples["diascope_cache_limit_bytes", name] = cache.max_bytes
    for repository in catalogue.repositories.values():
        samples["diascope_open_datasets", ""] = len(repository.datasets)  # which all of them share
    return samples


def reasons(catalogue: Catalogue) -> list[str]:
    """What keeps requests from being answered as they should, nothing where all is well."""
    return [reason for name in catalogue.repositories if (reason := _unreached(catalogue, name))]


def _unreached(catalogue: Catalogue, name: str) -> str | None:
    try:
        next(iter(catalogue.repositories[name].store.names("")), None)
    except DiascopeError as error:
        return f"the repository {name!r} cannot be reached: {error}"
    return None

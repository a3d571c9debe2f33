"""A shared cache in a server that speaks Redis' protocol, such as Valkey (https://redis.io/docs/latest/commands/)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from diascope.optional import library

SCHEMES = {"redis": "redis", "rediss": "rediss", "valkey": "redis", "valkeys": "rediss"}
"""What an address may begin with, and what the library calls that."""
PREFIX = "diascope:"
KEPT = 14 * 24 * 3600
"""Seconds after which an entry goes; how much memory all of them may take is for the server to say."""
PATIENCE = 0.25
"""Seconds that it may take to answer: what it has would be made in that time."""
CONNECTIONS = 32


class RedisShelf:
    """Entries under keys that begin with ``diascope:``."""

    def __init__(self, url: str) -> None:
        """Nothing is asked of the server yet; raises Unavailable where the library is missing."""
        redis = library("redis", "redis")
        parts = urlsplit(url)
        self.told = f"at {parts.hostname or 'localhost'}:{parts.port or 6379}"
        pool = redis.BlockingConnectionPool.from_url(
            urlunsplit(parts._replace(scheme=SCHEMES[parts.scheme])),
            max_connections=CONNECTIONS,
            timeout=PATIENCE,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            socket_keepalive=True,
        )
        self._client: Any = redis.Redis(connection_pool=pool, retry=None)

    def read(self, key: str, most: int) -> bytes | None:
        # A range, so that no more comes than can be an entry, whatever somebody wrote there.
        data: bytes = self._client.getrange(PREFIX + key, 0, most)
        return data or None

    def write(self, key: str, data: bytes) -> None:
        self._client.set(PREFIX + key, data, ex=KEPT)

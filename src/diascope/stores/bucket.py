"""A bucket of S3 or Google Cloud Storage, or a container of Azure, and what opens it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from diascope.errors import BadRequest, Unavailable

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

RETRIES: RetryConfig = {
    "max_retries": 4,
    "retry_timeout": timedelta(seconds=20),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2), "base": 2},
}

TIMEOUTS: ClientConfig = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=120)}


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where a bucket is, with its keys, which are shown nowhere."""

    scheme: str
    """``s3``, ``gs`` or ``az``."""
    name: str
    endpoint: str | None = None
    region: str | None = None
    account: str | None = None
    anonymous: bool = False
    credentials: tuple[tuple[str, SecretStr], ...] = ()

    def __str__(self) -> str:
        return f"{self.scheme}://{self.name}"

    @property
    def is_ordered(self) -> bool:
        """Whether keys are listed in the order of their bytes."""
        return self.scheme != "az"

    @property
    def client(self) -> Any:
        """What it lacks in credentials it takes from the environment, or the machine's role.

        Raises Unavailable in a process that was forked from one that has used another.
        """
        if _process.setdefault("first", os.getpid()) != os.getpid():
            raise Unavailable(f"{self}: a process that is forked from one that reads a bucket cannot do so: spawn it")
        return _client(self)


_process: dict[str, int] = {}
"""Whose threads the library works with: a forked process would wait for them for ever."""


@cache
def _client(bucket: Bucket) -> Any:
    from obstore import store

    keys: dict[str, Any] = {name: secret.get_secret_value() for name, secret in bucket.credentials}
    plain = {"allow_http": True} if _endpoint(bucket).startswith("http://") else {}
    client: dict[str, Any] = {**TIMEOUTS, **plain}
    common = {"client_options": client, "retry_config": RETRIES, **keys}
    if bucket.anonymous:
        common["skip_signature"] = True
    kind: Any = {"s3": store.S3Store, "gs": store.GCSStore, "az": store.AzureStore}[bucket.scheme]
    named = {"base_url" if bucket.scheme == "gs" else "endpoint": bucket.endpoint}
    named |= {"region": bucket.region, "account_name": bucket.account}
    try:
        return kind(bucket.name, **common, **{name: value for name, value in named.items() if value is not None})
    except Exception as error:  # noqa: BLE001 - the library's errors have no base class in common
        reason = (
            "an Azure container needs the setting account" if "Account must be" in str(error) else "see its settings"
        )
        # Its text may repeat a key.
        raise BadRequest(f"{bucket} cannot be opened: {reason} ({type(error).__name__})") from None


def _endpoint(bucket: Bucket) -> str:
    """That of the settings, else of the environment, as AWS has it."""
    named = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT") if bucket.scheme == "s3" else ()
    return bucket.endpoint or next((os.environ[name] for name in named if os.environ.get(name)), "")

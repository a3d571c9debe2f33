"""The stores that the settings name."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import SecretStr

from diascope.settings import MEBIBYTE, RepositorySettings, Settings
from diascope.stores.blocks import Blocks
from diascope.stores.bucket import Bucket
from diascope.stores.copies import Copies
from diascope.stores.http import HttpStore
from diascope.stores.local import LocalStore
from diascope.stores.moment import Moment
from diascope.stores.objects import ObjectStore
from diascope.stores.read_ahead import Distant, ReadAhead
from diascope.stores.store import Store

CLOUDS = {"s3": "s3", "gs": "gs", "az": "az", "abfs": "az"}
"""The provider of each scheme."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all distant stores of a process share."""

    refresh_seconds: float = 2.0
    blocks: Blocks = field(default_factory=lambda: Blocks(64 * MEBIBYTE))
    copies: Copies = field(default_factory=Copies)


def shared(settings: Settings) -> Shared:
    """As much memory and disk as the settings allow."""
    copies = Copies(settings.local_copies_folder, settings.local_copies)
    return Shared(settings.refresh_seconds, Blocks(settings.block_cache), copies)


def store(entry: RepositorySettings, common: Shared) -> Store:
    """Where a repository lies; nothing is asked of it yet."""
    if entry.path is not None:
        return LocalStore(entry.path, entry.follow_links)
    return ReadAhead(distant(entry), common.blocks, Moment(common.refresh_seconds), common.copies)


def distant(entry: RepositorySettings) -> Distant:
    """What lies below the URL of a repository."""
    url = entry.url or ""
    parts = urlsplit(url)
    if parts.scheme not in CLOUDS:
        return HttpStore(f"{url.rstrip('/')}/", frozenset(entry.redirects), _authorization(entry.credentials))
    bucket = Bucket(
        scheme=CLOUDS[parts.scheme],
        name=parts.netloc,
        endpoint=entry.endpoint,
        region=entry.region,
        account=entry.account,
        anonymous=entry.anonymous,
        credentials=tuple(sorted(entry.credentials.items(), key=lambda each: each[0])),
    )
    prefix = parts.path.strip("/")
    return ObjectStore(bucket, f"{prefix}/" if prefix else "")


def _authorization(credentials: Mapping[str, SecretStr]) -> SecretStr | None:
    """The header of a bearer token (RFC 6750) or of a user and a password (RFC 7617)."""
    secrets = {name: secret.get_secret_value() for name, secret in credentials.items()}
    if "token" in secrets:
        return SecretStr(f"Bearer {secrets['token']}")
    if "username" in secrets or "password" in secrets:
        text = f"{secrets.get('username', '')}:{secrets.get('password', '')}"
        return SecretStr(f"Basic {b64encode(text.encode()).decode()}")
    return None

"""One settings object, from one diascope.toml and the environment (``DIASCOPE_PORT=8080``)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

MEBIBYTE = 1 << 20

_S3 = ("access_key_id", "secret_access_key", "session_token")
_AZURE = ("account_key", "sas_key", "client_id", "client_secret", "tenant_id")
_HTTP = ("token", "username", "password")
CREDENTIALS = {
    "s3": _S3,
    "gs": ("service_account_key",),
    "az": _AZURE,
    "abfs": _AZURE,
    "http": _HTTP,
    "https": _HTTP,
}
"""What the stores of each scheme are unlocked by."""


SHARED = ("redis://", "rediss://", "valkey://", "valkeys://")
"""How the address of a shared cache begins that is no folder."""


def checked_url(url: str) -> str:
    """The URL of a place; raises ValueError, which does not repeat it, where it holds more than a place."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("this is no URL") from None  # what is wrong may be told with all of it
    if parts.scheme not in CREDENTIALS or not parts.hostname:
        raise ValueError(f"a URL is one of {', '.join(f'{scheme}://' for scheme in CREDENTIALS)} and a bucket or host")
    if "@" in parts.netloc:
        raise ValueError("a URL has no user, password or account before its host: they are settings of their own")
    if parts.query or parts.fragment:
        raise ValueError("a URL has no query, which often is a signature, and no fragment: credentials are settings")
    if not url.isprintable() or any(part in {".", ".."} for part in parts.path.split("/")):
        raise ValueError("a URL leads straight to its place")
    return url


class RepositorySettings(BaseModel):
    """A place full of images: a folder, or what lies below a URL."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    path: Path | None = Field(None, description="The folder that the images lie in; this or `url`.")
    url: str | None = Field(
        None, description="`s3://bucket/prefix`, `gs://…`, `az://container/…`, `http://…` or `https://…`; or `path`."
    )
    endpoint: str | None = Field(None, description="The URL of a store that is not its provider's own, such as MinIO.")
    region: str | None = Field(None, description="The region of an S3 bucket.")
    account: str | None = Field(None, description="The storage account of an Azure container.")
    anonymous: bool = Field(False, description="Whether a public bucket is read without credentials.")
    credentials: dict[str, SecretStr] = Field(
        {}, description="Keys of the store by name, where neither the environment nor the machine's role has them."
    )
    redirects: list[str] = Field([], description="Other hosts that an HTTP server may redirect to.")
    follow_links: bool = Field(False, description="Whether symbolic links may lead out of the folder.")
    views: dict[str, str] = Field({}, description="Saved views: @name in an address stands for the operations here.")

    @field_validator("url", "endpoint")
    @classmethod
    def _without_secrets(cls, url: str | None) -> str | None:
        return url if url is None else checked_url(url)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise ValueError("a repository has either a path or a url")
        if self.endpoint and not self.endpoint.startswith(("http://", "https://")):
            raise ValueError("an endpoint is the URL of a server: http:// or https://")
        known = CREDENTIALS[urlsplit(self.url).scheme] if self.url else ()
        if unknown := sorted(set(self.credentials) - set(known)):
            raise ValueError(f"no such credentials: {', '.join(unknown)}; there are: {', '.join(known) or 'none'}")
        return self


class ArrangementSettings(BaseModel):
    """Files arranged otherwise than they lie."""

    model_config = ConfigDict(extra="forbid")

    mapping: Path = Field(description="The mapping file: beside diascope.toml, or in the repository if one is named.")
    repository: str | None = Field(
        None, description="The repository that the mapping file lies in, which is then all that it may show."
    )


OF_MACHINE = (
    "chunk_cache", "file_cache", "block_cache", "reader_cache", "reader_processes", "work_memory",
    "send_memory", "threads",
)  # fmt: skip
"""What is set for all workers of a machine together."""


class Settings(BaseSettings):
    """Everything that can be set; sizes are in bytes unless the name says otherwise."""

    model_config = SettingsConfigDict(
        env_prefix="DIASCOPE_", env_nested_delimiter="__", extra="forbid", hide_input_in_errors=True
    )

    repositories: dict[str, RepositorySettings] = Field({}, description="The repositories by name.")
    arrangements: dict[str, ArrangementSettings] = Field({}, description="The arrangements by name.")
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8400, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    chunk_cache: int = Field(512 * MEBIBYTE, ge=0, description="How much memory decoded chunks may take.")
    file_cache: int = Field(128 * MEBIBYTE, ge=0, description="How much memory encoded files may take.")
    reader_cache: int = Field(
        256 * MEBIBYTE,
        ge=16 * MEBIBYTE,
        description="How much memory all else may take that readers and operations keep: what they unpacked, indices, "
        "tables.",
    )
    prefetch: bool = Field(
        True,
        description="Whether costly chunks are read before they are asked for, where a viewer is going, while "
        "nothing else is read.",
    )
    decoded_pictures: int = Field(
        4096 * MEBIBYTE,
        ge=0,
        description="How much disk, in the system's folder for temporary files, decoded pictures may take that have no "
        "tiles and are too big for memory.",
    )
    shared_cache: SecretStr | None = Field(
        None,
        description="Where encoded files are kept for other processes and machines, and beyond a restart: a folder "
        "that nothing else uses, or `redis://user:password@host:6379/0` (`rediss://` with TLS) of Redis or Valkey.",
    )
    shared_cache_bytes: int = Field(
        10240 * MEBIBYTE, ge=64 * MEBIBYTE, description="How much disk a shared cache in a folder may take."
    )
    block_cache: int = Field(
        64 * MEBIBYTE, ge=0, description="How much memory parts of remote files may take, read ahead or read again."
    )
    local_copies: int = Field(
        16384 * MEBIBYTE,
        ge=0,
        description="How much disk copies may take of remote files whose libraries read local files only.",
    )
    local_copies_folder: Path | None = Field(
        None,
        description="The folder of these copies, which nothing else uses; by default one below that of the system.",
    )
    open_datasets: int = Field(256, ge=1, description="How many datasets stay open.")
    reader_processes: int = Field(
        os.cpu_count() or 2, ge=1, description="How many processes run the readers that could crash or hang."
    )
    reader_seconds: float = Field(30.0, gt=0, description="How long such a process may take for one request.")
    reader_memory: int = Field(4096 * MEBIBYTE, ge=256 * MEBIBYTE, description="How much memory each of them may take.")
    quarantine_seconds: float = Field(
        60.0, ge=0, description="How long a file is left alone over which one of them had to be ended."
    )
    refresh_seconds: float = Field(2.0, ge=0, description="After how long a change in a repository is seen.")
    index_folder: Path | None = Field(
        None, description="Where it is remembered what lies in the repositories; by default in the user's cache."
    )
    index_seconds: float = Field(
        10.0, ge=0, description="How soon folders are looked into again; not for more than a twentieth of the time."
    )
    max_request: int = Field(512 * MEBIBYTE, ge=1, description="The largest answer that is made for one request.")
    small_work: int = Field(
        32 * MEBIBYTE, ge=MEBIBYTE, description="How much memory every request may take; such a one is never refused."
    )
    work_memory: int = Field(
        2048 * MEBIBYTE,
        ge=MEBIBYTE,
        description="How much memory all requests may take together that take more than `small_work`; others wait.",
    )
    work_waiting: int = Field(
        128, ge=0, description="How many requests wait for that memory before more of them are told to come back."
    )
    work_seconds: float = Field(60.0, gt=0, description="How long a request waits for that memory.")
    client_requests: int = Field(
        0, ge=0, description="How many requests of one client are under way at most; 0 is any number."
    )
    key_requests: int = Field(
        0, ge=0, description="The same of all clients with one of the `s3_keys`; 0 is any number."
    )
    connections: int = Field(4096, ge=1, description="How many connections a process has at once.")
    send_memory: int = Field(
        256 * MEBIBYTE,
        ge=MEBIBYTE,
        description="How much memory answers may take that clients have yet to take; then the slowest clients are cut.",
    )
    send_seconds: float = Field(60.0, gt=0, description="How long a client may take nothing of its answer.")
    log_form: Literal["text", "json"] = Field("text", description="Whether the log is for people or for programs.")
    log_requests: bool = Field(False, description="Whether every request has a line in the log.")
    slow_seconds: float = Field(
        10.0, ge=0, description="Requests that took longer have one, with the times of their stages; 0 is none."
    )
    metrics_for: Literal["host", "everybody", "nobody"] = Field(
        "host", description="Whom `/metrics` tells: programs of this machine that ask it directly, everybody, nobody."
    )
    metrics_folder: Path | None = Field(
        None, description="Where the processes of one server tell one another their metrics; nothing else is there."
    )
    s3_keys: dict[str, SecretStr] = Field(
        {}, description="Secret keys by access key: with any, the S3 door answers signed requests only."
    )
    s3_domain: str | None = Field(None, description="The domain on whose hosts buckets are, as bucket.domain.")
    threads: int = Field(os.cpu_count() or 2, ge=1, description="How many requests decode and encode at once.")
    workers: int = Field(
        1,
        ge=1,
        le=256,
        description="How many processes serve on the port; memory, threads and readers are divided among them.",
    )
    stop_seconds: float = Field(
        10.0, ge=0, description="How long requests that are under way may take to finish when the server is stopped."
    )

    def of_worker(self) -> Settings:
        """Those of one of the workers: what is said of the machine is divided among them."""
        shares: dict[str, int] = {}
        for name in OF_MACHINE:
            least = [each.ge for each in type(self).model_fields[name].metadata if isinstance(each, Ge)]
            share = -(-getattr(self, name) // self.workers)
            shares[name] = max([share, *least])
        return self.model_copy(update=shares)

    @field_validator("shared_cache")
    @classmethod
    def _reachable(cls, address: SecretStr | None) -> SecretStr | None:
        text = "." if address is None else address.get_secret_value()
        if not text or ("://" in text and not text.startswith(SHARED)):
            raise ValueError(f"a shared cache is a folder, or begins with {', '.join(SHARED)}")
        return address

    @staticmethod
    def beside(path: Path) -> Path:
        """Where a path that the settings have is: relative to the file they lie in."""
        return (_config_file().parent / path).absolute()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, which wins over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _config_file())


def _config_file() -> Path:
    return Path(os.environ.get("DIASCOPE_CONFIG", "diascope.toml"))

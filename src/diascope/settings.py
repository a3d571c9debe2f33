"""One settings object, from one diascope.toml and the environment (``DIASCOPE_PORT=8080``)."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

MEBIBYTE = 1 << 20


class RepositorySettings(BaseModel):
    """A place full of images."""

    model_config = ConfigDict(extra="forbid")

    path: Path = Field(description="The folder that the images lie in.")
    follow_links: bool = Field(False, description="Whether symbolic links may lead out of the folder.")
    views: dict[str, str] = Field({}, description="Saved views: @name in an address stands for the operations here.")


class ArrangementSettings(BaseModel):
    """Files arranged otherwise than they lie."""

    model_config = ConfigDict(extra="forbid")

    mapping: Path = Field(description="The mapping file: beside diascope.toml, or in the repository if one is named.")
    repository: str | None = Field(
        None, description="The repository that the mapping file lies in, which is then all that it may show."
    )


class Settings(BaseSettings):
    """Everything that can be set; sizes are in bytes unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix="DIASCOPE_", env_nested_delimiter="__", extra="forbid")

    repositories: dict[str, RepositorySettings] = Field({}, description="The repositories by name.")
    arrangements: dict[str, ArrangementSettings] = Field({}, description="The arrangements by name.")
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8400, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    chunk_cache: int = Field(512 * MEBIBYTE, ge=0, description="How much memory decoded chunks may take.")
    file_cache: int = Field(128 * MEBIBYTE, ge=0, description="How much memory encoded files may take.")
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
    s3_keys: dict[str, SecretStr] = Field(
        {}, description="Secret keys by access key: with any, the S3 door answers signed requests only."
    )
    s3_domain: str | None = Field(None, description="The domain on whose hosts buckets are, as bucket.domain.")
    threads: int = Field(os.cpu_count() or 2, ge=1, description="How many requests decode and encode at once.")

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

"""What a mapping file that is given on the command line makes of a folder, or of the repositories of the settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from diascope.arrangements.arranged import Arranged
from diascope.errors import BadRequest
from diascope.settings import ArrangementSettings, RepositorySettings, Settings


def arranged(mapping: Path, folder: Path | str | None) -> Arranged:
    """The arrangement, made already; raises Malformed where its mapping file says something wrong."""
    from diascope.arrangements.root import root
    from diascope.catalogue.catalogue import catalogue

    if folder is not None and not Path(folder).is_dir():
        raise BadRequest(f"{str(folder)!r} is no folder: what a server has is arranged by its own diascope.toml")
    settings = Settings()
    if folder is not None:
        full = Path(folder).resolve()
        repositories = {full.name or "root": RepositorySettings(path=full, follow_links=True)}
        settings = settings.model_copy(update={"repositories": repositories})
    (name,) = arrangements = with_mappings({}, [mapping])
    made = root(settings.model_copy(update={"arrangements": arrangements}), catalogue(settings)).arrangements[name]
    made.contents  # noqa: B018 — whoever made a mistake is told of it at once
    return made


def with_mappings(
    arrangements: Mapping[str, ArrangementSettings], mappings: Iterable[Path]
) -> dict[str, ArrangementSettings]:
    """The arrangements with those of mapping files, each named as its file; raises BadRequest for two of a name."""
    given = dict(arrangements)
    for mapping in mappings:
        name = mapping.name.partition(".")[0]
        if name in given:
            raise BadRequest(f"two arrangements would be named {name!r}: name them in diascope.toml")
        given[name] = ArrangementSettings(mapping=mapping.absolute())
    return given

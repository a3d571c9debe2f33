"""Pages of the documentation written from the code: ``python -m diascope.commands.reference docs``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from diascope.commands.formats import MARKS, by_title, marked, named
from diascope.document import documents, schema
from diascope.layouts.layout import Layout
from diascope.operations.reference import reference as operations
from diascope.registry import registry
from diascope.settings import ArrangementSettings, RepositorySettings, Settings
from diascope.sources.source import Source

WRITTEN = "<!-- Written by `python -m diascope.commands.reference docs`; change the records in the code. -->"


FORMATS = """\
# Formats

{written}

## Read

A file is taken for an image by its name, and for its format by its bytes. A folder is an image where a file of the
format lies in it. Levels that a file lacks are made on demand: means of intensities, modes of labels.

Most formats are read by every installation. Those with an *extra* need `pip install 'diascope[hdf5]'`, by that name;
`'diascope[all]'` is all of them. Without it their files are listed as images all the same, and opening one says what to
install. `diascope formats` prints this table with what is installed.

| format | what of it | read by | extra |
|---|---|---|---|
{sources}

{marks}

How folders, buckets, files that change and files that nobody should trust are treated is told in
[repositories](repositories.md); more on [DICOM](dicom.md), [HDF5](hdf5.md) and [recipes](recipes.md).

## Served

`name` is the image's own. Pictures show the view `render` of an image that is none itself.

| format | addresses | holds |
|---|---|---|
{layouts}
"""

SETTINGS = """\
# Settings

{written}

One file, `diascope.toml` in the folder that Diascope is started in (or the file that `DIASCOPE_CONFIG` names), and the
environment, which wins: `DIASCOPE_PORT=8080`. Options of the command line win over both.

```toml
port = 8400

[repositories.atlas]
path = "/data/atlas"
views = {{ overview = "project,axis=z~render" }}
```

| setting | default | meaning |
|---|---|---|
{settings}

## A repository

| setting | default | meaning |
|---|---|---|
{repository}

## An arrangement

```toml
[arrangements.study]
mapping = "study.yaml"
```

| setting | default | meaning |
|---|---|---|
{arrangement}
"""


def formats() -> str:
    """What is read and what is served, from the records of sources and layouts."""
    layouts: Mapping[str, Layout] = registry("layouts")
    return FORMATS.format(
        written=WRITTEN,
        marks="<br>\n".join(MARKS),
        sources="\n".join(map(_source, by_title())),
        layouts="\n".join(map(_layout, layouts.values())),
    )


def _source(source: Source) -> str:
    # What a fallback reads depends on what else is installed, and this page must not.
    told = "whatever its plug-ins read" if source.is_fallback else named(source, "`")
    extra = f"`{source.extra}`" if source.extra else ""
    return f"| **{source.title}**<br>{told} | {source.supports} | {marked(source)} | {extra} |"


def _layout(layout: Layout) -> str:
    address = f"name{layout.suffix}{'/' * layout.is_folder}"
    others = [f"`name{companion}`" for companion in layout.companions]
    holds = "a picture" if layout.picture else "the pixels themselves"
    return f"| {layout.title} | {', '.join([f'`{address}`', *others])} | {holds} |"


def settings() -> str:
    """Every setting with its default."""
    return SETTINGS.format(
        written=WRITTEN,
        settings=_rows(Settings),
        repository=_rows(RepositorySettings),
        arrangement=_rows(ArrangementSettings),
    )


def _rows(model: type[BaseModel]) -> str:
    return "\n".join(
        f"| `{name}` | {_default(name, field)} | {field.description} |" for name, field in model.model_fields.items()
    )


def _default(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return "none"
    return "as many as cores" if name in {"threads", "reader_processes"} else f"`{field.default}`"


def schema_page(name: str) -> str:
    """The JSON Schema of the documents of this name."""
    return json.dumps(schema(documents()[name]), indent=2, ensure_ascii=False) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "formats.md": formats,
    "operations.md": operations,
    "settings.md": settings,
    **{f"schemas/{name}.json": partial(schema_page, name) for name in documents()},
}


def main() -> None:
    """Write the pages into the folder that is given."""
    for name, page in PAGES.items():
        path = Path(sys.argv[1]) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()

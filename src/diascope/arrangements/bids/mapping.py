"""The mapping: a document that says how the images of a repository become a BIDS dataset."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from diascope.arrangements.arrangement import MappingFile
from diascope.arrangements.bids.names import entity
from diascope.arrangements.target import FilledText, PathText
from diascope.document import Document
from diascope.errors import DiascopeError
from diascope.operations.view import ORIGINAL, view
from diascope.pattern import PatternText


def _entity(name: str) -> str:
    found = entity(name)
    if found is None:
        raise ValueError(f"{name!r} is no entity of BIDS")
    return found


def _view(text: str) -> str:
    try:
        steps = view(text)
    except DiascopeError as error:
        raise ValueError(str(error)) from error
    if not steps.steps:
        raise ValueError(f"{ORIGINAL} is the raw dataset itself: name operations")
    return str(steps)


def _label(text: str) -> str:
    if not (text.isascii() and text.isalnum()):
        raise ValueError("it has letters and digits only")
    return text


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("a number is finite")
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _finite(each)
    return value


def _named(value: Any) -> Any:
    """A bare name of a file stands for a table with nothing more to say."""
    return {"file": value} if isinstance(value, str) else value


Value = Annotated[Any, AfterValidator(_finite)]
"""A JSON value, in whose texts ``{field}`` stands for a field of a file."""
ColumnName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.+-]+$")]
EntityName = Annotated[str, AfterValidator(_entity)]
ViewText = Annotated[str, AfterValidator(_view)]
Label = Annotated[str, AfterValidator(_label)]

Format: TypeAlias = Literal["ome-tiff", "ome-zarr", "png", "nifti", "nifti-gz", "stored"]


class Images(Document):
    """A rule: which files become which images."""

    files: PatternText = Field(
        description="Which files: a pattern of their paths in the repository, such as {subject}/{stain}_{sample}.tif."
    )
    suffix: FilledText = Field(description="The suffix of BIDS, such as BF, FLUO, SEM or T1w.")
    entities: dict[EntityName, FilledText] = Field(
        {},
        description="Entities by name, made of fields, such as sample: '{slide}'. A field that is called as an entity "
        "(subject, session, sample, acquisition, stain, run, chunk …) is one without being named here.",
    )
    metadata: dict[str, Value] = Field(
        {}, description="Keys of the sidecar; {field} in a text is a field of the path or a column of a table."
    )
    format: Format | None = Field(
        None,
        description="The format: ome-tiff (microscopy's default), ome-zarr, png, nifti (MRI's), nifti-gz, or stored: "
        "the file as it lies.",
    )
    scene: str | None = Field(None, description="Which image, of files that have several.")


class Column(Document):
    """A column of a table of BIDS."""

    source: str | None = Field(None, alias="from", description="The column of the table it comes from; its own name.")
    description: str | None = Field(None, alias="Description")
    units: str | None = Field(None, alias="Units")
    levels: dict[str, str] | None = Field(None, alias="Levels")


class Rows(Document):
    """What participants.tsv, sessions.tsv or samples.tsv is made of."""

    file: PathText | None = Field(None, description="A table in the repository, CSV or TSV, with a line of names.")
    key: list[str] | None = Field(
        None,
        description="The columns that name the participant; of samples the sample and the participant; of sessions the "
        "session and the participant. The second may be left out where the first is unlike all others.",
    )
    columns: dict[ColumnName, Column] = Field(
        {},
        description="Columns beside those that BIDS names, or with other names in the table. No other column is shown.",
    )
    values: dict[ColumnName, str] = Field(
        {}, description="What is the same in every row, such as species: mus musculus."
    )


class Joined(Document):
    """A table whose columns become fields of files."""

    file: PathText = Field(description="A table in the repository, CSV or TSV, with a line of names.")
    on: dict[str, str] = Field(
        min_length=1,
        description="The columns that tell which row is about a file, each with the field that it is equal to, such as "
        "Animal: subject.",
    )


class Derivative(Document):
    """A derivative dataset: every image of the dataset under a view."""

    view: ViewText = Field(description="Operations as in an address, such as gaussian,sigma=2.")
    desc: Label | None = Field(None, description="The label after desc-.")
    res: Label | None = Field(None, description="The label after res-, which microscopy has not.")
    space: Label | None = Field(None, description="The label after space-.")
    suffixes: list[str] | None = Field(None, description="Which images, by their suffix; without it all.")
    metadata: dict[str, Value] = Field({}, description="Further keys of the sidecars.")
    format: Format | None = Field(None, description="Another format than that of the raw images.")

    @model_validator(mode="after")
    def _is_told_apart(self) -> Derivative:
        if not (self.desc or self.res or self.space):
            raise ValueError("desc, res or space is needed: a derivative has another name than what it is made of")
        return self


Table = Annotated[Rows, BeforeValidator(_named, json_schema_input_type=str | Rows)]


class Bids(MappingFile):
    """How the images of a repository become a BIDS dataset."""

    arrangement: Literal["bids"] = Field(description="The kind of arrangement.")
    name: str = Field(min_length=1, description="The dataset's name.")
    dataset: dict[str, Value] = Field(
        {}, description="Further keys of dataset_description.json, such as Authors and License."
    )
    readme: str | None = Field(None, description="The text of README.md.")
    images: list[Images] = Field(min_length=1, description="Rules; the first that fits a path makes the image.")
    ignore: list[PatternText] = Field([], description="Paths that are left out, and that check does not ask for.")
    tables: list[Joined] = Field([], description="Tables whose columns become fields, for entities and metadata.")
    participants: Table = Field(Rows(), description="What participants.tsv says: a table, or its file.")
    sessions: Table = Field(Rows(), description="What sessions.tsv says.")
    samples: Table = Field(Rows(), description="What samples.tsv says; sample_type is needed.")
    derivatives: dict[Label, Derivative] = Field({}, description="Derivative datasets by their folder's name.")

"""participants.tsv, sessions.tsv and samples.tsv, each with the JSON file that says what its columns are.

https://bids-specification.readthedocs.io/en/stable/modality-agnostic-files/data-summary-files.html. A row is there for
what has an image and for nothing else. Columns that neither BIDS nor the mapping names are not shown: they may tell
more of people than is meant for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from diascope.arrangements.bids.findings import Finding, error, warning
from diascope.arrangements.bids.mapping import Column, Rows
from diascope.arrangements.bids.names import KEYS, label
from diascope.arrangements.facts import Row, Table

NOTHING = "n/a"

SAMPLE_TYPES = (
    "cell line", "in vitro differentiated cells", "primary cell", "cell-free sample", "cloning host", "tissue",
    "whole organisms", "organoid", "technical sample",
)  # fmt: skip

Labels = tuple[str, ...]
"""Of the entities of a kind of sheet, in their order."""


class Kind(NamedTuple):
    """What a sheet is of."""

    name: str
    entities: tuple[str, ...]
    """That name a row; the first one is always in the table."""
    columns: Mapping[str, Mapping[str, Any]]
    """That BIDS names, with what they mean."""
    required: tuple[str, ...] = ()


IDS = {
    "subject": ("participant_id", {"Description": "The participant, as in the names of folders."}),
    "session": ("session_id", {"Description": "The session, as in the names of folders."}),
    "sample": ("sample_id", {"Description": "The sample, as in the names of files."}),
}
NAMES = {
    "subject": ("participant_id", "participant", "subject_id", "subject", "sub"),
    "session": ("session_id", "session", "ses"),
    "sample": ("sample_id", "sample"),
}
"""How a table may call the column of an entity."""

PATHOLOGY = {"Description": "The pathology, with control or healthy for none."}

PARTICIPANTS = Kind(
    "participants",
    ("subject",),
    {
        "species": {"Description": "The species, as the NCBI taxonomy calls it."},
        "age": {"Description": "The age of the participant.", "Units": "year"},
        "sex": {"Description": "The phenotypical sex."},
        "handedness": {"Description": "The handedness."},
        "strain": {"Description": "The strain, of a species that is not human."},
        "strain_rrid": {"Description": "The research resource identifier of the strain."},
    },
)
SESSIONS = Kind(
    "sessions",
    ("session", "subject"),
    {"acq_time": {"Description": "When the session began."}, "pathology": PATHOLOGY},
)
SAMPLES = Kind(
    "samples",
    ("sample", "subject"),
    {
        "sample_type": {"Description": "What the sample is, as the ENCODE biosample types have it."},
        "pathology": PATHOLOGY,
        "derived_from": {"Description": "The sample that this one was taken of."},
    },
    ("sample_type",),
)


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of a table by the labels that they are about."""

    kind: Kind
    spec: Rows
    table: Table | None = None
    keys: tuple[str, ...] = ()
    """The columns of the entities; fewer where a table does without the participant."""
    rows: Mapping[Labels, tuple[Row, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def of(self, labels: Labels) -> tuple[Row, ...]:
        """The rows of these labels."""
        return self.rows.get(labels[: len(self.keys)], ()) if self.keys else ()

    def fields(self, labels: Labels) -> dict[str, str]:
        """What all rows of these labels agree on, by the table's own columns."""
        rows = self.of(labels)
        columns = self.table.columns if self.table and rows else ()
        agreed = {column: {row.values[column] for row in rows} for column in columns}
        return {column: next(iter(values)) for column, values in agreed.items() if len(values) == 1}


def source(kind: Kind, spec: Rows, table: Table | None, where: str, line: int) -> Source:
    """What a mapping says of a sheet; ``where`` and ``line`` are its place in there."""
    if table is None:
        return Source(kind, spec)
    keys = tuple(spec.key) if spec.key else tuple(_guessed(kind, table))
    if not 0 < len(keys) <= len(kind.entities) or not set(keys) <= {*table.columns}:
        told = f"{table.name}: name the column of the {kind.entities[0]} as key; there are: {', '.join(table.columns)}"
        return Source(kind, spec, table, findings=(error(where, line, told),))
    rows: dict[Labels, tuple[Row, ...]] = {}
    findings = []
    for row in table.rows:
        try:
            found = tuple(label(row.values[key], of) for key, of in zip(keys, kind.entities, strict=False))
        except ValueError as reason:
            findings.append(warning(table.name, row.line, str(reason)))
            continue
        rows[found] = (*rows.get(found, ()), row)
    absent = [
        error(where, line, f"{table.name} has no column {source!r}; there are: {', '.join(table.columns)}")
        for name, column in spec.columns.items()
        if (source := column.source or name) not in table.columns and name not in spec.values
    ]
    return Source(kind, spec, table, keys, rows, (*findings, *absent))


def _guessed(kind: Kind, table: Table) -> Iterator[str]:
    """The columns of the entities, as far as the first ones are there."""
    lower = {column.lower(): column for column in table.columns}
    for entity in kind.entities:
        name = next((lower[name] for name in NAMES[entity] if name in lower), None)
        if name is None:
            return
        yield name


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of BIDS."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    meanings: Mapping[str, Mapping[str, Any]]
    """Of the columns."""
    findings: tuple[Finding, ...] = ()

    def tsv(self) -> bytes:
        """The bytes of the file: a line of names, then the rows."""
        return "".join("\t".join(cells) + "\n" for cells in (self.columns, *self.rows)).encode()


def sheet(found: Source, wanted: Sequence[Labels], where: str, line: int, within: Sequence[str] = ()) -> Sheet:
    """The rows of the labels that are wanted, in their order.

    ``within`` are entities that the file lies in the folder of, and that have no column therefore.
    """
    kind, spec = found.kind, found.spec
    ids = [entity for entity in kind.entities if entity not in within]
    columns = [*dict.fromkeys([*_known(found), *spec.columns, *spec.values])]
    names = (*(IDS[entity][0] for entity in ids), *(name for name in columns if name not in IDS_COLUMNS))
    rows, findings = [], list[Finding]()
    for labels in wanted:
        cells = {IDS[e][0]: f"{KEYS[e]}-{of}" for e, of in zip(kind.entities, labels, strict=True) if e in ids}
        if found.keys and not found.of(labels) and found.table:
            told = ", ".join(f"{KEYS[e]}-{of}" for e, of in zip(kind.entities, labels, strict=True))
            findings.append(warning(found.table.name, None, f"there is no row for {told}, which has images"))
        for name in names[len(cells) :]:
            cells[name], told_of = _cell(found, name, labels)
            findings += told_of
        rows.append(tuple(cells[name] for name in names))
    findings += _missing(kind, names, rows, where, line)
    meanings = {name: _meaning(kind, spec.columns.get(name), name) for name in names}
    return Sheet(names, tuple(rows), meanings, tuple(findings))


IDS_COLUMNS = frozenset(name for name, _ in IDS.values())


def _known(found: Source) -> Iterator[str]:
    """The columns that BIDS names and the table has, in any case."""
    have = {column.lower() for column in found.table.columns} if found.table else set()
    return (name for name in found.kind.columns if name in have)


def _cell(found: Source, name: str, labels: Labels) -> tuple[str, list[Finding]]:
    """What stands in a column, ``n/a`` where nothing is known or the rows do not agree."""
    if name in found.spec.values:
        return _clean(found.spec.values[name], name), []
    column = found.spec.columns.get(name)
    wanted = (column.source if column else None) or name
    have = [each for each in (found.table.columns if found.table else ()) if each.lower() == wanted.lower()]
    rows = found.of(labels)
    if not have or not rows:
        return NOTHING, []
    values = {_clean(row.values[have[0]], name) for row in rows}
    if len(values) == 1:
        return values.pop(), []
    told = f"the rows for {KEYS[found.kind.entities[0]]}-{labels[0]} do not agree on {have[0]}: n/a is shown"
    return NOTHING, [warning(found.table.name if found.table else "", rows[0].line, told)]


def _clean(text: str, name: str) -> str:
    """A cell of a table of BIDS: no tabs, no ends of lines, nothing empty."""
    plain = " ".join(text.split())
    if name == "sample_type" and plain.lower() in SAMPLE_TYPES:
        return plain.lower()
    return plain or NOTHING


def _missing(
    kind: Kind, names: Sequence[str], rows: Sequence[Sequence[str]], where: str, line: int
) -> Iterator[Finding]:
    for name in kind.required:
        if name not in names:
            yield error(where, line, f"{name} is missing: name it under {kind.name}.values or as a column of the table")
            continue
        values = [row[names.index(name)] for row in rows]
        for value in dict.fromkeys(values):
            if value not in SAMPLE_TYPES:
                told = f"{name} is {value!r} ({values.count(value)} times), which is none of: {', '.join(SAMPLE_TYPES)}"
                yield error(where, line, told)


def _meaning(kind: Kind, column: Column | None, name: str) -> dict[str, Any]:
    """What the JSON file says of a column."""
    of_ids = dict(IDS.values())
    known = dict(kind.columns.get(name) or of_ids.get(name) or {"Description": name.replace("_", " ")})
    said = column.model_dump(by_alias=True, exclude_none=True, exclude={"source"}) if column else {}
    return known | said

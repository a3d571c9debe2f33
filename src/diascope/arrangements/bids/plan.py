"""Which file of a repository becomes which image of the dataset, told from names and tables alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, NamedTuple

from diascope.arrangements.arrangement import Written
from diascope.arrangements.bids.findings import Finding, error, warning
from diascope.arrangements.bids.mapping import Bids, Images, Rows
from diascope.arrangements.bids.names import KEYS, Suffix, entity, label, stem, suffix
from diascope.arrangements.bids.sheets import NOTHING, PARTICIPANTS, SAMPLES, SESSIONS, Kind, Labels, Source, source
from diascope.arrangements.bids.sidecar import NUMBERS
from diascope.arrangements.facts import LARGEST, Row, Table, key, table
from diascope.arrangements.seen import Seen, natural
from diascope.arrangements.target import checked, filled
from diascope.catalogue.repository import Repository
from diascope.document import Key
from diascope.errors import DiascopeError
from diascope.pattern import pattern
from diascope.placeholders import names

Fields = Mapping[str, str]

LONGEST = ".ome.zarr"
"""Of the extensions."""


@dataclass(frozen=True, slots=True)
class Planned:
    """An image of the dataset."""

    path: str
    """Of its file in the repository."""
    rule: Images
    line: int
    """Of the rule in the mapping."""
    kind: Suffix
    entities: Mapping[str, str]
    metadata: Mapping[str, Any]

    @property
    def stem(self) -> str:
        """Its path in the dataset up to the extension."""
        return stem(self.kind, self.entities)

    def labels(self, kind: Kind) -> Labels | None:
        """What names its row in a sheet, None where it has none there."""
        return tuple(self.entities[each] for each in kind.entities) if {*kind.entities} <= {*self.entities} else None


@dataclass(slots=True)
class Plan:
    """What the dataset is made of."""

    repository: Repository
    written: Written[Bids]
    images: list[Planned] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    """Of the sheets, by their name."""
    findings: list[Finding] = field(default_factory=list)

    def line(self, *at: str | int) -> int:
        """Of what stands at a path of keys in the mapping."""
        return self.written.document.problem(at, "").line

    def wanted(self, kind: Kind) -> list[Labels]:
        """The rows of a sheet, each once."""
        found = {labels for each in self.images if (labels := each.labels(kind))}
        return sorted(found, key=lambda labels: tuple(map(natural, reversed(labels))))


class Join(NamedTuple):
    """The rows of a table by fields."""

    table: Table
    on: Mapping[str, str]
    """Fields by column."""
    rows: Mapping[tuple[str, ...], Row]


def plan(seen: Seen, written: Written[Bids]) -> Plan:
    """Every image that the mapping makes, without those that have no name, or the same as another."""
    says = written.says
    found = Plan(seen.repository(says.repository), written)
    joins = list(_joins(seen, found))
    for kind, spec in ((PARTICIPANTS, says.participants), (SESSIONS, says.sessions), (SAMPLES, says.samples)):
        found.sources[kind.name] = _source(seen, found, kind, spec)
        found.findings += found.sources[kind.name].findings
    for path in sorted(_images(seen, found), key=natural):
        at, fields = next(_fits(says, path), (None, {}))
        if at is None:
            if not any(pattern(each).match(path) is not None for each in says.ignore):
                found.findings.append(warning(path, None, "no rule fits: add one, or a pattern under ignore"))
            continue
        try:
            found.images.append(_planned(found, joins, path, at, fields))
        except ValueError as reason:
            found.findings.append(error(path, None, f"{reason} ({written.name}:{found.line('images', at)})"))
    _drop_clashes(found)
    found.findings += _unused(found)
    return found


def _images(seen: Seen, found: Plan) -> Iterator[str]:
    return (each.path for each in seen.files(found.repository) if each.what == "image")


def _fits(says: Bids, path: str) -> Iterator[tuple[int, Fields]]:
    """The rules that fit a path, with their fields."""
    for at, rule in enumerate(says.images):
        fields = pattern(rule.files).match(path)
        if fields is not None:
            yield at, fields


def _joins(seen: Seen, found: Plan) -> Iterator[Join]:
    for at, joined in enumerate(found.written.says.tables):
        read = _table(seen, found, joined.file, ("tables", at, "file"))
        if read is None:
            continue
        try:
            yield Join(read, joined.on, read.by(list(joined.on)))
        except DiascopeError as reason:
            found.findings += [error(found.written.name, found.line("tables", at), told) for told in _lines(reason)]


def _source(seen: Seen, found: Plan, kind: Kind, spec: Rows) -> Source:
    read = _table(seen, found, spec.file, (kind.name, "file")) if spec.file else None
    return source(kind, spec, read, found.written.name, found.line(kind.name))


def _table(seen: Seen, found: Plan, path: str, at: Key) -> Table | None:
    try:
        data = seen.read(found.repository, path, LARGEST)
        if data is not None:
            return table(data, path)
        told = [f"there is no table {path!r} in the repository {found.repository.name}"]
    except DiascopeError as reason:
        told = _lines(reason)
    found.findings += [error(found.written.name, found.line(*at), each) for each in told]
    return None


def _lines(reason: DiascopeError) -> list[str]:
    return str(reason).splitlines()


def _planned(found: Plan, joins: Sequence[Join], path: str, at: int, fields: Fields) -> Planned:
    """The image that a rule makes of a file; raises ValueError where it makes none."""
    rule, line = found.written.says.images[at], found.line("images", at)
    known = dict(fields)
    for join in joins:
        known = {**_joined(found, join, path, known, rule), **known}
    kind = suffix(filled(rule.suffix).filled(known, known))
    entities = {name: value for field_, value in known.items() if (name := entity(field_)) and name in _has(kind)}
    entities |= {name: filled(text).filled(known, known) for name, text in rule.entities.items()}
    labels = {name: label(value, name) for name, value in entities.items() if value not in ("", NOTHING)}
    planned = Planned(path, rule, line, kind, labels, {})
    checked(f"{planned.stem}{LONGEST}")
    for each in (SAMPLES, SESSIONS, PARTICIPANTS):
        if of := planned.labels(each):
            known = {**found.sources[each.name].fields(of), **known}
    metadata = dict(_metadata(found, rule.metadata, known, line))
    return Planned(path, rule, line, kind, labels, metadata)


def _has(kind: Suffix) -> tuple[str, ...]:
    return (*kind.required, *kind.optional)


def _joined(found: Plan, join: Join, path: str, fields: Fields, rule: Images) -> dict[str, str]:
    """The columns of the row that belongs to a file; that it has none is told where the rule uses them."""
    if not {*join.on.values()} <= {*fields}:
        return {}
    row = join.rows.get(key([fields[name] for name in join.on.values()]))
    if row is None:
        more = {*join.table.columns} - {*join.on}
        if not more & _used(rule) and not any(map(entity, more)):
            return {}
        told = ", ".join(f"{column} {fields[name]!r}" for column, name in join.on.items())
        found.findings.append(warning(join.table.name, None, f"there is no row for {told}: {path}"))
        return {}
    return dict(row.values)


def _used(rule: Images) -> set[str]:
    """The fields that a rule names."""
    found = set(names(rule.suffix))
    left: list[Any] = [rule.entities, rule.metadata]
    while left:
        value = left.pop()
        if isinstance(value, Mapping):
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif isinstance(value, str):
            found.update(filled(value).fields)
    return found


def _metadata(found: Plan, said: Mapping[str, Any], fields: Fields, line: int) -> Iterator[tuple[str, Any]]:
    """The keys of a sidecar; one whose field is empty is left out."""
    for name, value in said.items():
        try:
            made = _filled(value, fields, as_number=name in NUMBERS)
        except ValueError as reason:
            told = warning(found.written.name, line, f"metadata.{name}: {reason}")
            if told not in found.findings:
                found.findings.append(told)
            continue
        if made not in ("", NOTHING, None):
            yield name, made


def _filled(value: Any, fields: Fields, *, as_number: bool) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(each, fields, as_number=as_number) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, fields, as_number=as_number) for each in value]
    if not isinstance(value, str):
        return value
    text = filled(value).filled(fields, fields).strip()
    if not as_number or text in ("", NOTHING):
        return text
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None
    if not isfinite(number):
        raise ValueError(f"{text!r} is no finite number")
    return int(number) if number.is_integer() else number


def _drop_clashes(found: Plan) -> None:
    """Leave out images that would have one name, and say which; capital letters do not tell two names apart."""
    first: dict[str, Planned] = {}
    clashing: set[str] = set()
    for each in found.images:
        name = each.stem.casefold()
        before = first.setdefault(name, each)
        if before is not each:
            clashing.add(name)
            told = f"{each.stem} is {before.path} too: neither is shown; tell them apart, such as by run, chunk or acq"
            found.findings.append(error(each.path, None, f"{told} ({found.written.name}:{each.line})"))
    found.images = [each for each in found.images if each.stem.casefold() not in clashing]


def _unused(found: Plan) -> Iterator[Finding]:
    """Rows of tables that no image has."""
    used = {each.path for each in found.images}
    if not used:
        yield error(found.written.name, found.line("images"), "no image fits any rule")
        return
    for kind in (PARTICIPANTS, SESSIONS, SAMPLES):
        origin = found.sources[kind.name]
        wanted = {labels[: len(origin.keys)] for labels in found.wanted(kind)}
        for labels, rows in origin.rows.items():
            if labels not in wanted and origin.table:
                told = ", ".join(f"{KEYS[e]}-{of}" for e, of in zip(kind.entities, labels, strict=False))
                yield warning(origin.table.name, rows[0].line, f"there is no image of {told}")

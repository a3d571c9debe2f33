"""Any fixed convention of folders: files found by patterns and tables, shown at paths with placeholders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from mimetypes import guess_type
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field

from diascope.arrangements.arrangement import Arrangement, MappingFile, Written, links
from diascope.arrangements.contents import Contents, Link, Made
from diascope.arrangements.facts import LARGEST, Key, Row, key, table
from diascope.arrangements.seen import Found, Seen, natural, stem_of
from diascope.arrangements.target import FilledText, PathText, Target, TargetText, checked, filled, target
from diascope.catalogue.opening import image_suffixes
from diascope.catalogue.repository import Repository
from diascope.document import Document, Problem, malformed
from diascope.errors import DiascopeError, NotFound
from diascope.layouts.layout import Layout
from diascope.operations.view import ORIGINAL
from diascope.pattern import Pattern, PatternText, pattern
from diascope.registry import registry

STEM, SUFFIX, COUNTER = "stem", "suffix", "n"
OWN = (STEM, SUFFIX, COUNTER)
"""The fields that every file has."""
MOST_RULES = 200
MOST_TABLES = 10
NAMED = 5
"""How many of the files that no rule takes are named."""


def _layout(name: str) -> str:
    if name not in registry("layouts"):
        raise ValueError(f"there is no layout {name!r}; there are: {', '.join(registry('layouts'))}")
    return name


class TableFile(Document):
    """A table whose rows say more of the files."""

    file: PathText = Field(description="The CSV or TSV file, a path in the repository.")
    on: dict[str, str] = Field(
        description="The columns that tell which row is about a file, each with the field that it is equal to, "
        "such as `Animal: subject`.",
        min_length=1,
    )


class Rule(Document):
    """Some of the files, and where each is shown."""

    files: PatternText = Field(
        description="Which files: a pattern of their paths in the repository, with `{fields}`, `{numbers:int}`, "
        "`{choices:a|b}`, `*` within a name and `**` for any folders."
    )
    tables: tuple[TableFile, ...] = Field(
        (), description="Tables whose columns are further fields.", max_length=MOST_TABLES
    )
    scene: FilledText | None = Field(None, description="Of files with several images, the name of the one.")
    view: str = Field(ORIGINAL, description="The operations, as an address has them.")
    layout: Annotated[str, AfterValidator(_layout)] | None = Field(
        None, description="The format by its name, such as `ome-tiff`; without one the file is shown as it is stored."
    )
    target: TargetText = Field(
        description="Where each is shown: a path with `{fields}`, `{numbers:03}` with so many digits, `{stem}` for the "
        "file's name without its ending, `{suffix}` for the ending of the format, and `{n}`, which counts the files "
        "that else had the same path, from 1 in the order of their paths."
    )


class Template(MappingFile):
    """The mapping file of a template arrangement."""

    arrangement: Literal["template"]
    rules: tuple[Rule, ...] = Field(
        (), description="Each by itself: a file that two of them take is shown twice.", max_length=MOST_RULES
    )
    files: dict[PathText, str] = Field({}, description="Small files by path, with their text.")


class Joined(NamedTuple):
    """A table of a rule, its rows by key."""

    name: str
    on: Mapping[str, str]
    """The field by column."""
    rows: Mapping[Key, Row]
    columns: tuple[str, ...]

    def row(self, values: Mapping[str, str]) -> Mapping[str, str]:
        """What the table says of a file with these fields; raises NotFound where it says nothing."""
        found = self.rows.get(key([values[name] for name in self.on.values()]))
        if found is None:
            wanted = " and ".join(f"{column} {values[name]!r}" for column, name in self.on.items())
            raise NotFound(f"{self.name} has no row with {wanted}")
        return found.values


class Laid(NamedTuple):
    """A rule made ready."""

    rule: Rule
    number: int
    origin: str
    pattern: Pattern
    target: Target
    tables: tuple[Joined, ...]


def contents(seen: Seen, written: Written[Template]) -> Contents:
    """The files of the rules; raises Malformed where the mapping file or a table is wrong in itself."""
    repository = _repository(seen, written)
    made = Contents()
    rules = _rules(seen, written, repository)
    folders = _tops([each.pattern.folder for each in rules])
    found = [each for folder in folders for each in seen.files(repository, folder)]
    taken: set[str] = set()
    for each in rules:
        for path, link in _links(each, found, repository, made, taken):
            made.add(path, link)
    for path, text in written.says.files.items():
        kind = guess_type(path)[0] or "text/plain"
        is_text = kind.startswith("text/") or kind == "application/json"
        media_type = f"{kind}; charset=utf-8" if is_text else kind
        made.add(path, Made(text.encode, media_type, written.origin(("files", path))))
    left = [each.path for each in found if each.what == "image" and each.path not in taken]
    if left:
        made.notes.append(
            f"{len(left)} images are taken by no rule: {', '.join(left[:NAMED])}{' …' * (len(left) > NAMED)}"
        )
    return made


def _repository(seen: Seen, written: Written[Template]) -> Repository:
    try:
        return seen.repository(written.says.repository)
    except NotFound as error:
        raise malformed(written.name, [written.document.problem(("repository",), str(error))]) from error


def _tops(folders: list[str]) -> list[str]:
    """The folders without those that lie in another of them."""
    return sorted(
        {
            each
            for each in folders
            if not any(other != each and f"{each}/".startswith(f"{other}/" if other else "") for other in folders)
        }
    )


def _rules(seen: Seen, written: Written[Template], repository: Repository) -> list[Laid]:
    """The rules made ready; raises Malformed with all that is wrong with them."""
    problems: list[Problem] = []
    ready = []
    for k, rule in enumerate(written.says.rules):
        found = pattern(rule.files)
        tables = tuple(_joined(seen, repository, each) for each in rule.tables)
        laid = Laid(rule, k, written.origin(("rules", k)), found, target(rule.target), tables)
        wrong = _wrong(seen, repository, laid)
        problems += [written.document.problem(("rules", k, *where), reason) for where, reason in wrong]
        ready.append(laid)
    if problems:
        raise malformed(written.name, problems)
    return ready


def _joined(seen: Seen, repository: Repository, said: TableFile) -> Joined:
    data = seen.read(repository, said.file, LARGEST)
    if data is None:
        raise malformed(said.file, [Problem(1, "", f"there is no such file in the repository {repository.name!r}")])
    found = table(data, said.file)
    return Joined(said.file, said.on, found.by(list(said.on)), found.columns)


def _wrong(seen: Seen, repository: Repository, laid: Laid) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong with a rule, whatever files there are, and where."""
    known = [*laid.pattern.fields]
    for name in known:
        if name in OWN:
            yield ("files",), f"every file has a field {name!r} of its own: name this one otherwise"
    for k, each in enumerate(laid.tables):
        for column, name in each.on.items():
            if name not in known:
                yield ("tables", k, "on", column), _no_field(name, known)
        known += each.columns
    yield from _unknown(laid, known)
    if laid.rule.scene and not laid.rule.layout:
        yield ("scene",), "one image of a file is shown in a layout: name one"
    try:
        seen.view(repository, laid.rule.view)
    except DiascopeError as error:
        yield ("view",), str(error)


def _unknown(laid: Laid, known: list[str]) -> Iterator[tuple[tuple[str], str]]:
    """The fields of target and scene that there are not."""
    for where, text in (("target", laid.target), ("scene", filled(laid.rule.scene or ""))):
        for name in text.fields:
            if name not in known and (where == "scene" or name not in OWN):
                yield (where,), _no_field(name, [*known, *(OWN if where == "target" else ())])


def _no_field(name: str, known: list[str]) -> str:
    return f"there is no field {name!r}; there are: {', '.join(dict.fromkeys(known)) or 'none'}"


def _links(
    laid: Laid, found: list[Found], repository: Repository, made: Contents, taken: set[str]
) -> Iterator[tuple[str, Link]]:
    """Where each file of a rule and its companions are shown, and the links; what cannot be told is a problem."""
    counts: Counter[str] = Counter()
    counted = COUNTER in laid.target.fields
    rule, layout = laid.rule, _record(laid.rule)
    suffix = layout.suffix if layout else None
    for each, values in _matched(laid, found, made, taken, sort=counted):
        try:
            if counted:
                alike = laid.target.path({**values, COUNTER: "0"}, laid.pattern.nested)
                counts[alike] += 1
                values[COUNTER] = str(counts[alike])
            path = laid.target.path(values, laid.pattern.nested)
            scene = filled(laid.rule.scene).filled(values) if laid.rule.scene else ""
            image = "/".join(filter(None, (repository.name, each.path, scene)))
            is_folder = layout.is_folder if layout else each.is_folder
            link = Link(image, rule.view, rule.layout, suffix, is_folder, laid.origin)
            # The names of companions are longer.
            yield from [(checked(place), leaf) for place, leaf in links(path, link)]
        except ValueError as error:
            made.problems.append(f"{each.path}: {error} ({laid.origin})")


def _matched(
    laid: Laid, found: list[Found], made: Contents, taken: set[str], *, sort: bool
) -> Iterator[tuple[Found, dict[str, str]]]:
    """The files of a rule with their fields."""
    suffixes, layout = image_suffixes(), _record(laid.rule)
    fits = ((each, laid.pattern.match(each.path)) for each in found)
    fitting = [(each, values) for each, values in fits if values is not None]
    taken.update(each.path for each, _ in fitting)
    for each, fields in sorted(fitting, key=lambda pair: natural(pair[0].path)) if sort else fitting:
        try:
            values = _all(laid, fields)
        except NotFound as error:
            made.problems.append(f"{each.path}: {error} ({laid.origin})")
            continue
        values[STEM] = stem_of(each, suffixes)
        values[SUFFIX] = layout.suffix if layout else each.name[len(values[STEM]) :]
        yield each, values


def _record(rule: Rule) -> Layout | None:
    return registry("layouts")[rule.layout] if rule.layout else None


def _all(laid: Laid, fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of the path and of the tables, the former and those of earlier tables first."""
    values = dict(fields)
    for each in laid.tables:
        values = {**each.row(values), **values}
    return values


arrangement = Arrangement(
    name="template",
    title="Any fixed convention of folders",
    parameters=Template,
    contents=contents,
)

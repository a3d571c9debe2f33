"""Documents that people write: YAML 1.2 (https://yaml.org/spec/1.2.2/) read into a pydantic model.

Every problem of a document is told at once, each with the line and the key that it is about. A document is a file
like any other and may be hostile: its size, depth and number of values are bounded, and it has no anchors, aliases,
tags or duplicate keys. Scalars are those of the core schema (clause 10.3), except that a number has no leading zeros:
``no``, ``01``, ``1:30`` and ``2026-01-01`` are texts, as is every key.

A model forbids extra fields (``Document``), and its unions have a discriminator: else a value that fits none of their
members is told once a member. The entry-point group ``diascope.documents`` names the models whose JSON Schema is
published, in the documentation as ``schemas/{name}.json`` and by a server at ``/api/schemas/{name}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from diascope.errors import Malformed
from diascope.registry import registry

M = TypeVar("M", bound=BaseModel)
Key: TypeAlias = tuple[str | int, ...]

LARGEST = 1 << 20
"""How many bytes a document may have."""
DEEPEST = 32
"""How many mappings and sequences lie in one another at the most."""
MOST = 100_000
"""How many values a document has at the most."""
TOLD = 100
"""How many problems are told of one document."""

DIALECT = GenerateJsonSchema.schema_dialect

CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
SURROGATE = re.compile("[\ud800-\udfff]")
WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
NUMBER = re.compile(r"[-+]?(\.[0-9]{1,30}|(0|[1-9][0-9]{0,30})(\.[0-9]{0,30})?)([eE][-+]?[0-9]{1,3})?")

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Document(BaseModel):
    """What a document says; the base of models that are read from one."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Problem(NamedTuple):
    """What is wrong, and where."""

    line: int
    """Counted from 1."""
    key: str
    """Such as ``rules[2].sample``, empty for the document itself."""
    reason: str

    def told(self, name: str) -> str:
        """As a sentence, the document having this name."""
        told = f"{name}, line {self.line}{', ' * bool(self.key)}{self.key}: {self.reason}"
        # Keys and values stand in it, which may be made to look like other lines or to command a terminal.
        return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in told)


def malformed(name: str, problems: list[Problem]) -> Malformed:
    """The error that tells of problems a line each; for what is found wrong with a document after it was read."""
    told = [problem.told(name) for problem in problems[:TOLD]]
    return Malformed("\n".join([*told, *[f"{name}: and {len(problems) - TOLD} more"] * (len(problems) > TOLD)]))


@dataclass(slots=True)
class Located:
    """The values of a document with the lines that they stand in."""

    value: Any = None
    lines: dict[Key, int] = field(default_factory=dict)
    """By path of keys and indexes."""

    def problem(self, key: Key, reason: str, *, missing: bool = False) -> Problem:
        """A problem at a path, or at what of it is in the document: pydantic names members of unions in its paths."""
        known: Key = ()
        for part in key:
            if (*known, part) in self.lines:
                known = (*known, part)
        line = self.lines.get(known, 1)
        return Problem(line, spelled((*known, key[-1]) if missing and key else known), reason)


def read(text: bytes | str, model: type[M], name: str) -> M:
    """What the document of this name says; raises Malformed with everything that is wrong with it."""
    return validated(located(text, name), model, name)


def validated(document: Located, model: type[M], name: str) -> M:
    """What a document says, its values being there; raises Malformed with everything that is wrong with it."""
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        raise malformed(name, _problems(document, error)) from error


def located(text: bytes | str, name: str) -> Located:
    """The values of a document and their lines, for who has more to say of them than a model can."""
    decoded = _decoded(text, name)
    document = Located()
    try:
        _build(document, decoded)
    except _Refused as error:
        raise malformed(name, [error.problem]) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or error
        place = mark.line if mark else decoded.count("\n", 0, getattr(error, "position", 0) or 0)
        told = Problem(
            min(place, decoded.rstrip().count("\n")) + 1, "", f"this is no YAML: {' '.join(str(reason).split())}"
        )
        raise malformed(name, [told]) from error
    return document


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a model's documents, as editors and validators take it."""
    return {"$schema": DIALECT, **model.model_json_schema()}


def documents() -> Mapping[str, type[BaseModel]]:
    """The models of documents by name."""
    return registry("documents")


def spelled(key: Key) -> str:
    """A path of keys and indexes as people write it."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).removeprefix(".")


class _Refused(Exception):
    """A construct of YAML that a document may not have."""

    def __init__(self, line: int, key: Key, reason: str) -> None:
        super().__init__(reason)
        self.problem = Problem(line, spelled(key), reason)


def _decoded(text: bytes | str, name: str) -> str:
    try:
        data = text.encode() if isinstance(text, str) else text
        if len(data) > LARGEST:
            raise malformed(name, [Problem(1, "", f"it has {len(data)} bytes; the limit is {LARGEST}")])
        return data.decode("utf-8-sig")
    except UnicodeEncodeError as error:
        raise malformed(name, [Problem(error.object.count("\n", 0, error.start) + 1, "", "this is no text")]) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise malformed(name, [Problem(line, "", "this is no text in UTF-8")]) from error


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose values are being read."""

    value: dict[str, Any] | list[Any]
    path: Key
    key: tuple[str, int] | None = None
    """The key of a mapping whose value comes next, and its line."""


def _build(document: Located, text: str) -> None:
    """Fill a document from the events of the parser: one after another, however deep they would nest."""
    stack: list[_Open] = []
    ended = False
    for event in _events(text):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
            continue
        if isinstance(event, yaml.DocumentStartEvent):
            if ended:
                raise _Refused(line, (), "a second document begins here; there may be one")
            ended = True
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        key = _refuse(event, line, stack)
        if key is not None:
            stack[-1].key = (key, line)
            continue
        value = _value(event)
        path, line = _put(document, stack, value, line)
        if isinstance(event, yaml.CollectionStartEvent):
            if len(stack) == DEEPEST:
                raise _Refused(line, path, f"it lies more than {DEEPEST} deep")
            stack.append(_Open(value, path))
        if len(document.lines) > MOST:
            raise _Refused(line, (), f"there are more than {MOST} values")


def _events(text: str) -> Iterator[Any]:
    yield from yaml.parse(text, Loader=LOADER)


def _refuse(event: Any, line: int, stack: list[_Open]) -> str | None:
    """The key that an event is, None where it is a value; raises for what a document may not have."""
    path = (*stack[-1].path, *(stack[-1].key or ())[:1]) if stack else ()
    if event.anchor is not None:
        raise _Refused(line, path, f"anchors and aliases are not read: {event.anchor!r}")
    if isinstance(event, yaml.ScalarEvent) and SURROGATE.search(event.value):
        raise _Refused(line, path, "half a character is no text")
    if event.tag is not None and event.tag != "!":
        raise _Refused(line, path, f"tags are not read: {event.tag!r}")
    top = stack[-1] if stack else None
    if top is None or isinstance(top.value, list) or top.key is not None:
        return None
    if not isinstance(event, yaml.ScalarEvent):
        raise _Refused(line, path, "a key is a text")
    if event.value in top.value:
        raise _Refused(line, (*path, event.value), "this key is here twice")
    return str(event.value)


def _put(document: Located, stack: list[_Open], value: Any, line: int) -> tuple[Key, int]:
    """Put a value at its place; its path and line, which is that of its key."""
    path: Key = ()
    if not stack:
        document.value = value
    elif isinstance(stack[-1].value, list):
        path = (*stack[-1].path, len(stack[-1].value))
        stack[-1].value.append(value)
    elif stack[-1].key is not None:
        key, line = stack[-1].key
        path = (*stack[-1].path, key)
        stack[-1].value[key] = value
        stack[-1].key = None
    document.lines[path] = line
    return path, line


def _value(event: Any) -> Any:
    if isinstance(event, yaml.MappingStartEvent):
        return {}
    if isinstance(event, yaml.SequenceStartEvent):
        return []
    text = str(event.value)
    if not event.implicit[0] or len(text) > 80:  # quoted, or longer than any number
        return text
    if text in CONSTANTS:
        return CONSTANTS[text]
    if WHOLE.fullmatch(text):
        return int(text)
    return float(text) if NUMBER.fullmatch(text) else text


def _problems(document: Located, error: ValidationError) -> list[Problem]:
    found = [_problem(document, each) for each in error.errors(include_url=False)]
    return sorted(dict.fromkeys(found), key=lambda problem: problem.line)


def _problem(document: Located, error: Any) -> Problem:
    reason = error["msg"].removeprefix("Value error, ")
    if error["type"] == "string_type" and isinstance(error["input"], bool | int | float):
        reason += ": put it in quotes"
    if error["type"] == "extra_forbidden":
        reason = "there is no such field"
    if error["type"] == "missing":
        reason = "it is missing"
    return document.problem(error["loc"], reason, missing=error["type"] == "missing")

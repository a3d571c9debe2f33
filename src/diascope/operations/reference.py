"""The reference of all operations, written from their models: ``python -m diascope.operations.reference``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from diascope.operations.operation import Operation
from diascope.operations.values import Spelling
from diascope.operations.view import spelled
from diascope.registry import registry

PREFACE = """\
# Operations

<!-- Written by `python -m diascope.operations.reference docs/operations.md`; change the descriptions in the code. -->

A view is a list of operations in order, joined by `~`; each is its name and its parameters, joined by `,`:
`window,low=0,high=4095~project,axis=z`. `original` is the view without any, `@name` one that the repository's settings
have saved. Lists are joined by `+`, a range is `start..stop` without `stop`, and either end may be left out. Indices
count pixels of level 0; lengths are physical, the same at every level.

Every operation gives the same pixels whether it is read in tiles or whole, bit for bit.
"""


def reference() -> str:
    """The page as Markdown."""
    return "\n".join(
        [PREFACE, *(line for operation in registry("operations").values() for line in _section(operation))]
    )


def _section(operation: Operation[Any]) -> Iterator[str]:
    yield f"## {operation.name}\n\n{operation.title}.\n"
    yield f"{prose(operation)}\n"
    yield "| parameter | written | default | meaning |\n|---|---|---|---|"
    for name, field in operation.parameters.model_fields.items():
        yield f"| `{name}` | {written(field)} | {_default(field)} | {field.description} |"
    yield "\nFor example: " + ", ".join(f"`{example}`" for example in operation.examples) + ".\n"


def prose(operation: Operation[Any]) -> str:
    """What is true of the result, one line per paragraph."""
    paragraphs = (getdoc(operation.apply) or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def written(field: FieldInfo) -> str:
    """How a value looks in an address."""
    told = [each.text for each in field.metadata if isinstance(each, Spelling)]
    if told:
        return f"`{told[0]}`"
    if choices := choices_of(field):
        return ", ".join(f"`{choice}`" for choice in choices)
    words = {bool: "`true`, `false`", int: "a whole number", float: "a number", str: "text"}
    return " or ".join(words[kind] for kind in kinds(field))


def kinds(field: FieldInfo) -> list[Any]:
    """The types that a value may have, None apart."""
    if get_origin(field.annotation) is Literal:
        return [field.annotation]
    return [kind for kind in get_args(field.annotation) if kind is not type(None)] or [field.annotation]


def choices_of(field: FieldInfo) -> list[str]:
    """The only values that are allowed, none where there are others."""
    kind = kinds(field)[0]
    return [spelled(value) for value in get_args(kind)] if get_origin(kind) is Literal else []


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    return "" if field.default is None else f"`{spelled(field.default)}`"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
    else:
        sys.stdout.write(reference())

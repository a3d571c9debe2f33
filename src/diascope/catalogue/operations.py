"""What may be done to an image before it is shown, told so that a form can be made of it."""

from __future__ import annotations

from typing import Any

from pydantic.fields import FieldInfo

from diascope.operations.operation import Operation
from diascope.operations.reference import choices_of, kinds, prose, written
from diascope.operations.view import spelled
from diascope.registry import registry


def operations() -> dict[str, Any]:
    """Every operation with its parameters in their order."""
    return {"operations": [_described(each) for each in registry("operations").values()]}


def _described(operation: Operation[Any]) -> dict[str, Any]:
    fields = operation.parameters.model_fields
    return {
        "name": operation.name,
        "title": operation.title,
        "description": prose(operation),
        "examples": operation.examples,
        "parameters": [_parameter(name, field) for name, field in fields.items()],
        "schema": operation.parameters.model_json_schema(),
    }


def _parameter(name: str, field: FieldInfo) -> dict[str, Any]:
    """A parameter as it is written in an address: ``type`` is number, integer, boolean, choice or text."""
    choices = choices_of(field)
    return {
        "name": name,
        "type": "choice" if choices else _type(field),
        "choices": choices,
        "required": field.is_required(),
        "default": None if field.is_required() or field.default is None else spelled(field.default),
        "written": written(field).replace("`", ""),
        "description": field.description,
    }


def _type(field: FieldInfo) -> str:
    return {bool: "boolean", int: "integer", float: "number"}.get(kinds(field)[0], "text")

"""Operations are told so that a form can be made of them."""

from __future__ import annotations

import json

import pytest

from diascope.catalogue.operations import operations
from diascope.operations.view import view
from diascope.registry import registry

TOLD = {each["name"]: each for each in operations()["operations"]}


def test_every_operation_is_told_as_json():
    assert list(TOLD) == list(registry("operations"))
    assert json.loads(json.dumps(TOLD)).keys() == TOLD.keys()


@pytest.mark.parametrize("name", list(TOLD))
def test_every_parameter_has_a_field(name):
    told = TOLD[name]
    assert told["title"]
    assert told["description"]
    assert [each["name"] for each in told["parameters"]] == list(registry("operations")[name].parameters.model_fields)
    for each in told["parameters"]:
        assert each["type"] in {"number", "integer", "boolean", "choice", "text"}
        assert (each["type"] == "choice") == bool(each["choices"])
        assert each["written"]
        assert each["description"]
        assert each["default"] is None or not each["required"]


def test_fields_are_of_their_types():
    def of(name: str) -> dict[str, tuple[str, bool, str | None]]:
        return {each["name"]: (each["type"], each["required"], each["default"]) for each in TOLD[name]["parameters"]}

    assert of("gamma") == {
        "low": ("number", False, None), "high": ("number", False, None), "gamma": ("number", True, None)
    }  # fmt: skip
    assert of("unmix")["stains"] == ("choice", False, None)
    assert of("unmix")["show"] == ("integer", False, None)
    assert of("channels")["blend"] == ("boolean", False, "false")
    assert of("channels")["mode"] == ("choice", False, "add")
    assert of("crop")["x"] == ("text", False, None)
    assert of("cast")["how"] == ("choice", True, None)


@pytest.mark.parametrize("name", list(TOLD))
def test_a_default_filled_in_is_the_default(name):
    for text in TOLD[name]["examples"]:
        given = {pair.partition("=")[0] for pair in text.split(",")[1:]}
        rest = [each for each in TOLD[name]["parameters"] if each["default"] is not None and each["name"] not in given]
        filled = ",".join([text, *(f"{each['name']}={each['default']}" for each in rest)])
        assert str(view(filled)) == text


def test_what_is_written_as_text_is_text_in_the_schema():
    assert not any("$defs" in each["schema"] for each in TOLD.values())
    properties = TOLD["colormap"]["schema"]["properties"]
    assert properties["lut"]["type"] == "string"
    assert properties["colours"] | {"description": ""} == {
        "type": "string", "examples": ["ff0000+00ff00"], "default": None, "title": "Colours", "description": ""
    }  # fmt: skip
    assert TOLD["crop"]["schema"]["properties"]["x"]["examples"] == ["start..stop"]

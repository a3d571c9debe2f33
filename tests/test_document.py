"""Documents are read strictly, hostile ones are refused soon, and every problem has its line."""

from __future__ import annotations

import json
from time import monotonic
from typing import Literal

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import Field, model_validator

from diascope import document
from diascope.document import LARGEST, Document, Located, Problem, located, malformed, read, schema
from diascope.errors import DiascopeError, Malformed


class Rule(Document):
    """A rule."""

    sample: str
    number: float = 0
    wanted: bool = False


class Circle(Document):
    kind: Literal["circle"]
    radius: float


class Square(Document):
    kind: Literal["square"]
    side: float


class Study(Document):
    name: str
    rules: list[Rule] = Field([])
    shapes: list[Circle | Square] = Field([])
    words: dict[str, int] = Field({})

    @model_validator(mode="after")
    def _named(self) -> Study:
        if self.name == "nothing":
            raise ValueError("a study has a name")
        return self


class Chosen(Document):
    shape: Circle | Square = Field(discriminator="kind")


def told(text: bytes | str, model: type[Document] = Study) -> list[str]:
    with pytest.raises(Malformed) as caught:
        read(text, model, "study.yaml")
    assert isinstance(caught.value, DiascopeError)
    return str(caught.value).splitlines()


@pytest.fixture(params=["libyaml", "python"])
def _loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML is there without libyaml too, and slower."""
    monkeypatch.setattr(document, "LOADER", yaml.CSafeLoader if request.param == "libyaml" else yaml.SafeLoader)


@pytest.mark.usefixtures("_loader")
def test_reads_what_stands_there() -> None:
    text = """\
# A comment, and a text over two lines.
name: >
  a long
  name
rules:
- {sample: a, number: 1e3, wanted: true}
- sample: "1"
  number: -2.5
words: {one: 1, 2: 2}
"""
    study = read("\ufeff" + text, Study, "study.yaml")
    assert study.name == "a long name\n"
    assert study.rules == [Rule(sample="a", number=1000, wanted=True), Rule(sample="1", number=-2.5)]
    assert study.words == {"one": 1, "2": 2}
    assert read(text.replace("\n", "\r\n").encode(), Study, "study.yaml") == study
    assert read(json.dumps(study.model_dump(), indent=1), Study, "study.json") == study


@pytest.mark.parametrize(
    "text", ["no", "yes", "on", "01", "010", "0x10", "1_000", "1:30", "2026-01-01", "1e5x", "=", "<<", "0o7", ".inf"]
)
def test_what_looks_like_something_else_only_to_yaml_1_1_is_a_text(text: str) -> None:
    assert located(f"[{text}]", "study.yaml").value == [text]


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("-12", -12), ("1.5", 1.5), ("1e-3", 0.001), ("~", None), ("'1'", "1"), ("9" * 40, None), (".5", 0.5)],
)
def test_scalars_of_the_core_schema(text: str, value: object) -> None:
    found = located(f"[{text}]", "study.yaml").value[0]
    assert found == (value if len(text) < 40 else text)
    assert type(found) is type(value if len(text) < 40 else text)


def test_every_problem_has_its_line_and_key() -> None:
    text = """\
name: 5
rules:
  - sample: a
    nubmer: 1
  - number: much

  - {sample: a, wanted: 7}
words:
  one: two
other: 1
"""
    lines = told(text)
    assert [line.partition(": ")[0] for line in lines] == [
        "study.yaml, line 1, name",
        "study.yaml, line 4, rules[0].nubmer",
        "study.yaml, line 5, rules[1].sample",
        "study.yaml, line 5, rules[1].number",
        "study.yaml, line 7, rules[2].wanted",
        "study.yaml, line 9, words.one",
        "study.yaml, line 10, other",
    ]
    assert "quotes" in lines[0]
    assert lines[1].endswith("there is no such field")
    assert lines[2].endswith("it is missing")


def test_problems_of_validators_and_unions_stand_in_the_document_too() -> None:
    assert told("# a\nname: nothing") == ["study.yaml, line 2: a study has a name"]
    assert told("\nshape:\n  kind: circle\n  radius: far", Chosen) == [
        "study.yaml, line 4, shape.radius: Input should be a valid number, unable to parse string as a number"
    ]
    assert all("line 3, shapes[0]" in line for line in told("name: a\nshapes:\n- kind: oval"))


def test_of_very_many_problems_some_are_told() -> None:
    lines = told("name: a\nrules:\n" + "- {}\n" * 500)
    assert len(lines) == 101
    assert lines[-1] == "study.yaml: and 400 more"


def test_problems_found_later_stand_in_their_lines() -> None:
    found = located("name: a\nrules:\n  - sample: x\n  - sample: x\n", "study.yaml")
    error = malformed("study.yaml", [found.problem(("rules", 1, "sample"), "this sample is there twice")])
    assert str(error) == "study.yaml, line 4, rules[1].sample: this sample is there twice"
    assert Located().problem(("rules", 0), "why") == Problem(1, "", "why")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1: "),
        ("5", "line 1: "),
        ("name: a\nname: b", "line 2, name: this key is here twice"),
        ("rules:\n- sample: a\n  sample: b", "line 3, rules[0].sample: this key is here twice"),
        ("name: &a b", "line 1, name: anchors and aliases are not read: 'a'"),
        ("name: *a", "line 1, name: anchors and aliases are not read: 'a'"),
        ("name: a\nrules: !!python/object/apply:os.system [ls]", "line 2, rules: tags are not read"),
        ("name: !!str 5", "line 1, name: tags are not read"),
        ("? [a, b]\n: c", "line 1: a key is a text"),
        ("---\nname: a\n---\nname: b", "line 3: a second document begins here"),
        ("name: a\nrules: [", "line 2: this is no YAML"),
        ("name: a\n\tb: c", "line 2: this is no YAML"),
        ("name: a\n%YAML 1.2", "line 2"),
        ("name: a\nwords: \0", "line 2: this is no YAML"),
        (b"name: a\nwords: \xff", "line 2: this is no text in UTF-8"),
        ("name: a\nwords: \ud800", "line 2: this is no text"),
        ('name: "\\ud800"', "line 1"),
        ('name: a\n"x\\nstudy.yaml, line 9, y\\e[2J": b', "line 2, x\N{REPLACEMENT CHARACTER}study.yaml, line 9, y"),
        ("name: a".encode("utf-16"), "line 1: this is no text in UTF-8"),
        ("rules: " + "[" * 40 + "]" * 40, "it lies more than 32 deep"),
        ("rules: [" + "a," * 100_001 + "]", "there are more than 100000 values"),
        ("name: " + "a" * LARGEST, f"the limit is {LARGEST}"),
    ],
)
@pytest.mark.usefixtures("_loader")
def test_refused_with_line_and_reason(text: bytes | str, reason: str) -> None:
    lines = told(text)
    assert len(lines) == 1
    assert reason in lines[0]
    assert lines[0].startswith("study.yaml, line ")


@pytest.mark.parametrize(
    "piece",
    ["[", "{", "- ", "? ", "a: ", "&a ", "*a ", "!a ", "'", '"', "|\n", "- a\n", "a:\n ", "\\", "%", "---\n", "#", ","],
)
def test_hostile_bytes_end_soon(piece: str) -> None:
    start = monotonic()
    lines = told(piece * (LARGEST // len(piece)))
    assert monotonic() - start < 5
    assert len(lines) <= 101


def test_schema_is_one_and_agrees() -> None:
    made = schema(Study)
    Draft202012Validator.check_schema(made)
    validator = Draft202012Validator(made)
    assert validator.is_valid({"name": "a", "rules": [{"sample": "b"}]})
    assert not validator.is_valid({"name": "a", "rules": [{"sample": "b", "other": 1}]})

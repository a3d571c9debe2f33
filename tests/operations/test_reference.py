"""The reference page says what the code says."""

from __future__ import annotations

from pathlib import Path

from diascope.operations.reference import reference
from diascope.registry import registry

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "write it anew: python -m diascope.operations.reference docs/operations.md"
    )


def test_every_operation_and_parameter_is_in_it():
    page = reference()
    for name, operation in registry("operations").items():
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        for parameter in operation.parameters.model_fields:
            assert f"| `{parameter}` |" in section

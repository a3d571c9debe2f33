"""The import contracts of the house."""

from __future__ import annotations

from importlinter.cli import lint_imports


def test_imports_run_one_way() -> None:
    assert lint_imports(config_filename="pyproject.toml", cache_dir=None, is_debug_mode=True) == 0

"""Every registered operation keeps the published contract."""

from __future__ import annotations

import pytest

from diascope.registry import registry
from diascope.testing.operations import check_operation


@pytest.mark.parametrize("name", list(registry("operations")))
@pytest.mark.parametrize("seed", [0, 1])
def test_a_registered_operation_keeps_the_contract(name, seed):
    operation = registry("operations")[name]
    assert operation.name == name
    check_operation(operation, seed)

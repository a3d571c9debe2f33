"""What an error comes of, however it was told on the way."""

from __future__ import annotations

import pytest

from diascope.catalogue.guard import clearly
from diascope.errors import Changed, Overloaded, Unreadable, beneath
from diascope.isolation.trouble import told


def of_a_change() -> None:
    """A reader that takes a change for damage, since both are errors of the system."""
    try:
        raise Changed("a.h5 was written to while it was read")
    except OSError as error:
        damage = ValueError(f"the heap is broken: {error}")
        damage.__cause__ = error
        raise Unreadable(f"a.h5: it cannot be opened as HDF5: {damage}") from damage


def test_a_change_is_told_as_one_whoever_took_it_for_damage() -> None:
    with pytest.raises(Changed, match=r"^a\.h5 was written to while it was read$"):
        clearly("folder/a.h5", of_a_change)
    with pytest.raises(Unreadable) as trouble:
        of_a_change()
    assert told(trouble.value) == {"error": "Changed", "reason": "a.h5 was written to while it was read"}


def test_other_errors_stay_what_they_are() -> None:
    damage = Unreadable("a.h5: it is damaged")
    damage.__cause__ = ValueError("7")
    assert beneath(damage) is damage
    round_and_round = Overloaded("later")
    round_and_round.__cause__ = other = ValueError("1")
    other.__cause__ = round_and_round
    assert beneath(round_and_round) is round_and_round

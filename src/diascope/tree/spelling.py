"""Values in the order of their spellings, walked from any spelling on: that of decimal numbers is never sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

Options: TypeAlias = Sequence[int] | Sequence[str]
Pieces: TypeAlias = Sequence[tuple[str, str]]
"""Fields by name, each with the text behind it."""


@runtime_checkable
class InOrder(Protocol):
    """Texts of one length that can be listed in their order from anywhere, however many they are."""

    def in_order(self, reached: Callable[[str], bool]) -> Iterator[str]:
        """Those for which this is true, as it is for all after the first one."""
        ...


def reaches(text: str, low: str) -> bool:
    """Whether texts that begin with this one may come from ``low`` on."""
    return text >= low or low.startswith(text)


def ordered(options: Options, end: str, low: str) -> Iterator[Any]:
    """The options by their spelling with ``end`` behind it, without those that end before ``low``."""
    if isinstance(options, range) and options.start >= 0 and options.step > 0 and not end[:1].isdecimal():
        for digit in "0123456789":
            yield from _numbers(digit, options, end, low)
    elif isinstance(options, InOrder):
        yield from options.in_order(lambda text: reaches(text + end, low))
    else:
        kept = (option for option in options if reaches(f"{option}{end}", low))
        yield from sorted(kept, key=lambda option: f"{option}{end}")


def _numbers(text: str, options: range, end: str, low: str) -> Iterator[int]:
    """Those whose digits begin with ``text``: 1, 10, 100, 11 where ``end`` comes before digits, else 100, 10, 11, 1."""
    if not reaches(text, low) or not _has_any(text, options):
        return
    own = int(text) in options and reaches(text + end, low)
    if own and end < "0":
        yield int(text)
    for digit in "0123456789" if text != "0" else "":
        yield from _numbers(text + digit, options, end, low)
    if own and end >= "0":
        yield int(text)


def _has_any(text: str, options: range) -> bool:
    """Whether a number has these digits first: a look for each number of digits that may follow."""
    first, after = int(text), int(text) + 1
    while first < options.stop:
        steps = max(0, -((options.start - first) // options.step))
        if options.start + steps * options.step < min(after, options.stop):
            return True
        if text == "0":
            return False
        first, after = first * 10, after * 10
    return False


def spelled(
    pieces: Pieces, values: dict[str, Any], choices: Mapping[str, Callable[..., Options]], low: str
) -> Iterator[str]:
    """The spellings of fields, each with the text behind it, in order and from ``low`` on."""
    if not pieces:
        yield from () if low else ("",)
        return
    (name, end), rest = pieces[0], pieces[1:]
    options = choices[name](**values)
    if rest and not _are_apart(options, end):
        # What stands behind one spelling may come before what stands behind a shorter one.
        every = (f"{o}{end}{more}" for o in options for more in spelled(rest, {**values, name: o}, choices, ""))
        yield from sorted(text for text in every if text >= low)
        return
    for option in ordered(options, end, low):
        text = f"{option}{end}"
        below = low[len(text) :] if low.startswith(text) else ""
        yield from (text + more for more in spelled(rest, {**values, name: option}, choices, below))


def _are_apart(options: Options, end: str) -> bool:
    """Whether no spelling with ``end`` behind it begins another."""
    if not end:
        return False
    return not end[0].isdecimal() if isinstance(options, range) else all(end[0] not in str(o) for o in options)

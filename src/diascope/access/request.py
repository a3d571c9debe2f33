"""A request as the server has it, of which no more is spelled out than is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

SAFE = "/~,=+@:!$&'()*;"
"""What stands in a path as it is (RFC 3986, section 3.3)."""

CONDITIONS = frozenset((b"if-match", b"if-none-match", b"if-range", b"range"))
RARE = frozenset(name.decode() for name in CONDITIONS)
"""What is looked for in every request, and seldom there."""


class Headers(Mapping[str, str]):
    """Headers by their names in lower case, those that come twice joined by a comma (RFC 9110, section 5.2)."""

    __slots__ = ("_all", "_last", "_raw", "id", "is_plain")

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        self._raw = raw
        self._all: dict[str, str] | None = None
        self._last = dict(raw)
        self.is_plain = CONDITIONS.isdisjoint(self._last)
        """Whether none of what is looked for in every request is there."""
        given = self._last.get(b"x-request-id")
        self.id = None if given is None else given.decode("latin-1")

    def are_without(self, names: Iterable[bytes]) -> bool:
        """Whether none of these is there."""
        return self._last.keys().isdisjoint(names)

    def __getitem__(self, name: str) -> str:
        if self.is_plain and name in RARE:
            raise KeyError(name)
        return self._spelled()[name]

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        if self.is_plain and name in RARE:
            return default
        return self._spelled().get(name, default)

    def __contains__(self, name: object) -> bool:
        return not (self.is_plain and name in RARE) and name in self._spelled()

    def __iter__(self) -> Iterator[str]:
        return iter(self._spelled())

    def __len__(self) -> int:
        return len(self._spelled())

    def _spelled(self) -> dict[str, str]:
        if self._all is None:
            found: dict[str, str] = {}
            for name, value in self._raw:
                key, text = name.decode("latin-1"), value.decode("latin-1")
                found[key] = f"{found[key]}, {text}" if key in found else text
            self._all = found
        return self._all

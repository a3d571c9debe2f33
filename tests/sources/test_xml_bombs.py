"""XML that would take far more time or memory than its size lets one think is refused early, by every parser."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from diascope.errors import Unreadable
from diascope.sources.leica.tree import parsed
from diascope.sources.reading.plates.records import records
from diascope.sources.reading.xml import parsed_xml
from diascope.stores.local import LocalStore

SIZE = 6 << 20
MEMORY = 100 << 20

LAUGHS = b'<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><r>&b;</r>'
SYSTEM = b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><r>&a;</r>'
PARAMETER = b'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><r/>'

BOMBS: dict[str, bytes] = {
    "laughs": LAUGHS,
    "system": SYSTEM,
    "parameter": PARAMETER,
    "late": b'<?xml version="1.0"?>' + b"<!-- x -->" * 200_000 + LAUGHS,
    "elements": b"<r>" + b"<a/>" * 4_300_000 + b"</r>",
    "elements with attributes": b"<r>" + b'<a b=""/>' * 2_200_000 + b"</r>",
}
STREAMED = {
    "deep": b"<a>" * (SIZE // 3),
    "within a record": b"<r><Image>" + b'<a b="cd"></a>' * 200_000 + b"</Image></r>",
    "empty records": b"<r>" + b"<Image/>" * 1_000_000 + b"</r>",
    "attributes": b"<r " + b'abcdef="" ' * (SIZE // 10),
    "text": b"<r>" + b"x" * SIZE,
    "comment": b"<r><!--" + b"x" * SIZE,
    "wide letters": "<r/>".encode("utf-16"),
}


@contextmanager
def measured(most: int = MEMORY) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("parse", [lambda data: parsed_xml(data.decode(), "a.xml"), parsed], ids=["tree", "leica"])
def test_a_document_is_refused_before_it_is_a_tree(parse: Callable[[bytes], object], bomb: str) -> None:
    with measured(), pytest.raises(Unreadable):
        parse(BOMBS[bomb])


@pytest.mark.parametrize("bomb", [*BOMBS, *STREAMED])
def test_records_are_refused_as_they_come(bomb: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes({**BOMBS, **STREAMED}[bomb])
    with measured(), pytest.raises(Unreadable):
        list(records(LocalStore(tmp_path), "a.xml", frozenset({"Image"})))


def test_records_leave_nothing_behind(tmp_path: Path) -> None:
    record = b"<Image><URL>a.tif</URL><Row>1</Row><Col>2</Col></Image><Other>that is not asked for</Other>\n"
    (tmp_path / "a.xml").write_bytes(b"<r><Images>" + record * 20_000 + b"</Images></r>")
    with measured(MEMORY // 10):
        found = [len(each) for each in records(LocalStore(tmp_path), "a.xml", frozenset({"Image"}))]
    assert found == [3] * 20_000

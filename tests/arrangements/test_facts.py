"""Tables of facts are read as people write them, and what is wrong is told with its line."""

from __future__ import annotations

import codecs

import pytest

from diascope.arrangements.facts import LARGEST, Table, key, table
from diascope.errors import Malformed


def values(found: Table) -> list[dict[str, str]]:
    return [dict(row.values) for row in found.rows]


def told(data: bytes, *columns: str, name: str = "animals.csv") -> list[str]:
    with pytest.raises(Malformed) as caught:
        table(data, name).by(columns)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", b"id,group\nM1,wild type\nM2,\n"),
        ("a.csv", codecs.BOM_UTF8 + b"id , group\r\n M1,wild type\r\n\r\nM2,\r\n,\r\n"),
        ("a.csv", b'"id";"group"\n"M1";"wild type"\nM2;\n'),
        ("a.TSV", b'id\tgroup\nM1\t"wild type"\nM2\t'),
        ("a.csv", b"id,group\rM1,wild type\rM2,\r"),
    ],
)
def test_reads_rows(name: str, data: bytes) -> None:
    found = table(data, name)
    assert found.columns == ("id", "group")
    assert values(found) == [{"id": "M1", "group": "wild type"}, {"id": "M2", "group": ""}]


def test_quotes_may_hold_anything_and_lines_go_on_counting() -> None:
    found = table(b'id,note\na,"x, ""y""\nz"\nb,\n', "a.csv")
    assert values(found) == [{"id": "a", "note": 'x, "y"\nz'}, {"id": "b", "note": ""}]
    assert [row.line for row in found.rows] == [2, 4]


def test_rows_are_found_by_key() -> None:
    rows = table("id,n,group\nM1,01,a\nM1,2,b\nKo\u0308,3,c\n".encode(), "a.csv").by(["id", "n"])
    assert rows[key(["M1", "1"])].values["group"] == "a"
    assert rows[key(["M1", "002"])].values["group"] == "b"
    assert rows[key(["K\u00f6", "3"])].line == 4
    assert key(["M2", "1"]) not in rows


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", ["animals.csv, line 1: there is no line of column names"]),
        (b"other,b\n", ["animals.csv, line 1: there is no column 'id'; there are: other, b"]),
        (b"id,id\n", ["animals.csv, line 1: column 2 is named as another: 'id'"]),
        (b"id,\n", ["animals.csv, line 1: column 2 has no name"]),
        (
            b"id,b\n1,2,3\n1\n",
            [
                "animals.csv, line 2: it has 3 cells, and the first line 2",
                "animals.csv, line 3: it has 1 cells, and the first line 2",
            ],
        ),
        (
            b"id,b\nM1,1\n,2\nM1,3\n01,1\n1,2\n",
            [
                "animals.csv, line 3, id: this cell is part of a key, and empty",
                "animals.csv, line 4: id 'M1' stands in line 2 already",
                "animals.csv, line 6: id '1' stands in line 5 already",
            ],
        ),
        (b"id\nM\xff\n", ["animals.csv, line 2: this is no text in UTF-8"]),
        (b'id\na\n"b\n', ["animals.csv, line 3: this row cannot be read: unexpected end of data"]),
        (
            b"id\n" + b"a" * 200_000,
            ["animals.csv, line 2: this row cannot be read: field larger than field limit (131072)"],
        ),
    ],
)
def test_tells_every_line_that_is_wrong(data: bytes, lines: list[str]) -> None:
    assert told(data, "id") == lines


def test_is_bounded() -> None:
    assert "the limit is" in told(b"a" * (LARGEST + 1), "id")[0]
    assert "more than 200000 rows" in told(b"id\n" + b"a\n" * 200_001, "id")[0]
    assert "the limit is 1000" in told(b"a," * 1001, "id")[0]

"""Files that know their URL, and files that answer for a folder."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from diascope.tree.cache import Identified, file_cache
from diascope.tree.file import Entry, File, in_memory
from diascope.tree.table import Table


def described() -> File:
    return replace(in_memory(b"relative", "a/b"), located=lambda url: in_memory(url.encode(), "a/b"))


@pytest.fixture
def table() -> Table:
    table = Table()
    table.add("service/", lambda: replace(in_memory(b"", "a/b"), moved="info"))
    table.add("service/info", described)
    return table


def test_a_file_that_answers_for_a_folder_is_not_listed(table: Table) -> None:
    assert table.file("service/") is not None
    assert table.file("service") is None
    assert list(table.entries("") or ()) == [Entry("service", is_folder=True)]
    assert list(table.entries("service") or ()) == [Entry("info", is_folder=False)]


def test_files_that_differ_by_url_differ_by_etag(table: Table) -> None:
    file = Identified(table, "identity", file_cache(10_000)).file("service/info")
    assert file is not None
    assert file.located is not None
    one, other = file.located("http://one/service/info"), file.located("http://other/service/info")
    assert (one.read(0, None), other.read(0, None)) == (b"http://one/service/info", b"http://other/service/info")
    assert len({None, file.etag, one.etag, other.etag}) == 4
    again = Identified(table, "identity", file_cache(10_000)).file("service/info")
    assert again is not None
    assert again.located is not None
    assert again.located("http://one/service/info").etag == one.etag


@pytest.mark.parametrize("slash", ["", "/"])
def test_over_http_the_folder_redirects_and_the_file_knows_its_url(tree_server, table: Table, slash: str) -> None:
    url = tree_server(table)
    answer = httpx.get(f"{url}/data/service{slash}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/data/service/info")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert httpx.get(f"{url}/data/service/info").text == f"{url}/data/service/info"


@pytest.mark.parametrize("path", ["service/other", "other/", "service/info/"])
def test_no_other_folder_redirects(tree_server, table: Table, path: str) -> None:
    assert httpx.get(f"{tree_server(table)}/data/{path}").status_code == 404

"""The contract of trees: what every tree of virtual files must keep, whatever door it is handed to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from diascope.errors import BadRequest, NotFound
from diascope.tree.file import Entry, File, Tree
from diascope.tree.order import entries_from, key

NUMBER = re.compile("[0-9]+")
MOST_FILES = 400
"""Of a tree are looked at."""
MOST_READ = 40
"""Of them are read, evenly spread."""


def files(tree: Tree, folder: str = "") -> Iterator[str]:
    """The paths of all files that are listed, depth first."""
    for entry in _listed(tree, folder):
        path = f"{folder}/{entry.name}" if folder else entry.name
        if entry.is_folder:
            yield from files(tree, path)
        else:
            yield path


def check_tree(tree: Tree, unlisted: Sequence[str] = ()) -> None:
    """Raise AssertionError, naming the path, where the tree breaks its contract.

    ``unlisted`` are paths of files that it serves and does not list.
    """
    paths = list(islice(files(tree), MOST_FILES))
    assert paths, "a tree lists a file"
    for path in [*paths, *unlisted]:
        check_listed(tree, path)
    for folder in dict.fromkeys(path.rpartition("/")[0] for path in spread(paths)):
        check_order(tree, folder)
    for path in spread(paths):
        check_spelling(tree, path)
    for path in [*spread(paths), *unlisted]:
        check_reads(tree, path)
    check_threads(tree, [*spread(paths), *unlisted])


def spread(paths: list[str]) -> list[str]:
    """The first and the last of them, and some between."""
    step = max(1, len(paths) // MOST_READ)
    return [*paths[::step], paths[-1]]


def check_listed(tree: Tree, path: str) -> None:
    """A listed file is a file, no folder, and lies in folders that are no files."""
    file = _file(tree, path)
    assert tree.entries(path) is None, f"{path} is a file, and lists entries"
    kind, _, name = file.media_type.partition("/")
    assert kind, f"{path} has the media type {file.media_type!r}"
    assert name, f"{path} has the media type {file.media_type!r}"
    parts = path.split("/")
    for depth in range(1, len(parts)):
        folder = "/".join(parts[:depth])
        assert tree.file(folder) is None, f"{folder} is a folder, and a file"


def check_order(tree: Tree, folder: str) -> None:
    """In the order of keys a folder lists what it lists without, and from anywhere on what comes then."""
    expected = sorted(_listed(tree, folder), key=key)
    if len(expected) == MOST_FILES:
        return
    for start in ("", *map(key, expected[:: max(1, len(expected) // 4)]), "\U0010ffff"):
        found = entries_from(tree, folder, start)
        assert found is not None, f"{folder!r} is no folder in order"
        assert list(found) == [entry for entry in expected if key(entry) >= start], f"{folder!r} from {start!r}"


def check_reads(tree: Tree, path: str) -> None:
    """Sizes are true, ranges are slices of the whole, and the same path always gives the same bytes."""
    file = _file(tree, path)
    data = file.read(0, None)
    size = len(data)
    assert isinstance(data, bytes), f"{path} gives {type(data).__name__}"
    assert file.size in (None, size), f"{path} says {file.size} bytes and has {size}"
    again = _file(tree, path)
    for start, stop in ((0, 0), (0, 1), (0, size), (size // 3, size // 2), (size - 1, size), (1, None), (0, size + 9)):
        assert again.read(max(0, start), stop) == data[max(0, start) : stop], f"{path} from {start} to {stop}"
    for start in (size, size + 5):
        assert again.read(start, None) == again.read(start, start + 1) == b"", f"{path} has bytes behind its end"
    assert _file(tree, path).read(0, None) == data, f"{path} gives other bytes the second time"


def check_spelling(tree: Tree, path: str) -> None:
    """No other spelling of a path is a file or a folder, and nothing lies below a file."""
    for other in spellings(path):
        try:
            found = tree.file(other)
        except (BadRequest, NotFound):
            continue
        assert found is None, f"{other!r} is a file as {path!r} is"
    assert tree.entries(f"/{path}") is None, f"'/{path}' is a folder"


def spellings(path: str) -> Iterator[str]:
    """What a careless tree takes for the path."""
    top, slash, rest = path.partition("/")
    yield from (f"{path}/", f"/{path}", f"./{path}", f"{path} ", f"{path}\n", f"{path}\0", f"{path}/nothing")
    if slash:
        yield from (f"{top}//{rest}", f"{top}/./{rest}")
    for number in NUMBER.finditer(rest):
        digits = number[0]
        eastern = "".join(chr(ord(digit) - ord("0") + 0x660) for digit in digits)
        for odd in (
            f"0{digits}",
            f"+{digits}",
            f" {digits}",
            f"{digits}.0",
            f"{digits[0]}_{digits}",
            eastern,
            "9" * 30,
        ):
            yield f"{top}/{rest[: number.start()]}{odd}{rest[number.end() :]}"


def check_threads(tree: Tree, paths: list[str]) -> None:
    """Many threads read the bytes that one reads."""
    alone = [_file(tree, path).read(0, None) for path in paths]
    with ThreadPoolExecutor(4) as pool:
        shared = [_file(tree, path) for path in paths]
        twice = [*pool.map(lambda file: file.read(0, None), [*shared, *shared])]
    assert twice == alone + alone, "threads disturb one another"


def _file(tree: Tree, path: str) -> File:
    file = tree.file(path)
    assert file is not None, f"{path} is listed, and no file"
    return file


def _listed(tree: Tree, folder: str) -> list[Entry]:
    entries = tree.entries(folder)
    assert entries is not None, f"{folder!r} is listed as a folder, and is none"
    found = list(islice(entries, MOST_FILES))
    names = [entry.name for entry in found]
    assert len(set(names)) == len(names), f"{folder!r} lists a name twice"
    for name in names:
        assert name not in {"", ".", ".."}, f"{folder!r} lists {name!r}"
        assert not set(name) & {"/", "\0"}, f"{folder!r} lists {name!r}"
    return found

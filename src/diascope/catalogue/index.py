"""What lies in a repository, remembered on disk, so that names are found and listed without walking folders.

::

    folder   id  parent  path  version  found  entries  is_waiting
    entry    folder  key  what  folded

``version`` is that of the last look into a folder, empty where the folder may have changed since without another one;
``entries`` are so many, and ``found`` is the number of the look at the parent that saw it last. Keys are names as
``diascope.tree.order`` has them, with a slash behind what is opened as a folder, in the bytes of UTF-8 that the file
system has; ``folded`` is the name in no case where that is another one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import local
from typing import NamedTuple

from diascope.errors import Unreadable

FORM = 1
"""Of the tables; others are made anew."""

PATIENCE = 30.0
"""For how many seconds one waits for another process that writes."""

FILE, IMAGE, FOLDER, IMAGE_FOLDER = range(4)
"""What a name is: a file, one that is an image, a folder, or one that is an image."""

TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE folder (
    id INTEGER PRIMARY KEY, parent INTEGER, path BLOB UNIQUE NOT NULL, version TEXT NOT NULL DEFAULT '',
    found INTEGER NOT NULL DEFAULT 0, entries INTEGER NOT NULL DEFAULT 0, is_waiting INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX waiting ON folder (id) WHERE is_waiting;
CREATE INDEX child ON folder (parent);
CREATE TABLE entry (
    folder INTEGER NOT NULL, key BLOB NOT NULL, what INTEGER NOT NULL, folded BLOB, PRIMARY KEY (folder, key)
) WITHOUT ROWID;
INSERT INTO folder (path) VALUES (x'');
COMMIT;
"""

GONE = """
WITH RECURSIVE gone (id) AS (
    SELECT id FROM folder WHERE {which}
    UNION ALL SELECT folder.id FROM folder JOIN gone ON folder.parent = gone.id
)
DELETE FROM {table} WHERE {column} IN gone
"""


class Progress(NamedTuple):
    """How far an index is."""

    folders: int
    waiting: int
    """Of the folders those that are still to be looked into."""
    entries: int

    @property
    def share(self) -> float:
        """Of the folders that are known, those that were looked into, from 0 to 1."""
        return 1 - self.waiting / max(self.folders, 1)


class Look(NamedTuple):
    """A folder that is looked into."""

    id: int
    path: str
    version: str = ""
    """That of the last look."""


class Named(NamedTuple):
    """What a name in a folder is."""

    name: str
    what: int

    @property
    def key(self) -> str:
        return self.name + "/" * (self.what != FILE)

    @property
    def is_folder(self) -> bool:
        return self.what in {FOLDER, IMAGE_FOLDER}


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """The index in a file, which is made where it is missing, damaged, or of another form; used by many threads."""

    path: Path
    _connections: local = field(default_factory=local)

    def __post_init__(self) -> None:
        """Raises Unreadable where no such file can be made."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                _prepare(self.path)
            except sqlite3.DatabaseError:
                for suffix in ("", "-wal", "-shm"):
                    with suppress(FileNotFoundError):
                        Path(f"{self.path}{suffix}").unlink()
                _prepare(self.path)
        except (OSError, sqlite3.Error) as error:
            raise Unreadable(f"there can be no index at {str(self.path)!r}: {error}") from error

    @property
    def connection(self) -> sqlite3.Connection:
        """That of this thread; what is not told to begin is written at once."""
        if not hasattr(self._connections, "made"):
            self._connections.made = _connected(self.path)
        made: sqlite3.Connection = self._connections.made
        return made

    def progress(self) -> Progress:
        asked = "SELECT count(*), coalesce(sum(is_waiting), 0), coalesce(sum(entries), 0) FROM folder"
        return Progress(*self.connection.execute(asked).fetchone())

    def search(self, text: str, limit: int) -> list[tuple[str, int]]:
        """Paths of folders and images whose name has a text, in any case, and what they are; no more than the limit."""
        asked = (
            "SELECT path, key, what FROM entry JOIN folder ON id = folder"
            " WHERE what AND instr(coalesce(folded, key), ?) LIMIT ?"
        )
        rows = self.connection.execute(asked, (_bytes(text.casefold()), limit)).fetchall()
        return [(_text(path + b"/" * bool(path) + key[:-1]), what) for path, key, what in rows]

    def page(self, path: str, version: str, start: str, count: int) -> list[Named] | None:
        """What lies in a folder of this version, by key and from one on; None where nobody has looked since."""
        if not version:
            return None
        asked = "SELECT id FROM folder WHERE path = ? AND version = ?"
        row = self.connection.execute(asked, (_bytes(path), version)).fetchone()
        if row is None:
            return None
        asked = "SELECT key, what FROM entry WHERE folder = ? AND key >= ? ORDER BY key LIMIT ?"
        rows = self.connection.execute(asked, (row[0], _bytes(start), count)).fetchall()
        return [Named(_text(key).removesuffix("/"), what) for key, what in rows]

    def waiting(self, count: int) -> list[Look]:
        """Folders that are to be looked into, those found first coming first."""
        asked = "SELECT id, path, version FROM folder WHERE is_waiting ORDER BY id LIMIT ?"
        return self._looks(asked, count)

    def looked(self, after: int, count: int) -> list[Look]:
        """Folders that were looked into, by number and after one."""
        asked = "SELECT id, path, version FROM folder WHERE id > ? AND NOT is_waiting ORDER BY id LIMIT ?"
        return self._looks(asked, after, count)

    def _looks(self, asked: str, *given: int) -> list[Look]:
        rows = self.connection.execute(asked, given).fetchall()
        return [Look(number, _text(path), version) for number, path, version in rows]

    def wait(self, looks: Iterable[Look]) -> None:
        """These are to be looked into again."""
        self.connection.executemany("UPDATE folder SET is_waiting = 1 WHERE id = ?", [(look.id,) for look in looks])

    def begin(self, look: Look) -> None:
        """What is written from here to ``finish``, which may take long, is there wholly or not at all."""
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute("UPDATE folder SET found = found + 1 WHERE id = ?", (look.id,))
        self.connection.execute("DELETE FROM entry WHERE folder = ?", (look.id,))

    def add(self, look: Look, entries: list[Named]) -> None:
        """What lies in the folder; folders in it that are no images are to be looked into, if nobody has done so."""
        rows = [(look.id, _bytes(each.key), each.what, _folded(each.name)) for each in entries]
        self.connection.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)", rows)
        below = [(look.id, _bytes(f"{look.path}/{name}".lstrip("/"))) for name, what in entries if what == FOLDER]
        self.connection.executemany(
            "INSERT INTO folder (parent, path, found) SELECT ?1, ?2, found FROM folder WHERE id = ?1"
            " ON CONFLICT (path) DO UPDATE SET found = excluded.found",
            below,
        )

    def finish(self, look: Look, version: str) -> None:
        """Everything was added; folders that were there at another look and are not now have gone."""
        which = "parent = ?1 AND found != (SELECT found FROM folder WHERE id = ?1)"
        self._forget(which, look.id)
        counted = "(SELECT count(*) FROM entry WHERE folder = ?1)"
        done = f"UPDATE folder SET version = ?2, is_waiting = 0, entries = {counted} WHERE id = ?1"  # noqa: S608
        self.connection.execute(done, (look.id, version))
        self.connection.execute("COMMIT")

    def postpone(self, look: Look) -> None:
        """It cannot be looked into now; what is known of it stays."""
        self.connection.execute("UPDATE folder SET version = '', is_waiting = 0 WHERE id = ?", (look.id,))

    def abandon(self) -> None:
        """Nothing is written of what was begun."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def forget(self, look: Look) -> None:
        """The folder has gone, with all that was in it."""
        self._forget("id = ?1", look.id)

    def _forget(self, which: str, number: int) -> None:
        # Folders last: they tell which entries have gone with them.
        for table, column in (("entry", "folder"), ("folder", "id")):
            self.connection.execute(GONE.format(which=which, table=table, column=column), (number,))


class _Connection(sqlite3.Connection):
    """Closed when its thread ends, or whoever holds the index lets go of it, in whatever thread that is."""

    def __del__(self) -> None:
        self.close()


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=PATIENCE, isolation_level=None, check_same_thread=False, factory=_Connection
    )
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _prepare(path: Path) -> None:
    with closing(_connected(path)) as connection:
        (form,) = connection.execute("PRAGMA user_version").fetchone()
        if form == FORM:
            connection.execute("SELECT count(*) FROM folder").fetchone()
            return
        if form:
            raise sqlite3.DatabaseError("its tables are of another form")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(TABLES)
        connection.execute(f"PRAGMA user_version = {FORM}")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _folded(name: str) -> bytes | None:
    folded = name.casefold()
    return None if folded == name else _bytes(folded)

"""``diascope index``: look into all folders before anyone searches them."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from diascope.catalogue.catalogue import catalogue
from diascope.catalogue.index import Index
from diascope.catalogue.indexing import alone
from diascope.catalogue.repository import Repository
from diascope.catalogue.scan import scanned, swept
from diascope.errors import Overloaded
from diascope.settings import Settings

EVERY = 20
"""After so many steps the bar is drawn anew."""


def run(settings: Settings) -> Iterable[str]:
    """Bring the index of each repository up to date, with a bar on the terminal; a line for each of them.

    Who stops it loses nothing: it goes on from there. Raises Overloaded where a server is doing the same.
    """
    for repository in catalogue(settings, indexed=True).repositories.values():
        if repository.index:
            yield _told(repository, repository.index)


def _told(repository: Repository, index: Index) -> str:
    with alone(index.path) as is_alone:
        if not is_alone:
            raise Overloaded(f"{repository.name}: another process is looking into its folders")
        _shown(repository, index)
    done = index.progress()
    return f"{repository.name}: {done.entries:,} names in {done.folders:,} folders"


def _shown(repository: Repository, index: Index) -> None:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[so_far]}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(repository.name, total=None, so_far="")
        for steps in (swept, scanned):
            for number, _ in enumerate(steps(repository, index)):
                if number % EVERY == 0:
                    _draw(bar, task, index)
        _draw(bar, task, index)


def _draw(bar: Progress, task: TaskID, index: Index) -> None:
    known = index.progress()
    done = known.folders - known.waiting
    so_far = f"{done:,} of {known.folders:,} folders, {known.entries:,} names"
    bar.update(task, total=known.folders, completed=done, so_far=so_far)

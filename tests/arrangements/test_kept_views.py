"""What is kept of views."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

from diascope.arrangements.views import VIEWS, Views


class Dataset:
    """Stands for what a view keeps open."""


def made(dataset: Dataset, count: list[int]) -> Callable[[], Dataset]:
    def make() -> Dataset:
        count.append(1)
        return dataset

    return make


def test_views_of_the_images_asked_for_last_are_kept_and_no_other_stays_open() -> None:
    views: Views[Dataset] = Views(2)
    datasets = [Dataset() for _ in range(3)]
    count: list[int] = []
    alive = [weakref.ref(each) for each in datasets]
    for k in (0, 1, 0):
        for view in ("a", "b"):
            assert views.get(str(k), view, made(datasets[k], count)) is datasets[k]
    assert len(count) == 4
    views.get("2", "a", made(datasets[2], count))
    datasets.clear()
    gc.collect()
    assert [ref() is None for ref in alive] == [False, True, False]


def test_an_image_of_endless_views_keeps_a_bounded_number() -> None:
    views: Views[int] = Views(2)
    for k in range(3 * VIEWS):
        views.get("one", f"view {k}", lambda k=k: k)  # type: ignore[misc]
    assert len(views._kept) == VIEWS
    assert len(views._of["one"]) <= VIEWS + 1

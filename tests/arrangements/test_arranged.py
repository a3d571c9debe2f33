"""A tree of links gives the bytes of what it links to, keeps up with changes, and tells every trouble."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import pytest

from diascope.arrangements import seen
from diascope.arrangements.arranged import problems
from diascope.arrangements.contents import Contents, Link, Made, Trouble
from diascope.arrangements.root import Root, root
from diascope.catalogue.catalogue import catalogue
from diascope.catalogue.repository import Repository
from diascope.errors import BadRequest, Malformed, Unreadable, Unsupported
from diascope.settings import ArrangementSettings
from diascope.tree.order import entries_from, keys
from diascope.tree.walk import listed_files
from tests.arrangements.studies import arranged, listed, picture, settings_of


@pytest.fixture(autouse=True)
def _kind() -> Iterator[None]:
    with listed():
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lab"
    picture(folder / "a" / "one.tif", 1)
    picture(folder / "b c" / "two.tif", 2)
    (folder / "notes.txt").write_text("hello")
    (folder / "broken.tif").write_bytes(b"II*\0nothing")
    return folder


def mapping(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text("arrangement: listed\nshow:\n" + "".join(f"  {line}\n" for line in lines))
    return path


def shown(tmp_path: Path, folder: Path, *lines: str) -> Root:
    return arranged(folder, mapping(tmp_path, *lines))


def data(tree: Root, path: str) -> bytes:
    file = tree.file(path)
    assert file is not None, path
    return file.read(0, None)


def test_each_path_is_the_file_that_it_links_to(tmp_path: Path, folder: Path) -> None:
    tree = shown(
        tmp_path, folder,
        "x/1.ome.tif: a/one.tif as ome-tiff", "x/1.ome.zarr: a/one.tif as ome-zarr", "x/raw.tif: b c/two.tif",
        "notes: notes.txt", "README.md: made as by hand", "p.dzi: a/one.tif as dzi",
    )  # fmt: skip
    for path, address in {
        "x/1.ome.tif": "a/one.tif/original/one.ome.tif",
        "x/1.ome.zarr/0/c/0/0": "a/one.tif/original/one.ome.zarr/0/c/0/0",
        "x/1.ome.zarr/zarr.json": "a/one.tif/original/one.ome.zarr/zarr.json",
        "x/raw.tif": "b c/two.tif/stored/two.tif",
        "notes": "notes.txt",
    }.items():
        linked, own = tree.file(f"study/{path}"), tree.file(f"lab/{address}")
        assert linked
        assert own
        assert linked.read(0, None) == own.read(0, None), path
        assert (linked.etag, linked.size, linked.media_type) == (own.etag, own.size, own.media_type), path
    readme = tree.file("study/README.md")
    assert readme
    assert readme.etag
    assert (readme.read(0, None), readme.read(5, 7), readme.size) == (b"by hand", b"nd", 7)
    assert tree.file("study/x") is None
    assert tree.file("study/x/1.ome.tif/more") is None
    assert tree.file("study/notes/") is None
    assert tree.file("study/x/1.ome.zarr/0/c/9/9") is None
    assert tree.file("study/nothing") is None
    assert tree.entries("study/nothing") is None
    assert tree.entries("study/notes") is None


def test_is_listed_in_order_beside_the_repositories(tmp_path: Path, folder: Path) -> None:
    tree = shown(
        tmp_path, folder, "b/2: notes.txt", "b-1: notes.txt", "b/10: notes.txt", "z.ome.zarr: a/one.tif as ome-zarr"
    )
    assert [tuple(entry) for entry in tree.entries("") or ()] == [("lab", True), ("study", True)]
    assert [tuple(entry) for entry in tree.entries("study") or ()] == [
        ("b-1", False),
        ("b", True),
        ("z.ome.zarr", True),
    ]
    assert [entry.name for entry in entries_from(tree, "study", "b/") or ()] == ["b", "z.ome.zarr"]
    assert [entry.name for entry in tree.entries("study/b") or ()] == ["10", "2"]
    assert sorted(listed_files(tree, "study")) == sorted(keys_of(tree))
    assert next(keys(tree, "study", "", "b/2", deep=True)) == "b/2"
    assert {"zarr.json", "0"} <= {entry.name for entry in tree.entries("study/z.ome.zarr") or ()}
    assert next(entry.name for entry in tree.entries_from("study/z.ome.zarr", "0/") or ()) == "0"


def keys_of(tree: Root) -> list[str]:
    found = list(keys(tree, "study", "", "", deep=True))
    assert found == sorted(found)
    return [f"study/{each}" for each in found]


def test_companions_come_along(tmp_path: Path, folder: Path) -> None:
    tree = shown(tmp_path, folder, "p.dzi: a/one.tif as dzi")
    assert [tuple(entry) for entry in tree.entries("study") or ()] == [
        ("p.dzi", False), ("p.png.dzi", False), ("p.png_files", True), ("p_files", True)
    ]  # fmt: skip
    # Grey of sixteen bits is no picture: the layout says so, through every one of them.
    with pytest.raises(Unsupported, match="render"):
        tree.file("study/p.dzi")
    with pytest.raises(Unsupported, match="render"):
        tree.file("study/p_files/0/0_0.jpeg")


def test_two_sources_of_a_path_are_a_trouble_that_names_both(tmp_path: Path, folder: Path) -> None:
    contents = Contents()
    one, two = (Link(f"lab/{name}", origin=f"line {name}") for name in "ab")
    for target, leaf in [
        ("x", one),
        ("x", two),
        ("y", one),
        ("y", one),
        ("f", one),
        ("f/g", two),
        ("h/i/j", one),
        ("h", two),
    ]:
        contents.add(target, leaf)
    leaves = dict(contents.leaves())
    assert list(leaves) == ["f", "h", "x", "y"]
    assert leaves["y"] is one
    assert isinstance(leaves["x"], Trouble)
    assert leaves["x"].reason == "x would be two things: lab/a (line a), and lab/b (line b)"
    assert isinstance(leaves["f"], Trouble)
    assert leaves["f"].reason == "f would be a file and a folder: lab/a (line a), and f/g is lab/b (line b)"
    assert isinstance(leaves["h"], Trouble)
    assert leaves["h"].reason == "h would be a file and a folder: lab/b (line b), and h/i/j is lab/a (line a)"
    tree = shown(tmp_path, folder, "a: notes.txt", "a/b: a/one.tif", "c: notes.txt")
    for path in ("a", "a/b", "a/b/c"):
        with pytest.raises(Malformed, match=r"study.yaml, line 3, show.a\), and a/b is .*line 4, show.a/b"):
            tree.file(f"study/{path}")
    assert data(tree, "study/c") == b"hello"


def test_what_cannot_be_read_takes_nothing_else_down_and_is_never_absent(tmp_path: Path, folder: Path) -> None:
    tree = shown(
        tmp_path, folder,
        "good: notes.txt", "broken.ome.tif: broken.tif as ome-tiff", "gone.ome.tif: a/gone.tif as ome-tiff",
        "text.ome.tif: notes.txt as ome-tiff", "no.ome.zarr: a/gone.tif as ome-zarr", "told: trouble as for a reason",
        "picture.dzi: a/one.tif as dzi",
    )  # fmt: skip
    assert data(tree, "study/good") == b"hello"
    reasons = {
        "broken.ome.tif": (Unreadable, "broken.tif"),
        "gone.ome.tif": (Unreadable, "gone.tif"),
        "text.ome.tif": (Unreadable, "notes.txt"),
        "no.ome.zarr/zarr.json": (Unreadable, "gone.tif"),
        "told": (Unreadable, "for a reason"),
        "picture.dzi": (Unsupported, "render"),
    }
    for path, (kind, words) in reasons.items():
        with pytest.raises(kind, match=words):
            tree.file(f"study/{path}")
    with pytest.raises(Unreadable, match="gone"):
        tree.entries("study/no.ome.zarr")
    wrong = list(problems(tree.arrangements["study"]))
    for path in ("broken.ome.tif", "gone.ome.tif", "text.ome.tif", "no.ome.zarr"):
        assert any(each.startswith(f"{path}: ") for each in wrong), (path, wrong)
    assert "for a reason" in wrong
    assert not any("good" in each for each in wrong)


def test_a_change_of_the_mapping_and_of_the_files_is_seen(tmp_path: Path, folder: Path) -> None:
    tree = shown(tmp_path, folder, "a: notes.txt")
    made = tree.arrangements["study"].contents
    assert tree.arrangements["study"].contents is made, "nothing changed, and it was made anew"
    mapping(tmp_path, "b.ome.tif: late.tif as ome-tiff")
    assert tree.file("study/a") is None
    with pytest.raises(Unreadable):
        tree.file("study/b.ome.tif")
    picture(folder / "late.tif", 3)
    first = data(tree, "study/b.ome.tif")
    before = tree.file("study/b.ome.tif")
    picture(folder / "late.tif", 4)
    assert data(tree, "study/b.ome.tif") != first
    after = tree.file("study/b.ome.tif")
    assert before
    assert after
    assert before.etag != after.etag


def test_a_mapping_that_is_wrong_is_told_everywhere_until_it_is_right(tmp_path: Path, folder: Path) -> None:
    path = mapping(tmp_path, "a: notes.txt")
    tree = arranged(folder, path)
    good = path.read_text()
    path.write_text("arrangement: listed\nshow: {a: 1}\nother: 2\n")
    for ask in (tree.file, tree.entries):
        with pytest.raises(Malformed) as caught:
            ask("study/a")
        assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == [
            "study.yaml, line 2, show.a", "study.yaml, line 3, other"
        ]  # fmt: skip
    path.write_text("arrangement: none\n")
    with pytest.raises(Malformed, match=r"line 1, arrangement: it is .*'listed'.*, not 'none'"):
        tree.file("study/a")
    path.unlink()
    with pytest.raises(Unreadable, match="no such mapping file"):
        tree.file("study/a")
    assert data(tree, "lab/notes.txt") == b"hello"
    assert [entry.name for entry in tree.entries("") or ()] == ["lab", "study"]
    path.write_text(good)
    assert data(tree, "study/a") == b"hello"


def test_is_looked_at_once_a_refresh(tmp_path: Path, folder: Path) -> None:
    path = mapping(tmp_path, "a: notes.txt")
    tree = arranged(folder, path, refresh_seconds=0.3)
    assert data(tree, "study/a") == b"hello"
    path.write_text(path.read_text().replace("a:", "b:"))
    assert tree.file("study/b") is None
    sleep(0.5)
    assert data(tree, "study/b") == b"hello"


def test_a_repository_is_walked_once_a_refresh_and_never_for_a_request(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walks: list[str] = []
    walked = seen._walked

    def counted(repository: Repository, inside: str) -> seen.Walked:
        walks.append(inside)
        return walked(repository, inside)

    monkeypatch.setattr(seen, "_walked", counted)
    tree = arranged(
        folder, mapping(tmp_path, "x/a: notes.txt", "x/b.ome.tif: a/one.tif as ome-tiff"), refresh_seconds=60
    )
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda k: tree.file(f"study/x/{'ab'[k % 2]}{'.ome.tif' * (k % 2)}"), range(200)))
    assert all(found)
    assert len(list(listed_files(tree, "study"))) == 2
    assert walks == [""]


def test_nobody_waits_for_a_look_that_takes_long(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diascope.arrangements.arranged.LONG", 0.0)
    path = mapping(tmp_path, "a: notes.txt")
    study = arranged(folder, path, refresh_seconds=0.05).arrangements["study"]
    before = study.contents
    path.write_text(path.read_text().replace("a:", "b:"))
    sleep(0.2)
    assert study.contents is before, "the first to find it due gets what there is"
    end = monotonic() + 20
    while study.contents is before and monotonic() < end:
        sleep(0.01)
    assert [name for name, _ in study.contents.leaves()] == ["b"]


def test_a_machine_without_threads_to_spare_looks_later(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(**_: object) -> None:
        raise RuntimeError("can't start new thread")

    path = mapping(tmp_path, "a: notes.txt")
    study = arranged(folder, path, refresh_seconds=0.01).arrangements["study"]
    before = study.contents
    path.write_text(path.read_text().replace("a:", "b:"))
    with monkeypatch.context() as patched:
        patched.setattr("diascope.arrangements.arranged.LONG", 0.0)
        patched.setattr("diascope.arrangements.arranged.Thread", none)
        sleep(0.05)
        assert study.contents is before
    until = monotonic() + 20  # where the first look took long, the next is later and beside the requests
    while (shown := [name for name, _ in study.contents.leaves()]) == ["a"] and monotonic() < until:
        sleep(0.05)
    assert shown == ["b"]


def test_a_mapping_in_a_repository_sees_that_repository_only(tmp_path: Path, folder: Path) -> None:
    other = tmp_path / "other"
    picture(other / "secret.tif")
    (folder / "study.yaml").write_text("arrangement: listed\nrepository: other\nshow: {a: secret.tif}\n")
    settings = settings_of(folder, Path("study.yaml"))
    settings.repositories["other"] = settings.repositories["lab"].model_copy(update={"path": other})
    settings.arrangements["study"] = ArrangementSettings(mapping=Path("study.yaml"), repository="lab")
    tree = root(settings, catalogue(settings))
    with pytest.raises(PermissionError, match="not open to this mapping"):
        tree.file("study/a")
    (folder / "study.yaml").write_text("arrangement: listed\nshow: {a: notes.txt}\n")
    assert data(tree, "study/a") == b"hello"
    settings.arrangements["study"] = ArrangementSettings(mapping=Path("../study.yaml"), repository="lab")
    with pytest.raises(BadRequest):
        root(settings, catalogue(settings)).file("study/a")


@pytest.mark.parametrize("name", ["lab", "", "a/b", ".."])
def test_a_name_that_cannot_be_is_refused_at_the_start(tmp_path: Path, folder: Path, name: str) -> None:
    settings = settings_of(folder, mapping(tmp_path, "a: notes.txt"), name=name)
    with pytest.raises(BadRequest, match="name"):
        root(settings, catalogue(settings))


def test_a_made_file_is_made_anew_and_its_trouble_is_told(tmp_path: Path, folder: Path) -> None:
    tree = shown(tmp_path, folder, "a: made as now")
    said = [b"one", b"two"]
    top = tree.arrangements["study"].contents.top
    top.children["a"] = Made(said.pop)
    first, second = tree.file("study/a"), tree.file("study/a")
    assert first
    assert second
    assert (first.read(0, None), second.read(0, None)) == (b"two", b"one")
    assert first.etag != second.etag

    def absent() -> bytes:
        tree.arrangements["study"].tree.address("lab/none", "original", None)
        return b""

    top.children["a"] = Made(absent)
    with pytest.raises(Unreadable, match="a: there is nothing at 'lab/none'"):
        tree.file("study/a")

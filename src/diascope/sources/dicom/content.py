"""The images of a DICOM file, or of a folder of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

from diascope.errors import DiascopeError, Unavailable, Unreadable
from diascope.image.image import Image
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.dicom.file import instance, pydicom
from diascope.sources.dicom.folder import files_in, folder_version
from diascope.sources.dicom.frames import Frames, frames
from diascope.sources.dicom.segments import is_segmentation, segmentation
from diascope.sources.dicom.slices import slices
from diascope.sources.dicom.slide import Pyramid, is_slide, parts_of, pyramids, slide
from diascope.sources.dicom.stacks import Stack, stacks
from diascope.sources.dicom.values import integer, text
from diascope.sources.dicom.volume import volume
from diascope.sources.distrust import Untrusted
from diascope.sources.reading.names.safe_names import safe_paths
from diascope.sources.reading.names.stem import stem
from diascope.sources.source import stat_version
from diascope.stores.store import Store

SUFFIXES = (".dcm", ".dicom", ".ima")

HELD = 64
"""Of so many files all stay open; of more each is opened again when its pixels are read."""

THREADS = 8
"""How many files are looked at at once: of a distant store each look is a wait."""

Make = Callable[[str], Image]


@dataclass(slots=True, eq=False)
class Found:
    """What is made of files: images by a wished-for name, which may come twice."""

    images: list[tuple[str, Make]] = field(default_factory=list)
    associated: list[tuple[str, Make]] = field(default_factory=list)


def opened(store: Store, path: str) -> Dataset:
    """The images of a file, or of a folder by their series."""
    stat = store.stat(path)
    if stat is None or not stat.is_folder:
        return _opened_file(store, path)
    pydicom()
    return _opened_folder(store, path)


def version(store: Store, path: str) -> str:
    stat = store.stat(path)
    return folder_version(store, path) if stat and stat.is_folder else stat_version(store, path)


def _opened_file(store: Store, path: str) -> Dataset:
    file = instance(store, path)
    name = stem(path, SUFFIXES)
    return _dataset(_found(name, [frames(file)]), file.stat.version, (path,))


def _opened_folder(store: Store, path: str) -> Dataset:
    before = folder_version(store, path)
    files = files_in(store, path)
    read, refused = _read(store, files)
    if not read:
        raise Unreadable(refused[0] if refused else "it has no file")
    found = Found()
    for name, members in _titled(_series(read), path.rpartition("/")[2]):
        part = _found(name, members)
        found.images += part.images
        found.associated += part.associated
    # A series that grows while it is read is opened again when its version is next looked at.
    return _dataset(found, before, (path,))


def _read(store: Store, files: Sequence[str]) -> tuple[list[Frames], list[str]]:
    """Those that have pixels, and the reasons of those that are not read."""
    held = len(files) <= HELD

    def look(path: str) -> Frames | str:
        try:
            return frames(instance(store, path, held=held))
        except (Unavailable, Untrusted):
            raise
        except Exception as error:  # noqa: BLE001 - one broken file does not hide the others
            return str(error) if isinstance(error, DiascopeError) and path in str(error) else f"{path}: {error}"

    with ThreadPoolExecutor(THREADS) as threads:
        looked = list(threads.map(look, files))
    return [each for each in looked if isinstance(each, Frames)], [each for each in looked if isinstance(each, str)]


def _series(files: Iterable[Frames]) -> list[tuple[str, list[Frames]]]:
    """Files by their series, in the order of their numbers; each once, though a copy lies beside it.

    Series of several studies stand in a folder for each study, which are counted from the oldest on.
    """
    groups: dict[str, dict[str, Frames]] = defaultdict(dict)
    for each in files:
        data = each.file.data
        own = text(data, "SOPInstanceUID") or each.file.path
        groups[text(data, "SeriesInstanceUID")].setdefault(own, each)
    ordered = sorted(groups.items(), key=lambda item: _rank(next(iter(item[1].values())), item[0]))
    series = [list(members.values()) for _, members in ordered]
    studies = list(dict.fromkeys(_study(members[0]) for members in series))
    folders = {study: f"study-{k}/" if len(studies) > 1 else "" for k, study in enumerate(studies, 1)}
    return [(folders[_study(members[0])] + _series_name(members[0]), members) for members in series]


def _titled(series: list[tuple[str, list[Frames]]], folder: str) -> list[tuple[str, list[Frames]]]:
    """A single series without a description is called as its folder is."""
    described = len(series) > 1 or text(series[0][1][0].file.data, "SeriesDescription")
    return series if described or not folder else [(folder, series[0][1])]


def _study(first: Frames) -> str:
    return text(first.file.data, "StudyInstanceUID")


def _rank(first: Frames, uid: str) -> tuple[str, str, str, int, str]:
    data = first.file.data
    return text(data, "StudyDate"), text(data, "StudyTime"), _study(first), integer(data, "SeriesNumber"), uid


def _series_name(first: Frames) -> str:
    """The number and the description of a series, which is what viewers show."""
    data = first.file.data
    words = (text(data, "SeriesNumber"), text(data, "SeriesDescription") or text(data, "Modality"))
    return "-".join(word.replace("/", "-") for word in words if word) or "series"


def _found(name: str, files: Sequence[Frames]) -> Found:
    """Of one series, or of one file."""
    found = Found()
    segmented = [each for each in files if is_segmentation(each)]
    rest = [each for each in files if not is_segmentation(each)]
    slides = [each for each in rest if is_slide(each)]
    for each in segmented:
        made = segmentation(name, each)
        found.images += [(wished, partial(_given, image)) for wished, image in made.items()]
    if slides:
        main, beside = parts_of(slides)
        found.images += [(name, partial(_slide, pyramid)) for pyramid in pyramids(main)]
        found.associated += [(word, partial(_slide, pyramids([each])[0])) for word, each in beside.items()]
    flat = [each for part in rest if not is_slide(part) for each in slices(part)]
    found.images += [(name, partial(_volume, stack)) for stack in stacks(flat)]
    return found


def _given(image: Image, name: str) -> Image:
    return replace(image, name=name)


def _slide(pyramid: Pyramid, name: str) -> Image:
    return slide(name, pyramid)


def _volume(stack: Stack, name: str) -> Image:
    return volume(name, stack)


def _dataset(found: Found, version: str, files: tuple[str, ...]) -> Dataset:
    return Dataset(version=version, images=_named(found.images), associated=_named(found.associated), files=files)


def _named(wished: list[tuple[str, Make]]) -> Lazily[Image]:
    names = dict(zip(safe_paths(name for name, _ in wished), (make for _, make in wished), strict=True))
    return Lazily(names, lambda name: names[name](name))

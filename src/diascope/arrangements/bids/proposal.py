"""A mapping proposed from the paths of a repository.

What varies in the paths of files that are alike becomes fields, called as the words beside them mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from diascope.arrangements.bids.guesses import (
    LABELS,
    LONG_ENDINGS,
    MRI,
    SEPARATOR,
    WORD,
    common_prefix,
    entity_of,
    is_stain,
    suffix_of,
)
from diascope.arrangements.bids.names import label
from diascope.arrangements.bids.sidecar import pixel_size
from diascope.arrangements.facts import Table
from diascope.image.image import Image

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp")
SPARE = {True: ("subject", "session", "acquisition", "run"), False: ("subject", "sample", "acquisition", "session")}
"""What fields are called that no word names, of MRI and of microscopy."""
FIELD = re.compile(r"\{[^{}]*\}")
NUMBERED = ("subject", "session", "sample")
LOOKED_AT = 5
"""So many images of those that are alike are opened."""


@dataclass(slots=True)
class Group:
    """Files whose names are alike."""

    suffix: str
    stems: list[str]
    """Their paths without endings."""
    endings: list[str]
    images: list[Image]
    """The first, the last and some between, as far as they can be read."""
    pattern: str = ""
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The values by the field's name, a path each."""
    stain: str | None = None

    @property
    def is_mri(self) -> bool:
        return self.suffix in MRI

    @property
    def paths(self) -> list[str]:
        return [stem + ending for stem, ending in zip(self.stems, self.endings, strict=True)]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping as a text, and what its writer has to see to."""

    text: str
    notes: tuple[str, ...]


def proposal(
    name: str,
    paths: Sequence[str],
    endings: tuple[str, ...],
    opened: Callable[[str], Image | None],
    tables: Mapping[str, Table],
) -> Proposal:
    """The mapping of a folder of images; ``endings`` are those of images, tables those that lie in the folder."""
    groups: list[Group] = []
    ignored: list[Group] = []
    for group in _groups(paths, endings, opened):
        (groups if _is_fit(group) else ignored).append(group)
    whole = _is_named_whole(groups, tables)
    for group in groups:
        _name_fields(group, whole_subjects=whole)
    # The first rule that fits takes a path: those that fit fewest come first.
    groups.sort(key=lambda group: -len(FIELD.sub("", group.pattern)))
    notes: list[str] = []
    lines = [
        "# How the images of this folder become a BIDS dataset; `diascope bids check` says what is missing.",
        "arrangement: bids",
        f"name: {_quoted(name)}",
        "# dataset: {License: CC0, Authors: [Ada Lovelace]}",
        *_participants(groups, tables, notes),
        *_samples(groups),
        "images:",
        *(line for group in groups for line in _rule(group, groups, notes)),
        *_ignored(ignored),
    ]
    if not groups:
        notes.append("no image was found that can be one of BIDS: write a rule under images")
    return Proposal("\n".join(lines) + "\n", tuple(notes))


def _groups(paths: Sequence[str], endings: tuple[str, ...], opened: Callable[[str], Image | None]) -> Iterator[Group]:
    """Files of one depth, one suffix and one sort; those whose names have no ending are by themselves."""
    found: dict[tuple[int, str | None, str, bool], list[tuple[str, str]]] = {}
    for path in paths:
        fitting = (each for each in (*endings, *LONG_ENDINGS) if path.lower().endswith(each))
        size = len(path) - len(max(fitting, key=len, default=""))
        sort = "picture" if path[size:].lower() in PICTURES else "labels" if LABELS.search(path[:size]) else "image"
        alike = found.setdefault((path.count("/"), suffix_of(path), sort, size < len(path)), [])
        alike.append((path[:size], path[size:]))
    for (_, suffix, *_), named in found.items():
        step = max(1, (len(named) - 1) // (LOOKED_AT - 1)) if len(named) > 1 else 1
        looked = (opened(stem + ending) for stem, ending in named[::step])
        images = [image for image in looked if image is not None]
        yield Group(suffix or _seen(images), [stem for stem, _ in named], [ending for _, ending in named], images)


def _is_fit(group: Group) -> bool:
    """Whether a rule is proposed: of labels and of pictures whose pixels have no size BIDS has none."""
    if not group.images or group.images[0].kind == "labels":
        return False
    return group.endings[0].lower() not in PICTURES or any(map(pixel_size, group.images))


def _seen(images: Sequence[Image]) -> str:
    """What an image looks like: colours are of brightfield, channels of fluorescence."""
    first = images[0] if images else None
    return "BF" if first is None or first.kind == "rgb" or first.size("c") == 1 else "FLUO"


def _is_named_whole(groups: Sequence[Group], tables: Mapping[str, Table]) -> bool:
    """Whether a table names subjects as ``mouse_01``, and not as ``01``."""
    counts = []
    for whole in (False, True):
        copies = [replace(group, fields={}) for group in groups]
        for group in copies:
            _name_fields(group, whole_subjects=whole)
        counts.append(max((each.number for each in _named(_subjects(copies), tables)), default=0))
    return counts[1] > counts[0]


def _subjects(groups: Sequence[Group]) -> set[str]:
    return {_label(value) for group in groups for value in group.fields.get("subject", ())}


def _name_fields(group: Group, *, whole_subjects: bool) -> None:
    """Make the pattern that all paths of a group fit, and give what varies a name."""
    rows = [stem.split("/") for stem in group.stems]
    names: list[str] = []
    for column in zip(*rows, strict=True):
        parts = [SEPARATOR.split(value) for value in column]
        alike = len({(len(part), tuple(part[1::2])) for part in parts}) == 1
        pieces = list(zip(*parts, strict=True)) if alike else [column]
        whole = whole_subjects and len(pieces) == 3 and entity_of(pieces[0][0]) == "subject"
        if whole and group.fields.setdefault("subject", column) == column:
            names.append("{subject}")
        else:
            names.append("".join(_piece(group, values, pieces[:k]) for k, values in enumerate(pieces)))
    ending = sorted({each.removeprefix(".") for each in group.endings})
    choice = f"{{ending:{'|'.join(ending)}}}" if len(ending) > 1 else _literal(ending[0])
    group.pattern = f"{'/'.join(names)}{'.' * group.endings[0].startswith('.')}{choice}"


def _piece(group: Group, values: tuple[str, ...], before: Sequence[tuple[str, ...]]) -> str:
    """The text of a pattern for one place in the names: itself where it is everywhere the same, else a field."""
    prefix = common_prefix(values)
    bare = tuple(value[len(prefix) :] for value in values) if prefix else values
    words = [word for each in before if len({*each}) == 1 for word in WORD.findall(each[0])]
    name = entity_of(prefix or (words[-1] if words else ""))
    if len({*values}) == 1:
        group.stain = values[0] if is_stain(values[0]) else group.stain
        # A number behind a word such as slide is what it is, also where there is one only.
        is_other = name in group.fields and group.fields[name] != bare
        if prefix is None or name not in NUMBERED or is_other or (group.is_mri and name == "sample"):
            return _literal(values[0])
    for known, taken in group.fields.items():
        if taken in (values, bare):
            return f"{_literal(prefix if prefix and taken == bare else '')}{{{known}}}"
    if all(map(is_stain, values)) and not group.is_mri:
        name = "stain"
    if name is None or name in group.fields or (group.is_mri and name not in SPARE[True]):
        name = _spare(group, bare)
    group.fields[name] = bare
    return f"{_literal(prefix or '')}{{{name}}}"


def _spare(group: Group, values: tuple[str, ...]) -> str:
    """A name that no field has yet."""
    is_number = all(value.isdecimal() for value in values)
    spare = [*SPARE[group.is_mri], *(("run", "chunk") if is_number and not group.is_mri else ())]
    free = [name for name in spare if name not in group.fields and (name != "run" or is_number)]
    return free[0] if free else f"part{len(group.fields)}"


def _literal(text: str) -> str:
    """A pattern that a text fits; where it has stars others may fit too."""
    return re.sub(r"\*+", "*", text.replace("{", "{{").replace("}", "}}"))


def _rule(group: Group, groups: Sequence[Group], notes: list[str]) -> Iterator[str]:
    yield f"  - files: {_quoted(group.pattern)} # {len(group.stems)} file{'s' * (len(group.stems) != 1)}"
    yield f"    suffix: {group.suffix}"
    entities = dict(_entities(group, groups))
    if entities:
        said = ", ".join(f"{name}: {_quoted(value)}" for name, value in entities.items())
        yield f"    entities: {{{said}}}"
    if not group.is_mri:
        yield from _metadata(group, notes)


def _entities(group: Group, groups: Sequence[Group]) -> Iterator[tuple[str, str]]:
    """What no field gives: a participant for all, the sample named after a file, and what has no other name."""
    stem = group.stems[0].rpartition("/")[2]
    if "subject" not in group.fields:
        yield "subject", "01"
    if not group.is_mri and "sample" not in group.fields:
        yield "sample", _label(stem) if len(group.stems) == 1 else "01"
    if group.is_mri and not group.fields and sum(each.suffix == group.suffix for each in groups) > 1:
        yield "acquisition", _label(stem)
    if more := [name for name in group.fields if name.startswith("part")]:
        yield "acquisition", "".join(f"{{{name}}}" for name in ("acquisition", *more) if name in group.fields)


def _label(text: str) -> str:
    try:
        return label(text, "sample")
    except ValueError:
        return "01"


def _metadata(group: Group, notes: list[str]) -> Iterator[str]:
    """What the sidecars need and the images do not know."""
    sizes = [pixel_size(image) for image in group.images]
    if any(each is not None and len(each[0]) == 2 for each in sizes):
        yield "    format: ome-zarr # or ome-tiff, for which BIDS wants SliceThickness: 5 (micrometres) under metadata"
    stained = group.stain or ("{stain}" if "stain" in group.fields else None)
    if None in sizes or stained:
        yield "    metadata:"
    if None in sizes:
        notes.append(f"{group.pattern}: some images do not know the distances of their pixels: give PixelSize")
        yield "      # PixelSize: [0.5, 0.5, 5] # along x, y and z: some of these images do not know it"
        yield "      PixelSizeUnits: um"
    if stained:
        yield f"      SampleStaining: {_quoted(stained)}"


def _participants(groups: Sequence[Group], tables: Mapping[str, Table], notes: list[str]) -> Iterator[str]:
    """The table that lies there and names the most subjects, where one names half of them."""
    subjects = _subjects(groups)
    best = max(_named(subjects, tables), default=None)
    if best and best.number * 2 >= len(subjects):
        yield "participants:"
        yield f"  file: {_quoted(best.file)}"
        yield f"  key: [{_quoted(best.column)}]"
        notes.append(f"{best.file}: columns that BIDS does not name are shown only where they are listed under columns")
    else:
        yield "# participants: participants.csv # a table with the column subject, or values: {species: mus musculus}"


class Named(NamedTuple):
    """A column that names subjects; the greatest is the best."""

    number: int
    """Of subjects."""
    once: bool
    """Whether each has one row."""
    file: str
    column: str


def _named(subjects: set[str], tables: Mapping[str, Table]) -> Iterator[Named]:
    for file, table in tables.items():
        for column in table.columns:
            cells = [_label(row.values[column]) for row in table.rows]
            if count := len({*cells} & subjects):
                yield Named(count, len({*cells}) == len(cells), file, column)


def _samples(groups: Sequence[Group]) -> Iterator[str]:
    if any(not group.is_mri for group in groups):
        yield "samples:"
        yield "  values: {sample_type: tissue} # or cell line, primary cell, organoid, whole organisms …"


def _ignored(groups: Sequence[Group]) -> Iterator[str]:
    """Labels, pictures without a size, and what cannot be read."""
    if groups:
        yield "ignore: # labels, pictures whose pixels have no size, and what cannot be read"
    for group in groups:
        yield from (f"  - {_quoted(_literal(path))}" for path in group.paths)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)

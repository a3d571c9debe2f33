"""The names of BIDS files: entities in their order, and the suffixes that files of an image may have.

https://bids-specification.readthedocs.io/en/stable/appendices/entities.html and the schema's ``rules/files/raw``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

KEYS = {
    "subject": "sub", "session": "ses", "sample": "sample", "task": "task", "acquisition": "acq", "ceagent": "ce",
    "stain": "stain", "reconstruction": "rec", "direction": "dir", "run": "run", "modality": "mod", "echo": "echo",
    "flip": "flip", "inversion": "inv", "mtransfer": "mt", "part": "part", "space": "space", "chunk": "chunk",
    "resolution": "res", "description": "desc",
}  # fmt: skip
"""Of every entity that these files may have, what stands for it in a name; in the order in which it stands there."""

NUMBERED = frozenset({"run", "echo", "flip", "inversion", "chunk"})
"""Entities whose value is a number."""

LABEL = re.compile(r"[0-9a-zA-Z+]+")

MICR, ANAT = "micr", "anat"
PHOTO = "photo"

MICROSCOPY = (
    "TEM", "SEM", "uCT", "BF", "DF", "PC", "DIC", "FLUO", "CONF", "PLI", "CARS", "2PE", "MPE", "SR", "NLO", "OCT",
    "SPIM", "XPCT",
)  # fmt: skip
WEIGHTED = ("T1w", "T2w", "PDw", "T2starw", "FLAIR", "inplaneT1", "inplaneT2", "PDT2", "angio", "T2star", "FLASH", "PD")
MAPS = (
    "T1map", "T2map", "T2starmap", "R1map", "R2map", "R2starmap", "PDmap", "MTRmap", "MTsat", "UNIT1", "T1rho",
    "MWFmap", "MTVmap", "Chimap", "S0map", "M0map",
)  # fmt: skip

PLACE = ("subject", "session")
SCAN = ("task", "acquisition", "ceagent", "reconstruction", "run", "chunk")


@dataclass(frozen=True, slots=True)
class Suffix:
    """What a file of a suffix may and must be called."""

    name: str
    datatype: str
    """The folder that it lies in."""
    required: tuple[str, ...]
    optional: tuple[str, ...]
    derived: tuple[str, ...] = field(default=())
    """Further entities that it may have in a derivative dataset."""

    @property
    def entities(self) -> tuple[str, ...]:
        """All that it may have, in the order of names."""
        known = {*self.required, *self.optional, *self.derived}
        return tuple(entity for entity in KEYS if entity in known)


def _anat(name: str, required: tuple[str, ...] = (), optional: tuple[str, ...] = ()) -> Suffix:
    derived = ("space", "resolution", "description")
    return Suffix(name, ANAT, ("subject", *required), ("session", *SCAN, *optional), derived)


SUFFIXES = {
    suffix.name: suffix
    for suffix in (
        *(
            # A derivative of microscopy may not have ``res`` by the schema, whatever the prose says of pyramids.
            Suffix(
                name,
                MICR,
                ("subject", "sample"),
                ("session", "acquisition", "stain", "run", "chunk"),
                ("space", "description"),
            )
            for name in MICROSCOPY
        ),
        Suffix(PHOTO, MICR, ("subject", "sample"), ("session", "acquisition")),
        *(_anat(name, optional=("echo", "part")) for name in WEIGHTED),
        *(_anat(name) for name in MAPS),
        _anat("defacemask", optional=("modality",)),
        _anat("MEGRE", ("echo",), ("part",)),
        _anat("MESE", ("echo",), ("part", "direction")),
        _anat("VFA", ("flip",), ("echo", "part")),
        _anat("IRT1", ("inversion",), ("part",)),
        _anat("MP2RAGE", ("inversion",), ("echo", "flip", "part")),
        _anat("MPM", ("flip", "mtransfer"), ("echo", "part")),
        _anat("MTS", ("flip", "mtransfer"), ("echo", "part")),
        _anat("MTR", ("mtransfer",), ("part",)),
    )
}

VALUES = {"mtransfer": ("on", "off"), "part": ("mag", "phase", "real", "imag")}


def entity(name: str) -> str | None:
    """The entity that a name, long or as it stands in files, means; None where there is none."""
    if name in KEYS:
        return name
    return next((long for long, short in KEYS.items() if short == name), None)


def label(text: str, of: str) -> str:
    """What a text is as the value of an entity: letters and digits, a number of its digits.

    A prefix such as ``sub-`` and all other characters are left out. Raises ValueError where nothing is left.
    """
    bare = text.strip().removeprefix(f"{KEYS[of]}-")
    cleaned = "".join(LABEL.findall(bare))
    if not cleaned:
        raise ValueError(f"{text!r} has no letter or digit for {KEYS[of]}-")
    if of in NUMBERED and not cleaned.isdecimal():
        raise ValueError(f"{KEYS[of]}- is a number, and {text!r} is none")
    if of in VALUES and cleaned not in VALUES[of]:
        raise ValueError(f"{KEYS[of]}- is one of {', '.join(VALUES[of])}, and not {text!r}")
    return cleaned


def suffix(name: str) -> Suffix:
    """Raises ValueError where there is none of this name."""
    if name not in SUFFIXES:
        raise ValueError(f"{name!r} is no suffix; there are: {', '.join(SUFFIXES)}")
    return SUFFIXES[name]


def stem(kind: Suffix, entities: Mapping[str, str], *, derivative: bool = False) -> str:
    """The path of a file up to its extension, of labels by entity; raises ValueError where one must be or cannot be."""
    missing = [each for each in kind.required if each not in entities]
    if missing:
        raise ValueError(f"a file _{kind.name} needs the entity {missing[0]}")
    allowed = {*kind.required, *kind.optional, *(kind.derived if derivative else ())}
    if foreign := [each for each in entities if each not in allowed]:
        raise ValueError(f"a file _{kind.name} cannot have the entity {foreign[0]}")
    parts = {each: f"{KEYS[each]}-{entities[each]}" for each in KEYS if each in entities}
    folders = [parts[each] for each in PLACE if each in parts]
    return "/".join([*folders, kind.datatype, "_".join([*parts.values(), kind.name])])

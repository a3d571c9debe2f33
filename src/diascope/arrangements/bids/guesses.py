"""What words in the names of folders and files mean in BIDS."""

from __future__ import annotations

import re
from collections.abc import Iterable

HINTS = {
    "subject": "sub subject subj mouse mice rat animal monkey fish patient pat case donor participant proband m p",
    "session": "ses session day week month visit tp timepoint d w",
    "sample": "sample slide section sec slice block tissue organ biopsy brain specimen s",
    "chunk": "chunk tile fov pos position field roi",
    "run": "run rep repeat scan",
    "acquisition": "acq acquisition mag magnification objective protocol",
}
DYES = "he hes hande hdab dab nissl cresyl luxol masson pas sirius toluidine"
GLOWING = "dapi hoechst gfp yfp cfp rfp mcherry tdtomato alexa cy3 cy5 fitc iba1 gfap neun"
STAINS = frozenset([*DYES.split(), *GLOWING.split(), "cd3", "cd4", "cd8", "cd31", "cd45", "ki67", "map2"])
SUFFIX_WORDS = {
    "T1w": "t1 t1w mprage", "T2w": "t2 t2w", "PDw": "pd pdw", "FLAIR": "flair", "angio": "angio tof",
    "T2star": "t2star",
    "SEM": "sem", "TEM": "tem em", "uCT": "uct microct", "CONF": "conf confocal", "SPIM": "spim lsfm lightsheet",
    "OCT": "oct", "2PE": "2p 2pe twophoton", "XPCT": "xpct", "DIC": "dic", "PC": "phase", "PLI": "pli",
    "BF": f"bf brightfield histology {DYES}", "FLUO": f"fluo fluorescence if {GLOWING}",
}  # fmt: skip
MRI = frozenset({"T1w", "T2w", "PDw", "FLAIR", "angio", "T2star"})
SLIDES = (".svs", ".ndpi", ".scn", ".bif", ".mrxs")
VOLUMES = (".nii", ".nii.gz")
LONG_ENDINGS = (".ome.tif", ".ome.tiff", ".ome.btf", ".ome.zarr", ".nii.gz")
"""Of which a format knows the last part."""
LABELS = re.compile(r"label|mask|segmentation|annotation", re.IGNORECASE)
WORD = re.compile(r"[A-Za-z]+[0-9]*|[0-9]+[A-Za-z]+|[0-9]+")
SEPARATOR = re.compile(r"([_\-. ]+)")

_ENTITIES = {word: entity for entity, words in HINTS.items() for word in words.split()}
_SUFFIXES = {word: suffix for suffix, words in SUFFIX_WORDS.items() for word in words.split()}


def entity_of(word: str) -> str | None:
    """The entity that a word before a value means, such as ``mouse``."""
    return _ENTITIES.get(word.lower())


def is_stain(word: str) -> bool:
    return word.lower().replace("&", "and") in STAINS


def suffix_of(path: str) -> str | None:
    """The suffix that a path tells of by its words, the last one foremost; None where it tells of none."""
    volume = path.lower().endswith(VOLUMES)
    words = reversed(WORD.findall(path.lower().replace("&", "and").rpartition(".")[0]))
    found = (suffix for word in words if (suffix := _SUFFIXES.get(word)) and (suffix in MRI) == volume)
    usual = "T1w" if volume else "BF" if path.lower().endswith(SLIDES) else None
    return next(found, usual)


def common_prefix(values: Iterable[str]) -> str | None:
    """The letters before a number that all values begin with, None where they are no letters and a number."""
    split = [re.fullmatch(r"([A-Za-z]*)([0-9]+)", value) for value in values]
    prefixes = {each[1] if each else None for each in split}
    return prefixes.pop() if len(prefixes) == 1 else None

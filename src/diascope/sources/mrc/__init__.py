"""MRC 2014, CCP4 maps and IMOD's stacks, plain or packed with gzip or bzip2.

https://www.ccpem.ac.uk/mrc_format/mrc2014.php and https://bio3d.colorado.edu/imod/doc/mrc_format.txt
"""

from __future__ import annotations

from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.metadata import Metadata
from diascope.sources.dataset import Dataset
from diascope.sources.mrc.header import HEADER_SIZE, Header, header, is_header
from diascope.sources.mrc.pixels import stored_box
from diascope.sources.mrc.sections import LONGEST_TOLD, Sections, sections
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.packed.unpacked import BZIP2, PACKINGS, head_inside, packing, part_inside, reader_inside
from diascope.sources.source import Head, Source
from diascope.stores.store import Blob, Store

NAMES = (".mrc", ".mrcs", ".rec", ".map", ".ccp4", ".st", ".ali", ".preali")
SUFFIXES = tuple(f"{name}{packed}" for name in NAMES for packed in PACKINGS)
DOUBTFUL = tuple(f"{name}{packed}" for name in (".rec", ".map", ".st", ".ali", ".preali") for packed in PACKINGS)
"""Source maps of web pages end so too, for one."""


def _matches(head: Head) -> bool:
    # A block of bzip2 is longer than what is seen of a file.
    if head.first.startswith(BZIP2):
        return head.name.endswith(SUFFIXES)
    return is_header(head_inside(head.first, HEADER_SIZE), old=head.name.endswith(SUFFIXES))


def _open(store: Store, path: str) -> Dataset:
    blob = store.open(path)
    name = stem(path, SUFFIXES)
    return Dataset(version=blob.stat.version, images={name: _image(blob, path, name)}, files=(path,))


def _image(blob: Blob, path: str, name: str) -> Image:
    found = header(part_inside(blob, HEADER_SIZE), path.lower())
    start = HEADER_SIZE + found.extended
    box = stored_box(found, reader_inside(blob, start + found.nbytes), start)
    told = sections(found, part_inside(blob, HEADER_SIZE + min(found.extended, LONGEST_TOLD))[HEADER_SIZE:])
    return Image(
        name=name,
        kind="rgb" if found.is_rgb else "intensity",
        axes=axes_named(box.house_axes, dict.fromkeys(found.scale, "angstrom")),
        levels=(box.level(found.scale, found.place),),
        metadata=_metadata(found, told, packing(blob.read(0, len(BZIP2)))),
    )


def _metadata(found: Header, told: Sections, packed: str) -> Metadata:
    return Metadata(
        format=f"MRC ({packed})" if packed else "MRC",
        description=found.description,
        acquired=told.acquired,
        magnification=told.magnification,
        instrument=told.instrument,
        position=told.position,
        extra={**found.extra, **told.extra},
    )


source = Source(
    name="mrc",
    title="MRC",
    suffixes=SUFFIXES,
    doubtful=DOUBTFUL,
    matches=_matches,
    open=_open,
    supports="volumes, image stacks, modes 0, 1, 2, 6, 12, 16 and 101, both byte orders, extended headers of FEI and "
    "SerialEM; gzip and bzip2 are read in parts; no transforms (complex numbers)",
)

"""A folder of real images as a laboratory keeps them, in no order that BIDS knows, and how it becomes a dataset."""

from __future__ import annotations

import shutil
from pathlib import Path

from diascope.arrangements.bids.dataset import laid_out
from diascope.arrangements.bids.findings import Finding
from diascope.arrangements.contents import Contents
from diascope.arrangements.root import Root, root
from diascope.arrangements.seen import Seen
from diascope.catalogue.catalogue import catalogue
from diascope.settings import ArrangementSettings, RepositorySettings, Settings

FILES = {
    "mouse_01/fluo/slide 1.ome.tif": "ome-tiff/cells-2z.ome.tif",
    "mouse_01/HE/slide 2.svs": "svs/small.svs",
    "mouse_02/fluo/slide 1.ome.tif": "ome-tiff/multi-channel-z-series.ome.tif",
    "mouse_02/HE/slide 2.ome.tif": "derived/subifd_pyramid_rgb_jpeg.ome.tif",
    "mouse_02/EM/grid 3.ome.tiff": "ome-tiff/FOV7_HV110_P0500510000.ome.tiff",
    "MR/day1/mouse_01.nii": "nifti/anatomical.nii",
    "MR/day1/mouse_02.nii.gz": "nifti/avg152T1_LR_nifti.nii.gz",
    "MR/day2/mouse_02.nii.gz": "nifti/little.nii.gz",
}
"""By their place in the laboratory the shared images that they are."""

TABLES = {
    "animals.csv": "animal,Species,sex,weight_g,surgeon\n"
    "mouse_01,mus musculus,F,21.5,Bob\n"
    "mouse_02,mus musculus,M,,Bob\n"
    "mouse_03,mus musculus,M,24,Bob\n",
    "days.csv": "session;subject;pathology\nday1;mouse_01;healthy\nday1;mouse_02;healthy\nday2;mouse_02;stroke\n",
    "grids.tsv": "grid\tbeam_kv\tstained\n3\t80\turanyl acetate\n",
    "notes.txt": "nothing",
}

MAPPING = """\
arrangement: bids
name: Mouse brains
dataset:
  License: CC0
  Authors: [Ada Lovelace]
participants:
  file: animals.csv
  key: [animal]
  columns:
    weight: {from: weight_g, Description: Weight at surgery, Units: g}
sessions: days.csv
samples:
  values: {sample_type: Tissue}
tables:
  - file: grids.tsv
    on: {grid: sample}
images:
  - files: MR/{session}/{subject}.{ending:nii|nii.gz}
    suffix: T1w
    metadata: {MagneticFieldStrength: 9.4}
  - files: mouse_02/fluo/slide {sample}.ome.tif
    suffix: FLUO
    entities: {subject: mouse_02}
    metadata: {PixelSize: [0.5, 0.5, 2], PixelSizeUnits: um}
  - files: "{subject}/fluo/slide {sample}.ome.tif"
    suffix: FLUO
  - files: "{subject}/{stain}/slide {sample}.{ending:ome.tif|svs}"
    suffix: BF
    metadata: {SliceThickness: 5, SampleStaining: "{stain}"}
  - files: "{subject}/EM/grid {sample}.ome.tiff"
    suffix: TEM
    format: ome-zarr
    metadata:
      PixelSize: [4, 4]
      PixelSizeUnits: nm
      SampleStaining: "{stained}"
      BeamVoltage: "{beam_kv} kV"
derivatives:
  smooth:
    view: gaussian,sigma=1
    desc: smooth
    suffixes: [FLUO, BF]
  blurred:
    view: gaussian,sigma=3,unit=mm
    desc: blurred
    res: native
    suffixes: [T1w]
    metadata: {SkullStripped: false}
"""


def furnished(folder: Path, shared_data: Path, mapping: str = MAPPING) -> Path:
    """The laboratory with its tables; the mapping lies in it as bids.yaml."""
    for place, image in FILES.items():
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shared_data / image, target)
    for name, text in TABLES.items():
        (folder / name).write_text(text)
    (folder / "bids.yaml").write_text(mapping)
    return folder


def settings_of(folder: Path) -> Settings:
    """The laboratory, and ``study`` as its mapping arranges it."""
    return Settings(
        repositories={folder.name: RepositorySettings(path=folder)},
        arrangements={"study": ArrangementSettings(mapping=folder / "bids.yaml")},
        refresh_seconds=0,
    )


def arranged(folder: Path) -> Root:
    """The root tree of both."""
    settings = settings_of(folder)
    return root(settings, catalogue(settings))


def found(folder: Path) -> tuple[Contents, list[Finding]]:
    """What the mapping makes, and what is wrong."""
    made = arranged(folder).arrangements["study"]
    return laid_out(Seen(made.tree, made.allowed()), made.read()[1])

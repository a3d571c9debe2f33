"""What is read of each source, and by which library of its field."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import imagecodecs
import source_files as files
import source_readers as readers
from images import volume

from diascope.image.level import Level

GZIP = {"compression": "gzip", "shuffle": True}
SEGMENTATION = {"encoding": "compressed_segmentation", "compressed_segmentation_block_size": [8, 8, 8]}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A file, what is read of it, and how a user reads it without Diascope."""

    source: str
    file: str
    what: str
    write: files.Write
    library: str
    plain: readers.Open
    is_picture: bool = False
    """It is decoded as a whole, and therefore opened anew for each tile."""
    tolerance: int = 0
    """How far decoders of what is lossy may be apart."""
    is_mapped: bool = False
    """Its library maps the file into memory, and keeps all that it has touched: cold, it is opened anew, uncounted."""

    def box(self, level: Level) -> tuple[int, ...]:
        """The shape of what is read at once: a cube, or a tile of one plane with all its colours."""
        if "³" in self.what:
            side = int(self.what.split("³")[0].rpartition(" ")[2])
            return (*(1,) * (len(level.shape) - 3), side, side, side)
        colours = (3,) if len(level.shape) == 3 and level.shape[0] == 3 else (1,) * (len(level.shape) - 2)
        side = 512 if "512²" in self.what else 256
        return (*colours, *(min(side, size) for size in level.shape[-2:]))


def cube(source: str, file: str, how: str, write: files.Write, library: str, plain: readers.Open) -> Case:  # noqa: PLR0913, PLR0917
    return Case(source=source, file=file, what=f"cube 64³, {how}", write=write, library=library, plain=plain)


def tile(source: str, file: str, how: str, write: files.Write, library: str, plain: readers.Open, off: int = 0) -> Case:  # noqa: PLR0913, PLR0917
    what = f"tile {'512²' if '512' in how else '256²'}, {how.removeprefix('512 ')}"
    return Case(source=source, file=file, what=what, write=write, library=library, plain=plain, tolerance=off)


def mapped(case: Case) -> Case:
    """Of which a library maps the file."""
    return replace(case, is_mapped=True)


def picture(source: str, file: str, write: files.Write, library: str, plain: readers.Open, off: int = 0) -> Case:  # noqa: PLR0913, PLR0917
    what = "opening and first tile 256²"
    return Case(
        source=source,
        file=file,
        what=what,
        write=write,
        library=library,
        plain=plain,
        is_picture=True,
        tolerance=off,
    )


def of_plates() -> list[Case]:
    from tests.sources import micro_files, plate_files

    def operetta(path: Path, box: readers.Box) -> Path:
        return path / "Images" / plate_files.operetta_name(at(box))

    def at(box: readers.Box) -> plate_files.At:
        return plate_files.At(1, 2, 1, 1, box[-4].start + 1, box[-3].start + 1)

    def imagexpress(path: Path, box: readers.Box) -> Path:
        return path / "TimePoint_1" / f"ZStep_{at(box).z}" / f"rats_A02_s1_w{at(box).c}.tif"

    def cellvoyager(path: Path, box: readers.Box) -> Path:
        return path / plate_files.cellvoyager_name(at(box))

    def well(path: Path, box: readers.Box) -> Path:
        return path / f"rats_A02_s1_w{box[0].start + 1}.tif"

    def micro(path: Path, box: readers.Box) -> Path:
        t, c, z = (each.start for each in box[:3])
        return path / f"img_channel{c:03}_position000_time{t:09}_z{z:03}.tif"

    planes = readers.tifffile_planes
    write = files.plates
    return [
        tile("operetta", "operetta", "plate", write(plate_files.operetta), "tifffile", planes(operetta)),
        tile("imagexpress", "imagexpress", "plate", write(plate_files.imagexpress), "tifffile", planes(imagexpress)),
        tile("cellvoyager", "cellvoyager", "plate", write(plate_files.cellvoyager), "tifffile", planes(cellvoyager)),
        tile("wells", "wells", "plate", write(plate_files.wells), "tifffile", planes(well)),
        tile("micromanager", "micro", "planes", files.micro(micro_files.new), "tifffile", planes(micro)),
        tile("ndtiff", "ndtiff", "planes", files.micro(micro_files.ndtiff), "ndtiff", readers.ndtiff_reads),
    ]


def of_chunks() -> list[Case]:
    n5, pre = {"driver": "n5"}, {"driver": "neuroglancer_precomputed"}
    ts, h5 = readers.tensorstore_reads, readers.h5py_reads
    blosc = {"type": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1}
    data = "DataSet/ResolutionLevel 0/TimePoint 0/Channel 0/Data"
    return [
        cube("zarr", "volume.ome.zarr", "Blosc", volume, "zarr-python", readers.zarr_reads),
        cube("zarr", "volume.ozx", "Blosc in zip", files.zarr_zip, "TensorStore", ts({"driver": "zarr"}, "zip")),
        cube("n5", "raw.n5", "raw", files.n5({"type": "raw"}), "TensorStore", ts(n5)),
        cube("n5", "gzip.n5", "gzip", files.n5({"type": "gzip"}), "TensorStore", ts(n5)),
        cube("n5", "blosc.n5", "Blosc", files.n5(blosc), "TensorStore", ts(n5)),
        cube("bigdataviewer_n5", "bdv_n5.xml", "gzip", files.bdv_n5, "TensorStore", ts(n5, "setup0/timepoint0/s0")),
        cube("precomputed", "raw", "raw", files.precomputed(files.stack, encoding="raw"), "TensorStore", ts(pre)),
        cube("precomputed", "png", "PNG", files.precomputed(files.stack, encoding="png"), "TensorStore", ts(pre)),
        cube(
            "precomputed",
            "labels",
            "labels, sharded",
            files.precomputed(files.labels, sharding=files.SHARDING, **SEGMENTATION),
            "TensorStore",
            ts(pre),
        ),
        cube("hdf5", "plain.h5", "plain", files.hdf5(64), "h5py", h5("d")),
        cube("hdf5", "gzip.h5", "gzip, shuffled", files.hdf5(64, **GZIP), "h5py", h5("d")),
        cube("hdf5", "small.h5", "of gzip chunks 16³", files.hdf5(16, compression="gzip"), "h5py", h5("d")),
        cube("imaris", "stack.ims", "gzip", files.imaris, "h5py", h5(data)),
        cube("bigdataviewer", "bdv.xml", "gzip", files.bdv, "h5py", h5("t00000/s00/0/cells", ".h5")),
        cube("minc", "volume.mnc", "gzip", files.minc, "nibabel", readers.nibabel_reads),
    ]


def of_volumes() -> list[Case]:
    header = lambda path: 2880  # noqa: E731, ARG005
    return [
        cube("nifti", "volume.nii", "plain", files.nibabel_image("Nifti1Image"), "nibabel", readers.nibabel_reads),
        cube("nifti", "volume.nii.gz", "gzip", files.nibabel_image("Nifti1Image"), "nibabel", readers.nibabel_reads),
        cube("analyze", "pair.hdr", "plain", files.nibabel_image("AnalyzeImage"), "nibabel", readers.nibabel_reads),
        cube("mgh", "volume.mgh", "plain", files.mgh, "nibabel", readers.nibabel_reads),
        mapped(cube("mrc", "volume.mrc", "plain", files.mrc, "mrcfile.mmap", readers.mrcfile_reads)),
        cube("nrrd", "volume.nrrd", "plain", files.nrrd_file, "SimpleITK", readers.simpleitk_reads),
        cube("metaimage", "volume.mha", "plain", files.metaimage, "SimpleITK", readers.simpleitk_reads),
        mapped(cube("fits", "volume.fits", "plain", files.fits, "numpy.memmap", readers.mapped(">i2", header))),
        cube("dicom", "series", "slices", files.dicom_series, "pydicom", readers.pydicom_series),
    ]


def of_planes() -> list[Case]:
    return [
        tile("tiff", "slide.tif", "JPEG", files.tiff_slide, "tifffile", readers.tifffile_reads, 3),
        tile("tiff", "channels.ome.tif", "512 deflate", files.tiff_channels, "tifffile", readers.tifffile_reads),
        tile("dicom", "slide.dcm", "JPEG", files.dicom_slide, "pydicom", readers.pydicom_tiles, 3),
        tile("openslide", "slide.mrxs", "JPEG", files.mirax, "OpenSlide", readers.openslide_reads, 3),
        tile("cellsens", "slide.vsi", "JPEG", files.cellsens, "imagecodecs", readers.ets_reads, 3),
        tile("czi", "plain.czi", "plain", files.czi("plain"), "pylibCZIrw", readers.pylibczi_reads),
        tile("czi", "zstd.czi", "zstd", files.czi("zstd1"), "pylibCZIrw", readers.pylibczi_reads),
        mapped(tile("nd2", "stack.nd2", "plain", files.nd2, "nd2", readers.nd2_reads)),
        tile("leica", "stack.lif", "plain", files.leica, "liffile", readers.liffile_reads),
        tile("olympus", "stack.oib", "plain", files.olympus, "oiffile", readers.oiffile_reads),
        tile("bioio", "stack.dv", "plain", files.deltavision, "BioIO", readers.bioio_reads),
        tile("recipe", "stack.recipe.yaml", "of TIFF", files.recipe, "tifffile", readers.recipe_reads),
    ]


def of_pictures() -> list[Case]:
    jxl, avif = imagecodecs.jpegxl_encode, imagecodecs.avif_encode
    decoded = readers.codec_reads
    return [
        picture("picture", "colours.png", files.pillow(), "Pillow", readers.pillow_reads),
        picture("picture", "colours.jpg", files.pillow(quality=90), "Pillow", readers.pillow_reads, 3),
        picture("jpeg2000", "colours.jp2", files.pillow(), "Pillow", readers.pillow_reads, 3),
        picture("jpegxl", "colours.jxl", files.coded(jxl), "imagecodecs", decoded(imagecodecs.jpegxl_decode), 3),
        picture(
            "avif",
            "colours.avif",
            files.coded(lambda pixels: avif(pixels, level=80, speed=9)),
            "imagecodecs",
            decoded(imagecodecs.avif_decode),
            3,
        ),
        picture("heif", "colours.heic", files.heif, "pillow-heif", readers.heif_reads, 3),
        picture("exr", "light.exr", files.exr, "OpenEXR", readers.exr_reads),
        picture("radiance", "light.hdr", files.radiance, "imagecodecs", decoded(imagecodecs.rgbe_decode)),
    ]


def cases() -> list[Case]:
    """Every registered source is among them."""
    other = [
        cube("terafly", "brain", "of TIFF", files.terafly, "tifffile", readers.terafly_reads),
        mapped(cube("gatan", "stack.dm4", "plain", files.gatan, "numpy.memmap", readers.gatan_reads)),
    ]
    return [*of_planes(), *of_chunks(), *of_volumes(), *of_plates(), *other, *of_pictures()]

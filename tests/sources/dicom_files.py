"""Tiny DICOM files, written by pydicom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.filereader import dcmread
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
    VLWholeSlideMicroscopyImageStorage,
    generate_uid,
)

RANDOM = np.random.default_rng(5)
VOLUME = RANDOM.integers(-1000, 1000, (7, 24, 20), dtype=np.int16)
COLOURS = RANDOM.integers(0, 256, (30, 44, 3), dtype=np.uint8)

PATIENT = "Doe^Jane"
"""A name that must not leave the file."""

SERIES = generate_uid(entropy_srcs=["diascope"])
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def written(path: Path, data: Dataset, syntax: str = ExplicitVRLittleEndian) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = data.SOPClassUID
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.file_meta = meta
    path.parent.mkdir(parents=True, exist_ok=True)
    dcmwrite(path, data, enforce_file_format=True)


def with_pixels(pixels: NDArray[Any], kind: str, **elements: Any) -> Dataset:
    """A data set whose pixels are frames, rows, columns and, of colours, samples; bits of bool."""
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID, data.SeriesInstanceUID = kind, generate_uid(), SERIES
    data.PatientName, data.PatientID, data.StudyInstanceUID = PATIENT, "42", SERIES
    is_bits = pixels.dtype == bool
    frames = pixels if pixels.ndim > 2 else pixels[np.newaxis]
    is_colour = (frames.shape[-1] == 3 and frames.ndim > 3) or pixels.shape[-1] == 3
    frames = pixels[np.newaxis] if is_colour and pixels.ndim == 3 else frames
    data.Rows, data.Columns = frames.shape[1:3]
    data.SamplesPerPixel = 3 if is_colour else 1
    data.PhotometricInterpretation = "RGB" if is_colour else "MONOCHROME2"
    if is_colour:
        data.PlanarConfiguration = 0
    if len(frames) > 1:
        data.NumberOfFrames = len(frames)
    bits = 1 if is_bits else 8 * pixels.dtype.itemsize
    data.BitsAllocated = data.BitsStored = bits
    data.HighBit, data.PixelRepresentation = bits - 1, int(pixels.dtype.kind == "i")
    raw = np.packbits(frames.ravel(), bitorder="little").tobytes() if is_bits else frames.tobytes()
    data.add_new("PixelData", "OB" if bits <= 8 else "OW", raw + b"\0" * (len(raw) % 2))
    for name, value in elements.items():
        setattr(data, name, value)
    return data


def ct_slice(pixels: NDArray[Any], position: Sequence[float], number: int, **elements: Any) -> Dataset:
    plain = {
        "Modality": "CT", "SeriesNumber": 3, "SeriesDescription": "Head", "InstanceNumber": number,
        "ImagePositionPatient": list(position), "ImageOrientationPatient": list(AXIAL), "PixelSpacing": [0.7, 0.5],
        "RescaleSlope": 1, "RescaleIntercept": -1024, "WindowCenter": 40, "WindowWidth": 400,
    }  # fmt: skip
    return with_pixels(pixels, CTImageStorage, **(plain | elements))


def ct(path: Path) -> None:
    written(path, ct_slice(VOLUME[0], (-5, -6, 7), 1))


def ct_series(folder: Path, places: Sequence[float] = (0, 2.5, 5, 7.5, 10, 12.5, 15), suffix: str = ".dcm") -> None:
    """Slices in a shuffled order of names and numbers."""
    for k, z in enumerate(places):
        name = f"{(5 * k) % 11:02d}{suffix}"
        written(folder / name, ct_slice(VOLUME[k], (-5, -6, z), 100 - k))


def bare_series(folder: Path) -> None:
    ct_series(folder, suffix="")


def encapsulated(
    path: Path, frames: Sequence[bytes | bytearray], data: Dataset, syntax: str, how: str = "basic"
) -> None:
    """Compressed frames behind a basic or an extended table of offsets, or none."""
    if how == "extended":
        data.PixelData, data.ExtendedOffsetTable, data.ExtendedOffsetTableLengths = encapsulate_extended(
            [bytes(frame) for frame in frames]
        )
    else:
        data.PixelData = encapsulate(
            [bytes(frame) for frame in frames], has_bot=how == "basic", fragments_per_frame=2 if how == "split" else 1
        )
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    written(path, data, syntax)


def jpeg_frames(path: Path, how: str = "basic") -> None:
    frames = [imagecodecs.jpeg_encode(np.roll(COLOURS, k, axis=0), level=95) for k in range(3)]
    data = with_pixels(np.stack([COLOURS] * 3), SecondaryCaptureImageStorage, Modality="OT")
    data.PhotometricInterpretation = "YBR_FULL_422"
    encapsulated(path, frames, data, JPEGBaseline8Bit, how)


def run_lengths(path: Path) -> None:
    data = with_pixels(np.stack([COLOURS, 255 - COLOURS]), SecondaryCaptureImageStorage, Modality="OT")
    written(path, data)
    packed = dcmread(path)
    packed.compress(RLELossless)
    packed.save_as(path)


def item(**elements: Any) -> Dataset:
    data = Dataset()
    for name, value in elements.items():
        setattr(data, name, value)
    return data


def enhanced(path: Path) -> None:
    """Two time points of three slices, frames of both mixed."""
    frames, groups = [], []
    for z in (2, 0, 1):
        for t in range(2):
            frames.append(VOLUME[z] + t)
            content = item(TemporalPositionIndex=t + 1, StackID="1", InStackPositionNumber=z + 1)
            place = item(ImagePositionPatient=[0.0, 0.0, 4.0 * z])
            groups.append(item(FrameContentSequence=[content], PlanePositionSequence=[place]))
    shared = item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=list(AXIAL))],
        PixelMeasuresSequence=[item(PixelSpacing=[1.5, 1.5], SliceThickness=4.0)],
    )
    data = with_pixels(np.stack(frames), EnhancedMRImageStorage, Modality="MR")
    data.SharedFunctionalGroupsSequence, data.PerFrameFunctionalGroupsSequence = [shared], groups
    written(path, data)


TILE = 16


def wsi(pixels: NDArray[Any], spacing: float, *, sparse: bool = False, **elements: Any) -> Dataset:
    """A slide of rows, columns and colours as tiles; sparse ones in reversed order, without the first."""
    rows, columns = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -rows % TILE), (0, -columns % TILE), (0, 0)), constant_values=7)
    corners = [(y, x) for y in range(0, rows, TILE) for x in range(0, columns, TILE)]
    if sparse:
        corners = corners[:0:-1]
    tiles = np.stack([padded[y : y + TILE, x : x + TILE] for y, x in corners])
    measures = item(PixelSpacing=[spacing, spacing])
    data = with_pixels(
        tiles, VLWholeSlideMicroscopyImageStorage, Modality="SM", ImageType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
        TotalPixelMatrixRows=rows, TotalPixelMatrixColumns=columns,
        DimensionOrganizationType="TILED_SPARSE" if sparse else "TILED_FULL",
        SharedFunctionalGroupsSequence=[item(PixelMeasuresSequence=[measures])],
        OpticalPathSequence=[
            item(OpticalPathIdentifier="1", ObjectiveLensPower=20, ObjectiveLensNumericalAperture=0.75)
        ],
    )  # fmt: skip
    data.NumberOfFrames = len(tiles)
    if sparse:
        places = [
            item(RowPositionInTotalImagePixelMatrix=y + 1, ColumnPositionInTotalImagePixelMatrix=x + 1)
            for y, x in corners
        ]
        data.PerFrameFunctionalGroupsSequence = [item(PlanePositionSlideSequence=[place]) for place in places]
    for name, value in elements.items():
        setattr(data, name, value)
    return data


def slide(path: Path) -> None:
    written(path, wsi(COLOURS, 0.001))


def sparse_slide(path: Path) -> None:
    written(path, wsi(COLOURS, 0.001, sparse=True))


def slide_folder(folder: Path) -> None:
    written(folder / "base.dcm", wsi(COLOURS, 0.001))
    written(folder / "half.dcm", wsi(COLOURS[::2, ::2].copy(), 0.002))
    label = wsi(COLOURS[:9, :8].copy(), 0.1, ImageType=["ORIGINAL", "PRIMARY", "LABEL", "NONE"])
    written(folder / "label.dcm", label)


def segments(path: Path, overlap: str = "NO") -> None:
    """Two segments on the slices 0, 1 and 3 of four."""
    frames = [VOLUME[0] > 0, VOLUME[1] > 500, VOLUME[3] > 0, VOLUME[3] <= 0]
    told = ((1, 0), (1, 1), (1, 3), (2, 3))
    groups = [
        item(
            SegmentIdentificationSequence=[item(ReferencedSegmentNumber=number)],
            PlanePositionSequence=[item(ImagePositionPatient=[0.0, 0.0, 2.0 * z])],
        )
        for number, z in told
    ]
    shared = item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=list(AXIAL))],
        PixelMeasuresSequence=[item(PixelSpacing=[1.0, 1.0])],
    )
    data = with_pixels(np.stack(frames), SegmentationStorage, Modality="SEG", SegmentationType="BINARY")
    data.SegmentsOverlap = overlap
    data.SegmentSequence = [item(SegmentNumber=n, SegmentLabel=label) for n, label in ((1, "liver"), (2, "spleen"))]
    data.SharedFunctionalGroupsSequence, data.PerFrameFunctionalGroupsSequence = [shared], groups
    written(path, data)


SAMPLES: dict[str, Callable[[Path], None]] = {
    "slice.dcm": ct,
    "frames.dcm": jpeg_frames,
    "series": ct_series,
    "slide": slide_folder,
    "segments.dcm": segments,
}
"""One of each kind, by what the file or folder is called."""

MORE: dict[str, Callable[[Path], None]] = {
    "bare": bare_series,
    "extended.dcm": lambda path: jpeg_frames(path, "extended"),
    "rle.dcm": run_lengths,
    "enhanced.dcm": enhanced,
    "slide.dcm": slide,
    "sparse.dcm": sparse_slide,
}
"""Others that are alike to whatever comes after the source."""

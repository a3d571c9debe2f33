"""Programs that read WebDAV folders: each copies one, and says how long it was told that every file is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple
from urllib.parse import quote

from tests.judges import node
from tests.judges.pixels import Rejected
from tests.mounts import missing

PATIENCE = 60
INSTALL = "tests/judges/install.sh"


class Copy(NamedTuple):
    """What a client got of a folder."""

    files: dict[str, bytes]
    sizes: dict[str, int]
    """As it was told them before it asked for the files."""


class Client(NamedTuple):
    name: str
    missing: Callable[[], str | None]
    copied: Callable[[str, list[str], Path], Copy]
    """The folder at a URL, in which files at these paths are expected, copied into an empty folder."""
    seconds: float = 0.1
    """That it takes."""


def run(command: list[str], said: str = "", **environment: str) -> str:
    """What a program said; raises Rejected where it ended badly."""
    done = subprocess.run(
        command, input=said, capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip
    if done.returncode:
        raise Rejected(f"{command[0]} ended with {done.returncode}: {(done.stdout + done.stderr)[-500:]}")
    return done.stdout


def rclone(url: str, *command: str) -> str:
    """What rclone says of, or does with, the folder at a URL."""
    head, *rest = command
    flags = [f"--config={os.devnull}", f"--webdav-url={url}", "--retries=1", "--low-level-retries=1"]
    return run(["rclone", head, ":webdav:", *rest, *flags])


def _rclone_copied(url: str, _: list[str], folder: Path) -> Copy:
    listed = json.loads(rclone(url, "lsjson", "--recursive", "--files-only"))
    rclone(url, "copy", str(folder))
    rclone(url, "check", str(folder), "--download")
    return Copy(_files(folder), {each["Path"]: each["Size"] for each in listed})


def _cadaver_copied(url: str, paths: list[str], folder: Path) -> Copy:
    """It lists folder after folder, as its ``ls`` has no depth; a folder's name is quoted where it has blanks."""
    files: dict[str, bytes] = {}
    sizes: dict[str, int] = {}
    for below in sorted({path.rpartition("/")[0] for path in paths}):
        address = f"{url}/{quote(below)}".rstrip("/") + "/"
        listing = run(["cadaver", address], "ls\nquit\n", HOME=str(folder.parent))
        if "succeeded" not in listing:
            raise Rejected(f"cadaver did not list {address}: {listing}")
        for name, size in _cadaver_listed(listing):
            path = f"{below}/{name}" if below else name
            copy = folder / str(len(files))
            said = run(["cadaver", address], f'get "{name}" "{copy}"\nquit\n', HOME=str(folder.parent))
            if "succeeded" not in said or not copy.exists():
                raise Rejected(f"cadaver did not get {path}: {said[-300:]}")
            files[path], sizes[path] = copy.read_bytes(), size
    return Copy(files, sizes)


def _cadaver_listed(listing: str) -> Iterator[tuple[str, int]]:
    """Lines such as ``name   123  Apr  6  2002``; folders begin with ``Coll:``."""
    for line in listing.splitlines():
        if line.startswith("        ") and line.strip():
            name, size, _, _, _ = line.strip().rsplit(maxsplit=4)
            yield name, int(size)


@contextmanager
def davfs(url: str, top: Path) -> Iterator[Path]:
    """The folder at a URL mounted by davfs2, with a cache of its own: it keeps what it has between mounts."""
    cache, mounted, settings = top / "cache", top / "mounted", top / "davfs2.conf"
    cache.mkdir()
    cache.chmod(0o777)
    mounted.mkdir()
    settings.write_text(f"cache_dir {cache}\nuse_locks 0\nask_auth 0\n", encoding="utf-8")
    for folder in (top, *top.parents):
        # It gives up root for a user of its own.
        if folder.stat().st_uid == os.geteuid() and folder != Path(folder.anchor):
            folder.chmod(folder.stat().st_mode | 0o011)
    run(["mount.davfs", f"{url}/", str(mounted), "-o", f"ro,conf={settings}"])
    try:
        yield mounted
    finally:
        subprocess.run(["umount", "-l", str(mounted)], check=False, capture_output=True, timeout=PATIENCE)


@contextmanager
def rclone_mount(url: str, top: Path) -> Iterator[Path]:
    """The folder at a URL mounted by rclone."""
    mounted = top / "mounted"
    mounted.mkdir()
    flags = [f"--config={os.devnull}", f"--webdav-url={url}", "--read-only", f"--cache-dir={top / 'cache'}"]
    with subprocess.Popen(["rclone", "mount", ":webdav:", str(mounted), *flags]) as process:
        try:
            end = monotonic() + PATIENCE
            while not mounted.is_mount() and process.poll() is None and monotonic() < end:
                sleep(0.05)
            if not mounted.is_mount():
                raise Rejected("rclone did not mount")
            yield mounted
        finally:
            process.terminate()
            process.wait(PATIENCE)
            subprocess.run(["umount", "-l", str(mounted)], check=False, capture_output=True, timeout=PATIENCE)


def _davfs_copied(url: str, paths: list[str], folder: Path) -> Copy:
    """By the paths that are expected: of listings, davfs2 1.6 gives newer kernels nothing but errors."""
    with davfs(url, folder) as top:
        sizes = {path: (top / path).stat().st_size for path in paths if (top / path).exists()}
        # A program of its own, killed if need be: a read of a dead mount cannot be interrupted.
        code = "import sys; [sys.stdout.buffer.write(open(p,'rb').read()) for p in sys.argv[1:]]"
        files = {}
        for path in sizes:
            done = subprocess.run(
                [sys.executable, "-c", code, str(top / path)], capture_output=True, timeout=PATIENCE, check=False
            )
            if done.returncode:
                raise Rejected(f"{path} cannot be read: {done.stderr[-200:]!r}")
            files[path] = done.stdout
    return Copy(files, sizes)


def _npm_copied(url: str, _: list[str], __: Path) -> Copy:
    facts, arrays = node.program("webdav.mjs").asked(url)
    files = {each["path"]: data.tobytes() for each, data in zip(facts["files"], arrays, strict=True)}
    return Copy(files, {each["path"]: each["size"] for each in facts["files"]})


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def _missing(program: str) -> Callable[[], str | None]:
    return lambda: None if shutil.which(program) else f"{program} is not installed: {INSTALL}"


def _davfs_missing() -> str | None:
    lacking = _missing("mount.davfs")() or missing()
    return lacking or (None if os.geteuid() == 0 else "davfs2 lets nobody but root mount what is not in fstab")


CLIENTS = [
    Client("rclone", _missing("rclone"), _rclone_copied),
    Client("cadaver", _missing("cadaver"), _cadaver_copied),
    Client("npm", lambda: node.missing("webdav"), _npm_copied),
    Client("davfs2", _davfs_missing, _davfs_copied, 3),
]


def checked(client: Client, url: str, expected: dict[str, bytes], folder: Path) -> None:
    """Raise Rejected unless the client gets just these files, each as long as it was told."""
    copy = client.copied(url, sorted(expected), folder)
    _same("files", set(copy.files), set(expected))
    for path, data in expected.items():
        if copy.files[path] != data:
            raise Rejected(f"{client.name} got other bytes of {path}, {len(copy.files[path])} of {len(data)}")
        _same(f"size of {path}", [copy.sizes.get(path)], [len(data)])


def _same(what: str, found: Iterable[object], expected: Iterable[object]) -> None:
    if found != expected:
        raise Rejected(f"{what}: {found} instead of {expected}")

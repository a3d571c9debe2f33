"""The servers: how each is started, and by which address each shows a place."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import quote

from .beside import WORLD, named
from .pictures import CHANNELS, CHUNK, INTERLEAVED, SLIDE, TILE, VOLUME_2, VOLUME_3, Pictures
from .processes import free_port
from .work import COLOURS, HIGH, MATRIX, REGION, SCALED, WARMING, Pixels, Place, lightest

HERE = Path(__file__).parent / "peers"
IIPSRV = Path("/usr/lib/iipimage-server/iipsrv.fcgi")

AFFINE = "affine,matrix={},inverse=true,domain=same"


class Launch(NamedTuple):
    """What is run, on a port."""

    commands: list[list[str]]
    environment: Mapping[str, str] = MappingProxyType({})


class Way(NamedTuple):
    """How a server is asked for a place."""

    server: str
    path: Callable[[Place], str]
    label: str = ""
    expected: Callable[[Place], Pixels] | None = None
    """Where it differs from what the others show."""
    warming: Callable[[Place], str] | None = None
    """What is asked for of all places before."""


class Peers(NamedTuple):
    """All of them on a folder of pictures, with those of them that were installed into another."""

    pictures: Pictures
    installed: Path
    scratch: Path
    arguments: tuple[str, ...] = ()
    """Of ``diascope serve``."""

    def launch(self, server: str, port: int) -> Launch:
        folder = self.pictures.folder
        if server == "Diascope":
            words = [sys.executable, "-m", "diascope", "serve", str(folder), "--port", str(port), *self.arguments]
            return Launch([words], {"XDG_CACHE_HOME": str(self.scratch / "cache")})
        if server == "nginx":
            return Launch([nginx(self.scratch, port, f"root {self.pictures.top};")])
        if server == "iipsrv":
            return self._iipsrv(port)
        name, script, inner = PROGRAMS[server]
        words = [
            str(self.installed / name / "bin" / "python"),
            str(HERE / script),
            str(self.pictures.top / inner),
            str(port),
        ]
        return Launch([words])

    def missing(self, server: str) -> str | None:
        """Why a server cannot be run, None where it can."""
        if server == "Diascope":
            return None
        if server in PROGRAMS:
            python = self.installed / PROGRAMS[server][0] / "bin" / "python"
            return None if python.exists() else f"{python} is not there: run benchmarks/servers/install.sh"
        if not _nginx():
            return "nginx is not installed: run benchmarks/servers/install.sh"
        return None if server == "nginx" or IIPSRV.exists() else f"{IIPSRV} is not there: apt install iipimage-server"

    def _iipsrv(self, port: int) -> Launch:
        """Behind nginx, since it speaks FastCGI."""
        inner = free_port()
        handed = (
            f"fastcgi_pass 127.0.0.1:{inner}; fastcgi_buffers 64 32k; fastcgi_param QUERY_STRING $query_string; "
            "fastcgi_param REQUEST_METHOD GET; fastcgi_param SERVER_PROTOCOL HTTP/1.1;"
        )
        words = [str(IIPSRV), "--bind", f"127.0.0.1:{inner}"]
        environment = {
            "FILESYSTEM_PREFIX": f"{self.pictures.folder}/",
            "MAX_IMAGE_CACHE_SIZE": "200",
            "VERBOSITY": "0",
            "OMP_NUM_THREADS": "1",
        }
        return Launch([words, nginx(self.scratch, port, handed)], environment)

    def ways(self) -> dict[str, list[Way]]:
        """Of each work, by its name."""
        return {"tile": self._tiles(), "composite": self._composites(), "region": self._regions(), **self._others()}

    def _tiles(self) -> list[Way]:
        side = self.pictures.slide.side
        top, count = (side - 1).bit_length(), side // TILE
        depth = (count - 1).bit_length()
        base = f"{self._base()}/{SLIDE}/original/slide"
        query = f"FIF={SLIDE}&JTL={depth},"
        return [
            Way("Diascope", lambda at: f"{base}_files/{top}/{at[1]}_{at[0]}.jpeg", "DZI"),
            Way("Diascope", lambda at: f"{base}.iiif/{_box(at)}/{TILE},{TILE}/0/default.jpg", "IIIF"),
            Way("large_image", lambda at: f"/slide/{depth}/{at[1]}/{at[0]}"),
            Way("iipsrv", lambda at: f"/?{query}{at[0] * count + at[1]}"),
            Way("OpenSlide", lambda at: f"/slide/{top}/{at[1]}/{at[0]}"),
            Way("TiTiler", lambda at: f"/tiles/WebMercatorQuad/{depth}/{at[1]}/{at[0]}.jpg?url={SLIDE}"),
            Way("nginx", lambda at: f"/limit/tiles/{named(at)}.jpeg"),
        ]

    def _composites(self) -> list[Way]:
        side = self.pictures.channels.side
        top, count = (side - 1).bit_length(), side // TILE
        depth = (count - 1).bit_length()
        low, high = "+".join(["0"] * 4), "+".join([str(HIGH)] * 4)
        view = f"channels,colours={'+'.join(COLOURS)},low={low},high={high},blend=true"
        limits = "&".join(f"MINMAX={k}:0,{HIGH}" for k in range(1, 5))
        share = int(COLOURS[3][:2], 16) / 255
        mixed = f"CTW=[1,0,0,{share:.4f};0,1,0,{share:.4f};0,0,1,{share:.4f}]"
        sums = ";".join(f"b{k}+b4*{share:.4f}" for k in (1, 2, 3))
        query = f"url={INTERLEAVED}&expression={quote(sums)}&rescale=0,{HIGH}"
        channels = self.pictures.channels
        base = f"{self._base()}/{CHANNELS}/{view}/channels_files"
        return [
            Way("Diascope", lambda at: f"{base}/{top}/{at[1]}_{at[0]}.jpeg"),
            Way(
                "large_image",
                lambda at: f"/channels/{depth}/{at[1]}/{at[0]}",
                expected=lambda at: lightest(channels, at),
            ),
            Way("iipsrv", lambda at: f"/?FIF={INTERLEAVED}&{limits}&{mixed}&JTL=0,{at[0] * count + at[1]}"),
            Way("TiTiler", lambda at: f"/tiles/WebMercatorQuad/{depth}/{at[1]}/{at[0]}.jpg?{query}"),
        ]

    def _regions(self) -> list[Way]:
        side = self.pictures.slide.side
        base = f"{self._base()}/{SLIDE}/original/slide.iiif"

        def area(at: Place) -> str:
            return f"{at[1]},{at[0]},{REGION},{REGION}/{SCALED},{SCALED}/0/default.jpg"

        def bounds(at: Place) -> str:
            size = 2 * WORLD / side
            left, top = at[1] * size - WORLD, WORLD - at[0] * size
            return f"{left!r},{top - REGION * size!r},{left + REGION * size!r},{top!r}"

        systems = "coord_crs=epsg:3857&dst_crs=epsg:3857"
        return [
            Way("Diascope", lambda at: f"{base}/{area(at)}"),
            Way("large_image", lambda at: f"/region/{at[1]}/{at[0]}/{REGION}/{SCALED}"),
            Way("iipsrv", lambda at: f"/?IIIF={SLIDE}/{area(at)}"),
            Way("OpenSlide", lambda at: f"/region/{at[1]}/{at[0]}/{REGION}/{SCALED}"),
            Way("TiTiler", lambda at: f"/bbox/{bounds(at)}/{SCALED}x{SCALED}.jpg?url={SLIDE}&{systems}"),
        ]

    def _others(self) -> dict[str, list[Way]]:
        base, folder = self._base(), self.pictures.folder.name
        depth = (self.pictures.channels.side // TILE - 1).bit_length()
        maps = [AFFINE.format("+".join(f"{x:g}" for x in matrix.ravel())) for matrix in (MATRIX, WARMING)]
        bent, warming = (f"{base}/{VOLUME_2}/{view}/volume2.precomputed/0" for view in maps)
        grey = f"{base}/{CHANNELS}/select,axis=c,index=0/channels.png.precomputed/0"
        return {
            "chunk": [
                Way("Diascope", lambda at: f"{base}/{VOLUME_2}/original/volume2.zarr2.ome.zarr/0/{_slashed(at)}", "v2"),
                Way("Diascope", lambda at: f"{base}/{VOLUME_3}/original/volume3.ome.zarr/0/c/{_slashed(at)}", "v3"),
                Way("nginx", lambda at: f"/{folder}/{VOLUME_2}/0/{_slashed(at)}"),
            ],
            "raw": [
                Way("Diascope", lambda at: f"{base}/{VOLUME_2}/original/volume2.precomputed/0/{_span(at)}"),
                Way("neuroglancer", lambda at: f"/neuroglancer/raw/viewer.volume/1,1,1/{_corners(at)}"),
                Way("tiamat", lambda at: f"/volume/{'/'.join(str(index * CHUNK) for index in at)}"),
                Way("nginx", lambda at: f"/limit/chunks/{named(at)}"),
            ],
            "affine": [
                Way(
                    "Diascope",
                    lambda at: f"{bent}/{_span(at)}",
                    warming=lambda at: f"{warming}/{_span(at)}",
                ),
            ],
            "png": [
                Way("Diascope", lambda at: f"{grey}/{_pixels(at[1])}_{_pixels(at[0])}_0-1"),
                Way(
                    "TiTiler",
                    lambda at: f"/tiles/WebMercatorQuad/{depth}/{at[1]}/{at[0]}.png?url={INTERLEAVED}&bidx=1",
                ),
            ],
        }

    def _base(self) -> str:
        return f"/data/{self.pictures.folder.name}"


PROGRAMS = {
    "large_image": ("large-image", "large_image_server.py", "images"),
    "OpenSlide": ("openslide", "openslide_server.py", "images"),
    "TiTiler": ("titiler", "titiler_server.py", "map"),
    "neuroglancer": ("neuroglancer", "neuroglancer_server.py", "images"),
    "tiamat": ("tiamat", "tiamat_server.py", "images"),
}
"""The environment, the script and the folder of what Python runs."""


def _box(at: Place) -> str:
    return f"{at[1] * TILE},{at[0] * TILE},{TILE},{TILE}"


def _slashed(at: Place) -> str:
    return "/".join(map(str, at))


def _span(at: Place) -> str:
    return "_".join(f"{index * CHUNK}-{(index + 1) * CHUNK}" for index in reversed(at))


def _pixels(index: int) -> str:
    return f"{index * TILE}-{(index + 1) * TILE}"


def _corners(at: Place) -> str:
    return "/".join(",".join(str((index + k) * CHUNK) for index in at) for k in (0, 1))


def _nginx() -> str | None:
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def nginx(scratch: Path, port: int, location: str) -> list[str]:
    """The command that runs one worker of it."""
    place = scratch / f"nginx-{port}"
    place.mkdir(parents=True, exist_ok=True)
    temporary = " ".join(f"{kind}_temp_path {place}/{kind};" for kind in TEMPORARY)
    (place / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {place}/pid; error_log stderr;\n"
        "events { worker_connections 512; }\n"
        f"http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; {temporary}\n"
        f"server {{ listen 127.0.0.1:{port}; location / {{ {location} }} }} }}\n",
        encoding="utf-8",
    )
    return [_nginx() or "nginx", "-p", str(place), "-c", str(place / "nginx.conf")]


TEMPORARY = ("client_body", "fastcgi", "proxy", "uwsgi", "scgi")

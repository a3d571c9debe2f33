"""napari itself shows what the images say: colours and places on its canvas, and all that its layers tell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import nibabel
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow

import diascope
from diascope.commands.sample import sample
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import in_memory, read_whole
from diascope.image.pyramid import with_pyramid
from diascope.layouts.ome_windows import windows
from diascope.registry import registry
from diascope.tree.walk import listed_files
from tests.judges.required import required
from tests.napari.slow import slow_server
from tests.servers import of_folder

pytestmark = [pytest.mark.judge, pytest.mark.timeout(500)]

TOP = Path(__file__).parents[2]
PYTHON = TOP / ".judges" / "napari" / "bin" / "python"
LONGEST = 400
"""Seconds of the session, on a machine that has much else to do; by itself it takes half a minute."""
THINKS = 2.0
"""For how many seconds a slow server thinks."""
SCREEN = "1400x1000x24"

RANDOM = np.random.default_rng(5)
CHANNELS = RANDOM.integers(0, 4000, (3, 3, 40, 60)).astype(np.uint16)  # z c y x
COLOURS = [(255, 96, 0), (0, 200, 255), (40, 0, 255)]
PICTURE = RANDOM.integers(0, 256, (2000, 2400, 3)).astype(np.uint8)
DEEP = RANDOM.integers(0, 65_536, (40, 50, 3)).astype(np.uint16)
INDICES = RANDOM.integers(0, 4, (40, 50)).astype(np.uint8)
PALETTE = [10, 20, 30, 250, 0, 0, 0, 240, 0, 0, 0, 230]
FRAMES = RANDOM.integers(0, 256, (5, 40, 50)).astype(np.uint8)
VOLUME = RANDOM.integers(0, 1000, (30, 20, 8)).astype(np.int16)  # x y z
AFFINE = np.array([[0.0, 3, 0, 10], [-2, 0, 0, -20], [0, 0, 4, 100], [0, 0, 0, 1]])
LABELS = np.zeros((40, 50), np.int32)
LABELS[3:20, 5:12], LABELS[25:30, 5:45], LABELS[5:9, 40:48] = 1, 2, 70_000
BLOCKS = np.zeros((8, 400, 400), np.uint16)
BLOCKS[2:6, 40:120, 40:300], BLOCKS[2:6, 250:360, 60:140] = 3, 5

Pixels = NDArray[Any]


class Seen(NamedTuple):
    """What one step showed."""

    told: dict[str, Any]
    canvas: Pixels | None

    def at(self, rows: Sequence[float] | Pixels, columns: Sequence[float] | Pixels) -> Pixels:
        """The colours on the canvas at each of these places of the world."""
        assert self.canvas is not None
        places = []
        for axis, world in ((-2, rows), (-1, columns)):
            middle = self.canvas.shape[axis - 1] / 2
            at = middle + (np.asarray(world) - self.told["centre"][axis]) * self.told["zoom"]
            places.append(np.floor(at).astype(int))
        assert all(k.min() >= 0 for k in places), "the image must lie on the canvas"
        return np.asarray(self.canvas[np.ix_(*places)])

    @property
    def layer(self) -> dict[str, Any]:
        (only,) = self.told["layers"]
        return dict(only)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("viewer") / "images"
    sample(folder)
    names = {"Name": ["one", "two", "three"], "Color": [_signed(*colour) for colour in COLOURS]}
    size = {"PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}
    tifffile.imwrite(folder / "mark.ome.tif", CHANNELS, ome=True, metadata={"axes": "ZCYX", "Channel": names, **size})
    tifffile.imwrite(folder / "colours.tif", PICTURE, photometric="rgb", tile=(128, 128))
    tifffile.imwrite(folder / "series.tif", FRAMES, imagej=True, metadata={"axes": "TYX", "finterval": 2.5})
    volume = nibabel.Nifti1Image(VOLUME, AFFINE)
    volume.header.set_xyzt_units("mm")
    nibabel.save(volume, folder / "volume.nii.gz")
    tifffile.imwrite(folder / "deep.tif", DEEP, photometric="rgb")
    picture = Pillow.fromarray(INDICES)
    picture.putpalette(PALETTE)
    picture.save(folder / "palette.png")
    _written("labels", "yx", LABELS, folder)
    _written("blocks", "zyx", BLOCKS, folder)
    with tifffile.TiffWriter(folder / "two.ome.tif", ome=True) as out:
        for k in range(2):
            out.write(np.full((20, 30 + k), k, np.uint8), metadata={"Name": f"scene {k}", "axes": "YX"})
    (folder / "broken.tif").write_bytes(b"II*\0\xff\xff\xff\xff")
    (folder / "large").mkdir()
    for k in range(251):
        (folder / "large" / f"{k:04}.tif").touch()
    return folder


def _signed(red: int, green: int, blue: int) -> int:
    """A colour as OME-XML has it."""
    return int(np.array(red << 24 | green << 16 | blue << 8 | 255, np.uint32).view(np.int32))


def _written(name: str, axes: str, pixels: Pixels, folder: Path) -> None:
    image = Image(name=name, kind="labels", axes=axes_named(axes), levels=(in_memory(pixels),))
    tree = registry("layouts")["ome-zarr"].tree(with_pyramid(image))
    for path in listed_files(tree, ""):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(tree.file(path).read(0, None))


@contextmanager
def screen() -> Iterator[str]:
    """The name of a display without a screen."""
    words = ["Xvfb", "-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        try:
            yield f":{process.stdout.readline().strip()}"
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def session(folder: Path) -> Iterator[Callable[[str], Seen]]:
    """``session(name)`` is what napari showed at a step of the one session that all tests look at."""
    required(_missing())
    server = of_folder(folder)
    with TemporaryDirectory(prefix="napari-") as out, slow_server(THINKS) as slow:
        environment = {
            **os.environ,
            "QT_API": "pyqt6",
            "PYTHONPATH": str(TOP / "src"),
            "NAPARI_CONFIG": str(Path(out, "settings.yaml")),
            "HOME": out,
        }
        words = [str(PYTHON), str(TOP / "tests" / "judges" / "napari_viewer.py"), out, server.url, str(folder), slow]
        with screen() as display:
            done = subprocess.run(
                words,
                env={**environment, "DISPLAY": display},
                capture_output=True,
                text=True,
                timeout=LONGEST,
                check=False,
            )
        server.stop()
        assert done.returncode == 0, done.stdout + done.stderr

        def seen(name: str) -> Seen:
            canvas = Path(out, f"{name}.npy")
            told = json.loads(Path(out, f"{name}.json").read_text(encoding="utf-8"))
            return Seen(told, np.load(canvas) if canvas.is_file() else None)

        if keep := os.environ.get("DIASCOPE_KEEP_PICTURES"):
            shutil.copytree(out, keep, dirs_exist_ok=True)
        yield seen


def _missing() -> str | None:
    if not PYTHON.is_file():
        return "napari is not here: make judges"
    return None if shutil.which("Xvfb") else "no Xvfb here: apt-get install xvfb"


def test_the_manifest_is_valid() -> None:
    required(_missing())
    done = subprocess.run(
        [str(PYTHON.with_name("npe2")), "validate", "diascope"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "valid!" in done.stdout


def same(seen: Pixels, expected: Pixels) -> bool:
    """Within what rounding in the graphics card changes."""
    return seen.shape == expected.shape and float(np.abs(seen.astype(int) - expected.astype(int)).max()) <= 3


def is_only(seen: Pixels, expected: Pixels) -> None:
    """It is what is expected, and no twin of that is: mirrored, turned, shifted, or with exchanged colours."""
    assert same(seen, expected), f"differs by {np.abs(seen.astype(int) - expected.astype(int)).max()}"
    twins = {
        "upside down": expected[::-1],
        "mirrored": expected[:, ::-1],
        "shifted": np.roll(expected, 1, axis=1),
        "red for blue": expected[..., ::-1],
        "transposed": expected.transpose(1, 0, 2)[: len(expected), : len(expected[0])],
    }
    grey = (expected[..., :1] == expected).all()
    for name, twin in twins.items():
        assert not same(seen, twin) or (name == "red for blue" and grey), name


def composite(pixels: Pixels, limits: Sequence[Sequence[float]]) -> Pixels:
    """Channels (c y x) in their colours, summed."""
    total = np.zeros((*pixels.shape[1:], 3))
    for plane, (low, high), colour in zip(pixels, limits, COLOURS, strict=True):
        total += np.clip((plane.astype(float) - low) / (high - low), 0, 1)[..., None] * colour
    return np.clip(np.round(total), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", ["channels", "channels-of-a-file"])
def test_channels_are_shown_in_their_colours(session: Callable[[str], Seen], folder: Path, name: str) -> None:
    seen = session(name)
    limits = windows(diascope.open(folder / "mark.ome.tif"))
    for layer, number, colour in zip(seen.told["layers"], ("one", "two", "three"), COLOURS, strict=True):
        assert layer["name"] == f"{number} · mark"
        assert np.allclose(np.array(layer["brightest"][:3]) * 255, colour, atol=0.5)
        assert (layer["type"], layer["blending"], layer["visible"]) == ("Image", "additive", True)
        assert layer["scale"] == [1.0, 0.5, 0.25]
        assert layer["units"] == ["pixel", "micrometer", "micrometer"]
        assert layer["axis_labels"] == ["z", "y", "x"]
    assert np.allclose([layer["contrast_limits"] for layer in seen.told["layers"]], limits)
    is_only(seen.at(np.arange(40) * 0.5, np.arange(60) * 0.25), composite(CHANNELS[2], limits))


@pytest.mark.parametrize("plugin", ["diascope", "napari-ome-zarr"])
def test_the_ome_zarr_of_a_server_looks_the_same_through_another_plug_in(
    session: Callable[[str], Seen], folder: Path, plugin: str
) -> None:
    seen = session(f"by-{plugin}")
    limits = windows(diascope.open(folder / "mark.ome.tif"))
    is_only(seen.at(np.arange(40) * 0.5, np.arange(60) * 0.25), composite(CHANNELS[2], limits))


def test_a_view_of_operations_is_shown(session: Callable[[str], Seen], folder: Path) -> None:
    seen = session("view")
    limits = windows(diascope.open(folder / "mark.ome.tif" / "project,axis=z"))
    assert all(layer["shapes"] == [[40, 60]] for layer in seen.told["layers"])
    is_only(seen.at(np.arange(40) * 0.5, np.arange(60) * 0.25), composite(CHANNELS.max(axis=0), limits))


def test_a_picture_in_colours_is_shown_from_the_level_that_the_zoom_needs(
    session: Callable[[str], Seen], folder: Path
) -> None:
    near, far = session("colours"), session("colours-far")
    assert near.layer["rgb"]
    assert near.layer["shapes"] == [[2000 >> k, 2400 >> k, 3] for k in range(5)]
    assert near.layer["level"] == 0
    is_only(near.at(np.arange(100), np.arange(120)), PICTURE[:100, :120])
    assert far.layer["level"] == 1
    coarse = np.moveaxis(read_whole(diascope.open(folder / "colours.tif").levels[1]), 0, -1)
    assert far.canvas is not None
    # Middles of pixels of the canvas, none of which is at an edge of the level's pixels.
    places = [(size - n) // 2 + np.arange(n) for size, n in zip(far.canvas.shape, (300, 400), strict=False)]
    ends = zip(places, far.canvas.shape, far.told["centre"], strict=False)
    rows, columns = (((at + 0.5 - size / 2) / far.told["zoom"] + middle + 0.5) // 2 for at, size, middle in ends)
    is_only(far.canvas[np.ix_(*places)], coarse[np.ix_(rows.astype(int), columns.astype(int))])


def test_colours_of_16_bits_are_shown(session: Callable[[str], Seen]) -> None:
    assert session("deep").layer["rgb"]
    is_only(session("deep").at(np.arange(40), np.arange(50)), np.round(DEEP / 257).astype(np.uint8))


def test_indices_are_shown_in_the_colours_of_their_palette(session: Callable[[str], Seen]) -> None:
    is_only(session("palette").at(np.arange(40), np.arange(50)), np.array(PALETTE, np.uint8).reshape(-1, 3)[INDICES])


def test_labels_have_their_own_colours(session: Callable[[str], Seen]) -> None:
    seen = session("labels")
    assert seen.layer["type"] == "Labels"
    assert not seen.layer["editable"]
    expected = np.zeros((40, 50, 3))
    for value, colour in seen.told["colours"].items():
        expected[int(value) == LABELS] = np.round(np.array(colour[:3]) * 255)
    assert len(np.unique(expected.reshape(-1, 3), axis=0)) == 4
    is_only(seen.at(np.arange(40), np.arange(50)), expected)


def test_time_is_an_axis_with_its_unit(session: Callable[[str], Seen]) -> None:
    seen = session("series")
    assert seen.told["dims"] == ["t", "y", "x"]
    assert seen.layer["units"][0] == "second"
    assert seen.layer["scale"][0] == 2.5
    assert seen.layer["contrast_limits"] == [0, 255]
    is_only(seen.at(np.arange(40), np.arange(50)), np.repeat(FRAMES[3][..., None], 3, axis=-1))


def _grey(plane: Pixels, limits: Sequence[float]) -> Pixels:
    shown = np.clip((plane.astype(float) - limits[0]) / (limits[1] - limits[0]), 0, 1) * 255
    return np.repeat(np.round(shown)[..., None], 3, axis=-1).astype(np.uint8)


def test_a_volume_lies_where_the_world_has_it(session: Callable[[str], Seen]) -> None:
    seen = session("volume")
    assert seen.layer["units"] == ["millimeter"] * 3
    assert seen.layer["shapes"] == [[8, 30, 20]]
    rows, columns = -20 - 2.0 * np.arange(30), 10 + 3.0 * np.arange(20)
    is_only(seen.at(rows, columns), _grey(VOLUME[:, :, 3], seen.layer["contrast_limits"]))


def test_a_volume_is_shown_in_three_dimensions(session: Callable[[str], Seen]) -> None:
    """By the brightest pixel along each ray, which the card looks for in steps."""
    seen = session("volume-3d")
    rows, columns = -20 - 2.0 * np.arange(30), 10 + 3.0 * np.arange(20)
    expected = _grey(VOLUME.max(axis=2), seen.layer["contrast_limits"])
    shown = seen.at(rows, columns)
    assert _alike(shown, expected) > 0.9
    for twin in (expected[::-1], expected[:, ::-1], np.roll(expected, 1, axis=0)):
        assert _alike(shown, twin) < 0.3


def _alike(a: Pixels, b: Pixels) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_labels_in_three_dimensions_come_from_the_coarsest_level(session: Callable[[str], Seen]) -> None:
    seen = session("labels-3d")
    assert seen.layer["shapes"] == [[8, 400, 400], [8, 200, 200]]
    assert seen.layer["level"] == 1
    places = np.arange(10, 400, 20)
    shown = seen.at(places, places).max(axis=-1) > 0
    expected = BLOCKS.max(axis=0)[np.ix_(places, places)] > 0
    assert np.array_equal(shown, expected)
    assert not np.array_equal(shown, expected.T)
    assert not np.array_equal(shown, expected[::-1])


def test_a_sample_opens(session: Callable[[str], Seen]) -> None:
    assert session("sample").layer["name"] == "dividing"


def test_a_url_that_is_dropped_onto_the_window_opens(session: Callable[[str], Seen]) -> None:
    assert session("dropped").layer["name"] == "rainbow"


def test_a_double_click_adds_layers(session: Callable[[str], Seen]) -> None:
    told = session("double-click").told
    assert [layer["name"] for layer in told["layers"]] == ["DAPI · cells", "Actin · cells", "Transcripts · cells"]
    assert "640" in told["facts"]
    assert "µm" in told["facts"]
    assert max(told["picture"][:3]) > 0


def test_a_view_is_checked_while_it_is_typed_and_used(session: Callable[[str], Seen]) -> None:
    told = session("typed-view").told
    assert unescape(told["wrong"]).endswith(">project: axis: Input should be 't', 'c', 'z', 'y' or 'x'</span>")
    assert [layer["shapes"][0] for layer in told["layers"][3:]] == [[640, 640]] * 3


def test_scenes_are_listed_below_their_file_and_errors_are_sentences(session: Callable[[str], Seen]) -> None:
    seen = session("scene")
    assert seen.layer["shapes"] == [[20, 31]]
    assert seen.told["broken"].endswith(">broken.tif: a TIFF file without an image directory</span>")


def test_large_folders_searches_slow_and_absent_servers_and_folders(session: Callable[[str], Seen]) -> None:
    told = session("more").told
    assert told["large"] == 251
    assert told["found"].endswith("head.nii.gz")
    assert "http://127.0.0.1:9" in told["absent"]
    assert told["pause"] < THINKS, "the window lives while a server thinks"
    assert told["layers"][0]["name"] == "rainbow"

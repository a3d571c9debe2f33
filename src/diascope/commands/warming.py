"""The compiled loops that most requests need, made ready beside the serving, so that no viewer waits for a compiler.

Compiled code is kept on disk (see ``image/kernels.py``): where it is there, this costs the import of the compiler, and
else half a minute of a processor, once.
"""

from __future__ import annotations

from threading import Timer

SIDE = 16

AFFINE = {"yx": "0.9+0.1+0+0+0.9+0", "zyx": "0.9+0.1+0+0+0+0.9+0+0+0+0+0.9+0"}
"""Matrices by axes."""


def warm_up(seconds: float = 0.0) -> Timer:
    """Begin with it after so many seconds, in a thread that ends with the process."""
    timer = Timer(seconds, _warm)
    timer.name, timer.daemon = "warming", True
    timer.start()
    return timer


def _warm() -> None:
    import numpy as np

    from diascope.encodings import png
    from diascope.image.axes import axes_named
    from diascope.image.image import Image
    from diascope.image.level import in_memory, read_whole
    from diascope.image.pyramid import halved
    from diascope.layouts.resized import resized
    from diascope.operations.view import view

    def image(names: str, type: type[np.generic]) -> Image:
        level = in_memory(np.zeros((SIDE,) * len(names), type))
        return Image(
            name="it",
            kind="intensity",
            axes=axes_named(names),
            levels=(level, halved(level, (2,) * len(names), "intensity")),
        )

    png.encoded(np.zeros((SIDE, SIDE), np.uint8))
    odd = range(1, SIDE - 1)
    resized(image("yx", np.uint8), odd, odd, len(odd) // 2, len(odd) // 2)
    for names, matrix in AFFINE.items():
        for type in (np.uint16, np.uint8):
            read_whole(view(f"affine,matrix={matrix}").applied(image(names, type)).levels[0])

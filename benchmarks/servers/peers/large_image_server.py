"""large_image: stored JPEG tiles as they are, composites by its styles, regions; without correction by ICC profiles."""

from __future__ import annotations

from pathlib import Path

import large_image
from bare import Answer, serve

LIMITS = {"min": 0, "max": 4095}
COLOURS = ("#ff0000", "#00ff00", "#0000ff", "#404040")


def answers(folder: Path) -> Answer:
    large_image.config.setConfig("icc_correction", False)
    bands = [{"frame": frame, "palette": ["#000000", colour], **LIMITS} for frame, colour in enumerate(COLOURS)]
    slide = large_image.open(str(folder / "slide.tif"))
    composite = large_image.open(str(folder / "channels.ome.tif"), style={"bands": bands}, encoding="JPEG")

    def answer(words: list[str]) -> bytes:
        if words[0] == "region":
            left, top, side, scaled = map(int, words[1:])
            region = {"left": left, "top": top, "width": side, "height": side, "units": "base_pixels"}
            size = {"maxWidth": scaled, "maxHeight": scaled}
            data, _ = slide.getRegion(region=region, output=size, encoding="JPEG")
            return bytes(data)
        source = slide if words[0] == "slide" else composite
        z, x, y = map(int, words[1:])
        return bytes(source.getTile(x, y, z))

    return answer


serve(answers)

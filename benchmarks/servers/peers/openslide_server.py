"""OpenSlide: tiles of its Deep Zoom generator and regions, encoded by Pillow as its own example does."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from bare import Answer, serve
from openslide import OpenSlide
from openslide.deepzoom import DeepZoomGenerator


def answers(folder: Path) -> Answer:
    slide = OpenSlide(folder / "slide.tif")
    tiles = DeepZoomGenerator(slide, tile_size=256, overlap=0)

    def answer(words: list[str]) -> bytes:
        if words[0] == "region":
            left, top, side, scaled = map(int, words[1:])
            level = slide.get_best_level_for_downsample(side / scaled)
            stored = round(side / slide.level_downsamples[level])
            picture = slide.read_region((left, top), level, (stored, stored)).convert("RGB")
            if stored != scaled:
                picture = picture.resize((scaled, scaled))
        else:
            z, x, y = map(int, words[1:])
            picture = tiles.get_tile(z, (x, y))
        data = BytesIO()
        picture.save(data, "JPEG", quality=85)
        return data.getvalue()

    return answer


serve(answers)

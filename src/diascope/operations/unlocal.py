"""What is no operation, since any pixel of its result may depend on any pixel of the image, however far away."""

from __future__ import annotations

REASONS = {
    "components": (
        "whether two pixels belong together may be decided at the other end of the image; threshold and morphology "
        "give a mask, whose components are found by whoever reads all of it"
    ),
    "distance": (
        "what is nearest may lie at the other end of the image; morphology,method=dilate gives labels within a radius"
    ),
    "fill": "what closes a hole may lie at the other end of the image; morphology,method=close fills small ones",
    "skeleton": "how thick a part is may be decided at the other end of the image",
    "watershed": (
        "what flows where may be decided at the other end of the image; morphology,method=dilate lets labels grow "
        "within a radius"
    ),
}
"""Why, by the name that somebody might give it, and what there is instead."""

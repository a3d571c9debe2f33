"""Intensities grow and shrink as scipy's do, labels as scikit-image's, and labels never merge."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import cdist
from skimage.segmentation import expand_labels

from diascope.errors import Unsupported
from diascope.image.level import read_whole
from tests.operations.footprints import about, cut, repeated
from tests.operations.pictures import noise, pictured, seen

SCIPY = {
    "dilate": ndimage.grey_dilation,
    "erode": ndimage.grey_erosion,
    "open": ndimage.grey_opening,
    "close": ndimage.grey_closing,
}


@pytest.mark.judge
@pytest.mark.parametrize("method", SCIPY)
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u8", "f4", "f8"])
@pytest.mark.parametrize(("axes", "radius"), [("yx", 0.5), ("yx", 3.3), ("zyx", 2.1)])
def test_scipy_does_the_same(method, dtype, axes, radius):
    pixels = noise((5, 30, 41), "i8", 60_000).astype(dtype)
    image = pictured(pixels, "zyx", scale=(2.0, 0.5, 0.25), levels=2)
    for k, level in enumerate(image.levels):
        # uint64 is what scipy's filters compare in double precision, which holds these.
        given = repeated(read_whole(level))
        expected = cut(SCIPY[method](given, footprint=about(image, k, radius, axes)))
        got = seen(f"morphology,radius={radius},axes={axes},method={method}", image, k)
        assert got.dtype == pixels.dtype
        np.testing.assert_array_equal(got, expected)


def test_masks_are_grown_too():
    mask = np.zeros((9, 11), bool)
    mask[4, 5] = True
    made = seen("morphology,radius=2,method=dilate", pictured(mask, "yx"))
    y, x = np.mgrid[-4:5, -5:6]
    np.testing.assert_array_equal(made, y**2 + x**2 <= 4)


def test_nan_is_passed_over():
    pixels = np.array([[np.nan, np.nan, 3, np.nan, np.nan, np.nan, -np.inf, 5]], np.float64)
    image = pictured(pixels, "yx")
    expected = [[np.nan, 3, 3, 3, np.nan, -np.inf, 5, 5]]
    np.testing.assert_array_equal(seen("morphology,radius=1,method=dilate", image), expected)


def blobs(shape):
    """Labels here and there, some of which touch."""
    labels = np.zeros(shape, np.uint32)
    places = np.random.default_rng(3).integers(0, shape, (14, len(shape)))
    for k, at in enumerate(places):
        labels[tuple(slice(max(i - 1, 0), i + 2) for i in at)] = 1000 - 7 * k
    return labels


@pytest.mark.parametrize("axes", ["yx", "zyx"])
@pytest.mark.parametrize("radius", [1.0, 2.3, 4.0])
def test_labels_get_the_nearest_one_and_the_smaller_of_two(axes, radius):
    scale = (1.0, 0.5, 0.25)
    labels = blobs((5, 17, 23))
    got = seen(
        f"morphology,radius={radius},axes={axes},method=dilate", pictured(labels, "zyx", kind="labels", scale=scale)
    )
    assert got.dtype == labels.dtype
    for z in range(5) if axes == "yx" else [slice(None)]:
        np.testing.assert_array_equal(got[z], _nearest(labels[z], scale[-labels[z].ndim :], radius))


def _nearest(labels, scale, radius):
    """By the distances of all pixels to all labels."""
    out = np.zeros_like(labels)
    where = np.argwhere(labels)
    if len(where):
        distances = cdist(np.argwhere(np.ones_like(labels)) * scale, where * np.array(scale), "sqeuclidean")
        nearest = np.where(distances == distances.min(1, keepdims=True), labels[tuple(where.T)], 1 << 30).min(1)
        out[...] = np.where(distances.min(1) <= radius**2 + 1e-9, nearest, 0).reshape(labels.shape)
    return out


@pytest.mark.judge
def test_scikit_image_expands_them_as_far():
    labels = blobs((60, 70))
    for radius in (1, 2.5, 6):
        got = seen(f"morphology,radius={radius},method=dilate", pictured(labels, "yx", kind="labels"))
        np.testing.assert_array_equal(got > 0, expand_labels(labels, radius) > 0)
        np.testing.assert_array_equal(got[labels > 0], labels[labels > 0])


def test_labels_shrink_from_one_another():
    labels = np.zeros((12, 20), np.uint16)
    labels[2:10, 2:10], labels[2:10, 10:18] = 7, 5
    made = seen("morphology,radius=1,method=erode", pictured(labels, "yx", kind="labels"))
    expected = np.zeros_like(labels)
    expected[3:9, 3:9], expected[3:9, 11:17] = 7, 5
    np.testing.assert_array_equal(made, expected)
    opened = seen("morphology,radius=1,method=open", pictured(labels, "yx", kind="labels"))
    for name in (5, 7):
        np.testing.assert_array_equal(opened == name, _opened(labels == name))


def _opened(mask):
    return ndimage.binary_opening(mask, ndimage.generate_binary_structure(2, 1))


def test_holes_of_labels_are_closed():
    labels = np.full((15, 15), 3, np.uint16)
    labels[7, 7] = 0
    image = pictured(labels, "yx", kind="labels")
    assert (seen("morphology,radius=1,method=close", image) == 3).all()


def test_complex_numbers_have_no_order():
    with pytest.raises(Unsupported, match="no order"):
        seen("morphology,radius=1,method=open", pictured(noise((4, 5), "c8"), "yx"))

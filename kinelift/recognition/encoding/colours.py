"""Colours of motion images: the JET scale, and the histogram equalisation that makes SPMF "enhanced"."""

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from kinelift.poses.vectors import unit

Equalisation = Literal["none", "channels", "lightness", "value"]
Arrows = Literal["unit", "scaled"]
Image = UInt8[np.ndarray, "H W 3"]
Equaliser = Callable[[Image, cv2.CLAHE], Image]


def of_distances(shares: Float[np.ndarray, "*B"]) -> UInt8[np.ndarray, "*B 3"]:
    """JET colours of shares: 0 is dark blue, 1 and more dark red."""
    colours: UInt8[np.ndarray, "*B 3"] = _jet()[np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)]
    return colours


def of_vectors(vectors: Float[np.ndarray, "*B 3"], how: Arrows, reach: float) -> UInt8[np.ndarray, "*B 3"]:
    """Encode x, y, z as red, green, blue.

    Args:
        vectors: Directions, or displacements in body sizes.
        how: "unit" normalises the vectors, so that −1…1 becomes 0…255; "scaled" keeps their lengths.
        reach: The component of a "scaled" vector that has the full colour.
    """
    shares = np.clip(vectors / reach, -1, 1) if how == "scaled" else unit(vectors)
    return np.rint((shares + 1) * 127.5).astype(np.uint8)


def equalise(image: Image, how: Equalisation, clip: float, tiles: int) -> Image:
    """Apply CLAHE to an image.

    Args:
        image: RGB.
        how: To each colour channel, to the lightness of Lab, to the value of HSV, or not at all.
        clip: Contrast limit.
        tiles: The image is divided into ``tiles`` × ``tiles`` parts.
    """
    if how == "none":
        return image
    return _EQUALISERS[how](image, cv2.createCLAHE(clip, (tiles, tiles)))


def _channels(image: Image, clahe: cv2.CLAHE) -> Image:
    return np.stack([clahe.apply(np.ascontiguousarray(image[..., c])) for c in range(3)], axis=-1)


def _lightness(image: Image, clahe: cv2.CLAHE) -> Image:
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lab[..., 0] = clahe.apply(np.ascontiguousarray(lab[..., 0]))
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)


def _value(image: Image, clahe: cv2.CLAHE) -> Image:
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 2] = clahe.apply(np.ascontiguousarray(hsv[..., 2]))
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


_EQUALISERS: dict[Equalisation, Equaliser] = {"channels": _channels, "lightness": _lightness, "value": _value}


@lru_cache(maxsize=1)
def _jet() -> UInt8[np.ndarray, "256 3"]:
    levels = np.arange(256, dtype=np.uint8)[:, None]
    return cv2.applyColorMap(levels, cv2.COLORMAP_JET)[:, 0, ::-1].copy()

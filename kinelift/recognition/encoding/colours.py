"""Colours of motion images: the JET scale and the equalisation that makes SPMF "enhanced"."""

from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Float, UInt8

Equalisation = Literal["none", "channels", "lightness", "value"]
Arrows = Literal["unit", "scaled"]
Picture = UInt8[np.ndarray, "H W 3"]
Equaliser = Callable[[Picture, cv2.CLAHE], Picture]


def of_distances(shares: Float[np.ndarray, "*B"]) -> UInt8[np.ndarray, "*B 3"]:
    """JET: 0 is dark blue, 1 and more dark red."""
    return _jet()[np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)]


def of_arrows(vectors: Float[np.ndarray, "*B 3"], how: Arrows, reach: float) -> UInt8[np.ndarray, "*B 3"]:
    """x, y, z as red, green, blue: −1…1 is 0…255 of "unit" vectors, −``reach``…``reach`` of "scaled" ones."""
    if how == "scaled":
        shares = np.clip(vectors / reach, -1, 1)
    else:
        shares = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return np.rint((shares + 1) * 127.5).astype(np.uint8)


def equalised(picture: Picture, how: Equalisation, clip: float, tiles: int) -> Picture:
    """CLAHE on every colour channel, on the lightness of Lab or on the value of HSV, in ``tiles`` × ``tiles`` tiles."""
    if how == "none":
        return picture
    return _EQUALISERS[how](picture, cv2.createCLAHE(clip, (tiles, tiles)))


def _channels(picture: Picture, clahe: cv2.CLAHE) -> Picture:
    return np.stack([clahe.apply(np.ascontiguousarray(picture[..., c])) for c in range(3)], axis=-1)


def _lightness(picture: Picture, clahe: cv2.CLAHE) -> Picture:
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    lab[..., 0] = clahe.apply(np.ascontiguousarray(lab[..., 0]))
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)


def _value(picture: Picture, clahe: cv2.CLAHE) -> Picture:
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    hsv[..., 2] = clahe.apply(np.ascontiguousarray(hsv[..., 2]))
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


_EQUALISERS: dict[Equalisation, Equaliser] = {"channels": _channels, "lightness": _lightness, "value": _value}


@lru_cache(maxsize=1)
def _jet() -> UInt8[np.ndarray, "256 3"]:
    levels = np.arange(256, dtype=np.uint8)[:, None]
    return cv2.applyColorMap(levels, cv2.COLORMAP_JET)[:, 0, ::-1].copy()

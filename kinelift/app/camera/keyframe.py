"""A picture whose background later pictures are compared with."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8

from kinelift.poses import Frame
from kinelift.poses.camera import Camera

MIN_SIDE = 400
"""Pixels: the longer side of the pictures that are compared has as many, and less than twice as many."""
CELLS = 8
"""The picture is divided into as many cells along each side, so that features from all of it count."""
PER_CELL = 3
CANDIDATES = 600
QUALITY = 0.002
"""Quality of a feature at least, as a share of the best one's (``cv2.goodFeaturesToTrack``)."""
SPACING = 0.02
"""Distance of two features at least, as a share of the longer side."""
WINDOW = 15
"""Side of the patch that is followed, px."""
LEVELS = 3
"""Halvings of the picture at which the search begins."""
MARGIN = 0.1
"""How much wider than its box a person is taken to be, as a share of the box."""


@dataclass(frozen=True)
class View:
    """How small pictures relate to the video's.

    Attributes:
        camera: Of the video's pictures.
        size: (width, height) of the video's pictures, px.
    """

    camera: Camera
    size: tuple[int, int]

    @property
    def scale(self) -> int:
        """Pixels of the video per pixel of a small picture: a power of 2."""
        return 1 << max(0, (max(self.size) // MIN_SIDE).bit_length() - 1)

    @property
    def small_size(self) -> tuple[int, int]:
        """(width, height) of the small pictures, px."""
        return self.size[0] // self.scale, self.size[1] // self.scale

    @property
    def pixel(self) -> float:
        """The angle (rad) of a pixel in the middle of a small picture."""
        return self.scale / max(self.camera.focals)

    def small(self, frame: Frame) -> UInt8[np.ndarray, "h w"]:
        """The small grey picture of a frame."""
        picture = cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY)
        for _ in range(self.scale.bit_length() - 1):  # by 2 each time, which is far faster than at once
            height, width = (side // 2 for side in picture.shape)
            even = picture[: 2 * height, : 2 * width]
            picture = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(picture)

    def rays(self, points: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 3"]:
        """Unit vectors, in camera axes, towards points of a small picture (OpenCV's pixels)."""
        plane = self.camera.plane((points.astype(np.float64) + 0.5) * self.scale)
        rays = np.concatenate([plane, np.ones((len(plane), 1))], 1)
        return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True))

    def points(self, rays: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 2"]:
        """The inverse of ``rays``; NaN behind the camera."""
        return np.asarray(self.camera.project(rays) / self.scale - 0.5)

    def background(self, boxes: Float[np.ndarray, "P 4"]) -> UInt8[np.ndarray, "h w"]:
        """255 where nobody is, in a small picture; 0 in ``boxes`` (px of the video)."""
        mask = np.full(self.small_size[::-1], 255, np.uint8)
        for x1, y1, x2, y2 in boxes:
            wide, high = MARGIN * (x2 - x1), MARGIN * (y2 - y1)
            corners = np.array([x1 - wide, y1 - high, x2 + wide, y2 + high]) / self.scale
            left, top, right, bottom = corners.clip(0, max(self.small_size)).round().astype(int)
            mask[top:bottom, left:right] = 0
        return mask


@dataclass(frozen=True, eq=False)
class Keyframe:
    """A small picture, its features in the background, and how the camera was turned.

    Attributes:
        picture: Small and grey.
        points: Features, in OpenCV's pixels of the small picture.
        cells: The cell of the picture in which each feature lies.
        rays: Towards the features, in the axes of the camera at that time.
        rotation: From these axes to those of the shot.
    """

    picture: UInt8[np.ndarray, "h w"]
    points: Float[np.ndarray, "N 2"]
    cells: Int[np.ndarray, " N"]
    rays: Float[np.ndarray, "N 3"]
    rotation: Float[np.ndarray, "3 3"]

    @staticmethod
    def of(
        picture: UInt8[np.ndarray, "h w"],
        background: UInt8[np.ndarray, "h w"],
        view: View,
        rotation: Float[np.ndarray, "3 3"],
    ) -> "Keyframe":
        """Find the features of a picture."""
        spacing = SPACING * max(picture.shape)
        found = cv2.goodFeaturesToTrack(picture, CANDIDATES, QUALITY, spacing, mask=background, blockSize=5)
        points = np.zeros((0, 2), np.float32) if found is None else found.reshape(-1, 2)
        column, row = (points / view.small_size * CELLS).astype(int).T
        cells, rays = row * CELLS + column, view.rays(points)
        better = np.tril(cells[:, None] == cells, -1).sum(1)  # the best features come first
        kept = np.isfinite(rays).all(1) & (better < PER_CELL)
        return Keyframe(picture, points[kept], cells[kept], rays[kept], rotation)

    def follow(
        self,
        picture: UInt8[np.ndarray, "h w"],
        background: UInt8[np.ndarray, "h w"],
        view: View,
        rotation: Float[np.ndarray, "3 3"],
    ) -> tuple[float, Int[np.ndarray, " M"], Float[np.ndarray, "M 3"]]:
        """Find the features again in another picture, in which the camera is turned by about ``rotation``.

        Args:
            picture: Small and grey.
            background: Where nobody is in it.
            view: The camera.
            rotation: From the axes of the camera in ``picture`` to those of the shot.

        Returns:
            The share of the features that lie in the picture; the indices of those in its background; and their rays
            in the axes of ``picture``, NaN where not found.
        """
        width, height = view.small_size
        expected = view.points(self.rays @ (self.rotation.T @ rotation))
        with np.errstate(invalid="ignore"):
            inside = np.flatnonzero(((expected >= 1) & (expected < [width - 1, height - 1])).all(1))
        if not len(inside):
            return 0.0, inside, np.zeros((0, 3))
        found, status, _ = cv2.calcOpticalFlowPyrLK(
            self.picture,
            picture,
            self.points[inside][:, None],
            expected[inside][:, None].astype(np.float32),
            winSize=(WINDOW, WINDOW),
            maxLevel=LEVELS,
            criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 15, 0.02),
            flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        )
        found = np.where(status.reshape(-1, 1) == 1, found.reshape(-1, 2), np.nan)
        place = np.where(np.isfinite(found), found, expected[inside]).round().astype(int)
        place = place.clip(0, [width - 1, height - 1])
        free = background[place[:, 1], place[:, 0]] > 0
        return len(inside) / len(self.points), inside[free], view.rays(found[free])

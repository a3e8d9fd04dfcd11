"""One camera as a calibration file describes it, checked and fitted to the pictures of a video."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

from kinelift.poses.camera import Camera, Distortion
from kinelift.poses.errors import DataError, SettingsError

COEFFICIENTS = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6", "s1", "s2", "s3", "s4", "tx", "ty")
"""OpenCV's order of the distortion coefficients."""
LENGTHS = (0, 1, 4, 5, 8, 12, 14)
"""Numbers of coefficients that OpenCV writes; it pads a single k1 only in its own files."""
PIXEL_CENTRE = 0.5
"""Here the centre of the first pixel is at 0.5, in OpenCV at 0."""
MAX_SKEW = 1e-3
"""Share of the focal length up to which a skew of the pixels is ignored."""


@dataclass(frozen=True)
class Calibration:
    """One camera of a calibration file.

    Attributes:
        names: What the file calls it; the first name is shown. Empty if the file has one camera without a name.
        camera: For pictures of ``size``.
        size: (width, height) of the pictures, px; None if the file does not state it.
    """

    names: tuple[str, ...]
    camera: Camera
    size: tuple[int, int] | None

    @staticmethod
    def of(
        names: tuple[str, ...], matrix: Sequence[float], coefficients: Sequence[float], size: Sequence[float] | None
    ) -> "Calibration":
        """A camera in OpenCV's terms.

        Args:
            names: What the file calls it.
            matrix: fx, skew, cx, 0, fy, cy, 0, 0, 1.
            coefficients: In OpenCV's order; any of OpenCV's lengths.
            size: (width, height) of the pictures, px.

        Raises:
            DataError: The numbers are not a camera, or its lens model is not supported.
        """
        camera = _camera([float(number) for number in matrix], _lens(coefficients))
        return Calibration(names, camera, None if size is None else _checked_size(size))

    def fitted(self, size: tuple[int, int]) -> Camera:
        """The camera for pictures of ``size`` (px), which may be a scaled version of the file's.

        Raises:
            DataError: The pictures have another shape than the file's.
        """
        if self.size is None:
            self._check_centre(size)
            return self.camera
        (width, height), own = size, self.size
        if abs(width * own[1] - height * own[0]) > max(own):
            turned = (
                " Its pictures were turned: calibrate with upright ones."
                if abs(width * own[0] - height * own[1]) <= max(own)
                else " Calibrate with pictures of the video's shape, not cropped."
            )
            raise DataError(
                f"the camera is for pictures of {own[0]} × {own[1]} pixels; the video's, {width} × {height}, are not a "
                f"scaled version of them.{turned}"
            )
        if size == own:
            return self.camera
        (fx, fy), (cx, cy), x, y = self.camera.focals, self.camera.centre, width / own[0], height / own[1]
        return replace(self.camera, focal=_focal(fx * x, fy * y), centre=(cx * x, cy * y))

    def _check_centre(self, size: tuple[int, int]) -> None:
        if not all(0.25 * side < centre < 0.75 * side for centre, side in zip(self.camera.centre, size, strict=True)):
            x, y = self.camera.centre
            raise DataError(
                f"it states no picture size, and its principal point ({x:.0f}, {y:.0f}) is not near the middle of the "
                f"video's {size[0]} × {size[1]} pixels. Add image_width and image_height to it."
            )


def _camera(matrix: list[float], lens: Distortion | None) -> Camera:
    if len(matrix) != 9 or not all(map(isfinite, matrix)):
        raise DataError("the camera matrix must be 3 × 3 finite numbers. Export the calibration again.")
    fx, skew, cx, zero, fy, cy, *last = matrix
    if zero or last != [0, 0, 1] or abs(skew) > MAX_SKEW * abs(fx):
        raise DataError(
            f"the camera matrix is {matrix}, expected fx 0 cx, 0 fy cy, 0 0 1. Calibrate with OpenCV's calibrateCamera."
        )
    try:
        return Camera(_focal(fx, fy), (cx + PIXEL_CENTRE, cy + PIXEL_CENTRE), lens)
    except SettingsError as error:
        raise DataError(f"the camera matrix is wrong: {error}") from error


def _focal(x: float, y: float) -> float | tuple[float, float]:
    return x if x == y else (x, y)


def _lens(coefficients: Sequence[float]) -> Distortion | None:
    values = dict(zip(COEFFICIENTS, map(float, coefficients), strict=False))
    if len(coefficients) not in LENGTHS or not all(map(isfinite, values.values())):
        raise DataError(
            f"its {len(coefficients)} distortion coefficients are not OpenCV's 4, 5, 8, 12 or 14 finite numbers. "
            f"Export the calibration again."
        )
    known = {name: values.get(name, 0.0) for name in ("k1", "k2", "p1", "p2", "k3", "s1", "s3")}
    if others := [name for name, value in values.items() if value and name not in known]:
        raise DataError(
            f"its lens model has {', '.join(others)}, which are not supported. Calibrate with OpenCV's five "
            f"coefficients k1, k2, p1, p2, k3: without CALIB_RATIONAL_MODEL, THIN_PRISM_MODEL and TILTED_MODEL."
        )
    return Distortion(**known) if any(known.values()) else None


def _checked_size(size: Sequence[float]) -> tuple[int, int]:
    if len(size) != 2 or not all(isfinite(side) and 1 <= side <= 65_536 and side == int(side) for side in size):
        raise DataError(f"the picture size is {list(size)}, expected width and height in pixels.")
    return int(size[0]), int(size[1])

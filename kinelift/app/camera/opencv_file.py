"""Reads a camera from the files of OpenCV's ``FileStorage`` (YAML, XML, JSON) and of ROS's ``camera_info`` (YAML)."""

import re

import cv2

from kinelift.app.camera.calibration import Calibration
from kinelift.poses.errors import DataError

MATRIX = (
    "camera_matrix",
    "cameraMatrix",
    "CameraMatrix",
    "Camera_Matrix",
    "intrinsic_matrix",
    "intrinsics",
    "mtx",
    "K",
)
COEFFICIENTS = (
    *("distortion_coefficients", "Distortion_Coefficients", "distortionCoefficients", "distortion_coeffs"),
    *("distCoeffs", "dist_coeffs", "dist_coeff", "distortion", "dist", "D"),
)
WIDTH = ("image_width", "image_Width", "imageWidth", "width")
HEIGHT = ("image_height", "image_Height", "imageHeight", "height")
SIZE = ("image_size", "imageSize", "img_size", "size")
MODEL = ("distortion_model", "camera_model", "model")
PLAIN_MODELS = ("plumb_bob", "brown", "brown_conrady", "radtan", "pinhole", "opencv", "rational_polynomial")
MAX_ENTRIES = 2000
"""Limit of list items, keys and elements, and with them of their nesting. ``FileStorage`` reads nested ones
recursively, so that tens of thousands of them end the program."""
MAX_NUMBERS = 14


def read_opencv(text: str) -> tuple[Calibration, ...]:
    """The camera in the ``text`` of a file of OpenCV.

    Raises:
        DataError: The text is not such a file, or holds no camera that is supported.
    """
    if len(re.findall(r"[\[{]|<\w|[:?\-](?!\d)", text)) > MAX_ENTRIES:
        raise DataError(f"it has more than {MAX_ENTRIES} entries, so it is no camera. Give a calibration file.")
    try:
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        root = storage.root()
    except (cv2.error, SystemError) as error:
        raise DataError("it is not a YAML, XML or JSON file of OpenCV, or it is damaged. Export it again.") from error
    if not root.isMap():
        raise DataError("it has no camera_matrix. Give a calibration file of OpenCV.")
    _refuse_other_models(root)
    matrix, coefficients = _found(root, MATRIX), _found(root, COEFFICIENTS)
    if matrix is None:
        names = ", ".join(root.keys())[:200]
        raise DataError(f"it has no camera_matrix. It has: {names or 'nothing'}. Give a calibration file of OpenCV.")
    return (Calibration.of((), _numbers(matrix), [] if coefficients is None else _numbers(coefficients), _size(root)),)


def _refuse_other_models(root: cv2.FileNode) -> None:
    stated = _found(root, MODEL)
    model = stated.string() if stated is not None and stated.isString() else "plumb_bob"
    flag = root.getNode("fisheye_model")
    if (not flag.isNone() and flag.real() != 0) or not root.getNode("xi").isNone():
        model = "fisheye"
    if model.lower() not in PLAIN_MODELS:
        raise DataError(
            f"its lens model is {model[:40]!r}, which is not supported. Calibrate with OpenCV's calibrateCamera, or "
            f"undistort the video."
        )


def _found(root: cv2.FileNode, names: tuple[str, ...]) -> cv2.FileNode | None:
    return next((node for name in names if not (node := root.getNode(name)).isNone()), None)


def _numbers(node: cv2.FileNode) -> list[float]:
    """The numbers of a matrix, or of a list of numbers or of rows."""
    data = node.getNode("data") if node.isMap() else node
    if not data.isSeq() or data.size() > MAX_NUMBERS:
        raise DataError(f"{node.name()} is not a matrix of at most {MAX_NUMBERS} numbers. Export it again.")
    items = [data.at(k) for k in range(data.size())]
    if items and all(item.isSeq() for item in items):
        return [number for item in items for number in _numbers(item)]
    if not all(item.isReal() or item.isInt() for item in items):
        raise DataError(f"{node.name()} holds something that is not a number. Export it again.")
    return [item.real() for item in items]


def _size(root: cv2.FileNode) -> list[float] | None:
    if (size := _found(root, SIZE)) is not None:
        return _numbers(size)
    sides = _found(root, WIDTH), _found(root, HEIGHT)
    given = [side.real() for side in sides if side is not None]
    return given or None

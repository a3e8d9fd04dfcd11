"""Cameras of calibration files: those that OpenCV writes, and TOML as Pose2Sim and Caliscope write it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from kinelift.app.camera.files import MAX_BYTES, read_camera
from kinelift.poses.camera import Camera, Distortion
from kinelift.poses.errors import DataError

SIZE = (1280, 720)
MATRIX = np.array([[1000.0, 0, 640], [0, 1010, 350], [0, 0, 1]])
LENS = np.array([[-0.2, 0.1, 0.001, -0.002, 0.03]])
CAMERA = Camera((1000.0, 1010.0), (640.5, 350.5), Distortion(-0.2, 0.1, 0.001, -0.002, 0.03))
POSE2SIM = """
[cam_01]
name = "cam_01"
size = [ 1280.0, 720.0]
matrix = [ [ 1000.0, 0.0, 640.0], [ 0.0, 1010.0, 350.0], [ 0.0, 0.0, 1.0]]
distortions = [ -0.2, 0.1, 0.001, -0.002]
rotation = [ 1.2, 0.3, -0.4]
translation = [ 0.1, 1.2, 5.3]
fisheye = false

[cam_02]
name = "side"
size = [ 1280.0, 720.0]
matrix = [ [ 900.0, 0.0, 640.0], [ 0.0, 900.0, 360.0], [ 0.0, 0.0, 1.0]]
distortions = [ 0.0, 0.0, 0.0, 0.0]
fisheye = false

[metadata]
adjusted = false
error = 0.0
"""
CALISCOPE = """
CreationDate = 2023-07-12T09:00:00
camera_count = 2

[cam_0]
port = 0
size = [1280, 720]
rotation_count = 0
error = 0.4
matrix = [[1000.0, 0.0, 640.0], [0.0, 1010.0, 350.0], [0.0, 0.0, 1.0]]
distortions = [-0.2, 0.1, 0.001, -0.002, 0.03]
grid_count = 20
ignore = false

[cam_1]
port = 1
size = [1280, 720]
rotation_count = 0
ignore = false
"""


def opencv_file(path: Path, **values: object) -> Path:
    """A file of OpenCV; its suffix chooses the format."""
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    for name, value in values.items():
        storage.write(name, value)
    storage.release()
    return path


def text_file(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def opencv_text(path: Path, matrix: np.ndarray = MATRIX, lens: np.ndarray = LENS, **values: object) -> Path:
    size = {"image_width": SIZE[0], "image_height": SIZE[1]}
    return opencv_file(path, **size | {"camera_matrix": matrix, "distortion_coefficients": lens} | values)


@pytest.mark.parametrize("suffix", ["yml", "yaml", "xml", "json"])
def test_what_opencv_writes(tmp_path: Path, suffix: str) -> None:
    path = opencv_text(tmp_path / f"lens.{suffix}", avg_reprojection_error=0.3, calibration_time="Mon 1 Jan 2024")
    assert read_camera(str(path), "walk", SIZE) == (CAMERA, f"camera: lens.{suffix}.")


@pytest.mark.parametrize(
    ("matrix", "lens"), [("cameraMatrix", "distCoeffs"), ("Camera_Matrix", "Distortion_Coefficients"), ("K", "D")]
)
def test_other_spellings(tmp_path: Path, matrix: str, lens: str) -> None:
    path = opencv_file(tmp_path / "lens.yml", **{matrix: MATRIX, lens: LENS.T, "image_size": np.array(SIZE)})
    assert read_camera(str(path), "walk", SIZE)[0] == CAMERA


def test_ros_camera_info(tmp_path: Path) -> None:
    text = """image_width: 1280
image_height: 720
camera_name: front
camera_matrix:
  rows: 3
  cols: 3
  data: [1000.0, 0, 640, 0, 1010, 350, 0, 0, 1]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [-0.2, 0.1, 0.001, -0.002, 0.03]
"""
    assert read_camera(str(text_file(tmp_path / "front.yaml", text)), "walk", SIZE)[0] == CAMERA
    wide = text_file(tmp_path / "wide.yaml", text.replace("plumb_bob", "equidistant"))
    with pytest.raises(DataError, match=r"wide\.yaml cannot be used: its lens model is 'equidistant'"):
        read_camera(str(wide), "walk", SIZE)


def test_pixels_are_opencvs(tmp_path: Path) -> None:
    """OpenCV's pixel (x, y) has its centre at (x + 0.5, y + 0.5) here."""
    camera, _ = read_camera(str(opencv_text(tmp_path / "lens.yml")), "walk", SIZE)
    points = np.random.default_rng(0).uniform([-1, -0.5, 2], [1, 0.5, 4], (20, 3))
    theirs, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), MATRIX, LENS)
    np.testing.assert_allclose(camera.project(points), theirs[:, 0] + 0.5, rtol=0, atol=1e-9)


def test_smaller_pictures_see_the_same(tmp_path: Path) -> None:
    path = str(opencv_text(tmp_path / "lens.yml"))
    small, note = read_camera(path, "walk", (640, 360))
    assert note == "camera: lens.yml, scaled from 1280 × 720 pixels."
    points = np.random.default_rng(0).uniform([-1, -0.5, 2], [1, 0.5, 4], (20, 3))
    np.testing.assert_allclose(small.project(points), CAMERA.project(points) / 2, rtol=0, atol=1e-9)
    assert read_camera(path, "walk", (854, 480))[0].focals == pytest.approx((667.2, 673.3), abs=0.1)


@pytest.mark.parametrize(("size", "message"), [
    ((720, 1280), "Its pictures were turned"), ((1280, 960), "not cropped"), ((640, 480), "not cropped"),
])  # fmt: skip
def test_other_shapes_are_refused(tmp_path: Path, size: tuple[int, int], message: str) -> None:
    with pytest.raises(DataError, match=rf"1280 × 720 pixels; the video's, {size[0]} × {size[1]}, .* {message}"):
        read_camera(str(opencv_text(tmp_path / "lens.yml")), "walk", size)


def test_a_file_without_a_size(tmp_path: Path) -> None:
    path = str(opencv_file(tmp_path / "lens.yml", camera_matrix=MATRIX, distortion_coefficients=LENS))
    camera, note = read_camera(path, "walk", SIZE)
    assert camera == CAMERA and "states no picture size; it was taken for 1280 × 720 pixels" in note
    with pytest.raises(DataError, match="Add image_width and image_height"):
        read_camera(path, "walk", (3840, 2160))


def test_one_of_several_cameras(tmp_path: Path) -> None:
    path = text_file(tmp_path / "Calib.toml", POSE2SIM)
    first = Camera((1000.0, 1010.0), (640.5, 350.5), Distortion(-0.2, 0.1, 0.001, -0.002))
    for video in ("cam_01", "walk-Cam1", "2024_cam01_take2"):
        assert read_camera(str(path), video, SIZE) == (first, "camera: cam_01 of Calib.toml.")
    second = Camera(900.0, (640.5, 360.5))
    for reference, video in ((str(path), "side view"), (f"{path}:cam_02", "cam_01"), (f"{path}:side", "walk")):
        assert read_camera(reference, video, SIZE)[0] == second
    for video in ("cam_012", "cam", "walk", "cam_01 cam_02", ""):
        with pytest.raises(DataError, match=r"cam_01, cam_02, and the name .* Add :NAME"):
            read_camera(str(path), video, SIZE)
    with pytest.raises(DataError, match=r"no camera 'top'. It has: cam_01, cam_02"):
        read_camera(f"{path}:top", "walk", SIZE)


def test_only_calibrated_cameras_count(tmp_path: Path) -> None:
    path = text_file(tmp_path / "config.toml", CALISCOPE)
    assert read_camera(str(path), "walk", SIZE) == (CAMERA, "camera: cam_0 of config.toml.")
    assert read_camera(f"{path}:port_0", "walk", SIZE)[0] == CAMERA


@pytest.mark.parametrize(("old", "new", "message"), [
    ("fisheye = false", "fisheye = true", "cam_01 is a fisheye camera"),
    ("[ -0.2, 0.1, 0.001, -0.002]", "[ -0.2, 0.1, 0.001]", "cam_01: its 3 distortion coefficients"),
    ("[ -0.2, 0.1, 0.001, -0.002]", '"none"', "cam_01: distortions is not a list of numbers"),
    ("[ -0.2, 0.1, 0.001, -0.002]", "[ nan, 0.1, 0.001, -0.002]", "finite"),
    ("[ -0.2, 0.1, 0.001, -0.002]", "[ 0, 0, 0, 0, 0, 0.1, 0, 0]", "lens model has k4"),
    ("[ 1000.0, 0.0, 640.0]", "[ 1000.0, 90.0, 640.0]", "expected fx 0 cx"),
    ("[ 1000.0, 0.0, 640.0]", "[ 0.0, 0.0, 640.0]", "focal length"),
    ("[ 1000.0, 0.0, 640.0]", "[ true, 0.0, 640.0]", "matrix is not a list of numbers"),
    ("[ 1000.0, 0.0, 640.0], ", "", "3 × 3"),
    ("size = [ 1280.0, 720.0]", "size = [ 1280.5, 720.0]", "picture size is"),
    ("size = [ 1280.0, 720.0]", "size = [ 1280.0]", "picture size is"),
    ("size = [ 1280.0, 720.0]", "size = [", "not TOML"),
    ("matrix", "matrice", "no table with a camera's matrix"),
])  # fmt: skip
def test_toml_that_is_wrong(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in POSE2SIM
    path = text_file(tmp_path / "Calib.toml", POSE2SIM.replace(old, new))
    with pytest.raises(DataError, match=rf"--camera .*Calib\.toml cannot be used: .*{message}"):
        read_camera(str(path), "cam_01", SIZE)


@pytest.mark.parametrize(("values", "message"), [
    ({"distortion_coefficients": np.zeros((1, 3))}, "3 distortion coefficients"),
    ({"distortion_coefficients": np.ones((1, 14))}, "k4, k5, k6, s2, s4, tx, ty"),
    ({"camera_matrix": np.eye(2)}, "3 × 3"),
    ({"camera_matrix": np.zeros((40, 40))}, "not a matrix of at most"),
    ({"camera_matrix": "cheese"}, "not a matrix"),
    ({"camera_matrix": np.full((3, 3), np.nan)}, "3 × 3 finite"),
    ({"image_width": -1}, "picture size is"),
    ({"fisheye_model": 1}, "lens model is 'fisheye'"),
])  # fmt: skip
def test_opencv_files_that_are_wrong(tmp_path: Path, values: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_camera(str(opencv_text(tmp_path / "lens.yml", **values)), "walk", SIZE)


@pytest.mark.parametrize(("name", "content", "message"), [
    ("a.yml", b"", "damaged"),
    ("a.yml", b"%YAML:1.0\n---\nother: 1\n", "It has: other"),
    ("a.yml", b"- 1\n- 2\n", "no camera_matrix"),
    ("a.yml", b"\xff\xfe\x00", "not text"),
    ("a.xml", b"<?xml", "damaged"),
    ("a.json", b"{", "damaged"),
    ("a.json", b"{\0}", "zero bytes"),
    ("a.toml", b"a = " + b"[" * 100_000, "not TOML"),
    ("a.json", b'{"a": ' + b"[" * 100_000, "entries"),
    ("a.yml", b"a: - " * 30_000, "entries"),
    ("a.yml", b"- " * 30_000, "entries"),
    ("a.xml", b'<?xml version="1.0"?><opencv_storage>' + b"<a>" * 30_000, "entries"),
    ("a.yml", b" " * (MAX_BYTES + 1), "more than 1 MB"),
    ("a.npz", b"PK", "its name must end in"),
])  # fmt: skip
def test_what_is_no_calibration(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_camera(str(path), "walk", SIZE)


@pytest.mark.parametrize("reference", ["nothing.yml", "nothing.toml:cam_1", "", ".", "a\0b.yml"])
def test_a_file_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="cannot be used: "):
        read_camera(reference, "walk", SIZE)


def test_a_path_may_hold_a_colon(tmp_path: Path) -> None:
    path = text_file(tmp_path / "take:1.toml", POSE2SIM)
    assert read_camera(str(path), "cam_01", SIZE)[1] == "camera: cam_01 of take:1.toml."
    assert read_camera(f"{path}:side", "cam_01", SIZE)[1] == "camera: cam_02 of take:1.toml."

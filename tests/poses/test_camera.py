from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from kinelift.lifting.losses.terms import reproject
from kinelift.poses.camera import Camera, Distortion, Extrinsics
from kinelift.poses.errors import SettingsError, ShapeError

SIZE = (1000, 800)
SEEDS = st.integers(0, 2**31)
FOCALS = st.tuples(st.floats(600, 2000), st.floats(600, 2000))


def coefficients(*limits: float) -> st.SearchStrategy[Distortion]:
    return st.builds(Distortion, *(st.floats(-limit, limit) for limit in limits))


LENSES = coefficients(0.3, 0.3, 0.005, 0.005, 0.1, 0.005, 0.005)


def inside(distortion: Distortion, seed: int) -> np.ndarray:
    """Points of the plane z = 1 within the field in which the model can be undone, at most 90° wide."""
    random = np.random.default_rng(seed)
    radius, angle = random.uniform(0, min(1.0, 0.9 * distortion.fold), 40), random.uniform(0, 2 * np.pi, 40)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)


def ahead(plane: np.ndarray, seed: int) -> np.ndarray:
    depth = np.random.default_rng(seed).uniform(1, 9, (len(plane), 1))
    return np.concatenate([plane, np.ones_like(depth)], -1) * depth


@given(FOCALS, LENSES, SEEDS)
@settings(max_examples=100)
def test_plane_undoes_project(focal: tuple[float, float], distortion: Distortion, seed: int) -> None:
    camera, plane = Camera(focal, (490.0, 410.0), distortion), inside(distortion, seed)
    pixels = camera.project(ahead(plane, seed))
    back = camera.plane(pixels)
    np.testing.assert_allclose(back, plane, rtol=0, atol=1e-8)
    np.testing.assert_allclose(camera.project(ahead(back, seed)), pixels, rtol=0, atol=1e-9)


@given(FOCALS, LENSES, SEEDS)
@settings(max_examples=50)
def test_project_is_opencvs(focal: tuple[float, float], distortion: Distortion, seed: int) -> None:
    camera, points = Camera(focal, (490.0, 410.0), distortion), ahead(inside(distortion, seed), seed)
    d = distortion
    vector = np.array([d.k1, d.k2, d.p1, d.p2, d.k3, 0, 0, 0, d.s1, 0, d.s3, 0])
    matrix = np.array([[focal[0], 0, 490.0], [0, focal[1], 410.0], [0, 0, 1]])
    theirs, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), matrix, vector)
    np.testing.assert_allclose(camera.project(points), theirs[:, 0], rtol=0, atol=1e-9)


def test_plane_is_opencvs() -> None:
    distortion = Distortion(-0.2, 0.24, -0.001, -0.0014, -0.003)
    camera = Camera((1145.0, 1143.5), (512.5, 515.5), distortion)
    pixels = np.random.default_rng(0).uniform(0, 1000, (50, 2))
    matrix = np.array([[1145.0, 0, 512.5], [0, 1143.5, 515.5], [0, 0, 1]])
    vector = np.array([-0.2, 0.24, -0.001, -0.0014, -0.003])
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-13)
    theirs = cv2.undistortPoints(pixels[:, None], matrix, vector, criteria=criteria)
    np.testing.assert_allclose(camera.plane(pixels), theirs[:, 0], rtol=0, atol=1e-9)


@given(st.tuples(*[st.floats(-0.2, 0.2)] * 3), st.tuples(*[st.floats(-0.01, 0.01)] * 2), SEEDS)
@settings(max_examples=30)
def test_the_model_of_human36m(k: tuple[float, float, float], p: tuple[float, float], seed: int) -> None:
    plane = np.random.default_rng(seed).uniform(-0.5, 0.5, (20, 2))
    square = (plane**2).sum(-1, keepdims=True)
    radial = 1 + k[0] * square + k[1] * square**2 + k[2] * square**3
    tangential = p[0] * plane[:, 1:] + p[1] * plane[:, :1]
    expected = plane * (radial + tangential) + square * [p[1], p[0]]
    np.testing.assert_allclose(Distortion.human36m(k, p).apply(plane), expected, rtol=0, atol=1e-14)


def test_pixels_that_no_point_reaches_are_unknown() -> None:
    barrel = Distortion(k1=-0.3)
    assert barrel.fold == pytest.approx(np.sqrt(1 / 0.9))
    edge = barrel.apply(np.array([[barrel.fold, 0.0]]))
    assert np.isfinite(barrel.undo(0.999 * edge)).all()
    assert np.isnan(barrel.undo(1.001 * edge)).all()
    assert Distortion(k1=0.3).fold == np.inf


def test_unseen_joints_do_not_disturb_seen_ones() -> None:
    camera = Camera(1000.0, (500.0, 400.0), Distortion(-0.2, 0.2))
    pixels = np.random.default_rng(0).uniform(0, 800, (3, 17, 2))
    pixels[1, 3] = np.nan
    plane = camera.plane(pixels)
    assert np.isnan(plane[1, 3]).all()
    assert np.isnan(plane).sum() == 2
    assert camera.plane(np.empty((0, 17, 2))).shape == (0, 17, 2)


def test_points_behind_the_camera_have_no_pixel() -> None:
    for distortion in (None, Distortion(0.1)):
        pixels = Camera((900.0, 910.0), (500.0, 400.0), distortion).project(np.array([[1.0, 1, -2], [0, 0, 2]]))
        assert np.isnan(pixels[0]).all()
        assert pixels[1].tolist() == [500, 400]


def test_one_focal_length_is_two_equal_ones() -> None:
    points = ahead(np.random.default_rng(0).uniform(-1, 1, (10, 2)), 0)
    one, two = Camera(900.0, (500.0, 400.0)), Camera((900.0, 900.0), (500.0, 400.0), Distortion())
    np.testing.assert_allclose(one.project(points), two.project(points), rtol=0, atol=1e-10)
    assert Camera.from_parameters(two.parameters) == one


@given(FOCALS, LENSES)
@settings(max_examples=30)
def test_a_camera_is_its_parameters(focal: tuple[float, float], distortion: Distortion) -> None:
    camera = Camera(focal, (490.0, 410.0), distortion)
    again = Camera.from_parameters(camera.parameters)
    assert again.parameters.tolist() == camera.parameters.tolist()


@given(LENSES, LENSES, SEEDS)
@settings(max_examples=30)
def test_training_projects_by_every_samples_own_camera(one: Distortion, other: Distortion, seed: int) -> None:
    cameras = [Camera((900.0, 910.0), (500.0, 400.0), one), Camera(1200.0, (320.0, 240.0), other)]
    points = ahead(np.random.default_rng(seed).uniform(-1, 1, (24, 2)), seed).reshape(2, 3, 4, 3)
    parameters = torch.from_numpy(np.stack([camera.parameters for camera in cameras]))
    found = reproject(torch.from_numpy(points), parameters).numpy()
    expected = np.stack([camera.project(sample) for camera, sample in zip(cameras, points, strict=True)])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_reprojection_has_gradients() -> None:
    parameters = torch.from_numpy(Camera(3.0, (0.5, 0.4), Distortion(-0.2, 0.1, 0.01, 0.02)).parameters)[None]
    points = torch.tensor([[[0.3, -0.2, 2.0], [0.1, 0.5, 3.0]]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: reproject(p, parameters), (points,))


@given(SEEDS)
@settings(max_examples=30)
def test_world_points_in_the_camera_frame(seed: int) -> None:
    random = np.random.default_rng(seed)
    turn, centre, world = Rotation.random(rng=random), random.normal(0, 5, 3), random.normal(0, 3, (4, 17, 3))
    extrinsics = Extrinsics(turn.inv().as_matrix(), centre)
    camera = extrinsics.to_camera(world)
    np.testing.assert_allclose(
        camera, turn.inv().apply((world - centre).reshape(-1, 3)).reshape(world.shape), atol=1e-12
    )
    np.testing.assert_allclose(extrinsics.to_camera(centre), 0, atol=1e-12)
    opencv = Extrinsics.from_translation(extrinsics.rotation, -extrinsics.rotation @ centre)
    np.testing.assert_allclose(opencv.to_camera(world), camera, rtol=0, atol=1e-12)


@pytest.mark.parametrize("rotation", [np.diag([1.0, 1, -1]), 2 * np.eye(3), np.full((3, 3), np.nan)])
def test_what_is_no_rotation_is_refused(rotation: np.ndarray) -> None:
    with pytest.raises(SettingsError, match="right-handed"):
        Extrinsics(rotation, np.zeros(3))


@pytest.mark.parametrize("focal", [(0.0, 1.0), (1.0, float("nan"))])
def test_impossible_cameras_are_refused(focal: tuple[float, float]) -> None:
    with pytest.raises(SettingsError, match="focal length"):
        Camera(focal, (0.0, 0.0))
    with pytest.raises(SettingsError, match="principal point"):
        Camera(1.0, (0.0, float("nan")))
    with pytest.raises(SettingsError, match="coefficient"):
        Distortion(k1=float("inf"))


def test_two_publications_of_one_camera_agree() -> None:
    """Human3.6M, S1, camera 54138969: as quaternion and place (Pavllo et al. 2019), and as OpenCV's R and t."""
    rotation = np.array([
        [-0.9153617321513369, 0.40180836633680234, 0.02574754463350265],
        [0.051548117060134555, 0.1803735689384521, -0.9822464900705729],
        [-0.399319034032262, -0.8977836111057917, -0.185819527201491],
    ])  # fmt: skip
    one = Extrinsics.from_translation(rotation, np.array([-346.05078140028075, 546.9807793144001, 5474.481087434061]))
    w, x, y, z = 0.1407056450843811, -0.1500701755285263, -0.755240797996521, 0.6223280429840088
    to_world = Rotation.from_quat([x, y, z, w])
    np.testing.assert_allclose(one.rotation, to_world.inv().as_matrix(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        one.centre, [1841.1070556640625, 4955.28466796875, 1563.4454345703125], rtol=0, atol=1e-3
    )


@given(st.integers(0, 2**31), st.floats(10, 90), st.booleans())
@settings(max_examples=30)
def test_projection_and_plane_agree(seed: int, degrees: float, portrait: bool) -> None:
    camera = Camera.from_field_of_view(degrees, (480, 640) if portrait else (640, 480))
    points = np.random.default_rng(seed).uniform([-1, -1, 1], [1, 1, 9], (20, 3))
    np.testing.assert_allclose(camera.plane(camera.project(points)), points[:, :2] / points[:, 2:], atol=1e-9)


def test_field_of_view_is_along_the_longer_side() -> None:
    camera = Camera.from_field_of_view(90, (480, 640))
    assert camera.focal == pytest.approx(320)
    assert camera.centre == (240, 320)
    assert np.isnan(camera.project(np.array([0.0, 0.0, -1.0]))).all()


@pytest.mark.parametrize("degrees", [0, -5, 180, float("nan")])
def test_impossible_fields_of_view_are_refused(degrees: float) -> None:
    with pytest.raises(SettingsError, match="field of view"):
        Camera.from_field_of_view(degrees, SIZE)


@pytest.mark.parametrize("focal", [0.0, -1.0, float("inf"), float("nan")])
def test_impossible_focal_lengths_are_refused(focal: float) -> None:
    with pytest.raises(SettingsError, match="focal length"):
        Camera.from_focal(focal, SIZE)


def turns(frames: int, seed: int, degrees: float = 20.0) -> np.ndarray:
    vectors = np.random.default_rng(seed).uniform(-degrees, degrees, (frames, 3)) / np.sqrt(3)
    return Rotation.from_rotvec(vectors, degrees=True).as_matrix()


@given(SEEDS, LENSES)
@settings(max_examples=30)
def test_a_turning_camera_maps_to_the_reference_axes(seed: int, distortion: Distortion) -> None:
    camera = Camera((900.0, 910.0), (500.0, 400.0), distortion, turns(4, seed))
    points = ahead(inside(distortion, seed)[:12] / 4, seed).reshape(4, 3, 3)
    pixels = camera.project(points)
    for frame, turn in enumerate(camera.rotations):
        np.testing.assert_allclose(pixels[frame], camera.still.project(points[frame] @ turn), rtol=0, atol=1e-9)
    seen = np.isfinite(pixels).all(-1)
    plane = camera.plane(pixels)
    np.testing.assert_allclose(plane[seen], (points[..., :2] / points[..., 2:])[seen], rtol=0, atol=1e-7)
    part = camera.during(1, 3)
    np.testing.assert_allclose(part.plane(pixels[1:3]), plane[1:3], atol=1e-9)
    np.testing.assert_allclose(part.plane(pixels[1:3, 0]), plane[1:3, 0], atol=1e-9)


def test_what_is_far_from_the_reference_axis_is_unknown() -> None:
    about = Rotation.from_euler("Y", [[0], [60], [70], [110], [180]], degrees=True).as_matrix()
    camera = Camera(900.0, (500.0, 400.0), rotations=about)
    middle = camera.plane(np.full((5, 1, 2), [500.0, 400.0]))[:, 0]
    np.testing.assert_allclose(middle[:2], [[0, 0], [np.tan(np.radians(60)), 0]], atol=1e-12)
    assert np.isnan(middle[2:]).all()


def test_a_still_camera_has_no_rotations() -> None:
    still, turning = Camera(900.0, (500.0, 400.0)), Camera(900.0, (500.0, 400.0), rotations=turns(3, 0))
    assert still.during(2, 9) is still and still.still is still and turning.still == still
    assert still != turning and turning != replace(turning, rotations=turns(3, 1))
    assert turning == replace(turning, rotations=turns(3, 0)) and hash(turning) == hash(still)


def test_rotations_must_fit() -> None:
    camera = Camera(900.0, (500.0, 400.0), rotations=turns(3, 0))
    for points in (np.zeros((4, 17, 2)), np.zeros(2)):
        with pytest.raises(ShapeError, match="rotations of 3 frames"):
            camera.plane(points)
    for wrong in (np.ones((2, 3, 3)), np.full((2, 3, 3), np.nan), np.tile(np.diag([1.0, 1, -1]), (2, 1, 1))):
        with pytest.raises(SettingsError, match="right-handed"):
            replace(camera, rotations=wrong)

"""Straight edges of the background, and the direction up that they give."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinelift.app.camera.edges import PICTURES, EdgeCollector
from kinelift.lifting.world.manhattan import with_edges
from kinelift.lifting.world.up import CAMERA_UP
from kinelift.poses import Frame, People
from kinelift.poses.camera import Camera
from kinelift.poses.edges import Edges

SIZE = (1280, 720)
CAMERA = Camera.from_field_of_view(60.0, SIZE)


def posts(rotation: np.ndarray, number: int = 0) -> Frame:
    """A picture of vertical posts, and of slanted ones that lean in different directions."""
    image = np.full((SIZE[1], SIZE[0], 3), 200, np.uint8)
    ends = [([x, -1.5, 6.0], [x, 1.5, 6.0]) for x in (-3.0, -2.0, -0.7, 0.4, 1.9, 2.8)]
    ends += [([x, -1.0, 5.0], [x + lean, 1.2, 5.5]) for x, lean in ((-1.5, 0.9), (0.9, -0.6), (2.2, 0.5))]
    for first, last in ends:
        pixels = CAMERA.project(np.array([first, last]) @ rotation.T)
        cv2.line(image, *(tuple(map(int, point.round())) for point in pixels), (30, 30, 30), 6, cv2.LINE_AA)
    return Frame(number, Fraction(number, 30), image)


def collected(frames: list[Frame], people: list[People] | None = None) -> Edges:
    collector = EdgeCollector(CAMERA, SIZE)
    for frame in collector.watch(frames):
        collector.update(people[frame.index] if people else People.nobody(frame.index, 17))
    return collector.result()


def degrees(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b, -1, 1))))


@pytest.mark.parametrize(("pitch", "roll"), [(0.0, 0.0), (-12.0, 0.0), (10.0, 6.0), (-5.0, -15.0)])
def test_vertical_posts_give_the_direction_up(pitch: float, roll: float) -> None:
    rotation = Rotation.from_euler("xz", [pitch, roll], degrees=True).as_matrix()
    true = rotation @ CAMERA_UP
    prior = Rotation.from_euler("xz", [7.0, -5.0], degrees=True).as_matrix() @ true
    up = with_edges(prior, collected([posts(rotation)]))
    assert up is not None
    assert degrees(prior, true) > 8
    assert degrees(up, true) < 1


def test_without_people_a_camera_is_taken_to_be_nearly_level() -> None:
    rotation = Rotation.from_euler("x", -8, degrees=True).as_matrix()
    up = with_edges(None, collected([posts(rotation)]))
    assert up is not None
    assert degrees(up, rotation @ CAMERA_UP) < 1


def test_edges_of_people_do_not_count() -> None:
    person = People(0, np.zeros((1, 17, 2)), np.ones((1, 17)), np.array([[0.0, 0, *SIZE]]), np.ones(1))
    edges = collected([posts(np.eye(3))], [person])
    assert not len(edges.normals)
    np.testing.assert_array_equal(with_edges(CAMERA_UP, edges), CAMERA_UP)
    assert with_edges(None, edges) is None


def test_the_sides_of_a_picture_and_thin_black_bars_do_not_count() -> None:
    image = np.full((SIZE[1], SIZE[0], 3), 200, np.uint8)
    image[:, :4] = image[:, -4:] = image[:4] = image[-4:] = 0
    assert not len(collected([Frame(0, Fraction(0), image)]).normals)


def test_edges_in_all_directions_do_not_move_the_estimate_from_people() -> None:
    for seed in range(30):
        normals = np.random.default_rng(seed).normal(size=(80, 3))
        edges = Edges(normals / np.linalg.norm(normals, axis=1, keepdims=True), np.full(80, 0.05))
        up = with_edges(CAMERA_UP, edges)
        assert up is not None
        assert degrees(up, CAMERA_UP) < 1


def test_a_long_video_is_searched_in_a_few_pictures_throughout() -> None:
    collector = EdgeCollector(CAMERA, SIZE)
    frame = posts(np.eye(3))
    frames = (Frame(k, Fraction(k, 30), frame.image) for k in range(2000))
    for one in collector.watch(frames):
        collector.update(People.nobody(one.index, 17))
    places = [picture.frame for picture in collector._found]
    assert PICTURES <= len(places) <= 2 * PICTURES
    assert places[-1] > 1500


def test_edges_turn_with_the_camera() -> None:
    turn = Rotation.from_euler("z", 10, degrees=True).as_matrix()
    collector = EdgeCollector(CAMERA, SIZE)
    for frame in collector.watch([posts(np.eye(3))]):
        collector.update(People.nobody(frame.index, 17))
    still, turned = collector.result(), collector.result(turn[None])
    np.testing.assert_allclose(turned.normals, still.normals @ turn.T, atol=1e-9)


def test_it_does_not_matter_how_far_frames_are_read_ahead() -> None:
    def found(ahead: int) -> list[int]:
        collector = EdgeCollector(CAMERA, SIZE)
        image = posts(np.eye(3)).image
        frames = [Frame(k, Fraction(k, 30), image) for k in range(400)]
        watched = collector.watch(frames)
        read = 0
        for one in frames:
            while read < min(one.index + 1 + ahead, len(frames)):
                next(watched)
                read += 1
            collector.update(People.nobody(one.index, 17))
        return [picture.frame for picture in collector._found]

    assert found(0) == found(1) == found(40)

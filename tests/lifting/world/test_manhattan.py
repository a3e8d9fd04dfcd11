"""The direction up from edges along three axes at right angles."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinelift.lifting.world.manhattan import with_edges
from kinelift.lifting.world.up import CAMERA_UP
from kinelift.poses.edges import Edges


def edges(directions: np.ndarray, places: np.ndarray) -> Edges:
    """Edges of the same length with these directions, through points at these places (camera axes)."""
    normals = np.cross(places, directions)
    return Edges(normals / np.linalg.norm(normals, axis=1, keepdims=True), np.full(len(normals), 0.1))


def room(camera: Rotation, heading: float, counts: tuple[int, int, int], others: int = 0, focal: float = 1.0) -> Edges:
    """Edges that are vertical, along the room, across it, and in any direction, within 0.3°.

    Args:
        camera: From level axes to those of the camera.
        heading: How far the room is turned against the camera, degrees.
        counts: How many edges lie along each axis: up, along and across.
        others: How many have any direction.
        focal: True focal length, as a share of the one that the program takes.
    """
    random = np.random.default_rng(0)
    axes = Rotation.from_euler("y", heading, degrees=True).as_matrix().T[[1, 2, 0]]
    directions = np.concatenate([np.repeat(axes, counts, axis=0), random.normal(size=(others, 3))])
    directions += np.radians(0.3) * random.normal(size=directions.shape)
    places = random.uniform([-0.5, -0.4, 1], [0.5, 0.4, 1], size=(len(directions), 3))
    found = edges(camera.apply(directions), places)
    normals = found.normals * [1, 1, focal]
    return Edges(normals / np.linalg.norm(normals, axis=1, keepdims=True), found.lengths)


def degrees(a: np.ndarray | None, b: np.ndarray) -> float:
    assert a is not None
    return float(np.degrees(np.arccos(np.clip(a @ b, -1, 1))))


def camera_of(pitch: float, roll: float) -> tuple[Rotation, np.ndarray]:
    """A camera, from level axes, and the direction up in its axes."""
    camera = Rotation.from_euler("xz", [-pitch, roll], degrees=True)
    return camera, camera.apply(CAMERA_UP)


def away(up: np.ndarray, pitch: float, roll: float) -> np.ndarray:
    return np.asarray(Rotation.from_euler("xz", [pitch, roll], degrees=True).apply(up))


@pytest.mark.parametrize(("pitch", "roll"), [(0.0, 0.0), (20.0, 12.0), (-10.0, -25.0)])
@pytest.mark.parametrize("heading", [0.0, 20.0, 44.0])
def test_edges_of_a_room_give_up(pitch: float, roll: float, heading: float) -> None:
    camera, up = camera_of(pitch, roll)
    prior = away(up, 9.0, -6.0)
    assert degrees(prior, up) > 10
    assert degrees(with_edges(prior, room(camera, heading, (8, 10, 10), others=25)), up) < 1


def test_level_edges_alone_give_up() -> None:
    camera, up = camera_of(20.0, 8.0)
    assert degrees(with_edges(away(up, 8.0, 0.0), room(camera, 30.0, (0, 12, 12), others=12)), up) < 1


def test_few_vertical_edges_do_not_tell_the_pitch_and_level_ones_do() -> None:
    camera, up = camera_of(18.0, -3.0)
    prior = away(up, 6.5, 0.0)
    few, more = (room(camera, 10.0, (2, count, count), others=10) for count in (0, 10))
    assert degrees(with_edges(prior, few), up) > 4
    assert degrees(with_edges(prior, more), up) < 1


def test_a_focal_length_that_is_a_tenth_off_matters_little() -> None:
    camera, up = camera_of(15.0, 5.0)
    for focal in (0.9, 1.1):
        seen = room(camera, 30.0, (8, 10, 10), others=10, focal=focal)
        assert degrees(with_edges(away(up, 7.0, 5.0), seen), up) < 3


def test_a_camera_that_looks_straight_down_is_searched_too() -> None:
    camera, up = camera_of(-85.0, 0.0)
    straight = np.array([0.0, 0.0, -1.0])
    assert degrees(with_edges(straight, room(camera, 20.0, (4, 12, 12), others=6)), up) < 1

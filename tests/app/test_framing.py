"""The 3D view's camera."""

from dataclasses import replace

import numpy as np
import pytest

from kinelift.app.render.framing import LEAST_FIGURE, follow
from kinelift.app.render.scene import Actor, build_scene
from kinelift.app.render.view_camera import ViewCamera
from tests.app.test_render import person, recording

RATE, SIZE = 30, (720, 720)


def actor(number: int, path: np.ndarray, start: int = 0, extent: float = 200.0) -> Actor:
    """Somebody who stands at these places of the floor (T, 2), and is so large in the picture."""
    (one,) = build_scene(recording(person(number, (320, 240))))
    standing = one.joints[0] - one.joints[0].mean(axis=0) * [1.0, 0.0, 1.0]
    joints = standing + np.insert(path, 1, 0.0, axis=1)[:, None]
    guessed = np.zeros(joints.shape[:2], bool)
    return replace(one, joints=joints, guessed=guessed, start=start, extent=np.full(len(path), extent))


def still(x: float, z: float, frames: int) -> np.ndarray:
    return np.tile([x, z], (frames, 1))


def times(frames: int) -> np.ndarray:
    return np.arange(frames) / RATE


def share(view: ViewCamera, pose: np.ndarray) -> float:
    """How much of the panel's height a pose fills."""
    return float(np.ptp(view.project(pose)[0][:, 1])) / view.size[1]


def is_inside(view: ViewCamera, pose: np.ndarray) -> bool:
    pixels, _ = view.project(pose)
    return bool(((pixels > 0) & (pixels < view.size)).all())


def test_higher_is_higher_and_nearer_is_nearer() -> None:
    view = ViewCamera((300, 300), np.array([0.0, 1.0, 0.0]), 5.0)
    flat, depth = view.project(np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]]))
    assert flat[1, 1] < flat[0, 1]
    assert depth[2] < depth[0]
    assert flat[3, 0] > flat[0, 0]


def test_what_is_at_the_camera_or_behind_it_is_not_shown() -> None:
    view = ViewCamera((300, 300), np.array([0.0, 1.0, 0.0]), 5.0)
    pixels, depth = view.project(np.array([view.eye, view.eye + (view.eye - view.target), [np.nan] * 3]))
    assert np.isnan(pixels).all() and np.isnan(depth).all()


@pytest.mark.parametrize("size", [(720, 720), (1280, 720), (720, 1280)])
def test_a_figure_fills_half_of_the_height_wherever_it_goes(size: tuple[int, int]) -> None:
    walker = actor(1, np.linspace([-4, 2], [6, -5], 120))
    path = follow([walker], times(120), size)
    shares = [share(path.at(k), walker.joints[k]) for k in range(120)]
    assert min(shares) > 0.5 and max(shares) < 0.6
    assert all(is_inside(path.at(k), walker.joints[k]) for k in range(120))


def test_far_bystanders_do_not_shrink_those_who_matter() -> None:
    runner = actor(1, still(0, 0, 90))
    bystander = actor(2, still(7, -12, 90), extent=60.0)
    alone, together = (follow(people, times(90), SIZE).at(45) for people in ([runner], [runner, bystander]))
    assert share(together, runner.joints[45]) == pytest.approx(share(alone, runner.joints[45]), abs=0.01)


def test_people_side_by_side_are_all_shown_and_stay_readable() -> None:
    two = [actor(1, still(-1.5, 0, 90)), actor(2, still(1.5, 0, 90), extent=190.0)]
    view = follow(two, times(90), SIZE).at(45)
    assert all(is_inside(view, one.joints[45]) for one in two)
    assert all(LEAST_FIGURE - 0.05 < share(view, one.joints[45]) < 0.5 for one in two)
    far_apart = [two[0], actor(2, still(20, 0, 90), extent=190.0)]
    view = follow(far_apart, times(90), SIZE).at(45)
    assert is_inside(view, far_apart[0].joints[45]) and share(view, far_apart[0].joints[45]) > 0.42


def test_the_camera_moves_smoothly_when_somebody_comes() -> None:
    first, second = actor(1, still(0, 0, 180)), actor(2, still(2.5, 0, 90), start=90)
    path = follow([first, second], times(180), SIZE)
    assert share(path.at(0), first.joints[0]) > 1.3 * share(path.at(179), first.joints[179])
    eyes = np.array([path.at(k).eye for k in range(180)])
    steps = np.linalg.norm(np.diff(eyes, axis=0), axis=1) * RATE
    assert steps.max() < 6  # metres per second; at once, it would be more than 50
    assert np.abs(np.diff(steps)).max() < 0.6
    assert all(is_inside(path.at(k), second.joints[k - 90]) for k in range(100, 180))


def test_after_a_cut_the_camera_is_with_the_new_people_at_once() -> None:
    before, after = actor(1, still(0, 0, 60)), actor(2, still(15, 3, 60), start=60)
    path = follow([before, after], times(120), SIZE)
    assert is_inside(path.at(59), before.joints[-1]) and is_inside(path.at(60), after.joints[0])


def test_squats_do_not_move_the_camera() -> None:
    one = actor(1, still(0, 0, 120))
    depth = 0.3 * (1 - np.cos(np.arange(120) / 10))[:, None]
    joints = one.joints.copy()
    joints[..., 1] *= 1 - depth
    eyes = np.array([follow([replace(one, joints=joints)], times(120), SIZE).at(k).eye for k in range(0, 120, 5)])
    assert np.ptp(eyes, axis=0).max() < 0.05


def test_a_video_without_people_shows_the_floor() -> None:
    view = follow([], times(5), SIZE).at(3)
    assert is_inside(view, np.array([[0.0, 0.0, 0.0]]))

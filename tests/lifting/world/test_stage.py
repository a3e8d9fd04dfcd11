"""Everybody of a clip in one world: people who stand on a floor before a tilted camera."""

from dataclasses import replace

import numpy as np
import pytest

from kinelift.lifting.body import fit
from kinelift.lifting.body.structure import FEET
from kinelift.lifting.world.stage import WorldSettings, lift_together, stature
from kinelift.poses import COCO17, H36M17, Poses3D, World
from tests.lifting.body.people import CAMERA
from tests.lifting.world.people import ANKLE, HEIGHT, person, scripted
from tests.lifting.world.test_up import angle, tilted

PITCH = 12.0
STILL = np.tile([0.2, 4.5], (45, 1))


def in_world(poses: Poses3D, world: World) -> np.ndarray:
    assert poses.root is not None
    return world.from_camera(poses.points + poses.root[:, None])


@pytest.fixture(scope="module")
def alone() -> tuple[Poses3D, World]:
    scene = person(PITCH, STILL)
    (poses,), world = lift_together([scene.track], scripted(scene, pitch=PITCH), CAMERA)
    assert world is not None
    return poses, world


def test_a_standing_person_shows_up_and_floor(alone: tuple[Poses3D, World]) -> None:
    poses, world = alone
    assert angle(world.up, tilted(PITCH)) < 1.5
    np.testing.assert_allclose(world.rotation @ world.rotation.T, np.eye(3), atol=1e-9)
    points = in_world(poses, world)
    feet = points[:, list(FEET), 1]
    np.testing.assert_allclose(np.median(feet, 0), [0.02, 0.015, 0.02, 0.015], atol=0.02)
    assert world.position[1] == pytest.approx(HEIGHT, rel=0.06)  # an image does not show the size
    assert np.median(points[:, 10, 1]) == pytest.approx(1.6, rel=0.06)  # the head


def test_the_origin_is_under_the_first_place(alone: tuple[Poses3D, World]) -> None:
    poses, world = alone
    assert poses.root is not None
    np.testing.assert_allclose(world.from_camera(poses.root)[0, [0, 2]], 0, atol=1e-2)


def test_planted_feet_stay(alone: tuple[Poses3D, World]) -> None:
    poses, world = alone
    assert poses.contact is not None and poses.contact[5:-5, list(FEET)].mean() > 0.9
    scene = person(PITCH, STILL)
    free = fit(scene.track, scripted(scene, pitch=PITCH).lift(scene.track, CAMERA), CAMERA)
    speed = [
        np.median(np.linalg.norm(np.diff(in_world(one, world)[:, list(FEET)], axis=0), axis=-1)) * 30
        for one in (free, poses)
    ]
    assert speed[1] < 0.03 and speed[1] < 0.3 * speed[0]
    loose, _ = lift_together(
        [scene.track], scripted(scene, pitch=PITCH), CAMERA, settings=WorldSettings(contacts=False)
    )
    assert loose[0].contact is None


def test_known_up_camera_height_and_stature_are_kept() -> None:
    scene = person(PITCH, STILL)
    lifter = scripted(scene, pitch=PITCH)
    x, y, z = map(float, tilted(PITCH + 5) * 2)
    _, world = lift_together([scene.track], lifter, CAMERA, settings=WorldSettings(up=(x, y, z)))
    assert world is not None and angle(world.up, tilted(PITCH + 5)) < 1e-3
    (poses,), world = lift_together([scene.track], lifter, CAMERA, settings=WorldSettings(camera_height=2.4))
    assert world is not None and world.position[1] == pytest.approx(2.4, abs=0.03)
    (poses,), _ = lift_together([scene.track], lifter, CAMERA, settings=WorldSettings(height=1.9))
    assert stature(poses) == pytest.approx(1.9, abs=0.02)


@pytest.mark.parametrize("measured", [0, 1])
def test_the_height_of_one_person_fixes_the_sizes_of_all(measured: int) -> None:
    scenes = [person(PITCH, STILL - [0.7, 0.0]), person(PITCH, STILL + np.array([0.5, 0.5]), seed=1)]
    tracks, lifter = [scene.track for scene in scenes], scripted(*scenes, pitch=PITCH)
    usual, _ = lift_together(tracks, lifter, CAMERA)
    people, _ = lift_together(tracks, lifter, CAMERA, settings=WorldSettings(height=1.2), measured=measured)
    assert stature(people[measured]) == pytest.approx(1.2, abs=0.01)
    assert stature(people[1 - measured]) < 0.8 * stature(usual[1 - measured])


def test_people_of_different_size_agree_about_the_floor() -> None:
    """Each fit expects an average person, and finds a floor of its own."""
    scenes = [person(PITCH, STILL - [0.7, 0.0], 0.95), person(PITCH, STILL + np.array([0.5, 0.5]), 1.05, seed=1)]
    lifter, tracks = scripted(*scenes, pitch=PITCH), [scene.track for scene in scenes]
    people, world = lift_together(tracks, lifter, CAMERA)
    assert world is not None
    floors = [np.median(in_world(one, world)[:, list(FEET), 1]) for one in people]
    assert abs(floors[1] - floors[0]) < 0.02 and abs(np.mean(floors) - 0.0175) < 0.02
    apart = [fit(track, lifter.lift(track, CAMERA), CAMERA) for track in tracks]
    before = [np.median(in_world(one, world)[:, list(FEET), 1]) for one in apart]
    assert abs(before[1] - before[0]) > 0.05
    assert stature(people[1]) / stature(people[0]) > 1.05 > stature(apart[1]) / stature(apart[0])


def test_a_tilt_is_corrected_by_where_feet_rest() -> None:
    """A person who goes to five places, each for a second; the lifter's up is 2° off."""
    corners = np.array([[-0.8, 4.0], [0.8, 4.0], [0.8, 7.0], [-0.8, 7.0], [0.0, 5.0]])
    t = np.arange(5 * 30)
    share = np.clip((t % 30 - 20) / 10, 0, 1)[:, None]
    places = corners[t // 30] * (1 - share) + corners[np.minimum(t // 30 + 1, 4)] * share
    scene = person(PITCH, places, jitter=1.0)
    _, world = lift_together([scene.track], scripted(scene, pitch=PITCH + 2), CAMERA)
    assert world is not None and angle(world.up, tilted(PITCH)) < 1.2


def test_poses_without_feet_get_a_world_from_their_lowest_joints() -> None:
    scene = person(PITCH, STILL)
    less = replace(scene, track=scene.track.converted(COCO17), truth=scene.truth.converted(H36M17))
    (poses,), world = lift_together([less.track], scripted(less, pitch=PITCH), CAMERA)
    assert world is not None and poses.contact is None and poses.skeleton == H36M17
    assert np.median(in_world(poses, world)[:, 3, 1]) == pytest.approx(0, abs=ANKLE)


def test_nobody_gives_no_world() -> None:
    assert lift_together([], scripted(pitch=0.0), CAMERA) == ((), None)


@pytest.mark.parametrize("known", [WorldSettings(camera_height=3.2), WorldSettings(height=0.9)])
def test_sizes_that_the_user_gives_hold_without_feet_as_well(known: WorldSettings) -> None:
    scene = person(PITCH, STILL)

    class Footless:
        def lift(self, *args: object) -> Poses3D:
            return replace(scene.truth.converted(H36M17), root=scene.truth.root)

        def estimate_up(self, *args: object) -> np.ndarray:
            return np.tile(tilted(PITCH), (len(scene.track), 1))

    (usual,), _ = lift_together([scene.track], Footless(), CAMERA)
    (poses,), world = lift_together([scene.track], Footless(), CAMERA, settings=known)
    assert world is not None and poses.root is not None and usual.root is not None
    if known.camera_height:
        assert world.position[1] == pytest.approx(3.2)
    else:
        assert stature(poses) == pytest.approx(0.9)
    scale = stature(poses) / stature(usual)
    assert abs(scale - 1) > 0.2
    np.testing.assert_allclose(poses.root, scale * usual.root, rtol=1e-6)

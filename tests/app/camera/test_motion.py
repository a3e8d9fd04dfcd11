"""A camera that turns is noticed and measured; nothing else makes a camera turn."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from tests.app.camera.scenes import SIZE, errors, estimate, sway, texture, view, watched

WALL = texture(900, 500)
STILL = Rotation.identity(40)


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(20, 0, 0), (0, 6, 0), (3, 2, 8), (0.7, 0.5, 0)])
def test_a_camera_that_turns_is_measured(yaw: float, pitch: float, roll: float) -> None:
    turns = sway(60, yaw, pitch, roll)
    found = estimate(view(turn, WALL) for turn in turns)
    assert errors(found, turns).max() < 0.1
    largest = np.degrees(Rotation.from_matrix(found.rotations).magnitude()).max()
    assert largest == pytest.approx(np.degrees(turns.magnitude()).max(), abs=0.1 * largest)
    assert found.notes == (
        f"the camera turns by up to {largest:.0f}° from its middle. This was undone; translation is not estimated.",
    )


def test_the_reference_is_the_middle_of_the_range() -> None:
    turns = Rotation.from_euler("Y", np.linspace(0, 30, 60)[:, None], degrees=True)
    found = estimate(view(turn * Rotation.from_euler("Y", -15, degrees=True), WALL) for turn in turns)
    vectors = Rotation.from_matrix(found.rotations).as_rotvec(degrees=True)
    np.testing.assert_allclose(vectors[[0, -1]], [[0, -15, 0], [0, 15, 0]], atol=0.15)


def test_a_long_shake_does_not_drift() -> None:
    noise = gaussian_filter1d(np.random.default_rng(0).normal(size=(200, 3)), 2, axis=0)
    turns = Rotation.from_euler("YXZ", 2 * noise / noise.std(), degrees=True)
    wrong = errors(estimate(view(turn, WALL) for turn in turns), turns)
    assert wrong[-50:].max() < 0.1


def test_a_still_camera_is_still() -> None:
    random = np.random.default_rng(0)
    noisy = (view(turn, WALL) + random.normal(0, 6, SIZE[::-1]) for turn in STILL)
    found = estimate(picture.clip(0, 255).astype(np.uint8) for picture in noisy)
    assert found.rotations is None and found.notes == ()


@pytest.mark.parametrize("count", [1, 2, 6])
def test_too_few_frames_to_tell_are_still(count: int) -> None:
    found = estimate(view(turn, WALL) for turn in STILL[:count])
    assert found.rotations is None and found.notes == ()


def test_a_crowd_does_not_turn_a_still_camera() -> None:
    room, crowd = view(STILL[0], WALL), texture(900, 500, seed=1)

    def picture(k: int) -> np.ndarray:
        image = room.copy()
        image[72:] = crowd[: SIZE[1] - 72, 3 * k : 3 * k + SIZE[0]]
        return image

    assert estimate(map(picture, range(40))).rotations is None


def test_people_are_not_background() -> None:
    """Somebody large moves before a still wall; and stays in the picture of a camera that follows them."""
    shirt, box = texture(400, 400, seed=2), (110.0, 40.0, 210.0, 240.0)

    def picture(turn: Rotation, shift: int) -> np.ndarray:
        image = view(turn, WALL)
        image[40:240, 110:210] = shirt[:200, shift : shift + 100]
        return image

    moving = [picture(turn, 4 * k) for k, turn in enumerate(STILL)]
    assert estimate(moving, [box]).rotations is None
    turns = sway(60, 15)
    followed = [picture(turn, 0) for turn in turns]
    assert errors(estimate(followed, [box]), turns).max() < 0.1


def test_a_caption_does_not_hold_a_turning_camera() -> None:
    turns, caption = sway(60, 15), texture(100, 20, seed=3, grain=1.0)

    def picture(turn: Rotation) -> np.ndarray:
        image = view(turn, WALL)
        image[210:230, 110:210] = caption
        return image

    assert errors(estimate(map(picture, turns)), turns).max() < 0.1


def test_cuts_do_not_turn_a_still_camera() -> None:
    walls = [texture(900, 500, seed=seed) for seed in range(3)]
    found = estimate(view(STILL[0], walls[k // 20]) for k in range(60))
    assert found.rotations is None and found.notes == ()


def test_shots_that_are_over_leave_no_pictures_behind() -> None:
    """A long video has many: each picture of 400 × 240 px with its mask takes 0.2 MB."""
    walls = [texture(900, 500, seed=seed) for seed in range(6)]
    found = watched(view(STILL[0], walls[k // 10]) for k in range(60))
    assert len(found.result().notes) == 0 and found.pictures <= 2


def test_each_shot_has_its_own_reference() -> None:
    turns, other = sway(60, 10), texture(900, 500, seed=4)
    found = estimate([*(view(turn, WALL) for turn in turns), *(view(turn, other) for turn in STILL)])
    assert found.rotations is not None
    assert np.array_equal(found.rotations[60:], np.tile(np.eye(3), (40, 1, 1)))
    assert "several shots" in found.notes[1]


def test_a_blurred_moment_is_bridged() -> None:
    turns = sway(60, 10)
    pictures = [view(turn, WALL) for turn in turns]
    for k in (20, 21, 22):
        pictures[k] = texture(*SIZE, seed=9, grain=20.0)
    wrong = errors(estimate(pictures), turns)
    assert wrong.max() < 0.3 and np.delete(wrong, (20, 21, 22)).max() < 0.1


def test_what_cannot_be_measured_is_still_and_said() -> None:
    found = estimate(texture(*SIZE, seed=k) for k in range(30))
    assert found.rotations is None and "background does not show how" in found.notes[0]


@pytest.mark.parametrize("grey", [0, 255])
def test_an_empty_picture_says_nothing(grey: int) -> None:
    found = estimate(np.full(SIZE[::-1], grey, np.uint8) for _ in range(20))
    assert found.rotations is None and found.notes == ()


def test_zoom_is_no_rotation() -> None:
    assert estimate(view(STILL[0], WALL, zoom) for zoom in np.linspace(1, 1.8, 40)).rotations is None


def test_turns_that_leave_the_plane_are_told() -> None:
    wide = texture(2400, 500)
    turns = Rotation.from_euler("Y", np.linspace(-42, 42, 120)[:, None], degrees=True)
    assert "more than 65° away" in estimate(view(turn, wide) for turn in turns).notes[-1]

"""Contacts of feet whose steps are known."""

import numpy as np
import pytest

from kinelift.lifting.world import contacts
from kinelift.lifting.world.contacts import resting, spans
from kinelift.lifting.world.support import runs

LEVEL = np.array([0.0, -1.0, 0.0])
FLOOR = 1.5
"""Metres: height of the camera over the floor."""


def walk(rate: float, seed: int = 0, noise: float = 0.004) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Right heel and toe, left heel and toe in the camera frame over five seconds, times, and the true contacts.

    Feet stand for 0.6 s and swing 1.2 m to the right in 0.4 s, the left half a step later.
    """
    times = np.arange(int(5 * rate)) / rate
    feet, contact = np.zeros((len(times), 4, 3)), np.zeros((len(times), 4), bool)
    for foot, late in ((0, 0.0), (1, 0.5)):
        step, phase = np.divmod(times + late, 1.0)
        swing = np.clip((phase - 0.6) / 0.4, 0, 1)
        for joint, ahead in ((0, -0.08), (1, 0.17)):
            x = 1.2 * (step - late + swing - np.sin(2 * np.pi * swing) / (2 * np.pi)) + ahead - 3
            y = FLOOR - 0.02 - 0.1 * np.sin(np.pi * swing)
            feet[:, 2 * foot + joint] = np.stack([x, y, np.full(len(times), 5.0 + 0.2 * foot)], 1)
            contact[:, 2 * foot + joint] = swing == 0
    random = np.random.default_rng(seed)
    return feet + random.normal(size=feet.shape) * [noise, noise, 3 * noise], times, contact


def over(feet: np.ndarray, height: float | np.ndarray = 0.0) -> np.ndarray:
    """A hip 0.9 m over the floor, and ``height`` higher."""
    hip = feet.mean(1)
    hip[:, 1] = FLOOR - 0.9 - height
    return hip


def stood(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Feet that stand still, without noise, and times at 30 Hz."""
    feet, times, _ = walk(30.0, noise=0.0)
    return np.repeat(feet[:1], frames, 0), times[:frames]


@pytest.mark.parametrize("rate", [24.0, 30.0, 60.0])
def test_contacts_of_a_walk(rate: float) -> None:
    feet, times, contact = walk(rate)
    found = resting(feet, over(feet), times, LEVEL)
    assert (found & contact).sum() > 0.9 * contact.sum()
    assert (found & ~contact).sum() < 0.1 * (~contact).sum() + 0.05 * contact.sum()
    middle = slice(4, -4)
    for joint in range(4):
        assert len(runs(found[middle, joint])) == len(runs(contact[middle, joint]))


def test_a_raised_foot_that_is_still_does_not_rest() -> None:
    feet, times, _ = walk(30.0)
    feet[:] = feet[:1]
    feet[:, 2:, 1] -= 0.3
    found = resting(feet, over(feet), times, LEVEL)
    assert found[:, :2].all() and not found[:, 2:].any()


def test_jumps_have_no_contacts_and_gaps_stay_unknown() -> None:
    feet, times, _ = walk(30.0)
    feet[:] = feet[:1]
    rise = np.zeros(len(feet))
    rise[50:65] = 0.5 * np.sin(np.pi * np.linspace(0, 1, 15))
    feet[..., 1] -= rise[:, None]
    hip = over(feet, rise)
    feet[100:105, 1] = np.nan
    found = resting(feet, hip, times, LEVEL)
    assert not found[53:62].any() and found[:45].all() and found[70:100].all()
    assert not found[100:105].any() and found[106:].all()


def test_short_contacts_are_not_believed() -> None:
    feet, times, _ = walk(60.0, noise=0.0)
    feet[..., 0] = 0.4 * np.sign(times - 1)[:, None] * np.maximum(np.abs(times - 1) - 0.02, 0)[:, None] * 10
    assert not resting(feet, over(feet), times, LEVEL)[30:90].any()


def test_spans_have_median_heights() -> None:
    contact, heights = np.zeros((10, 4), bool), np.zeros((10, 4))
    contact[2:6, 1] = contact[8:, 3] = True
    heights[2:6, 1], heights[8:, 3] = [1, 2, 2, 9], -1.5
    found = [(one.joint, one.start, one.stop, one.height) for one in spans(contact, heights)]
    assert found == [(1, 2, 6, 2.0), (3, 8, 10, -1.5)]


def jump(drop: float, speed: float = 2.0) -> tuple[np.ndarray, np.ndarray, np.ndarray, slice]:
    """Feet, hip and times of a jump in which feet and hip fall freely, and the frames in the air.

    Args:
        drop: How much lower it ends, metres.
        speed: At take-off, m/s.
    """
    feet, times = stood(80)
    seconds = (speed + np.sqrt(speed**2 + 2 * 9.81 * drop)) / 9.81
    air = (times - times[30]).clip(0, seconds)
    rise = speed * air - 9.81 / 2 * air**2
    feet[..., 1] -= rise[:, None]
    push = np.where(times < times[30], 0.3 * np.exp((times - times[30]) / 0.15), 0.3)
    land = np.where(air >= seconds, 0.3 * np.expm1(-(times - times[30] - seconds).clip(0) / 0.15), 0.0)
    return feet, over(feet, rise + push + land), times, slice(31, 31 + int(seconds * 30))


@pytest.mark.parametrize("drop", [0.0, 1.8])
def test_take_off_and_landing_are_right_to_a_frame(drop: float) -> None:
    feet, hip, times, air = jump(drop)
    found = resting(feet, hip, times, LEVEL).any(1)
    (start, stop), *others = [run for run in runs(~found) if run[1] - run[0] > 2]
    assert not others and abs(start - air.start) <= 1 and abs(stop - air.stop) <= 1


def test_a_low_hop_is_no_contact_though_feet_are_slow_at_its_top() -> None:
    """Feet rise by 5 cm for 0.2 s."""
    feet, hip, times, air = jump(0.0, speed=0.98)
    found = resting(feet, hip, times, LEVEL)
    assert not found[air.start + 1 : air.stop - 1].any()
    assert found[:29].all() and found[air.stop + 2 :].all()


def test_feet_stay_on_the_floor_while_a_body_drops_into_a_crouch() -> None:
    feet, times = stood(60)
    fall = np.clip(times - 1.0, 0, 0.25)
    assert resting(feet, over(feet, -4.0 * fall**2), times, LEVEL).all()


def test_a_touch_down_is_seen_in_its_frame() -> None:
    """A foot that comes at 6 m/s, whose smoothed speed is over the limit two frames after it stopped."""
    feet, times = stood(60)
    feet[:, 2:, 0] += 6.0 * (times[20] - times).clip(0)[:, None]
    found = resting(feet, over(feet), times, LEVEL)
    assert found[20:, 2:].all() and not found[:20, 2:].any()


def test_wrong_keypoints_for_a_moment_do_not_end_a_contact() -> None:
    feet, times = stood(60)
    feet[25:29, 2:, 0] += 0.4
    found = resting(feet, over(feet), times, LEVEL)
    assert found.all()
    feet, times = stood(60)
    feet[:, 2:, 0] += 0.4 * np.clip((np.arange(60) - 25) / 4, 0, 1)[:, None]  # a step to another place
    assert not resting(feet, over(feet), times, LEVEL)[26:29, 2:].any()


@pytest.mark.parametrize("seed", range(20))
def test_frames_that_lead_up_to_a_contact_are_found_in_blocks(seed: int) -> None:
    generator = np.random.default_rng(seed)
    possible = generator.random(150) < 0.98
    start, stop = np.sort(generator.choice(151, 2, replace=False)).tolist()
    before, after = np.flatnonzero(~possible[:start]), np.flatnonzero(~possible[stop:])
    assert contacts._first(lambda part: possible[part], start) == (before[-1] + 1 if len(before) else 0)
    assert contacts._last(lambda part: possible[part], stop, 150) == (stop + after[0] if len(after) else 150)


def test_a_body_that_does_not_fall_is_held_by_the_last_foot() -> None:
    """Both feet slip by 9 cm while the body leans on them."""
    feet, times = stood(60)
    slip = 0.09 * np.clip((np.arange(60) - 30) / 3, 0, 1) + 3.0 * (times - times[34]).clip(0)
    feet[..., 0] += slip[:, None]
    assert resting(feet, over(feet), times, LEVEL)[:34].all()
    falling = over(feet, -9.81 / 2 * (times - times[28]).clip(0) ** 2)
    assert not resting(feet, falling, times, LEVEL)[33].any()

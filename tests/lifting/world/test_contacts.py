"""Contacts of feet whose steps are known."""

import numpy as np
import pytest

from kinelift.lifting.world.contacts import resting, runs, spans

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


@pytest.mark.parametrize("rate", [24.0, 30.0, 60.0])
def test_contacts_of_a_walk(rate: float) -> None:
    feet, times, contact = walk(rate)
    found = resting(feet, times, LEVEL)
    assert (found & contact).sum() > 0.9 * contact.sum()
    assert (found & ~contact).sum() < 0.1 * (~contact).sum() + 0.05 * contact.sum()
    middle = slice(4, -4)
    for joint in range(4):
        assert len(runs(found[middle, joint])) == len(runs(contact[middle, joint]))


def test_a_raised_foot_that_is_still_does_not_rest() -> None:
    feet, times, _ = walk(30.0)
    feet[:] = feet[:1]
    feet[:, 2:, 1] -= 0.3
    found = resting(feet, times, LEVEL)
    assert found[:, :2].all() and not found[:, 2:].any()


def test_jumps_have_no_contacts_and_gaps_stay_unknown() -> None:
    feet, times, _ = walk(30.0)
    feet[:] = feet[:1]
    feet[50:65, :, 1] -= 0.5 * np.sin(np.pi * np.linspace(0, 1, 15))[:, None]
    feet[100:105, 1] = np.nan
    found = resting(feet, times, LEVEL)
    assert not found[53:62].any() and found[:45].all() and found[70:100].all()
    assert not found[100:105].any() and found[106:].all()


def test_short_contacts_are_not_believed() -> None:
    feet, times, _ = walk(60.0, noise=0.0)
    feet[..., 0] = 0.4 * np.sign(times - 1)[:, None] * np.maximum(np.abs(times - 1) - 0.02, 0)[:, None] * 10
    assert not resting(feet, times, LEVEL)[30:90].any()


def test_spans_have_median_heights() -> None:
    contact, heights = np.zeros((10, 4), bool), np.zeros((10, 4))
    contact[2:6, 1] = contact[8:, 3] = True
    heights[2:6, 1], heights[8:, 3] = [1, 2, 2, 9], -1.5
    found = [(one.joint, one.start, one.stop, one.height) for one in spans(contact, heights)]
    assert found == [(1, 2, 6, 2.0), (3, 8, 10, -1.5)]


def test_runs() -> None:
    assert runs(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert runs(np.zeros(3, bool)) == []

"""Agreement does not depend on order, scale or who is asked first, and trembling is measured on still joints alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.keypoints.agreement_figures import (
    Reading,
    agreement,
    aligned,
    jitter,
    paired,
    smooth,
    still,
    torsos,
    tremble,
)
from kinelift.poses import COCO17
from tests.detectors.tracking.scenes import Walker

RATE = 30.0
TIMES = np.arange(45) / RATE
MIRROR = list(COCO17.mirror)


def clip(noise: float = 0.0, seed: int = 0) -> Reading:
    """Two people who walk towards each other and do not meet; ``noise`` in pixels."""
    walkers = [Walker(100, 120), Walker(1150, -120, height=200)]
    points = np.array([[walker.pose(time) for time in TIMES] for walker in walkers])
    return points + noise * np.random.default_rng(seed).standard_normal(points.shape)


def frontal() -> np.ndarray:
    """Somebody who stands and is seen from the front, with a torso of 90 px."""
    figure = Walker(300, 0).pose(0.0)
    sides = np.array([30.0 if "left" in name else -30.0 if "right" in name else 0.0 for name in COCO17.joints])
    return np.repeat((figure + sides[:, None] * [1, 0])[None], len(TIMES), axis=0)


def test_a_reading_agrees_with_itself() -> None:
    figures = agreement([paired(clip(), clip())])
    assert figures["people"] == figures["joints"] == figures["pck"] == figures["pck_wrist"] == 1.0
    assert figures["mean"] == figures["median"] == figures["crossed"] == 0.0


def test_order_of_people_direction_and_scale_do_not_matter() -> None:
    one, other = clip(4.0, 1), clip(4.0, 2)
    other[0, 10:20] = np.nan
    figures = agreement([paired(one, other)])
    assert 0 < figures["pck"] < 1 and 0.5 < figures["people"] < 1  # type: ignore[operator]
    assert agreement([paired(one, other[::-1])]) == figures
    assert agreement([paired(other, one)]) == figures
    assert agreement([paired(3 * one, 3 * other)]) == figures


@given(st.floats(0.01, 0.19), st.floats(0, 6.28))
def test_distances_are_in_torso_lengths(share: float, angle: float) -> None:
    one = frontal()[None]
    shift = share * torsos(one)[0] * np.array([np.cos(angle), np.sin(angle)])
    figures = agreement([paired(one, one + shift)])
    assert figures["median"] == pytest.approx(100 * share, abs=0.01) == figures["mean"]
    assert figures["pck"] == 1.0


def test_far_joints_are_counted_by_part() -> None:
    one = frontal()[None]
    other = one.copy()
    wrist = COCO17.index("left_wrist")
    other[0, :, wrist, 0] += 0.3 * torsos(one)[0]
    figures = agreement([paired(one, other)])
    assert figures["pck_wrist"] == 0.5 and figures["pck_elbow"] == 1.0
    assert figures["pck"] == pytest.approx(16 / 17, abs=1e-3)


def test_who_and_what_only_one_sees() -> None:
    one, other = clip(), clip()[:1]
    other[0, :, :4] = np.nan
    figures = agreement([paired(one, other)])
    assert figures["people"] == 0.5
    assert figures["joints"] == pytest.approx(13 / 17, abs=1e-3)
    nobody = agreement([paired(one, clip()[:0])])
    assert nobody["people"] == 0.0 and nobody["median"] is None


def test_exchanged_sides_are_the_same_person_and_are_told() -> None:
    one = frontal()[None]
    other = one.copy()
    other[0, 10:19] = other[0, 10:19][:, MIRROR]
    figures = agreement([paired(one, other)])
    assert figures["people"] == 1.0
    assert figures["crossed"] == pytest.approx(9 / 45)


def test_people_are_followed_past_gaps() -> None:
    reading = clip()[::-1].copy()
    reading[1, 5:9] = np.nan
    found = aligned(clip()[0], reading)
    assert np.isnan(found[5:9]).all()
    np.testing.assert_array_equal(np.delete(found, range(5, 9), 0), np.delete(clip()[0], range(5, 9), 0))


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_smoothing_keeps_what_stays_and_leaves_holes(x: float, y: float) -> None:
    points = np.tile([x, y], (30, 17, 1))
    points[7:10, 3] = np.nan
    np.testing.assert_allclose(smooth(points, RATE), points, atol=1e-9)


def readings(*noises: float) -> np.ndarray:
    random = np.random.default_rng(3)
    return np.stack([frontal() + noise * random.standard_normal((len(TIMES), 17, 2)) for noise in noises])


def test_one_unsteady_detector_does_not_make_a_joint_move() -> None:
    torso = float(torsos(frontal()[None])[0])
    assert still(readings(0.05, 0.05, 30.0), torso, RATE).all()
    assert not still(readings(30.0, 30.0, 0.05), torso, RATE).all()


def test_moving_and_unseen_joints_are_not_still() -> None:
    torso = float(torsos(frontal()[None])[0])
    seen = readings(0.05, 0.05)
    seen[:, :, 9, 0] += 0.5 * torso * TIMES
    seen[1, 20:24, 5] = np.nan
    calm = still(seen, torso, RATE)
    assert not calm[:, 9].any()
    assert not calm[19:25, 5].any() and calm[:19, 5].all() and calm[25:, 5].all()
    seen[1, 36:40, 5] = np.nan  # what is left between is too short
    assert not still(seen, torso, RATE)[25:, 5].any()


def test_jitter_is_the_noise_and_not_the_sway() -> None:
    torso = float(torsos(frontal()[None])[0])
    noisy, noisier = readings(1.0, 2.0)
    sway = 2.0 * np.sin(2 * np.pi * 0.3 * TIMES)[:, None, None]
    figures = [jitter([tremble(points, RATE)], [torso]) for points in (noisy, noisier, noisy + sway)]
    expected = np.sqrt(2 * (1 - 2 * 0.133 + 0.094))  # of a Gaussian of 3 frames: its peak, its sum of squares
    assert figures[0]["jitter_px"] == pytest.approx(expected, rel=0.1)
    assert figures[0]["jitter"] == pytest.approx(100 * expected / torso, rel=0.1)
    assert figures[1]["jitter"] == pytest.approx(2 * figures[0]["jitter"], rel=0.1)  # type: ignore[operator]
    assert figures[2]["jitter"] == pytest.approx(figures[0]["jitter"], rel=0.03)
    assert jitter([np.full((45, 17), np.nan)], [torso])["jitter"] is None


def test_a_jump_is_counted_and_does_not_count_as_trembling() -> None:
    torso = float(torsos(frontal()[None])[0])
    calm = tremble(readings(0.3)[0], RATE)
    jumping = calm.copy()
    jumping[7, 9] = 0.2 * torso
    before, after = jitter([calm], [torso]), jitter([jumping], [torso])
    assert before["jumps"] == 0.0 and after["jumps"] == pytest.approx(1 / calm.size, abs=1e-4)
    assert after["jitter"] == pytest.approx(before["jitter"], abs=0.01)

import numpy as np
import pytest

from kinelift.lifting.causal import LONGEST_GAP, CausalLifter, CausalPose
from kinelift.lifting.stream import LifterStream
from kinelift.poses.errors import SettingsError
from tests.lifting.test_stream import CAMERA, SIZE, causal, track


def pushed(points: np.ndarray, times: np.ndarray) -> list[CausalPose | None]:
    lifter = CausalLifter(causal(rate=20.0), CAMERA, SIZE)
    return [lifter.push(time, frame) for time, frame in zip(times, points, strict=True)]


def test_every_frame_gets_the_newest_pose_of_the_stream() -> None:
    observed = track(40)
    poses = pushed(observed.points, observed.times)
    stream, due = LifterStream(causal(rate=20.0), CAMERA, SIZE), []
    for pose, time, points in zip(poses, observed.times, observed.points, strict=True):
        due += [newest for _, newest in stream.push(time, points)]
        bone = due[-1][2] - due[-1][1]  # lengths differ, directions do not
        own = pose.points[2] - pose.points[1]
        np.testing.assert_allclose(own / np.linalg.norm(own), bone / np.linalg.norm(bone), atol=1e-9)


def test_later_frames_change_nothing() -> None:
    observed, other = track(40), track(40)
    other.points[25:] += 30.0
    first, second = pushed(observed.points, observed.times), pushed(other.points, other.times)
    for one, two in zip(first[:25], second[:25], strict=True):
        assert np.array_equal(one.points, two.points) and np.array_equal(one.root, two.root)
    assert not np.allclose(first[30].root, second[30].root)


def test_too_few_keypoints_give_no_pose() -> None:
    observed = track(10, missing=0.0)
    observed.points[4, 4:] = np.nan
    poses = pushed(observed.points, observed.times)
    assert [pose is None for pose in poses] == [k == 4 for k in range(10)]


def test_after_a_long_gap_the_network_starts_anew() -> None:
    observed = track(40, missing=0.0)
    observed.times[20:] += LONGEST_GAP
    after = pushed(observed.points, observed.times)[20]
    alone = pushed(observed.points[20:], observed.times[20:])[0]
    bone, own = (pose.points[2] - pose.points[1] for pose in (alone, after))
    np.testing.assert_allclose(own / np.linalg.norm(own), bone / np.linalg.norm(bone), atol=1e-9)


def test_depth_follows_smoothly() -> None:
    observed = track(30, missing=0.0)
    observed.points[:] = observed.points[0]
    observed.points[15:] = (observed.points[15:] - 320) / 2 + 320  # twice as far away
    depth = np.array([pose.root[2] for pose in pushed(observed.points, observed.times)])
    assert depth[15] < 1.2 * depth[14] and depth[29] > 1.7 * depth[14]


def test_another_person_starts_without_frames() -> None:
    observed = track(10, missing=0.0)
    lifter = CausalLifter(causal(rate=20.0), CAMERA, SIZE)
    first = [lifter.push(t, p) for t, p in zip(observed.times, observed.points, strict=True)]
    other = lifter.fresh()
    again = [other.push(t, p) for t, p in zip(observed.times, observed.points, strict=True)]
    for one, two in zip(first, again, strict=True):
        assert np.array_equal(one.points, two.points)


def test_a_network_that_looks_ahead_is_rejected() -> None:
    with pytest.raises(SettingsError, match="needs future frames"):
        CausalLifter(causal(causal=False), CAMERA, SIZE)

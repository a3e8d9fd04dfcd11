from dataclasses import replace

import numpy as np
import pytest

from kinelift.lifting.confidence import COLUMNS, FORGOTTEN, INTERPOLATED, evidence, with_confidence, without_unseen
from kinelift.poses import COCO17, COCO23, H36M17, H36M21, JointState, Poses3D, Skeleton, Track2D

FRAMES, RATE = 60, 30
UNSEEN, FILLED, SEEN = JointState.UNSEEN, JointState.INTERPOLATED, JointState.SEEN


def track(layout: Skeleton = COCO17) -> Track2D:
    """Somebody whose keypoints are all seen, with certainty."""
    shape = FRAMES, len(layout)
    times = np.arange(FRAMES) / RATE
    return Track2D(np.ones((*shape, 2)), np.ones(shape), times, np.zeros(shape, bool), 0, (9, 9), layout)


def hidden(seen: Track2D, *joints: str, frames: slice = slice(None)) -> Track2D:
    points, scores = seen.points.copy(), seen.scores.copy()
    for joint in joints:
        points[frames, seen.skeleton.index(joint)], scores[frames, seen.skeleton.index(joint)] = np.nan, 0.0
    return replace(seen, points=points, scores=scores)


def judged(seen: Track2D, layout: Skeleton = H36M17) -> Poses3D:
    return with_confidence(Poses3D(np.zeros((FRAMES, len(layout), 3)), seen.times, skeleton=layout), seen)


def state(poses: Poses3D, joint: str) -> JointState:
    """The state of a joint in the last frame."""
    assert poses.seen is not None
    return JointState(poses.seen[-1, poses.skeleton.index(joint)])


def error(poses: Poses3D, joint: str, frame: int = -1) -> float:
    assert poses.error is not None
    return float(poses.error[frame, poses.skeleton.index(joint)])


def test_whole_bodies_are_seen_throughout() -> None:
    poses = judged(track())
    assert poses.seen is not None and (poses.seen == SEEN).all()
    kept = without_unseen(poses)
    assert np.array_equal(kept.points, poses.points) and np.array_equal(kept.error, poses.error)


def test_keypoints_give_their_joint_its_state() -> None:
    filled = np.zeros((FRAMES, 17), bool)
    filled[:, COCO17.index("right_knee")] = True
    poses = judged(replace(hidden(track(), "left_knee"), filled=filled))
    assert [state(poses, f"{joint}_knee") for joint in ("left", "right")] == [UNSEEN, FILLED]
    assert state(poses, "left_hip") == state(poses, "left_ankle") == SEEN


FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
BETWEEN = ("hip", "spine", "thorax", "neck", "head")


@pytest.mark.parametrize(("gone", "unseen"), [
    (("left_hip", "right_hip"), ("hip", "spine")),
    (("left_shoulder", "right_shoulder"), ("spine", "thorax", "neck")),
    (FACE, ("neck", "head")),
    (("left_hip", "left_shoulder", "nose"), ()),
])  # fmt: skip
def test_joints_between_others_are_seen_if_those_are(gone: tuple[str, ...], unseen: tuple[str, ...]) -> None:
    poses = judged(hidden(track(), *gone))
    assert [joint for joint in BETWEEN if state(poses, joint) == UNSEEN] == list(unseen)
    assert all(error(poses, joint) >= error(judged(track()), joint) for joint in BETWEEN)


def test_joints_never_seen_are_emptied_and_others_stay() -> None:
    some = hidden(hidden(track(), "left_ankle"), "right_ankle", frames=slice(0, FRAMES - 1))
    poses = replace(judged(some), root=np.ones((FRAMES, 3)), contact=np.ones((FRAMES, 17), bool))
    kept = without_unseen(poses)
    left, right = (H36M17.index(f"{side}_ankle") for side in ("left", "right"))
    assert kept.error is not None and kept.contact is not None
    assert np.isnan(kept.points[:, left]).all() and np.isnan(kept.error[:, left]).all()
    assert not kept.contact[:, left].any() and kept.contact[:, right].all()
    assert np.isfinite(np.delete(kept.points, left, axis=1)).all()
    assert np.array_equal(kept.seen, poses.seen) and np.array_equal(kept.root, poses.root)


def test_the_root_stays_the_origin_even_if_the_hips_were_never_seen() -> None:
    poses = replace(judged(hidden(track(), "left_hip", "right_hip")), root=np.ones((FRAMES, 3)))
    kept = without_unseen(poses)
    assert np.isnan(kept.points[:, H36M17.root]).all() and np.array_equal(kept.root, poses.root)


def test_feet_are_matched_by_name() -> None:
    poses = judged(hidden(track(COCO23), "left_big_toe", "right_heel"), H36M21)
    feet = {name: state(poses, name) for name in H36M21.joints if "heel" in name or "toe" in name}
    assert feet == {"right_heel": UNSEEN, "right_toe": SEEN, "left_heel": SEEN, "left_toe": UNSEEN}
    without = judged(track(COCO17), H36M21)
    assert {state(without, name) for name in feet} == {UNSEEN}


def test_less_evidence_never_means_less_error() -> None:
    for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist"):
        name, seen = f"left_{joint}", track()
        scores = [error(judged(replace(seen, scores=np.full((FRAMES, 17), score))), name) for score in (1.0, 0.6, 0.3)]
        filled = error(judged(replace(seen, filled=np.ones((FRAMES, 17), bool))), name)
        alone = error(judged(hidden(seen, name)), name)
        limb = [f"left_{part}" for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")]
        together = error(judged(hidden(seen, *limb)), name)
        ordered = [*scores, filled, alone, together]
        assert ordered[0] > 0 and ordered == sorted(ordered), joint


def test_the_error_grows_with_the_time_since_the_joint_was_seen() -> None:
    gap = slice(10, 50)
    poses = judged(hidden(track(), "left_ankle", frames=gap))
    errors = [error(poses, "left_ankle", frame) for frame in range(*gap.indices(FRAMES))]
    grown = round(FORGOTTEN * RATE)
    full = error(judged(hidden(track(), "left_ankle")), "left_ankle")
    assert (np.diff(errors[:grown]) > 0).all()
    np.testing.assert_allclose(errors, errors[::-1])
    np.testing.assert_allclose(errors[grown:-grown], full)


def test_columns_say_how_much_of_the_limb_is_hidden() -> None:
    arm = ("left_wrist", "left_elbow", "left_shoulder")
    for count in range(1, 4):
        known = evidence(hidden(track(), *arm[:count]))
        assert known.column[0, COCO17.index("left_wrist")] == INTERPOLATED + count
        assert np.isinf(known.away[0, COCO17.index("left_wrist")])
    assert known.column.max() == len(COLUMNS) - 1
    apart = evidence(hidden(track(), "left_wrist", "left_shoulder"))
    assert apart.column[0, COCO17.index("left_wrist")] == INTERPOLATED + 1


def test_frames_that_were_not_lifted_have_no_error() -> None:
    lifted = Poses3D(np.zeros((FRAMES, 17, 3)), track().times)
    lifted.points[3] = np.nan
    poses = with_confidence(lifted, track())
    assert poses.error is not None and np.flatnonzero(np.isnan(poses.error).any(axis=1)).tolist() == [3]

import numpy as np

from kinelift.lifting.running_lengths import RunningLengths
from kinelift.poses import H36M17


def breathing(frames: int) -> np.ndarray:
    """Poses whose bones keep their directions and change their lengths by up to a fifth, each on its own."""
    random = np.random.default_rng(0)
    directions = random.normal(size=(len(H36M17), 3))
    poses = np.zeros((frames, len(H36M17), 3))
    for parent, joint in H36M17.outward:
        poses[:, joint] = poses[:, parent] + directions[joint] * random.uniform(0.8, 1.2, (frames, 1))
    return poses


def lengths(poses: np.ndarray) -> np.ndarray:
    parents, joints = np.array(H36M17.outward).T
    return np.asarray(np.linalg.norm(poses[:, joints] - poses[:, parents], axis=-1))


def test_limbs_stop_changing_their_length_and_keep_their_directions() -> None:
    poses, running = breathing(300), RunningLengths(H36M17)
    out = np.array([running.applied(pose) for pose in poses])
    change = np.abs(np.diff(lengths(out), axis=0)) / lengths(out)[1:]
    assert change[200:].max() < 0.002 < np.abs(np.diff(lengths(poses), axis=0)).max() / 100
    parents, joints = np.array(H36M17.outward).T
    before, after = (p[:, joints] - p[:, parents] for p in (poses, out))
    cosine = (before * after).sum(-1) / np.linalg.norm(before, axis=-1) / np.linalg.norm(after, axis=-1)
    np.testing.assert_allclose(cosine, 1.0, atol=1e-9)
    np.testing.assert_allclose(out[:, H36M17.root], poses[:, H36M17.root])


def test_both_sides_have_the_mean_of_all_poses() -> None:
    poses, running = breathing(50), RunningLengths(H36M17)
    last = [running.applied(pose) for pose in poses][-1]
    bones = [H36M17.joints[joint] for _, joint in H36M17.outward]
    mean, now = lengths(poses).mean(0), lengths(last[None])[0]
    left, right = bones.index("left_knee"), bones.index("right_knee")
    np.testing.assert_allclose(now[[left, right]], (mean[left] + mean[right]) / 2)
    np.testing.assert_allclose(now[bones.index("thorax")], mean[bones.index("thorax")])

"""Where the joints of a person are."""

import numpy as np
from jaxtyping import Float

from kinelift.poses.containers import Poses3D
from kinelift.poses.timeseries import fill_linear


def positions(poses: Poses3D) -> Float[np.ndarray, "T J 3"]:
    """The joints of a person, who moves about.

    Returns:
        Metres, in the frame of ``poses.root``, which is interpolated where it is not known. If it never is, joints are
        relative to it.
    """
    known = np.zeros(len(poses), dtype=bool) if poses.root is None else np.isfinite(poses.root).all(1)
    if poses.root is None or not known.any():
        return poses.points
    return np.asarray(poses.points + fill_linear(poses.root, poses.times, known)[:, None])

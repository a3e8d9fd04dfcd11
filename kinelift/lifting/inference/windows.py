"""Windows of keypoints at the network's frame rate, around any time of a track."""

import numpy as np
from jaxtyping import Bool, Float

_ROUNDING = 1e-6
"""Part of the time between two frames: so near to its middle counts as halfway."""


def cut(
    points: Float[np.ndarray, "T J 2"],
    times: Float[np.ndarray, " T"],
    centres: Float[np.ndarray, " B"],
    offsets: Float[np.ndarray, " R"],
) -> tuple[Float[np.ndarray, "B R J 2"], Bool[np.ndarray, "B R J"]]:
    """Keypoints at ``centres[b] + offsets[r]`` seconds, and which of them are seen.

    Linear between two frames that both show the joint, else what the nearer of the two shows, halfway the earlier;
    before the first and after the last frame, theirs. An unseen joint is 0.
    """
    wanted = np.clip(centres[:, None] + offsets, times[0], times[-1])
    after = np.clip(np.searchsorted(times, wanted), 1, max(len(times) - 1, 1)).clip(max=len(times) - 1)
    before = np.maximum(after - 1, 0)
    span = np.maximum(times[after] - times[before], np.finfo(float).tiny)
    share = np.where(after > before, (wanted - times[before]) / span, 0.0)
    valid = np.isfinite(points).all(-1)
    filled = np.where(valid[..., None], points, 0.0)
    nearer = np.where(share > 0.5 + _ROUNDING, after, before)
    both = (valid[before] & valid[after])[..., None]
    between = filled[before] + share[..., None, None] * (filled[after] - filled[before])
    return np.where(both, between, filled[nearer]), valid[nearer]

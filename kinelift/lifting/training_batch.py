"""Training samples: which frames they contain, which of these are targets, and batches of them."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor


@dataclass(frozen=True)
class Framing:
    """The frames of a sample: ``span`` windows, each starting one frame after the previous one."""

    window: int
    """Frames that the network takes."""
    outputs: int
    """Consecutive frames that the network predicts in each window."""
    first: int
    """Index in the window of the first predicted frame."""
    span: int = 1
    """Windows per sample."""

    @property
    def frames(self) -> int:
        """Input frames of a sample."""
        return self.window + self.span - 1

    @property
    def targets(self) -> int:
        """Consecutive frames that are predicted in a sample."""
        return self.outputs + self.span - 1

    @property
    def target_slice(self) -> slice:
        """The predicted frames among the input frames of a sample."""
        return slice(self.first, self.first + self.targets)

    def times(self, rate: float) -> Float[Tensor, " W"]:
        """Times of a sample's frames, in seconds from the first predicted frame."""
        return (torch.arange(self.frames) - self.first) / rate

    def windows(self, samples: Shaped[Tensor, "B W ..."]) -> Shaped[Tensor, "BS R ..."]:
        """All windows of all samples, sample by sample."""
        if samples.shape[1] == self.window:
            return samples
        return samples.unfold(1, self.window, 1).movedim(-1, 2).flatten(0, 1)


@dataclass(frozen=True, eq=False)
class Batch:
    """Keypoints as a detector gives them, and the true poses of the target frames."""

    points: Float[Tensor, "B W J 2"]
    """Keypoints in the input coordinates of the normalisation."""
    rays: Float[Tensor, "B W J 2"]
    """The same keypoints on the plane z = 1."""
    scale: Float[Tensor, "B 2"]
    """The unit of that plane in half image widths, along x and y: 2·focal length / width."""
    clean: Float[Tensor, "B W J 2"]
    """``points`` without the detector's errors; NaN where unknown or not needed."""
    visible: Bool[Tensor, "B W J"]
    """Whether each keypoint was detected."""
    target: Float[Tensor, "B N K 3"]
    """Joints relative to the root joint, metres, camera axes."""
    root: Float[Tensor, "B N 3"]
    """Position of the root joint, metres, camera frame."""
    up: Float[Tensor, "B 3"]
    """The direction up, in camera axes; NaN where unknown."""
    given_up: Float[Tensor, "B 3"]
    """The same as the network gets it: with an error, or 0 where it is not told."""

    def joined(self, other: "Batch") -> "Batch":
        """The samples of both, those of ``other`` last."""
        return Batch(*(torch.cat([value, getattr(other, name)]) for name, value in vars(self).items()))

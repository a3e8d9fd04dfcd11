"""What training draws: which frames a sample shows, which of them it wants answers for, and a batch of samples."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor


@dataclass(frozen=True)
class Framing:
    """A sample's frames: ``span`` windows, each one frame after the other, of a network that takes ``window`` frames.

    In each window the network answers for ``outputs`` frames from number ``first`` on.
    """

    window: int
    outputs: int
    first: int
    span: int = 1

    @property
    def frames(self) -> int:
        """Frames that a sample shows."""
        return self.window + self.span - 1

    @property
    def answers(self) -> int:
        """Consecutive frames that a sample has answers for."""
        return self.outputs + self.span - 1

    @property
    def answered(self) -> slice:
        """Which of a sample's frames these are."""
        return slice(self.first, self.first + self.answers)

    def times(self, rate: float) -> Float[Tensor, " W"]:
        """Times of a sample's frames, in seconds from the first that is answered."""
        return (torch.arange(self.frames) - self.first) / rate

    def windows(self, samples: Shaped[Tensor, "B W ..."]) -> Shaped[Tensor, "BS R ..."]:
        """All windows of all samples: those of the first sample, then those of the second."""
        return samples.unfold(1, self.window, 1).movedim(-1, 2).flatten(0, 1)


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples as a detector sees them, and the truth of the frames that are answered.

    ``points``: keypoints as the normalisation reads them; ``rays``: the same on the plane z = 1 of the camera;
    ``clean``: ``points`` without a detector's mistakes, NaN where that is unknown; ``seen``: which keypoints were
    found; ``target``: joints relative to the root joint, and ``root``: where that is, both in metres and camera axes.
    """

    points: Float[Tensor, "B W J 2"]
    rays: Float[Tensor, "B W J 2"]
    clean: Float[Tensor, "B W J 2"]
    seen: Bool[Tensor, "B W J"]
    target: Float[Tensor, "B N K 3"]
    root: Float[Tensor, "B N 3"]

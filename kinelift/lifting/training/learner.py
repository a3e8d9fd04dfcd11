"""Predictions for a batch in camera axes, and the losses between them and the truth."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from kinelift.lifting.coordinates import normalisation
from kinelift.lifting.losses.objective import Objective
from kinelift.lifting.losses.terms import bone_difference, reprojection, to_plane, weighted_mpjpe
from kinelift.lifting.network import Net, windowed
from kinelift.lifting.training_batch import Batch, Framing
from kinelift.models.temporal import TemporalNet
from kinelift.poses import Skeleton

UP_WEIGHT = 0.25
"""Metres: weight of the error (radians) of the direction up, beside the joints' errors."""
MIN_DEPTH = 0.5
"""Metres: smallest depth used for the weights of the trajectory loss."""


class Networks(nn.Module):
    """The network, and the trajectory network if roots are learned too, both applied to windows."""

    def __init__(self, net: Net, trajectory: TemporalNet | None) -> None:
        super().__init__()
        self.net, self.trajectory = net, trajectory

    def forward(self, windows: Tensor, *clean: Tensor) -> tuple[Tensor, Tensor | None]:
        """Predict positions (B, S, K, 3) and roots (B, S, 1, 3). ``clean`` is for the two-stream network only."""
        roots = None if self.trajectory is None else windowed(self.trajectory)(windows)
        return windowed(self.net)(windows, *clean), roots


@dataclass(frozen=True)
class SemiSettings:
    """Semi-supervised training with unlabelled samples (Pavllo et al. 2019, section 4)."""

    warmup: int = 1
    """Epochs before unlabelled samples are used."""
    reprojection: float = 1.0
    """Weight of the reprojection error in half image widths, the unit of Pavllo et al. 2019."""
    bones: float = 1.0
    """Weight of the difference between the mean bone lengths of unlabelled and labelled samples."""


@dataclass(frozen=True, eq=False)
class Learner:
    """Computes the weighted losses of batches."""

    model: nn.Module
    """``Networks``, possibly wrapped by Fabric."""
    framing: Framing
    normalisation: str
    objective: Objective
    trajectory: float
    semi: SemiSettings
    source: Skeleton
    target: Skeleton
    two_stream: bool
    """Whether the network also takes clean keypoints in training."""
    complete: bool = False
    """Whether no keypoint of any batch is invisible, so that none has to be filled in."""

    def terms(self, batch: Batch) -> Mapping[str, Tensor]:
        """Supervised terms: those of the objective, and the trajectory loss if roots are learned."""
        positions, roots, up = self._outputs(batch, self.model)
        terms = self._supervised(positions, roots, batch)
        return terms if up is None else {**terms, "up": UP_WEIGHT * self._up_error(up, batch)}

    @staticmethod
    def _up_error(up: Float[Tensor, "B N 3"], batch: Batch) -> Tensor:
        """Error of the direction up, over the samples in which the network is not told it."""
        untold = (batch.given_up == 0).all(-1)
        error: Tensor = (up - batch.up[:, None]).norm(dim=-1).mean(1)
        return (error * untold).sum() / untold.sum().clamp_min(1)

    def mixed_terms(self, batch: Batch, unlabelled: Batch) -> Mapping[str, Tensor]:
        """The terms of ``batch`` and the unsupervised terms of ``unlabelled``, in one forward pass over both."""
        positions, roots = self.predict(batch.joined(unlabelled), self.model)
        assert roots is not None, "semi-supervised training needs a trajectory network"
        labelled = len(batch.points)
        supervised = self._supervised(positions[:labelled], roots[:labelled], batch)
        shared = [j for j, name in enumerate(self.target.joints) if name in self.source.joints]
        keypoints = [self.source.joints.index(self.target.joints[j]) for j in shared]
        target_slice = self.framing.target_slice
        joints = positions[labelled:, :, shared] + roots[labelled:, :, None]
        rays, visible = (x[:, target_slice][:, :, keypoints] for x in (unlabelled.rays, unlabelled.visible))
        scale = unlabelled.scale[:, None, None]
        reprojected = reprojection(joints, rays * scale, visible, lambda points: to_plane(points) * scale)
        return {
            **supervised,
            "reprojection": self.semi.reprojection * reprojected,
            "bones": self.semi.bones * bone_difference(positions[:labelled], positions[labelled:], self.target),
        }

    def predict(self, batch: Batch, model: nn.Module) -> tuple[Float[Tensor, "B N K 3"], Float[Tensor, "B N 3"] | None]:
        """Root-relative positions and roots of every target frame, metres, camera axes."""
        return self._outputs(batch, model)[:2]

    def _outputs(
        self, batch: Batch, model: nn.Module
    ) -> tuple[Float[Tensor, "B N K 3"], Float[Tensor, "B N 3"] | None, Float[Tensor, "B N 3"] | None]:
        """``predict``, and the direction up in camera axes if the network estimates it."""
        windows, to_camera = self._inputs(batch)
        positions, roots = model(windows, *(self._clean(batch) if self.two_stream and model.training else ()))
        predicted = self._in_camera(positions, to_camera)
        up = predicted[:, :, -1] if normalisation(self.normalisation).has_up else None
        found_roots = None if roots is None else self._in_camera(roots, to_camera)[:, :, 0]
        return predicted[:, :, : len(self.target)], found_roots, up

    def _inputs(self, batch: Batch) -> tuple[Float[Tensor, "BS R N F"], Float[Tensor, "BS O 3 3"] | None]:
        """Windows as input of the network; rotations of its output to camera axes, None if it is in these already."""
        normalise, framing = normalisation(self.normalisation), self.framing
        points = framing.windows(batch.points)
        if self.complete and normalise.fills:
            return points, None
        given_up = batch.given_up.repeat_interleave(framing.span, 0) if normalise.has_up else None
        windows, rotation = normalise(points, framing.windows(batch.visible), given_up)
        return windows, rotation[:, framing.first : framing.first + framing.outputs] if normalise.turns else None

    def _in_camera(
        self, answers: Float[Tensor, "BS O K 3"], to_camera: Float[Tensor, "BS O 3 3"] | None
    ) -> Float[Tensor, "B N K 3"]:
        """The network's answers in camera axes, sample by sample."""
        turned = answers.float() if to_camera is None else answers.float() @ to_camera
        return turned.reshape(-1, self.framing.targets, *answers.shape[2:])

    def _clean(self, batch: Batch) -> tuple[Tensor]:
        """The clean keypoints as input of the network."""
        clean = self.framing.windows(batch.clean)
        return (normalisation(self.normalisation)(clean, clean.isfinite().all(-1))[0],)

    def _supervised(self, positions: Tensor, roots: Tensor | None, batch: Batch) -> Mapping[str, Tensor]:
        terms = self.objective(positions, batch.target)
        if roots is None:
            return terms
        weight = 1 / batch.root[..., 2].clamp_min(MIN_DEPTH)
        error = weighted_mpjpe(roots[:, :, None], batch.root[:, :, None], weight)
        return {**terms, "trajectory": self.trajectory * error}

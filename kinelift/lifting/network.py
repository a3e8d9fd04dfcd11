"""A trained lifting network with the description of its input, and its checkpoints."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from jaxtyping import Float
from torch import Tensor, nn

from kinelift.lifting.coordinates import normalisation
from kinelift.lifting.training_batch import Framing
from kinelift.models.temporal import StridedTemporalNet, TemporalConfig, TemporalNet
from kinelift.models.two_stream import TwoStreamConfig, TwoStreamNet
from kinelift.models.ugcn import UGCN, UGCNConfig
from kinelift.poses import COCO17, H36M17, Skeleton, skeleton
from kinelift.poses.errors import DataError, WeightsError
from kinelift.weights import checkpoint
from kinelift.weights.building import build_for
from kinelift.weights.checkpoint import Checkpoint
from kinelift.weights.published import is_pickled

Config: TypeAlias = TemporalConfig | TwoStreamConfig | UGCNConfig
Net: TypeAlias = TemporalNet | TwoStreamNet | UGCN

KINDS: Mapping[str, tuple[Callable[..., Config], Callable[..., Net]]] = {
    "temporal-lifter": (TemporalConfig, TemporalNet),
    "two-stream-lifter": (TwoStreamConfig, TwoStreamNet),
    "ugcn-lifter": (UGCNConfig, UGCN),
}
"""Config and network class of each kind of checkpoint."""

_LOWEST_RATE, _HIGHEST_RATE = 1, 1000
"""Hz. A track is resampled at the rate of the network, so a higher one would fill the memory."""
_TRAJECTORY = "trajectory."
"""Prefix of the trajectory network's tensors in a checkpoint."""


@dataclass(frozen=True, eq=False)
class LifterNetwork:
    """A network of any kind, with the description of its input and output.

    Raises:
        WeightsError: The networks do not match the description.
    """

    net: Net
    rate: float
    """Frame rate of the input, Hz."""
    normalisation: str = "facing"
    """Name in ``lifting.coordinates``."""
    source: Skeleton = COCO17
    """Skeleton of the keypoints."""
    target: Skeleton = H36M17
    """Skeleton of the poses."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Training data, licence, settings and measured errors, for readers."""
    trajectory: TemporalNet | None = None
    """Predicts the root's position in the camera frame (metres), as one joint, from the same keypoints."""

    def __post_init__(self) -> None:
        if not (isinstance(self.rate, int | float) and _LOWEST_RATE <= self.rate <= _HIGHEST_RATE):
            raise WeightsError(f"The frame rate is {self.rate!r}; expected {_LOWEST_RATE} to {_HIGHEST_RATE} Hz.")
        normalise = normalisation(self.normalisation)
        inputs = len(self.source) + normalise.has_up, normalise.features
        _check_shape("network", self.net.config, *inputs, len(self.target) + normalise.has_up)
        if self.trajectory:
            _check_shape("trajectory network", self.trajectory.config, *inputs, 1)

    def save(self, path: Path) -> None:
        """Write a self-describing checkpoint with weights in fp16."""
        kind = next(name for name, (_, network) in KINDS.items() if network is type(self.net))
        description = {
            "config": asdict(self.net.config),
            "trajectory": asdict(self.trajectory.config) if self.trajectory else None,
            "rate": self.rate,
            "normalisation": self.normalisation,
            "skeleton_in": self.source.name,
            "skeleton_out": self.target.name,
            "about": dict(self.about),
        }
        roots = self.trajectory.state_dict() if self.trajectory else {}
        tensors = self.net.state_dict() | {_TRAJECTORY + name: tensor for name, tensor in roots.items()}
        checkpoint.save(path, Checkpoint(kind, description, tensors), half=True)

    @staticmethod
    def load(path: Path) -> "LifterNetwork":
        """Load a network from its checkpoint.

        Raises:
            WeightsError: The file is not a lifter's checkpoint, or is damaged.
        """
        if path.is_file() and is_pickled(path):
            raise WeightsError(
                f"{path} was written by torch.save; it is not a Kinelift checkpoint. Convert published VideoPose3D "
                f"weights with: kinelift weights import {path} -o {path.with_suffix('.safetensors')}"
            )
        stored = checkpoint.load(path)
        if stored.kind not in KINDS:
            raise WeightsError(
                f"{path} holds weights of kind {stored.kind}, not a lifter. Use one of these kinds: {', '.join(KINDS)}."
            )
        try:
            return _from_checkpoint(stored)
        except (AttributeError, KeyError, TypeError, ValueError, RuntimeError, DataError, WeightsError) as error:
            reason = str(error).rstrip(".")
            raise WeightsError(
                f"{path} does not match its own description: {reason}. Fetch or train it again."
            ) from error


def windowed(net: nn.Module) -> nn.Module:
    """``net`` as a map from windows to their predictions, with shared parameters: (B, R, J, F) → (B, S, K, 3)."""
    if isinstance(net, TemporalNet) and net.config.layout == "dilated":
        return _Strided(net)
    return net


def framing(config: Config) -> Framing:
    """The input and output frames of a network."""
    return Framing(config.window, config.outputs, config.first_output)


class _Strided(nn.Module):
    """The strided twin of a network, with an axis for its single predicted frame."""

    def __init__(self, net: TemporalNet) -> None:
        super().__init__()
        self.twin = StridedTemporalNet(net)

    def forward(self, windows: Float[Tensor, "B R J F"]) -> Float[Tensor, "B 1 K 3"]:
        predictions: Float[Tensor, "B 1 K 3"] = self.twin(windows)[:, None]
        return predictions


def _from_checkpoint(stored: Checkpoint) -> LifterNetwork:
    description = stored.description
    roots = {name: tensor for name, tensor in stored.tensors.items() if name.startswith(_TRAJECTORY)}
    net = _load_net(stored.kind, description["config"], {n: t for n, t in stored.tensors.items() if n not in roots})
    trajectory = _trajectory(description.get("trajectory"), roots)
    layouts = skeleton(description["skeleton_in"]), skeleton(description["skeleton_out"])
    return LifterNetwork(
        net, description["rate"], description["normalisation"], *layouts, description["about"], trajectory
    )


def _trajectory(config: Mapping[str, Any] | None, tensors: Mapping[str, Tensor]) -> TemporalNet | None:
    if config is None:
        return None
    net = _load_net("temporal-lifter", config, {n.removeprefix(_TRAJECTORY): t for n, t in tensors.items()})
    assert isinstance(net, TemporalNet)
    return net


def _load_net(kind: str, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Net:
    config_class, net_class = KINDS[kind]
    checked = config_class(**{key: _to_tuples(value) for key, value in config.items()})
    return build_for(lambda: net_class(checked), config, tensors).eval()


def _to_tuples(value: Any) -> Any:
    """Restore the tuples that JSON stored as lists."""
    return tuple(_to_tuples(item) for item in value) if isinstance(value, list) else value


def _check_shape(name: str, config: Config, joints_in: int, features_in: int, joints_out: int) -> None:
    actual = config.joints_in, config.features_in, config.joints_out
    expected = joints_in, features_in, joints_out
    if actual != expected:
        raise WeightsError(
            f"The {name} takes {actual[0]} joints of {actual[1]} features and predicts {actual[2]} joints, but its "
            f"skeletons and normalisation need {expected[0]} of {expected[1]} and {expected[2]}."
        )

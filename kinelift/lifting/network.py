"""A trained lifter as a value: the network, what it expects, and its way to and from a checkpoint."""

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
from kinelift.weights.checkpoint import Checkpoint

Config: TypeAlias = TemporalConfig | TwoStreamConfig | UGCNConfig
Net: TypeAlias = TemporalNet | TwoStreamNet | UGCN

KINDS: Mapping[str, tuple[Callable[..., Config], Callable[..., Net]]] = {
    "temporal-lifter": (TemporalConfig, TemporalNet),
    "two-stream-lifter": (TwoStreamConfig, TwoStreamNet),
    "ugcn-lifter": (UGCNConfig, UGCN),
}
"""Checkpoint kind → config and network."""

_TRAJECTORY = "trajectory."
"""In a checkpoint, the names of the trajectory network's tensors begin with it."""


@dataclass(frozen=True, eq=False)
class LifterNetwork:
    """A network of any kind with the facts that its input depends on. Raises ``WeightsError`` if they do not agree.

    ``rate``: frames a second between the frames it sees; ``normalisation``: name in ``lifting.coordinates``;
    ``about``: training data, licence, settings and measured errors, for people to read; ``trajectory``: from the same
    keypoints the root's place in the camera frame (metres), as one joint.
    """

    net: Net
    rate: float
    normalisation: str = "facing"
    source: Skeleton = COCO17
    target: Skeleton = H36M17
    about: Mapping[str, Any] = field(default_factory=dict)
    trajectory: TemporalNet | None = None

    def __post_init__(self) -> None:
        takes = len(self.source), normalisation(self.normalisation).features
        _expect("network", self.net.config, *takes, len(self.target))
        if self.trajectory:
            _expect("trajectory network", self.trajectory.config, *takes, 1)

    def save(self, path: Path) -> None:
        """Write a self-describing checkpoint, weights in fp16."""
        kind = next(name for name, (_, made) in KINDS.items() if made is type(self.net))
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
        """Rebuild the network of a checkpoint. Raises ``WeightsError`` for a file that holds no lifter."""
        stored = checkpoint.load(path)
        if stored.kind not in KINDS:
            raise WeightsError(f"{path} holds a {stored.kind}, not a lifter. Lifters are: {', '.join(KINDS)}.")
        try:
            return _built(stored)
        except (AttributeError, KeyError, TypeError, ValueError, RuntimeError, DataError, WeightsError) as error:
            reason = str(error).rstrip(".")
            raise WeightsError(f"{path} does not fit its own description: {reason}. Fetch or train it anew.") from error


def windowed(net: nn.Module) -> nn.Module:
    """``net``, parameters shared, in window form: (B, R, J, F) → (B, S, K, 3), for its R = window and S = outputs."""
    if isinstance(net, TemporalNet) and net.config.layout == "dilated":
        return _Strided(net)
    return net


def framing(config: Config) -> Framing:
    """The frames of one window of a network."""
    return Framing(config.window, config.outputs, config.first_output)


class _Strided(nn.Module):
    """The strided twin, with an axis for its one answered frame."""

    def __init__(self, net: TemporalNet) -> None:
        super().__init__()
        self.twin = StridedTemporalNet(net)

    def forward(self, windows: Float[Tensor, "B R J F"]) -> Float[Tensor, "B 1 K 3"]:
        return self.twin(windows)[:, None]


def _built(stored: Checkpoint) -> LifterNetwork:
    facts = stored.description
    roots = {name: tensor for name, tensor in stored.tensors.items() if name.startswith(_TRAJECTORY)}
    net = _filled(stored.kind, facts["config"], {n: t for n, t in stored.tensors.items() if n not in roots})
    trajectory = _trajectory(facts.get("trajectory"), roots)
    layouts = skeleton(facts["skeleton_in"]), skeleton(facts["skeleton_out"])
    return LifterNetwork(net, facts["rate"], facts["normalisation"], *layouts, facts["about"], trajectory)


def _trajectory(config: Mapping[str, Any] | None, tensors: Mapping[str, Tensor]) -> TemporalNet | None:
    if config is None:
        return None
    net = _filled("temporal-lifter", config, {n.removeprefix(_TRAJECTORY): t for n, t in tensors.items()})
    assert isinstance(net, TemporalNet)
    return net


def _filled(kind: str, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Net:
    shape, network = KINDS[kind]
    net = network(shape(**{key: _frozen(value) for key, value in config.items()}))
    net.load_state_dict(dict(tensors))
    return net.eval()


def _frozen(value: Any) -> Any:
    """JSON's lists as the tuples that they were."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _expect(what: str, config: Config, joints_in: int, features_in: int, joints_out: int) -> None:
    has = config.joints_in, config.features_in, config.joints_out
    wants = joints_in, features_in, joints_out
    if has != wants:
        raise WeightsError(
            f"The {what} takes {has[0]} joints of {has[1]} numbers and gives {has[2]}, "
            f"but layouts and normalisation ask for {wants[0]} of {wants[1]} and {wants[2]}."
        )

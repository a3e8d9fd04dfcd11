"""A trained action network with everything needed to feed it and to interpret its outputs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from kinelift.models.enas import architecture
from kinelift.models.enas.architecture import AnyConfig, AnyNet
from kinelift.poses import skeleton
from kinelift.poses.errors import WeightsError
from kinelift.poses.json_values import from_json
from kinelift.recognition.calibration import Calibration
from kinelift.recognition.encoding.spmf import Encoding, encode
from kinelift.recognition.windows import WindowPlan
from kinelift.weights import checkpoint
from kinelift.weights.building import build_for
from kinelift.weights.checkpoint import Checkpoint

KIND = "action-net"


@dataclass(frozen=True, eq=False)
class ActionNetwork:
    """A trained network.

    Attributes:
        net: In evaluation mode.
        labels: Of the network's outputs.
        encoding: How windows are drawn.
        plan: How motions are cut into windows.
        calibration: From outputs to decisions.
        about: Training data, their terms, and measured accuracy.
    """

    net: AnyNet
    labels: tuple[str, ...]
    encoding: Encoding = field(default_factory=Encoding)
    plan: WindowPlan = field(default_factory=WindowPlan)
    calibration: Calibration = field(default_factory=Calibration)
    about: Mapping[str, Any] = field(default_factory=dict)

    @torch.no_grad()
    def logits(self, windows: Float[np.ndarray, "B T J 3"], batch: int = 256) -> Float[np.ndarray, "B K"]:
        """Logits of windows.

        Args:
            windows: Finite poses, in any axes and unit.
            batch: Windows per forward pass.
        """
        device = next(self.net.parameters()).device
        batches = [windows[i : i + batch] for i in range(0, len(windows), batch)]
        outputs = [
            self.net(motion_images(batch_of_windows, self.encoding).to(device)).double().cpu().numpy()
            for batch_of_windows in batches
        ]
        return np.concatenate(outputs) if outputs else np.zeros((0, len(self.labels)))

    def probabilities(self, windows: Float[np.ndarray, "B T J 3"]) -> Float[np.ndarray, "B K"]:
        """Probabilities of all labels, calibrated."""
        return self.calibration.probabilities(self.logits(windows))

    def _try(self) -> None:
        """Classify a window, so that what does not fit is found now and not after an hour of detection.

        Raises:
            Exception: Encoding, windows, network and labels do not fit each other.
        """
        joints = len(skeleton(self.encoding.skeleton))
        window = np.random.default_rng(0).normal(size=(1, self.plan.frames, joints, 3))
        probabilities = self.probabilities(window)
        if probabilities.shape != (1, len(self.labels)) or not np.isfinite(probabilities).all():
            raise WeightsError(f"the network does not answer with {len(self.labels)} probabilities")

    def save(self, path: Path) -> None:
        """Write a self-describing checkpoint."""
        description = {
            "network": asdict(self.net.config),
            "skeleton": self.encoding.skeleton,
            "labels": list(self.labels),
            "encoding": self.encoding.to_mapping(),
            "windows": asdict(self.plan),
            "calibration": asdict(self.calibration),
            "about": dict(self.about),
        }
        checkpoint.save(path, Checkpoint(KIND, description, self.net.state_dict()), half=True)

    @staticmethod
    def load(path: Path, device: str = "cpu") -> "ActionNetwork":
        """Read a checkpoint.

        Raises:
            WeightsError: The file is not a checkpoint, or is one of another kind.
        """
        stored = checkpoint.load(path)
        if stored.kind != KIND:
            raise WeightsError(f"{path} holds weights of kind {stored.kind}; recognition needs {KIND}.")
        try:
            network = _from_checkpoint(stored, device)
            network._try()
            return network
        except Exception as error:  # a damaged description can raise anything
            raise WeightsError(
                f"{path} does not fit its own description: {error}. Fetch it again, or train a new one."
            ) from error


def motion_images(windows: Float[np.ndarray, "B T J 3"], encoding: Encoding) -> Float[Tensor, "B 3 H W"]:
    """Motion images of windows as the network's input, from −1 to 1."""
    images = torch.from_numpy(encode(windows, encoding)).permute(0, 3, 1, 2)
    return images.float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)


def _from_checkpoint(stored: Checkpoint, device: str) -> ActionNetwork:
    description = stored.description
    kind = architecture.config_class(description["network"]["genotype"])
    config: AnyConfig = from_json(kind, description["network"], "network")
    labels: tuple[str, ...] = from_json(tuple[str, ...], description["labels"], "labels")
    calibration = Calibration.from_mapping(description["calibration"])
    if len(calibration.weights) not in (0, len(labels)):
        raise ValueError(f"there are {len(calibration.weights)} weights for {len(labels)} labels")
    net = build_for(lambda: architecture.build_network(config), description["network"], stored.tensors)
    return ActionNetwork(
        net.eval().to(device, memory_format=torch.channels_last),  # type: ignore[call-overload]
        labels,
        Encoding.from_mapping(description["encoding"]),
        from_json(WindowPlan, description["windows"], "windows"),
        calibration,
        description["about"],
    )

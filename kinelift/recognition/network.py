"""A trained action network together with all that is needed to feed it and to read its answers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import softmax
from torch import Tensor

from kinelift.models.enas import architecture
from kinelift.models.enas.architecture import AnyNet
from kinelift.poses.errors import WeightsError
from kinelift.recognition.calibration import Calibration
from kinelift.recognition.encoding.spmf import Encoding, encode
from kinelift.recognition.windows import WindowPlan
from kinelift.weights import checkpoint
from kinelift.weights.checkpoint import Checkpoint

KIND = "action-net"


@dataclass(frozen=True, eq=False)
class ActionNetwork:
    """A network, the ``labels`` of its outputs, how windows are cut and drawn, and its calibration.

    ``about`` says what it was trained on, under which terms, and how it measured.
    """

    net: AnyNet
    labels: tuple[str, ...]
    encoding: Encoding = field(default_factory=Encoding)
    plan: WindowPlan = field(default_factory=WindowPlan)
    calibration: Calibration = field(default_factory=Calibration)
    about: Mapping[str, Any] = field(default_factory=dict)

    @torch.no_grad()
    def logits(self, windows: Float[np.ndarray, "B T J 3"], batch: int = 256) -> Float[np.ndarray, "B K"]:
        """One number a label for windows of finite poses, in any axes and unit: the larger, the likelier."""
        device = next(self.net.parameters()).device
        parts = [windows[i : i + batch] for i in range(0, len(windows), batch)]
        answers = [self.net(pictures(part, self.encoding).to(device)).double().cpu().numpy() for part in parts]
        return np.concatenate(answers) if answers else np.zeros((0, len(self.labels)))

    def probabilities(self, windows: Float[np.ndarray, "B T J 3"]) -> Float[np.ndarray, "B K"]:
        """Probability of every label, at the calibrated temperature."""
        return softmax(self.logits(windows) / self.calibration.temperature, axis=1)

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
        """Read a checkpoint, ready to use. Raises ``WeightsError`` for a file that is not one, or of another kind."""
        stored = checkpoint.load(path)
        if stored.kind != KIND:
            raise WeightsError(f"{path} holds a {stored.kind}; recognition needs a checkpoint of kind {KIND}.")
        try:
            return _built(stored, device)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise WeightsError(f"{path} does not fit its own description: {error}. Fetch or train it anew.") from error


def pictures(windows: Float[np.ndarray, "B T J 3"], encoding: Encoding) -> Float[Tensor, "B 3 H W"]:
    """Motion images of windows as the network takes them: −1…1."""
    images = torch.from_numpy(encode(windows, encoding)).permute(0, 3, 1, 2)
    return images.float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)


def _built(stored: Checkpoint, device: str) -> ActionNetwork:
    facts = stored.description
    net = architecture.build_network(architecture.config_from_mapping(facts["network"]))
    net.load_state_dict(dict(stored.tensors))
    return ActionNetwork(
        net.eval().to(device, memory_format=torch.channels_last),  # type: ignore[call-overload]
        tuple(facts["labels"]),
        Encoding.from_mapping(facts["encoding"]),
        WindowPlan(**facts["windows"]),
        Calibration(**facts["calibration"]),
        facts["about"],
    )

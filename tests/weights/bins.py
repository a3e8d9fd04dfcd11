"""Files in the form in which VideoPose3D publishes its weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor


def state(kernels: Sequence[int] = (3, 3), channels: int = 4, joints: int = 17, answers: int = 17) -> dict[str, Tensor]:
    """Random tensors under the names and in the shapes of a published network."""
    made = {"expand_conv.weight": torch.randn(channels, 2 * joints, kernels[0]), **_norm("expand_bn", channels)}
    for i, kernel in enumerate(kernels[1:]):
        made[f"layers_conv.{2 * i}.weight"] = torch.randn(channels, channels, kernel)
        made[f"layers_conv.{2 * i + 1}.weight"] = torch.randn(channels, channels, 1)
        made |= _norm(f"layers_bn.{2 * i}", channels) | _norm(f"layers_bn.{2 * i + 1}", channels)
    return made | {"shrink.weight": torch.randn(3 * answers, channels, 1), "shrink.bias": torch.randn(3 * answers)}


def write(path: Path, positions: Any, trajectory: Any = None, *, zipped: bool = True, **more: Any) -> Path:
    """Save as the published training does: networks, optimiser, learning rate, random state."""
    weights = [torch.nn.Parameter(torch.ones(3, 2))]
    adam = torch.optim.Adam(weights, amsgrad=True)
    weights[0].sum().backward()
    adam.step()
    held = {
        "epoch": 80,
        "lr": np.float64(1.6e-5),
        "random_state": np.random.RandomState(1234),
        "optimizer": adam.state_dict(),
        "model_pos": positions,
        "model_traj": trajectory,
        **more,
    }
    torch.save(held, path, _use_new_zipfile_serialization=zipped)
    return path


def _norm(name: str, channels: int) -> dict[str, Tensor]:
    parts = {part: torch.randn(channels) for part in ("weight", "bias", "running_mean")}
    return {
        **{f"{name}.{part}": tensor for part, tensor in parts.items()},
        f"{name}.running_var": torch.rand(channels) + 0.5,
        f"{name}.num_batches_tracked": torch.tensor(7),
    }

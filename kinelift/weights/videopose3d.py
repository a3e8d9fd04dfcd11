"""From published weights to the self-describing checkpoint. The architecture is read off the tensors' shapes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, count, takewhile
from operator import mul
from typing import Any

import torch
from torch import Tensor

from kinelift.poses import Skeleton, skeleton
from kinelift.poses.errors import WeightsError
from kinelift.weights.checkpoint import Checkpoint
from kinelift.weights.published import Published

_SOURCES = {17: "coco17", 15: "humaneva15"}
_TARGETS = {17: "h36m17", 15: "humaneva15"}

_AMBIGUOUS = (
    "17 keypoints can be COCO's or Human3.6M's, and the file does not say which: taken as coco17, what detectors give. "
    "For weights trained on Human3.6M's own keypoints, say --skeleton-in h36m17."
)
_CAUSAL = "Whether the network is causal does not show in the file: taken as symmetric. Say --causal if it is."


@dataclass(frozen=True)
class Intent:
    """What the file does not say. A layout of None is the usual one of its number of joints.

    ``rate``: frames a second of the training data; ``causal``: the network answers for the last frame that it sees.
    """

    skeleton_in: str | None = None
    skeleton_out: str | None = None
    rate: float = 50.0
    causal: bool = False


def converted(published: Published, intent: Intent, about: Mapping[str, Any]) -> Checkpoint:
    """A ``temporal-lifter`` checkpoint whose tensors are the published ones, for screen coordinates ("picture").

    Assumptions are noted in ``about["assumed"]``. Raises ``WeightsError`` naming what does not fit.
    """
    if not intent.rate > 0:
        raise WeightsError(f"The frame rate is {intent.rate}; it must be a positive number.")
    config = _config(published.positions, "model_pos", intent)
    roots = None if published.trajectory is None else _config(published.trajectory, "model_traj", intent)
    if roots and (roots["joints_in"], roots["joints_out"]) != (config["joints_in"], 1):
        raise WeightsError("model_traj does not go from the keypoints of model_pos to one joint. It is no trajectory.")
    source = _layout(intent.skeleton_in, _SOURCES, config["joints_in"], "in")
    target = _layout(intent.skeleton_out, _TARGETS, config["joints_out"], "out")
    assumed = [_AMBIGUOUS] * (intent.skeleton_in is None and len(source) == 17) + [_CAUSAL] * (not intent.causal)
    description = {
        "config": config,
        "trajectory": roots,
        "rate": intent.rate,
        "normalisation": "picture",
        "skeleton_in": source.name,
        "skeleton_out": target.name,
        "about": {**about, "epoch": published.epoch, "assumed": assumed},
    }
    trajectory = {f"trajectory.{name}": tensor for name, tensor in (published.trajectory or {}).items()}
    return Checkpoint("temporal-lifter", description, _completed({**published.positions, **trajectory}))


def _config(tensors: Mapping[str, Tensor], part: str, intent: Intent) -> dict[str, Any]:
    """The ``TemporalConfig`` of a state dict, as JSON."""
    channels, inputs, stem = _shape(tensors, part, "expand_conv.weight")
    blocks = takewhile(tensors.__contains__, (f"layers_conv.{2 * i}.weight" for i in count()))
    kernels = [stem, *(_shape(tensors, part, name)[2] for name in blocks)]
    outputs = _shape(tensors, part, "shrink.weight")[0]
    if inputs % 2 or outputs % 3:
        raise WeightsError(
            f"{part} takes {inputs} numbers a frame and gives {outputs}; "
            "published lifters take two a joint (x, y) and give three."
        )
    if not all(kernel % 2 for kernel in kernels):
        raise WeightsError(f"{part} has kernels of {kernels} frames; published lifters have odd ones, with a middle.")
    widths, layout = _widths(kernels)
    _expect(tensors, part, _shapes(kernels, channels, inputs, outputs))
    return {
        "joints_in": inputs // 2,
        "features_in": 2,
        "joints_out": outputs // 3,
        "widths": widths,
        "channels": channels,
        "dropout": 0.25,
        "causal": intent.causal,
        "layout": layout,
    }


def _widths(kernels: Sequence[int]) -> tuple[list[int], str]:
    """Widths and layout. Dense kernels span what dilated ones of the stem's width would."""
    dilations = accumulate([kernels[0]] * (len(kernels) - 1), mul, initial=1)
    spans = [(kernels[0] - 1) * dilation + 1 for dilation in dilations]
    dense = len(set(kernels)) > 1 and list(kernels) == spans
    return ([kernels[0]] * len(kernels), "dense") if dense else (list(kernels), "dilated")


def _shapes(kernels: Sequence[int], channels: int, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    """Every tensor of such a network."""
    shapes: dict[str, tuple[int, ...]] = {"expand_conv.weight": (channels, inputs, kernels[0])}
    norms = ["expand_bn"]
    for i, kernel in enumerate(kernels[1:]):
        shapes[f"layers_conv.{2 * i}.weight"] = (channels, channels, kernel)
        shapes[f"layers_conv.{2 * i + 1}.weight"] = (channels, channels, 1)
        norms += [f"layers_bn.{2 * i}", f"layers_bn.{2 * i + 1}"]
    for norm in norms:
        shapes |= {f"{norm}.{name}": (channels,) for name in ("weight", "bias", "running_mean", "running_var")}
    return shapes | {"shrink.weight": (outputs, channels, 1), "shrink.bias": (outputs,)}


def _shape(tensors: Mapping[str, Tensor], part: str, name: str) -> tuple[int, int, int]:
    if name not in tensors or tensors[name].dim() != 3 or not tensors[name].numel():
        raise WeightsError(f"{part} has no convolution {name}: it is no temporal network of VideoPose3D.")
    return tensors[name].shape[0], tensors[name].shape[1], tensors[name].shape[2]


def _expect(tensors: Mapping[str, Tensor], part: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
    for name, shape in shapes.items():
        if name not in tensors or tuple(tensors[name].shape) != shape:
            has = tuple(tensors[name].shape) if name in tensors else "missing"
            raise WeightsError(f"{part} does not fit together: {name} is {has}, expected {shape}.")
    extra = sorted(set(tensors) - set(shapes) - set(_counters(shapes)))
    if extra:
        raise WeightsError(f"{part} has tensors that a temporal network lacks: {', '.join(extra[:3])}.")


def _layout(chosen: str | None, usual: Mapping[int, str], joints: int, end: str) -> Skeleton:
    if chosen is None and joints not in usual:
        raise WeightsError(f"No usual layout has {joints} joints. Say which one it is with --skeleton-{end}.")
    layout = skeleton(chosen or usual[joints])
    if len(layout) != joints:
        raise WeightsError(
            f"The network has {joints} joints, {layout} has {len(layout)}. Give another --skeleton-{end}."
        )
    return layout


def _completed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Single precision throughout, and the counters of batches that files older than torch 0.4.1 lack."""
    zero = {name: torch.tensor(0) for name in _counters(tensors)}
    return zero | {n: tensor.float() if tensor.is_floating_point() else tensor for n, tensor in tensors.items()}


def _counters(names: Iterable[str]) -> list[str]:
    """What counts the batches of every normalisation among ``names``."""
    variance = "running_var"
    return [n.removesuffix(variance) + "num_batches_tracked" for n in names if n.endswith(variance)]

"""Converts published VideoPose3D weights to checkpoints. The architecture follows from the tensors' shapes."""

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
    "17 keypoints can be those of COCO or of Human3.6M, and the file does not state which: assumed coco17, which "
    "detectors provide. For weights trained on the keypoints of Human3.6M, use --skeleton-in h36m17."
)
_CAUSAL = "Whether the network is causal is not stated in the file: assumed symmetric. Use --causal if it is causal."


@dataclass(frozen=True)
class ImportOptions:
    """Properties that the file does not state.

    Args:
        skeleton_in: Layout of the keypoints; None = the usual one for their number.
        skeleton_out: Layout of the poses; None = the usual one for their number.
        rate: Frame rate of the training data (frames per second).
        causal: Whether the network predicts the last frame of its window, not the middle one.
    """

    skeleton_in: str | None = None
    skeleton_out: str | None = None
    rate: float = 50.0
    causal: bool = False


def convert(published: Published, options: ImportOptions, about: Mapping[str, Any]) -> Checkpoint:
    """Convert published weights to a ``temporal-lifter`` checkpoint for screen coordinates ("picture").

    Args:
        published: The weights.
        options: Properties that the file does not state.
        about: Facts to store with the checkpoint; assumptions are added under "assumed".

    Raises:
        WeightsError: The tensors do not form such a network, or the skeletons do not fit them.
    """
    if not options.rate > 0:
        raise WeightsError(f"The frame rate is {options.rate}; it must be a positive number.")
    config = _config(published.positions, "model_pos", options)
    trajectory_config = None if published.trajectory is None else _config(published.trajectory, "model_traj", options)
    if trajectory_config and (trajectory_config["joints_in"], trajectory_config["joints_out"]) != (
        config["joints_in"],
        1,
    ):
        raise WeightsError(
            "model_traj does not go from the keypoints of model_pos to one joint. It is not a trajectory network."
        )
    source = _skeleton(options.skeleton_in, _SOURCES, config["joints_in"], "in")
    target = _skeleton(options.skeleton_out, _TARGETS, config["joints_out"], "out")
    assumed = [_AMBIGUOUS] * (options.skeleton_in is None and len(source) == 17) + [_CAUSAL] * (not options.causal)
    description = {
        "config": config,
        "trajectory": trajectory_config,
        "rate": options.rate,
        "normalisation": "picture",
        "skeleton_in": source.name,
        "skeleton_out": target.name,
        "about": {**about, "epoch": published.epoch, "assumed": assumed},
    }
    trajectory = {f"trajectory.{name}": tensor for name, tensor in (published.trajectory or {}).items()}
    return Checkpoint("temporal-lifter", description, _normalised({**published.positions, **trajectory}))


def _config(tensors: Mapping[str, Tensor], part: str, options: ImportOptions) -> dict[str, Any]:
    """The ``TemporalConfig`` of a state dict, as JSON."""
    channels, inputs, stem = _convolution_shape(tensors, part, "expand_conv.weight")
    blocks = takewhile(tensors.__contains__, (f"layers_conv.{2 * i}.weight" for i in count()))
    kernels = [stem, *(_convolution_shape(tensors, part, name)[2] for name in blocks)]
    outputs = _convolution_shape(tensors, part, "shrink.weight")[0]
    if inputs % 2 or outputs % 3:
        raise WeightsError(
            f"{part} takes {inputs} values per frame and returns {outputs}; "
            "published lifters take two per joint (x, y) and return three."
        )
    if not all(kernel % 2 for kernel in kernels):
        raise WeightsError(f"{part} has kernels of {kernels} frames; those of published lifters have odd lengths.")
    widths, layout = _widths(kernels)
    _check_shapes(tensors, part, _expected_shapes(kernels, channels, inputs, outputs))
    return {
        "joints_in": inputs // 2,
        "features_in": 2,
        "joints_out": outputs // 3,
        "widths": widths,
        "channels": channels,
        "dropout": 0.25,
        "causal": options.causal,
        "layout": layout,
    }


def _widths(kernels: Sequence[int]) -> tuple[list[int], str]:
    """Widths and layout. Dense kernels span as many frames as dilated ones of the stem's width would."""
    dilations = accumulate([kernels[0]] * (len(kernels) - 1), mul, initial=1)
    spans = [(kernels[0] - 1) * dilation + 1 for dilation in dilations]
    dense = len(set(kernels)) > 1 and list(kernels) == spans
    return ([kernels[0]] * len(kernels), "dense") if dense else (list(kernels), "dilated")


def _expected_shapes(kernels: Sequence[int], channels: int, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor of such a network."""
    shapes: dict[str, tuple[int, ...]] = {"expand_conv.weight": (channels, inputs, kernels[0])}
    norms = ["expand_bn"]
    for i, kernel in enumerate(kernels[1:]):
        shapes[f"layers_conv.{2 * i}.weight"] = (channels, channels, kernel)
        shapes[f"layers_conv.{2 * i + 1}.weight"] = (channels, channels, 1)
        norms += [f"layers_bn.{2 * i}", f"layers_bn.{2 * i + 1}"]
    for norm in norms:
        shapes |= {f"{norm}.{name}": (channels,) for name in ("weight", "bias", "running_mean", "running_var")}
    return shapes | {"shrink.weight": (outputs, channels, 1), "shrink.bias": (outputs,)}


def _convolution_shape(tensors: Mapping[str, Tensor], part: str, name: str) -> tuple[int, int, int]:
    if name not in tensors or tensors[name].dim() != 3 or not tensors[name].numel():
        raise WeightsError(f"{part} has no convolution {name}: it is not a temporal network of VideoPose3D.")
    return tensors[name].shape[0], tensors[name].shape[1], tensors[name].shape[2]


def _check_shapes(tensors: Mapping[str, Tensor], part: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
    for name, shape in shapes.items():
        if name not in tensors or tuple(tensors[name].shape) != shape:
            actual = tuple(tensors[name].shape) if name in tensors else "missing"
            raise WeightsError(f"{part} is inconsistent: {name} is {actual}, expected {shape}.")
    extra = sorted(set(tensors) - set(shapes) - set(_batch_counters(shapes)))
    if extra:
        raise WeightsError(f"{part} has tensors that do not belong to a temporal network: {', '.join(extra[:3])}.")


def _skeleton(chosen: str | None, usual: Mapping[int, str], joints: int, end: str) -> Skeleton:
    if chosen is None and joints not in usual:
        raise WeightsError(f"There is no usual layout of {joints} joints. Give the layout with --skeleton-{end}.")
    layout = skeleton(chosen or usual[joints])
    if len(layout) != joints:
        raise WeightsError(
            f"The network has {joints} joints, but {layout} has {len(layout)}. Give another --skeleton-{end}."
        )
    return layout


def _normalised(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert to single precision, and add the batch counters that files older than torch 0.4.1 lack."""
    zero = {name: torch.tensor(0) for name in _batch_counters(tensors)}
    return zero | {n: tensor.float() if tensor.is_floating_point() else tensor for n, tensor in tensors.items()}


def _batch_counters(names: Iterable[str]) -> list[str]:
    """The names of the batch counters of all normalisation layers."""
    variance = "running_var"
    return [n.removesuffix(variance) + "num_batches_tracked" for n in names if n.endswith(variance)]

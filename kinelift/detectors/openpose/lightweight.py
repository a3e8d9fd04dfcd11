"""Lightweight OpenPose in torch, from the file that its author published."""

import re
from collections.abc import Mapping
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.utils import fuse_conv_bn_eval

from kinelift.detectors.openpose.field_network import LIGHTWEIGHT
from kinelift.detectors.openpose.part_fields import PartFields
from kinelift.models.lightweight_openpose import LightweightOpenPose, LightweightOpenPoseConfig
from kinelift.poses.errors import WeightsError
from kinelift.weights.published import read_state

_STAGE = re.compile(r"refinement_stages\.(\d+)\.")
_BATCH = 8


class LightweightFields:
    """The network behind the ``FieldNetwork`` protocol: half precision and batches on a GPU, single images on a CPU."""

    short_side = 256
    multiple = 8
    size = None

    def __init__(self, net: LightweightOpenPose, *, device: str = "cpu", batch: int | None = None) -> None:
        self._device = torch.device(device)
        on_gpu = self._device.type == "cuda"
        self._type = torch.float16 if on_gpu else torch.float32
        self._net = _fused(net.eval()).to(self._device, self._type)
        self.batch = batch or (_BATCH if on_gpu else 1)

    @staticmethod
    def load(path: Path, *, device: str = "cpu", refinements: int | None = 1) -> "LightweightFields":
        """Load a published file.

        Args:
            path: The file.
            device: "cpu" or "cuda".
            refinements: How many of its refinement stages are used; None = all. The author's file has three; its
                published accuracy was measured with the first alone.

        Raises:
            WeightsError: The file holds something else.
        """
        return LightweightFields(build(read_state(path), path, refinements), device=device)

    @property
    def device(self) -> str:
        """Where it runs."""
        return str(self._device)

    def fields(self, pictures: UInt8[np.ndarray, "B H W 3"]) -> list[PartFields]:
        """The maps of the last stage."""
        with torch.inference_mode():
            heat, limbs = self._net(self._encoded(torch.from_numpy(pictures)))[-1]
            return [PartFields(*maps) for maps in zip(_array(heat), _array(limbs), strict=True)]

    def _encoded(self, pictures: Tensor) -> Tensor:
        """As in ``LIGHTWEIGHT``, on the network's device."""
        values = pictures.to(self._device).permute(0, 3, 1, 2).flip(1).to(self._type)
        return (values - LIGHTWEIGHT.offset) * LIGHTWEIGHT.scale


def build(tensors: Mapping[str, Tensor], path: Path, refinements: int | None = None) -> LightweightOpenPose:
    """Build the network from the tensors of a file.

    Args:
        tensors: By name.
        path: The file, for error messages.
        refinements: How many refinement stages are used; None = all that the file has.

    Raises:
        WeightsError: A tensor is missing, unexpected or of another shape.
    """
    stages = 1 + max((int(found[1]) for name in tensors if (found := _STAGE.match(name))), default=-1)
    net = LightweightOpenPose(LightweightOpenPoseConfig(refinements=stages))
    try:
        net.load_state_dict(dict(tensors))
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise WeightsError(
            f"{path} does not hold Lightweight OpenPose with {stages} refinement stages: {reason}… "
            "Give the published checkpoint_iter_370000.pth, or a file that was trained from it."
        ) from error
    net.refinement_stages = net.refinement_stages[:refinements]
    return net


def _fused(net: nn.Module) -> nn.Module:
    """Fuse every batch normalisation into the convolution before it, which saves a sixth of the time on a CPU."""
    net = deepcopy(net)
    for layers in [layer for layer in net.modules() if isinstance(layer, nn.Sequential)]:
        for k, (layer, norm) in enumerate(pairwise(layers)):
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                layers[k], layers[k + 1] = fuse_conv_bn_eval(layer, norm), nn.Identity()
    return net


def _array(maps: Tensor) -> Float[np.ndarray, "B C h w"]:
    return maps.float().contiguous().cpu().numpy()

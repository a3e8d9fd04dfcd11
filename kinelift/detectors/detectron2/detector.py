"""Detectron2's Keypoint R-CNN: any number of people and their 17 COCO joints, for a GPU.

It takes BGR. Its keypoints are in pixels of the original image, pixel centres at +0.5.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from kinelift.detectors.detectron2.keypoint_rcnn import load
from kinelift.detectors.fitting_batch import FittingBatch
from kinelift.detectors.protocol import FrameIndependent
from kinelift.poses import COCO17, Frame, People, Skeleton
from kinelift.poses.errors import SettingsError
from kinelift.poses.lookahead import map_ahead

_LARGEST_BATCH = 16
_MIDPOINT = 0.2
"""The Detectron2 joint score that maps to 0.5."""


@dataclass(frozen=True)
class Detectron2Settings:
    """How the network is run.

    Args:
        person_threshold: People below this score (0-1) are left out; 0.5 is what Detectron2's demo uses.
        short_side: Images are resized until the shorter side has this many pixels ...
        long_side: ... or the longer side this many, whichever comes first.
        batch: Frames that go through the network together, 1-16; twice as many are read ahead. It is halved where the
            GPU's memory does not suffice.
        precision: "fp32", "fp16" (mixed, on a GPU), or "auto", which is fp16 on a GPU and fp32 on a CPU.

    Raises:
        SettingsError: A value is out of range.
    """

    person_threshold: float = 0.5
    short_side: int = 800
    long_side: int = 1333
    batch: int = 8
    precision: str = "auto"

    def __post_init__(self) -> None:
        if not 0 <= self.person_threshold <= 1:
            raise SettingsError(f"person_threshold is {self.person_threshold}: it must lie between 0 and 1.")
        if min(self.short_side, self.long_side) < 1:
            raise SettingsError(
                f"short_side is {self.short_side} and long_side {self.long_side}: give positive numbers of pixels, "
                "such as 800 and 1333."
            )
        if not 1 <= self.batch <= _LARGEST_BATCH:
            raise SettingsError(f"batch is {self.batch}: give a number of frames from 1 to {_LARGEST_BATCH}.")
        if self.precision not in ("auto", "fp16", "fp32"):
            raise SettingsError(f"Unknown precision {self.precision!r}. Known: auto, fp16, fp32.")

    def scaled(self, width: int, height: int) -> tuple[int, int]:
        """The (width, height) of an image after resizing, rounded as Detectron2's ``ResizeShortestEdge`` does."""
        scale = min(self.short_side / min(width, height), self.long_side / max(width, height))
        return max(1, int(width * scale + 0.5)), max(1, int(height * scale + 0.5))


class Detectron2(FrameIndependent):
    """A Keypoint R-CNN of Detectron2 behind the ``Detector`` protocol.

    Each batch is read and resized while the network runs on the previous one.
    """

    def __init__(self, model: torch.nn.Module, settings: Detectron2Settings | None = None) -> None:
        """Wrap a Keypoint R-CNN built by Detectron2.

        Raises:
            SettingsError: fp16 was requested on a CPU.
        """
        self._model = model.eval()
        self._settings = settings or Detectron2Settings()
        self._batch = FittingBatch(self._settings.batch)
        self._half = _is_half(self._settings.precision, str(model.device))
        if self._half:
            _keep_positions_exact(model)

    @staticmethod
    def load(
        backbone: str = "R50-FPN",
        weights: Path | None = None,
        device: str = "cpu",
        settings: Detectron2Settings | None = None,
    ) -> "Detectron2":
        """Load the network from Detectron2's model zoo.

        Args:
            backbone: "R50-FPN" or "R101-FPN".
            weights: A file of weights; None = the published ones, which are fetched when first needed.
            device: "cpu" or "cuda".
            settings: How the network is run.

        Raises:
            DetectorError: Detectron2 or the device is missing.
            WeightsError: The weights cannot be fetched or read, or do not fit.
            SettingsError: The backbone is unknown.
        """
        settings = settings or Detectron2Settings()
        return Detectron2(load(backbone, weights, device, settings.person_threshold), settings)

    @property
    def skeleton(self) -> Skeleton:
        """COCO's 17 joints."""
        return COCO17

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect the people in each frame, most confident first.

        Raises:
            DetectorError: A single frame does not fit into the GPU's memory.
        """
        for found in map_ahead(self._run, self._batches(frames)):
            yield from found

    def remarks(self) -> tuple[str, ...]:
        """What the user should know after a pass over a video."""
        return self._batch.remarks()

    def _batches(self, frames: Iterable[Frame]) -> Iterator[list[dict[str, Any]]]:
        """Batches of network inputs. Only one original frame is held at a time."""
        source = iter(frames)
        while batch := [self._input(frame) for frame in islice(source, self._batch.size)]:
            yield batch

    def _input(self, frame: Frame) -> dict[str, Any]:
        """One frame in Detectron2's input format: BGR (3, H, W), and the size that its output is scaled to."""
        height, width = frame.image.shape[:2]
        writable = np.require(frame.image, requirements=["C", "W"])  # as torch wants it; copied only if it is not
        image = resized(torch.from_numpy(writable), self._settings.scaled(width, height))
        return {"image": image.flip(2).permute(2, 0, 1), "height": height, "width": width, "image_id": frame.index}

    def _run(self, batch: list[dict[str, Any]]) -> list[People]:
        with torch.inference_mode(), self._autocast():
            smaller = f"Give --long-side a number below {max(batch[0]['image'].shape)}, or --device cpu."
            outputs = self._batch.run(self._model, batch, smaller)
        return [self._people(item["image_id"], output) for item, output in zip(batch, outputs, strict=True)]

    def _autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast("cuda", torch.float16) if self._half else nullcontext()

    def _people(self, frame: int, output: dict[str, Any]) -> People:
        """Convert Detectron2's ``Instances`` of one image."""
        instances = output["instances"]
        confidence = _array(instances.scores)
        order = np.argsort(-confidence, kind="stable")
        order = order[confidence[order] >= self._settings.person_threshold]
        joints = _array(instances.pred_keypoints)[order]
        return People(
            frame,
            points=joints[..., :2],
            scores=normalised_scores(joints[..., 2]),
            boxes=_array(instances.pred_boxes.tensor)[order],
            confidence=confidence[order].clip(0, 1),
        )


def resized(image: UInt8[Tensor, "H W 3"], size: tuple[int, int]) -> UInt8[Tensor, "H2 W2 3"]:
    """An image at another (width, height), as Detectron2 resizes it: with Pillow's bilinear filter.

    That is a triangle, as wide as the reduction, so that every pixel counts. Equal to Pillow's to one grey level: it
    rounds between the passes over columns and rows, this only at the end.
    """
    planes = image.permute(2, 0, 1)[None].float()
    return interpolate(planes, size[::-1], mode="bilinear", antialias=True)[0].permute(1, 2, 0).round().to(torch.uint8)


def normalised_scores(scores: Float[np.ndarray, "*many"]) -> Float[np.ndarray, "*many"]:
    """Map Detectron2's joint scores s > 0 to s / (s + 0.2), in 0-1.

    The score is the peak of a softmax over 56 × 56 cells around the person: roughly one over the number of cells that
    the joint may be in. It exceeds 1 where upsampling the heatmap overshoots. So it is not a probability, and good
    joints may score 0.1. The mapping is monotonic. It takes 0.05, Detectron2's threshold for drawing a joint, to 0.2,
    our tracker's threshold for accepting one.
    """
    return 1 / (1 + _MIDPOINT / scores.clip(1e-9))


def _array(tensor: torch.Tensor) -> Float[np.ndarray, "..."]:
    return tensor.to("cpu", torch.float64).numpy()


def _is_half(precision: str, device: str) -> bool:
    gpu = device.startswith("cuda")
    if precision == "fp16" and not gpu:
        raise SettingsError(f"Detectron2 runs in fp16 only on a GPU, not on {device}. Use precision fp32.")
    return gpu and precision != "fp32"


def _keep_positions_exact(model: Any) -> None:
    """Compute the positions of boxes and joints in fp32, even if the rest of the network runs in fp16.

    Detectron2 rounds boxes to the precision of the features under them, and joints to that of their heatmaps; above
    1024, fp16 resolves whole pixels only.
    """
    heads = model.roi_heads
    for pooler in (heads.box_pooler, heads.keypoint_pooler):
        pooler.register_forward_pre_hook(lambda _, given: ([level.float() for level in given[0]], *given[1:]))
    heads.keypoint_head.score_lowres.register_forward_hook(lambda _, given, heatmaps: heatmaps.float())

"""People from part affinity fields: any OpenPose-style network behind the ``Detector`` protocol."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from kinelift.detectors.letterbox import Letterbox
from kinelift.detectors.openpose.field_network import Encoding, FieldNetwork
from kinelift.detectors.openpose.part_fields import GroupingSettings, PartFields, group
from kinelift.poses import Frame, People, Skeleton
from kinelift.poses.boxes import around
from kinelift.poses.errors import DetectorError, SettingsError
from kinelift.poses.lookahead import map_ahead
from kinelift.poses.skeleton import OPENPOSE18

PUBLISHED = (
    "https://download.01.org/opencv/openvino_training_extensions/models/human_pose_estimation/"
    "checkpoint_iter_370000.pth"
)
"""Where Lightweight OpenPose's author publishes its weights (Apache-2.0)."""

_GREY = 128
"""What the networks saw around pictures in their training."""
_LONGEST = 3.0
"""Sides of a panorama: its longer one is not more than so many times the network's usual short side."""
_TORCH = (b"PK", b"\x80\x02")
"""How files of ``torch.save`` begin, as zip and as the plain pickle before torch 1.6."""


class OpenPose:
    """Finds people and their 18 parts; a part that was not found is NaN.

    ``long_side``: the input's longer side in pixels before it is padded; if it is not given, the shorter side is the
    network's usual one. Networks of one input size do not let it be chosen. ``grouping``: what counts as a person.
    """

    def __init__(
        self, network: FieldNetwork, *, long_side: int | None = None, grouping: GroupingSettings | None = None
    ) -> None:
        if long_side is not None and long_side < network.multiple:
            raise SettingsError(f"long_side is {long_side}: give a positive number of pixels, such as 656.")
        if long_side is not None and network.size:
            raise SettingsError(f"This network's input is always {network.size[0]} × {network.size[1]}: no long side.")
        self._network = network
        self._long_side = long_side
        self._grouping = grouping or GroupingSettings()

    @property
    def skeleton(self) -> Skeleton:
        """OpenPose's 18 joints of COCO."""
        return OPENPOSE18

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """The people in each frame, most confident first.

        While the network works on a batch, the next one is read and scaled, and people are put together in the last.
        """
        for batch, fields in map_ahead(self._run, self._batches(frames)):
            for index, maps in zip(batch.frames, fields, strict=True):
                yield people(index, maps, batch.box, self._grouping)

    def find(self, image: UInt8[np.ndarray, "H W 3"], frame: int = 0) -> People:
        """The people in one RGB picture, most confident first, in pixels of that picture."""
        box = self._letterbox(*image.shape[1::-1])
        (fields,) = self._network.fields(box.apply(image, _GREY)[None])
        return people(frame, fields, box, self._grouping)

    def _batches(self, frames: Iterable[Frame]) -> Iterator["_Batch"]:
        """Consecutive frames of one size. Of the frames themselves one is held at a time."""
        for (height, width, _), alike in groupby(frames, lambda frame: frame.image.shape):
            box = self._letterbox(width, height)
            views = ((frame.index, box.apply(frame.image, _GREY)) for frame in alike)
            while some := list(islice(views, self._network.batch)):
                indices, pictures = zip(*some, strict=True)
                yield _Batch(indices, box, np.stack(pictures))

    def _run(self, batch: "_Batch") -> tuple["_Batch", list[PartFields]]:
        return batch, self._network.fields(batch.pictures)

    def _letterbox(self, width: int, height: int) -> Letterbox:
        network = self._network
        if network.size:
            return Letterbox.within(width, height, network.size)
        usual = round(network.short_side * min(max(width, height) / min(width, height), _LONGEST))
        return Letterbox.fit(width, height, self._long_side or usual, network.multiple)


def people(frame: int, fields: PartFields, box: Letterbox, grouping: GroupingSettings) -> People:
    """Everybody in the maps of a letterboxed picture, in pixels of the picture."""
    found = group(fields, grouping)
    height, width = fields.heat.shape[1:]
    points = box.undo(found.points * (np.array(box.padded) / [width, height]))
    return People(frame, points, found.scores, around(points), found.confidence)


def open_openpose(
    weights: Path | None,
    *,
    device: str = "cpu",
    long_side: int | None = None,
    threads: int = 2,
    encoding: Encoding | None = None,
    grouping: GroupingSettings | None = None,
) -> OpenPose:
    """The detector of a file: Lightweight OpenPose as published, or any ONNX network with OpenPose's COCO output.

    ``threads`` and ``encoding`` are for ONNX networks, see ``OnnxFields``. Raises ``DetectorError`` if there is no file
    or its library is missing, ``WeightsError`` or ``DetectorError`` if it holds something else.
    """
    if weights is None or not weights.is_file():
        missing = "OpenPose needs a file of weights" if weights is None else f"There is no file {weights}"
        raise DetectorError(
            f"{missing}. Lightweight OpenPose's is published at {PUBLISHED} (Apache-2.0); any network with OpenPose's "
            "COCO output will do as ONNX. Give it with: --detector-weights FILE"
        )
    return OpenPose(_network(weights, device, threads, encoding), long_side=long_side, grouping=grouping)


def _network(weights: Path, device: str, threads: int, encoding: Encoding | None) -> FieldNetwork:
    with weights.open("rb") as file:
        is_torch = file.read(2) in _TORCH
    if is_torch:
        from kinelift.detectors.openpose.lightweight import LightweightFields

        return LightweightFields.load(weights, device=device)
    from kinelift.detectors.openpose.onnx_fields import OnnxFields

    return OnnxFields(weights, device=device, threads=threads, encoding=encoding)


@dataclass(frozen=True, eq=False)
class _Batch:
    """Letterboxed pictures of the frames of these indices."""

    frames: tuple[int, ...]
    box: Letterbox
    pictures: UInt8[np.ndarray, "B H W 3"]

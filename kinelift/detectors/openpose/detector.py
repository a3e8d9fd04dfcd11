"""Any OpenPose-style network behind the ``Detector`` protocol: people from part affinity fields."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from kinelift.detectors.fitting_batch import FittingBatch
from kinelift.detectors.letterbox import Letterbox
from kinelift.detectors.openpose.field_network import Encoding, FieldNetwork
from kinelift.detectors.openpose.part_fields import GroupingSettings, PartFields, group
from kinelift.detectors.protocol import FrameIndependent
from kinelift.poses import Frame, People, Skeleton
from kinelift.poses.boxes import bounding_boxes
from kinelift.poses.errors import DetectorError, SettingsError
from kinelift.poses.lookahead import map_ahead
from kinelift.poses.skeleton import OPENPOSE18
from kinelift.weights.store import locate_all

DEFAULT = ("human-pose-estimation-0001", "human-pose-estimation-0001-bin")
"""The registered files of the network that is used when none is named: Lightweight OpenPose as trained by Intel."""

_GREY = 128
"""The padding colour that the networks were trained with."""
_LARGEST_ASPECT = 3.0
"""The largest aspect ratio at which an image keeps the network's usual short side; panoramas get smaller."""
_TORCH = (b"PK", b"\x80\x02")
"""The first bytes of files of ``torch.save``: zip, and the plain pickle before torch 1.6."""


class OpenPose(FrameIndependent):
    """Detects people and their 18 parts; a part that was not found is NaN."""

    def __init__(
        self, network: FieldNetwork, *, long_side: int | None = None, grouping: GroupingSettings | None = None
    ) -> None:
        """Wrap a network.

        Args:
            network: The network.
            long_side: The input's longer side in pixels before padding; None = the shorter side is the network's usual
                one. A network with a fixed input size does not take it.
            grouping: What counts as a part, a limb and a person.

        Raises:
            SettingsError: ``long_side`` is too small, or the network's input size is fixed.
        """
        if long_side is not None and long_side < network.multiple:
            raise SettingsError(f"long_side is {long_side}: give a positive number of pixels, such as 656.")
        if long_side is not None and network.size:
            raise SettingsError(f"This network's input is always {network.size[0]} × {network.size[1]}: no long side.")
        self._network, self._batch = network, FittingBatch(network.batch)
        self._long_side = long_side
        self._grouping = grouping or GroupingSettings()

    @property
    def skeleton(self) -> Skeleton:
        """OpenPose's 18 joints of COCO."""
        return OPENPOSE18

    @property
    def device(self) -> str:
        """Where the network runs."""
        return self._network.device

    def remarks(self) -> tuple[str, ...]:
        """What the user should know after a pass over a video."""
        return self._batch.remarks()

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect the people in each frame, most confident first.

        While the network runs on a batch, the next one is read and scaled, and the last one is grouped into people.
        """
        for batch, fields in map_ahead(self._run, self._batches(frames)):
            for index, maps in zip(batch.frames, fields, strict=True):
                yield people(index, maps, batch.box, self._grouping)

    def find(self, image: UInt8[np.ndarray, "H W 3"], frame: int = 0) -> People:
        """Detect the people in one RGB image, most confident first, in pixels of that image."""
        box = self._letterbox(*image.shape[1::-1])
        (fields,) = self._network.fields(box.apply(image, _GREY)[None])
        return people(frame, fields, box, self._grouping)

    def _batches(self, frames: Iterable[Frame]) -> Iterator["_Batch"]:
        """Batches of consecutive frames of one size. Only one frame itself is held at a time."""
        for (height, width, _), alike in groupby(frames, lambda frame: frame.image.shape):
            box = self._letterbox(width, height)
            views = ((frame.index, box.apply(frame.image, _GREY)) for frame in alike)
            while some := list(islice(views, self._batch.size)):
                indices, pictures = zip(*some, strict=True)
                yield _Batch(indices, box, np.stack(pictures))

    def _run(self, batch: "_Batch") -> tuple["_Batch", list[PartFields]]:
        smaller = f"Give --long-side a number below {max(batch.box.padded)}, or --device cpu."
        return batch, self._batch.run(self._network.fields, batch.pictures, smaller)

    def _letterbox(self, width: int, height: int) -> Letterbox:
        network = self._network
        if network.size:
            return Letterbox.within(width, height, network.size)
        usual = round(network.short_side * min(max(width, height) / min(width, height), _LARGEST_ASPECT))
        return Letterbox.fit(width, height, self._long_side or usual, network.multiple)


def people(frame: int, fields: PartFields, box: Letterbox, grouping: GroupingSettings) -> People:
    """Group the maps of a letterboxed image into people, in pixels of the original image."""
    found = group(fields, grouping)
    height, width = fields.heat.shape[1:]
    points = box.undo(found.points * (np.array(box.padded) / [width, height]))
    return People(frame, points, found.scores, bounding_boxes(points), found.confidence)


def open_openpose(
    weights: Path | None,
    *,
    device: str = "cpu",
    long_side: int | None = None,
    threads: int = 2,
    encoding: Encoding | None = None,
    grouping: GroupingSettings | None = None,
) -> OpenPose:
    """Open a file of weights: Lightweight OpenPose as published, or any network with OpenPose's COCO output.

    Args:
        weights: The file: torch, ONNX, or OpenVINO's .xml; None = ``DEFAULT``.
        device: "cpu" or "cuda".
        long_side: The input's longer side in pixels; None = the network's usual size.
        threads: CPU threads of an ONNX or OpenVINO network.
        encoding: The colours that an ONNX network expects, see ``OnnxFields``.
        grouping: What counts as a part, a limb and a person.

    Raises:
        DetectorError: There is no file, its library is missing, or it holds another kind of network.
        WeightsError: It is a torch file of another network, or the default network was not fetched.
    """
    if weights is None:
        weights, _ = locate_all(DEFAULT)
    elif not weights.is_file():
        raise DetectorError(
            f"There is no file {weights}. --detector-weights takes Lightweight OpenPose's published checkpoint (.pth), "
            "or any network with OpenPose's COCO output as ONNX or for OpenVINO (.xml)."
        )
    return OpenPose(_network(weights, device, threads, encoding), long_side=long_side, grouping=grouping)


def _network(weights: Path, device: str, threads: int, encoding: Encoding | None) -> FieldNetwork:
    with weights.open("rb") as file:
        is_torch = file.read(2) in _TORCH
    if is_torch:
        from kinelift.detectors.openpose.lightweight import LightweightFields

        return LightweightFields.load(weights, device=device)
    if weights.suffix == ".xml":
        from kinelift.detectors.openpose.openvino_fields import OpenVinoFields

        return OpenVinoFields(weights, threads=threads)
    from kinelift.detectors.openpose.onnx_fields import OnnxFields

    return OnnxFields(weights, device=device, threads=threads, encoding=encoding)


@dataclass(frozen=True, eq=False)
class _Batch:
    """Letterboxed images of the frames with these indices."""

    frames: tuple[int, ...]
    box: Letterbox
    pictures: UInt8[np.ndarray, "B H W 3"]

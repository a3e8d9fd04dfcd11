"""Where the maps of OpenPose's COCO output are among the outputs of a network that comes as a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from kinelift.detectors.openpose.part_fields import PartFields
from kinelift.detectors.openpose.part_fields.fields import FIELDS, HEATMAPS
from kinelift.poses.errors import DetectorError

FIRST, LAST = 1, 3
"""The possible axes of the channels in a batch."""


@dataclass(frozen=True)
class Maps:
    """Where maps are: which output, which axis holds its channels, and which channels."""

    output: int
    axis: int
    channels: slice

    def of(self, outputs: Sequence[np.ndarray]) -> Float[np.ndarray, "C h w"]:
        """The maps of the first image."""
        maps = np.moveaxis(outputs[self.output], self.axis, 1)[0, self.channels]
        return np.ascontiguousarray(maps, np.float32)


@dataclass(frozen=True)
class OutputMaps:
    """The 19 heat maps and 38 fields among a network's outputs."""

    heat: Maps
    limbs: Maps

    @staticmethod
    def find(outputs: Sequence[np.ndarray], model: Path, axis: int = FIRST) -> "OutputMaps":
        """Find them by the numbers of channels. Of several, as in networks with an output a stage, the last are used.

        Args:
            outputs: What the network answered to one image.
            model: Its file, for the error.
            axis: That of the channels, if both axes could hold them.

        Raises:
            DetectorError: They are not there.
        """
        joined, found = HEATMAPS + FIELDS, dict[int, tuple[int, int]]()
        for k, array in enumerate(outputs):
            axes = (axis, FIRST + LAST - axis) if array.ndim == 4 else ()
            fitting = [one for one in axes if array.shape[one] in (joined, HEATMAPS, FIELDS)]
            found |= {array.shape[one]: (k, one) for one in fitting[:1]}
        if joined in found:
            return OutputMaps(Maps(*found[joined], slice(HEATMAPS)), Maps(*found[joined], slice(HEATMAPS, None)))
        if HEATMAPS in found and FIELDS in found:
            return OutputMaps(Maps(*found[HEATMAPS], slice(None)), Maps(*found[FIELDS], slice(None)))
        raise DetectorError(
            f"{model} has no output in OpenPose's COCO layout, {HEATMAPS} heat maps and {FIELDS} fields: "
            f"its outputs are {', '.join(str(array.shape) for array in outputs)}."
        )

    def of(self, outputs: Sequence[np.ndarray]) -> PartFields:
        """The maps of one image."""
        return PartFields(self.heat.of(outputs), self.limbs.of(outputs))

"""Networks of OpenPose's kind in OpenVINO's format, an .xml file with its .bin beside it, run by OpenVINO on the CPU.

The one that is used by default is human-pose-estimation-0001 of the Open Model Zoo: Lightweight OpenPose (Osokin, 2018)
as trained by Intel. Its input is one BGR image, 0-255, its sides multiples of 8.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from kinelift.detectors.openpose.field_network import Encoding
from kinelift.detectors.openpose.output_maps import OutputMaps
from kinelift.detectors.openpose.part_fields import PartFields
from kinelift.detectors.openvino import first_line, import_openvino
from kinelift.poses.errors import DetectorError

_TRIAL = (1, 3, 64, 64)


class OpenVinoFields:
    """A file of OpenVINO's behind the ``FieldNetwork`` protocol, one image of any size at a time."""

    short_side = 256
    multiple = 8
    batch = 1
    size = None
    device = "cpu"

    def __init__(self, model: Path, *, threads: int = 2) -> None:
        """Load the network; it takes some seconds.

        Args:
            model: The .xml file.
            threads: Of the CPU.

        Raises:
            DetectorError: OpenVINO is missing, or the file is not such a network.
        """
        self._model, self._network = model, _compiled(model, threads)
        self._maps = OutputMaps.find(self._run(np.zeros(_TRIAL, np.float32)), model)

    def fields(self, pictures: UInt8[np.ndarray, "B H W 3"]) -> list[PartFields]:
        """The maps of each image, run one by one."""
        values = Encoding().encode(pictures).transpose(0, 3, 1, 2)
        return [self._maps.of(self._run(np.ascontiguousarray(one[None], np.float32))) for one in values]

    def _run(self, values: np.ndarray) -> list[np.ndarray]:
        try:
            return [np.array(output) for output in self._network(values).to_tuple()]
        except RuntimeError as error:
            raise DetectorError(f"{self._model} cannot be run on an image: {first_line(error)}") from error


def _compiled(model: Path, threads: int) -> Any:
    """The network for images of any size, in single precision."""
    openvino = import_openvino(model)
    try:
        core = openvino.Core()
        network = core.read_model(model)
        network.reshape([1, 3, -1, -1])
        return core.compile_model(network, "CPU", {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"})
    except RuntimeError as error:
        raise DetectorError(f"Cannot open {model} as an OpenVINO network: {first_line(error)}") from error

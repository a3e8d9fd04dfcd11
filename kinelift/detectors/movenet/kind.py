"""MoveNet as a choice of the command line: the default."""

from dataclasses import dataclass

from kinelift.detectors.options import check_score, long_side_option, option, person_threshold_option
from kinelift.detectors.protocol import DetectorKind, Opened
from kinelift.detectors.tflite import Engine
from kinelift.poses.errors import SettingsError

_MULTIPLE = 32


@dataclass(frozen=True)
class MoveNetOptions:
    """What users can set. Raises ``SettingsError`` for values out of range."""

    long_side: int = long_side_option(512)
    person_threshold: float = person_threshold_option(0.2)
    engine: Engine = option(
        "tflite",
        about="What runs the detector and the refinement: TensorFlow Lite, or OpenVINO, an optional extra, which is "
        "faster on processors with bfloat16.",
    )

    def __post_init__(self) -> None:
        if self.long_side < _MULTIPLE or self.long_side % _MULTIPLE:
            raise SettingsError(
                f"--long-side is {self.long_side}; MoveNet takes a positive multiple of {_MULTIPLE}, such as 512."
            )
        check_score("person_threshold", self.person_threshold)


def _open(options: MoveNetOptions, device: str) -> Opened:
    """MoveNet runs on the CPU whatever the device."""
    from kinelift.detectors.movenet.multi_scale import multi_scale_movenet
    from kinelift.weights.store import locate

    model = locate("movenet-multipose")
    detector = multi_scale_movenet(
        model, long_side=options.long_side, person_threshold=options.person_threshold, engine=options.engine
    )
    by = " by OpenVINO" if options.engine == "openvino" else ""
    return Opened(detector, description=f"MoveNet on cpu{by} (movenet-multipose)")


MOVENET = DetectorKind("movenet", MoveNetOptions, _open, automatic_on=lambda device: True, refinement="full")

"""The specification of a pipeline: its networks, its device and its settings, as one value.

The command line and ``Pipeline.load`` build one, ``Pipeline.open`` opens it, and every recording stores the one it was
made with. It can be saved as JSON and loaded again:

    PipelineSpec(lifter="live", device="cpu").save(Path("live.json"))
    pipeline = Pipeline.open(PipelineSpec.load(Path("live.json")))
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kinelift
from kinelift.app.camera.files import camera_file
from kinelift.app.settings import Detection, Settings
from kinelift.poses import Recording
from kinelift.poses.errors import DataError, KineliftError, SettingsError
from kinelift.poses.json_values import from_json, parse, to_json
from kinelift.poses.output import replacing
from kinelift.poses.overwriting import files_under

FORMAT = 1
_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")


@dataclass(frozen=True)
class PipelineSpec:
    """What ``Pipeline.open`` opens.

    Args:
        detection: The detector and its options.
        lifter: A name of registered weights, or the path to a checkpoint or to a folder of specialists.
        classifier: A name of registered weights, or the path to a checkpoint.
        device: "auto", "cpu", "cuda", or one of several GPUs, such as "cuda:1".
        settings: People, camera and 3D poses.

    Raises:
        SettingsError: The device is unknown.
    """

    detection: Detection = field(default_factory=Detection)
    lifter: str = "default"
    classifier: str = "actions"
    device: str = "auto"
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        check_device(self.device)

    @staticmethod
    def load(path: Path) -> "PipelineSpec":
        """Load a specification from a JSON file. Missing fields take their defaults.

        Raises:
            DataError: The file is missing, is not JSON, or has a field that is unknown or of the wrong type.
            SettingsError: A value is out of range, or two conflict.
        """
        try:
            return PipelineSpec.from_json(parse(path.read_bytes(), "it"))
        except OSError as error:
            raise DataError(f"Cannot read {path}: {error.strerror}.") from error
        except KineliftError as error:
            raise type(error)(f"{path} is not a pipeline specification: {error}") from error

    def save(self, path: Path) -> None:
        """Write the specification as JSON, in one move.

        Raises:
            OutputError: The file cannot be written.
        """
        with replacing(path) as part:
            part.write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")

    @staticmethod
    def from_json(document: Any) -> "PipelineSpec":
        """The inverse of ``to_json``.

        Raises:
            DataError: A field is unknown or of the wrong type, or the format is not supported.
            SettingsError: A value is out of range, or two conflict.
        """
        if isinstance(document, dict) and document.get("format", FORMAT) != FORMAT:
            raise DataError(f"format is {document['format']!r}, but this version reads {FORMAT}.")
        values = {k: v for k, v in document.items() if k != "format"} if isinstance(document, dict) else document
        spec: PipelineSpec = from_json(PipelineSpec, values, "")
        return spec

    def paths(self) -> tuple[Path, ...]:
        """The files and folders that it names, with all files in the folders: networks, keypoints, camera.

        Where it names one video of several in a file or folder, as keypoints.json/left does, that file or folder.
        """
        camera = self.settings.camera and str(camera_file(self.settings.camera))
        values = (self.lifter, self.classifier, camera, *self.detection.options.values())
        named = [path for value in values if isinstance(value, str) and (path := _existing(Path(value)))]
        return (*named, *(file for path in named for file in files_under(path)))

    def to_json(self) -> dict[str, Any]:
        """All fields as JSON values, with the format number."""
        return {"format": FORMAT, **to_json(self)}

    @staticmethod
    def of(recording: Recording) -> "PipelineSpec":
        """The specification that a recording was made with.

        For a recording of ``kinelift detect``, the lifter, the classifier and their settings are the defaults.

        Raises:
            DataError: The recording stores no specification: it has format 1 or comes from another program.
        """
        if "spec" not in recording.made_with:
            raise DataError(
                f"The recording of {recording.video.name} stores no pipeline specification. Analyse the video again."
            )
        return PipelineSpec.from_json(recording.made_with["spec"])


def _existing(path: Path) -> Path | None:
    """The longest part of ``path`` that exists, from its start; None if that is the current folder or the root."""
    return next((one for one in (path, *path.parents) if one.name and one.exists()), None)


def made_with(spec: Mapping[str, Any], notes: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a recording stores about how it was made, as JSON values.

    Args:
        spec: The fields of a ``PipelineSpec`` that were used.
        notes: Notes for the user, such as how a keypoint file was read.

    Returns:
        The program's "version", the "spec" for ``PipelineSpec.from_json``, and the "notes".
    """
    return {"version": kinelift.__version__, "spec": {"format": FORMAT, **to_json(spec)}, "notes": list(notes)}


def check_device(device: str) -> None:
    """Raise ``SettingsError`` unless ``device`` is the name of a device, which may not be there."""
    if not _DEVICE.fullmatch(device):
        raise SettingsError(f"Unknown device {device!r}. Known: auto, cpu, cuda, and cuda:N for one of several GPUs.")


def pick_device(device: str) -> str:
    """Choose the torch device: for "auto" a GPU if there is one, otherwise the CPU.

    Raises:
        SettingsError: The device is unknown, or torch does not find it.
    """
    import torch

    check_device(device)
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        return device
    if not torch.cuda.is_available():
        raise SettingsError("torch finds no CUDA device here. Use --device cpu.")
    if int(device.partition(":")[2] or 0) >= torch.cuda.device_count():
        raise SettingsError(f"There is no {device} here. The last device is cuda:{torch.cuda.device_count() - 1}.")
    return device

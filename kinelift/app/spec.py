"""Everything that was chosen for an analysis, as one value: what to run, on what, with which settings.

The command line and ``Pipeline.load`` make one, ``Pipeline.open`` opens it, and every recording holds the one that it
was made with. It is written as JSON and read back:

    PipelineSpec(lifter="live", device="cpu").save(Path("live.json"))
    pipeline = Pipeline.open(PipelineSpec.load(Path("live.json")))
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kinelift
from kinelift.app.settings import Detection, Settings
from kinelift.poses import Recording
from kinelift.poses.errors import DataError, KineliftError, SettingsError
from kinelift.poses.json_values import from_json, parse, to_json
from kinelift.poses.output import replacing

FORMAT = 1
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class PipelineSpec:
    """What ``Pipeline.open`` needs to know.

    ``lifter`` and ``classifier`` are names of registered weights or paths of checkpoints; a lifter may also be a folder
    of specialists. Raises ``SettingsError`` for an unknown device.
    """

    detection: Detection = field(default_factory=Detection)
    lifter: str = "default"
    classifier: str = "actions"
    device: str = "auto"
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise SettingsError(f"Unknown device {self.device!r}. Known: {', '.join(DEVICES)}.")

    @staticmethod
    def load(path: Path) -> "PipelineSpec":
        """The specification in a JSON file. Fields that the file leaves out have their defaults.

        Raises:
            DataError: The file is missing, is not JSON, or has a field that is unknown or of another type.
            SettingsError: A value is out of range, or two contradict each other.
        """
        try:
            return PipelineSpec.from_json(parse(path.read_bytes(), "it"))
        except OSError as error:
            raise DataError(f"Cannot read {path}: {error.strerror}.") from error
        except KineliftError as error:
            raise type(error)(f"{path} is not a pipeline's specification: {error}") from error

    def save(self, path: Path) -> None:
        """Write what ``load`` reads, in one move. Raises ``OutputError``."""
        with replacing(path) as part:
            part.write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")

    @staticmethod
    def from_json(document: Any) -> "PipelineSpec":
        """The inverse of ``to_json``. Raises as ``load`` does."""
        if isinstance(document, dict) and document.get("format", FORMAT) != FORMAT:
            raise DataError(f"format is {document['format']!r}, and this version reads {FORMAT}.")
        chosen = {k: v for k, v in document.items() if k != "format"} if isinstance(document, dict) else document
        spec: PipelineSpec = from_json(PipelineSpec, chosen, "")
        return spec

    def to_json(self) -> dict[str, Any]:
        """All fields as JSON values, and the number of this format."""
        return {"format": FORMAT, **to_json(self)}

    @staticmethod
    def of(recording: Recording) -> "PipelineSpec":
        """What ``recording`` was made with. Where ``kinelift detect`` made it, the later stages have their defaults.

        Raises ``DataError`` if it does not tell, as those of format 1, or if it was made by another program.
        """
        if "spec" not in recording.made_with:
            raise DataError(f"The recording of {recording.video.name} holds no specification of its pipeline.")
        return PipelineSpec.from_json(recording.made_with["spec"])


def made_with(chosen: Mapping[str, Any], notes: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a recording tells of its making, as JSON values.

    Args:
        chosen: Fields of a ``PipelineSpec``: those that had a part in it.
        notes: What the user was told about them.

    Returns:
        "version" of the program, "spec" for ``PipelineSpec.from_json``, and "notes".
    """
    return {"version": kinelift.__version__, "spec": {"format": FORMAT, **to_json(chosen)}, "notes": list(notes)}


def pick_device(device: str) -> str:
    """The device for torch: ``auto`` is the first GPU if there is one, else the CPU.

    Raises ``SettingsError`` for a GPU that is not there.
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise SettingsError("There is no CUDA device that this torch can use. Choose --device cpu.")
    return device

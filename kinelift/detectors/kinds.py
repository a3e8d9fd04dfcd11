"""The detectors that users can choose. A new one is added to ``KINDS`` and nowhere else."""

from collections.abc import Collection
from typing import Any

from kinelift.detectors.detectron2.kind import DETECTRON2
from kinelift.detectors.keypoint_files.kind import KEYPOINT_FILES
from kinelift.detectors.movenet.kind import MOVENET
from kinelift.detectors.openpose.kind import OPENPOSE
from kinelift.detectors.options import flag
from kinelift.detectors.protocol import DetectorKind
from kinelift.poses.errors import SettingsError

KINDS: tuple[DetectorKind[Any], ...] = (KEYPOINT_FILES, DETECTRON2, MOVENET, OPENPOSE)
"""All detectors. ``--detector auto`` takes the first that its options select, else the first that suits the device."""

AUTO = "auto"


def kind_named(name: str) -> DetectorKind[Any]:
    """The detector of that name.

    Raises:
        SettingsError: There is none.
    """
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise SettingsError(f"Unknown detector {name!r}. Choose {AUTO} or one of {', '.join(one.name for one in KINDS)}.")


def candidates(name: str, options: Collection[str]) -> list[DetectorKind[Any]]:
    """The detectors that ``name`` can mean: one, or for "auto" those that it takes on one device or another.

    Args:
        name: A detector's name or "auto".
        options: The names of the options that the user gave.

    Raises:
        SettingsError: The detector is unknown, or none of them has one of the options.
    """
    if name == AUTO:
        selected = [kind for kind in KINDS if kind.chosen_by in options]
        kinds = selected[:1] or [kind for kind in KINDS if kind.automatic_on is not None]
    else:
        kinds = [kind_named(name)]
    _check_owners(options, kinds)
    return kinds


def choose(name: str, options: Collection[str], device: str) -> DetectorKind[Any]:
    """The detector that ``name`` means on a device ("cpu", "cuda").

    Raises:
        SettingsError: The detector is unknown, or does not have one of the options.
    """
    kinds = candidates(name, options)
    chosen = (
        kinds[0] if len(kinds) == 1 else next(one for one in kinds if one.automatic_on and one.automatic_on(device))
    )
    _check_owners(options, [chosen])
    return chosen


def _check_owners(options: Collection[str], kinds: Collection[DetectorKind[Any]]) -> None:
    """Refuse options that none of ``kinds`` has; the message says which detectors have them."""
    for name in options:
        if any(kind.takes(name) for kind in kinds):
            continue
        owners = _either([kind.name for kind in KINDS if kind.takes(name)])
        if not owners:
            raise SettingsError(f"{flag(name)} is not an option of any detector. Leave it out.")
        chosen = _either([kind.name for kind in kinds])
        raise SettingsError(
            f"{flag(name)} belongs to the detector {owners}, not to {chosen}. "
            f"Give --detector {owners}, or leave {flag(name)} out."
        )


def _either(names: list[str]) -> str:
    """Names as a sentence lists them: "a, b or c"."""
    return " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))

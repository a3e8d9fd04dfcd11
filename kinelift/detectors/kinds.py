"""The detectors that users can choose. A new one is added to ``KINDS`` and nowhere else."""

from collections.abc import Collection, Iterable, Sequence
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
        options: The names of the options that the user gave; each of the detectors has all of them.

    Raises:
        SettingsError: The detector is unknown, or does not have one of the options.
    """
    if name == AUTO:
        selected = [kind for kind in KINDS if kind.chosen_by in options]
        kinds = selected[:1] or [kind for kind in KINDS if kind.automatic_on is not None]
    else:
        kinds = [kind_named(name)]
    having = _having(options, kinds)
    if not having:
        raise _refusal(name, options, kinds)
    return having


def choose(name: str, options: Collection[str], device: str) -> DetectorKind[Any]:
    """The detector that ``name`` means on a device ("cpu", "cuda", "cuda:1").

    "auto" is the first that it takes on this device and that has the options, otherwise the only one that has them.

    Raises:
        SettingsError: The detector is unknown or does not have one of the options, or several others have them.
    """
    kinds = candidates(name, options)
    if name != AUTO or kinds[0].chosen_by in options:
        return kinds[0]
    automatic = [kind for kind in KINDS if kind.automatic_on and kind.automatic_on(device)]
    if suitable := _having(options, automatic):
        return suitable[0]
    having = _having(options, KINDS)
    if len(having) > 1:
        raise _refusal(name, options, automatic)
    return having[0]


def chosen_with(kind: DetectorKind[Any], name: str) -> str:
    """What the user chose a detector with: ``--detector`` and its name, or for "auto" the option that selects it."""
    return flag(kind.chosen_by) if name == AUTO and kind.chosen_by else f"--detector {kind.name}"


def _having(options: Collection[str], kinds: Iterable[DetectorKind[Any]]) -> list[DetectorKind[Any]]:
    return [kind for kind in kinds if all(map(kind.takes, options))]


def _refusal(name: str, options: Collection[str], kinds: Sequence[DetectorKind[Any]]) -> SettingsError:
    """Why none of the detectors that ``name`` stands for has all options, in words that the user gave."""
    for option in options:
        owners = _either([kind.name for kind in KINDS if kind.takes(option)])
        if not owners:
            return SettingsError(f"{flag(option)} is not an option of any detector. Leave it out.")
        if any(kind.takes(option) for kind in kinds):
            continue
        if name != AUTO or kinds[0].chosen_by in options:
            return SettingsError(
                f"{flag(option)} belongs to the detector {owners} and does not go with "
                f"{chosen_with(kinds[0], name)}. Leave out one of the two."
            )
        return SettingsError(
            f"{flag(option)} belongs to the detector {owners}. Give --detector {owners}, or leave {flag(option)} out."
        )
    return SettingsError(f"No detector has all of {', '.join(map(flag, options))}. Leave some of them out.")


def _either(names: list[str]) -> str:
    """Names as a sentence lists them: "a, b or c"."""
    return " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))

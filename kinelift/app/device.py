"""Where the networks run."""

from kinelift.poses.errors import SettingsError

DEVICES = ("auto", "cpu", "cuda")


def pick(device: str) -> str:
    """The device for torch: ``auto`` is the first GPU if there is one, else the CPU. Raises ``SettingsError``."""
    import torch

    if device not in DEVICES:
        raise SettingsError(f"Unknown device {device!r}. Known: {', '.join(DEVICES)}.")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise SettingsError("There is no CUDA device that this torch can use. Choose --device cpu.")
    return device

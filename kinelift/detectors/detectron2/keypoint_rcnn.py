"""Keypoint R-CNN from Detectron2's model zoo: the network, its weights, and what to do if either is missing.

He, Gkioxari, Dollár and Girshick, "Mask R-CNN", 2017, section 5, on a feature pyramid, trained on COCO for about 37
epochs ("3x"). Detectron2 is imported when a network is built, not before.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

import torch

from kinelift.poses.errors import DataError, DetectorError, SettingsError, WeightsError
from kinelift.poses.unpickling import unpickle

BACKBONES: Mapping[str, str] = {
    "R50-FPN": "COCO-Keypoints/keypoint_rcnn_R_50_FPN_3x.yaml",
    "R101-FPN": "COCO-Keypoints/keypoint_rcnn_R_101_FPN_3x.yaml",
}
"""The zoo's configuration of each backbone."""

INSTALL = """\
Detectron2 is in no package index. Build it from source, with git and a C++ compiler, against the installed torch:
    pip install "setuptools<81"
    pip install torchvision==0.28.0 --index-url https://download.pytorch.org/whl/cpu   # torch's CPU build, or
    pip install torchvision==0.28.0                                                    # torch's CUDA build
    pip install --no-build-isolation \
"git+https://github.com/facebookresearch/detectron2@02b5c4e295e990042a714712c21dc79b731e8833"
On a host with CUDA's compiler (nvcc) of torch's version, put FORCE_CUDA=1 before the last line to build its own CUDA
kernels too; this network does without them."""
"""How to install Detectron2, with the versions that fit the pinned torch."""


def build(backbone: str = "R50-FPN", device: str = "cpu", person_threshold: float = 0.5) -> torch.nn.Module:
    """Build the network with random weights from torch's generator. It leaves out people below ``person_threshold``.

    Raises:
        SettingsError: The backbone is unknown.
        DetectorError: Detectron2 or the device is missing.
    """
    if backbone not in BACKBONES:
        raise SettingsError(f"Unknown backbone {backbone!r} for Detectron2. Known: {', '.join(BACKBONES)}.")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise DetectorError(f"Detectron2 cannot run on {device}: this torch sees no CUDA device. Choose the CPU.")
    try:
        from detectron2 import model_zoo
        from detectron2.config import get_cfg
        from detectron2.modeling import build_model
    except (ImportError, OSError, RuntimeError, AttributeError) as error:  # such as: compiled for another torch
        raise DetectorError(f"Detectron2 cannot be imported here ({error}).\n{INSTALL}") from error
    config = get_cfg()
    config.merge_from_file(model_zoo.get_config_file(BACKBONES[backbone]))
    config.MODEL.DEVICE = device
    config.MODEL.ROI_HEADS.SCORE_THRESH_TEST = person_threshold
    model: torch.nn.Module = build_model(config)
    return model.eval()


def load(
    backbone: str = "R50-FPN", weights: Path | None = None, device: str = "cpu", person_threshold: float = 0.5
) -> torch.nn.Module:
    """Load the network with the zoo's weights, which are fetched when first needed, or those of a file.

    The file must be of the same network: one of the zoo (.pkl), or one that Detectron2's training wrote (.pth).

    Raises:
        SettingsError: The backbone is unknown.
        DetectorError: Detectron2 or the device is missing.
        WeightsError: The weights are missing, damaged or of another network.
    """
    model = build(backbone, device, person_threshold)
    if weights is None:
        _fill(model, _fetched(backbone))
    else:
        _check(weights)
        _fill(model, weights)
    return model


def _fetched(backbone: str) -> Path:
    """Detectron2's copy of the zoo's weights, in ``$FVCORE_CACHE`` or ``~/.torch/iopath_cache``."""
    from detectron2 import model_zoo
    from detectron2.utils.file_io import PathManager

    url = model_zoo.get_checkpoint_url(BACKBONES[backbone])
    try:
        return Path(PathManager.get_local_path(url))
    except OSError as error:
        raise WeightsError(
            f"Cannot fetch the weights of Detectron2's {backbone}: {error}. Try again, or fetch {url} elsewhere and "
            "name the file (--detector-weights FILE)."
        ) from error


def _fill(model: torch.nn.Module, file: Path) -> None:
    """Read ``file`` into ``model`` and check that no tensor is missing: Detectron2 itself only warns."""
    from detectron2.checkpoint import DetectionCheckpointer

    with torch.no_grad():
        for tensor in _floats(model).values():
            tensor.fill_(torch.nan)
    reader = DetectionCheckpointer(model)
    reader.logger = logging.Logger("silent", logging.CRITICAL)  # it lists all missing tensors; our error names one
    try:
        reader.load(str(file))
    except Exception as error:  # damaged pickles raise anything
        raise WeightsError(
            f"Detectron2 cannot read the weights {file}: {error}. Delete the file and fetch it again."
        ) from error
    missing = [name for name, tensor in _floats(model).items() if tensor.isnan().any()]
    if missing:
        raise WeightsError(
            f"{file} does not fit this network: {missing[0]} and {len(missing) - 1} other tensors are missing or have "
            f"another shape. Name the backbone that it was trained with (one of {', '.join(BACKBONES)})."
        )


def _floats(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in model.state_dict().items() if tensor.is_floating_point()}


def _check(file: Path) -> None:
    """Check that ``file`` exists and, if it is a pickle, holds arrays only: Detectron2 would run code in it."""
    if not file.is_file():
        raise WeightsError(f"There are no weights at {file}. Without a file, Detectron2 fetches its own.")
    if file.suffix != ".pkl":
        return  # torch reads it, and builds nothing but tensors
    try:
        with file.open("rb") as stream:
            unpickle(stream)
    except DataError as error:
        raise WeightsError(f"{file} {error}") from error
    except Exception as error:  # damaged bytes can raise anything
        raise WeightsError(f"{file} is not a file of weights: {error}.") from error

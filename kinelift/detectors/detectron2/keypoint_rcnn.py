"""Keypoint R-CNN from Detectron2's model zoo: the network, its weights, and what to do if either is missing.

He, Gkioxari, Dollár and Girshick, "Mask R-CNN", 2017, section 5, on a feature pyramid, trained on COCO for about 37
epochs ("3x"). Detectron2 is imported when a network is built, not before.
"""

from collections.abc import Mapping
from pathlib import Path

import torch

from kinelift.poses.errors import DetectorError, SettingsError, WeightsError
from kinelift.weights import zoo
from kinelift.weights.store import default_store

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

    The file must be of the same network: one of the zoo (.pkl), or one that Detectron2's training wrote (.pth). Nothing
    in it is executed.

    Raises:
        SettingsError: The backbone is unknown.
        DetectorError: Detectron2 or the device is missing.
        WeightsError: The weights are missing, damaged or of another network.
    """
    model = build(backbone, device, person_threshold)
    _fill(model, _fetched(backbone, model) if weights is None else weights)
    return model


def _fetched(backbone: str, model: torch.nn.Module) -> Path:
    """The zoo's weights in Kinelift's cache. Twice the network's own size is the most that is downloaded."""
    from detectron2 import model_zoo

    url = model_zoo.get_checkpoint_url(BACKBONES[backbone])
    size = sum(tensor.nbytes for tensor in model.state_dict().values())
    file = default_store().downloaded(f"detectron2-{backbone}-{url.rpartition('_')[2]}")
    try:
        return zoo.fetch(url, file, most=2 * size)
    except WeightsError as error:
        raise WeightsError(f"{error} Or fetch {url} elsewhere and name the file: --detector-weights FILE.") from error


def _fill(model: torch.nn.Module, file: Path) -> None:
    """Copy the tensors of ``file`` to ``model``, and check that none is missing, of another shape or not a number."""
    tensors = zoo.read(file)
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    fitting = {name: tensor for name, tensor in tensors.items() if tensor.shape == shapes.get(name)}
    with torch.no_grad():
        for tensor in _floats(model).values():
            tensor.fill_(torch.nan)
        model.load_state_dict(fitting, strict=False)  # the network itself may fill in what early files lack
    missing = [name for name, tensor in _floats(model).items() if not tensor.isfinite().all()]
    if missing:
        raise WeightsError(
            f"{file} does not fit this network: {missing[0]} and {len(missing) - 1} other tensors are missing, have "
            f"another shape or hold NaN. Name the backbone that it was trained with (one of {', '.join(BACKBONES)})."
        )


def _floats(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in model.state_dict().items() if tensor.is_floating_point()}

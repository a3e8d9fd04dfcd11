"""The part of Detectron2's interface that the adapter uses, without Detectron2.

What it mirrors was read in Detectron2's source: configurations are nodes with attributes and start from a yaml of the
zoo; a model takes a list of dicts (image (3, H, W) in BGR; height, width) and answers each with ``Instances`` scaled to
height × width, boxes cut off at the picture and empty ones dropped; boxes are rounded to the precision of the features,
and keypoints to that of the heatmaps. What the network sees is made up.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

URL = "https://dl.fbaipublicfiles.com/detectron2/"


class Instances:
    """Fields of equal length; ``pred_boxes`` has its numbers in ``tensor``."""

    def __init__(self, size: tuple[int, int], boxes: Tensor, scores: Tensor, keypoints: Tensor) -> None:
        self.image_size = size
        self.pred_boxes = SimpleNamespace(tensor=boxes)
        self.scores, self.pred_keypoints = scores, keypoints
        self.pred_classes = torch.zeros(len(scores), dtype=torch.int64)

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, eq=False)
class Seen:
    """People in the pixels of the picture that the network was given: (N, 4), (N,) and (N, 17, 3)."""

    boxes: Tensor
    scores: Tensor
    keypoints: Tensor

    @staticmethod
    def nobody() -> "Seen":
        return Seen(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, 17, 3))


def person(x: float, y: float, score: float = 0.9, joint: float = 0.2) -> Seen:
    """Somebody whose joints all lie at one place."""
    return Seen(
        torch.tensor([[x - 5, y - 5, x + 5, y + 5]]),
        torch.tensor([score]),
        torch.tensor([x, y, joint]).expand(1, 17, 3).clone(),
    )


def nobody(image: Tensor) -> Seen:
    """An empty picture."""
    return Seen.nobody()


def red_spot(image: Tensor) -> Seen:
    """A person at the centre of what is red, in the channels of the zoo's networks: blue, green, red."""
    red = image[2].double()
    if not red.any():
        return Seen.nobody()
    y, x = (torch.arange(n, dtype=torch.float64) + 0.5 for n in red.shape)
    return person(float((red * x).sum() / red.sum()), float((red.T * y).sum() / red.sum()))


class Pooler(nn.Module):
    """Where the features are cut out: the boxes, in the precision of the features."""

    def forward(self, features: list[Tensor], boxes: list[Tensor]) -> Tensor:
        return torch.cat(boxes).to(features[0].dtype).float()


class Network(nn.Module):
    """A Keypoint R-CNN whose answers ``see`` makes up from the picture; ``batches`` notes what it was given."""

    def __init__(self, see: Callable[[Tensor], Seen], device: str = "cpu") -> None:
        super().__init__()
        self.see, self.batches = see, []
        self.device = torch.device(device)
        self.backbone = nn.Conv2d(3, 4, 3)
        self.roi_heads = nn.Module()
        self.roi_heads.box_pooler, self.roi_heads.keypoint_pooler = Pooler(), Pooler()
        self.roi_heads.keypoint_head = nn.Module()
        self.roi_heads.keypoint_head.score_lowres = nn.ConvTranspose2d(4, 17, 4, stride=2, padding=1)
        self.register_buffer("pixel_mean", torch.zeros(3, 1, 1), persistent=False)

    def forward(self, batch: list[dict[str, Any]]) -> list[dict[str, Instances]]:
        assert not self.training and not torch.is_grad_enabled()
        self.batches.append(batch)
        return [{"instances": self._scaled(one)} for one in batch]

    def _scaled(self, one: dict[str, Any]) -> Instances:
        image, height, width = one["image"], one["height"], one["width"]
        seen, heads = self.see(image), self.roi_heads
        features = [self.backbone(torch.zeros(1, 3, 4, 4))]
        cut = heads.keypoint_pooler(features, [heads.box_pooler(features, [seen.boxes])])
        maps = heads.keypoint_head.score_lowres(features[0])
        keypoints = maps.new_zeros(len(seen.scores), 17, 3)
        keypoints[:] = seen.keypoints
        keypoints[..., :2] += (cut - seen.boxes)[:, None, :2]  # what is seen in a displaced box is displaced
        x, y = width / image.shape[2], height / image.shape[1]
        keypoints[..., 0] *= x
        keypoints[..., 1] *= y
        boxes = seen.boxes * torch.tensor([x, y, x, y])
        boxes = boxes.clamp(torch.zeros(4), torch.tensor([width, height, width, height]))
        full = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
        return Instances((height, width), boxes[full], seen.scores[full], keypoints[full])


@dataclass(eq=False)
class Fake:
    """What was asked of the package. ``zoo``: the address that it gives for a network's weights, from its name on."""

    see: Callable[[Tensor], Seen]
    zoo: Callable[[str], str] = lambda name: f"{URL}{name}/1/model_final_abcdef.pkl"
    configs: list[Any] = field(default_factory=list)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> "Fake":
        """Put the package where ``import`` finds it, until the test ends."""
        modules = {
            "detectron2": {},
            "detectron2.config": {"get_cfg": self._config},
            "detectron2.modeling": {"build_model": self._build},
            "detectron2.model_zoo": {
                "get_config_file": lambda name: f"/zoo/{name}",
                "get_checkpoint_url": lambda name: self.zoo(name.removesuffix(".yaml")),
            },
        }
        for name, members in modules.items():
            module = ModuleType(name)
            module.__spec__, module.__path__ = ModuleSpec(name, None, is_package=True), []
            vars(module).update(members)
            monkeypatch.setitem(sys.modules, name, module)
            if "." in name:
                parent, _, child = name.rpartition(".")
                setattr(sys.modules[parent], child, module)
        return self

    def _config(self) -> Any:
        config = SimpleNamespace(
            MODEL=SimpleNamespace(DEVICE="cuda", ROI_HEADS=SimpleNamespace(SCORE_THRESH_TEST=0.05))
        )
        config.merge_from_file = lambda path: setattr(config, "file", path)
        self.configs.append(config)
        return config

    def _build(self, config: Any) -> Network:
        return Network(self.see, config.MODEL.DEVICE)


def recorded() -> list[Instances]:
    """Three pictures' answers as Detectron2 0.6 gave them on a CPU: five people, four, nobody.

    Its weights were random (seed 0, the last layers scaled down to a trained network's range), so the layout, the
    types, the size of the picture and the spread of the joints' scores (0.005–844) are real, the people are not.
    """
    with np.load(Path(__file__).with_name("recorded.npz")) as file:
        arrays = {name: torch.from_numpy(file[name]) for name in file.files}
    return [
        Instances(
            tuple(arrays[f"{k}_image_size"].tolist()),
            *(arrays[f"{k}_{name}"] for name in ("pred_boxes", "scores", "pred_keypoints")),
        )
        for k in range(3)
    ]

"""The real Detectron2 with random weights, where it is installed."""

import pytest
import torch

from kinelift.detectors.detectron2.detector import installed
from kinelift.detectors.detectron2.keypoint_rcnn import build


def random_network(doubt: float = 0.0) -> torch.nn.Module:
    """R50-FPN with seeded weights, the last layers brought to a trained network's range: else its own checks fail.

    ``doubt`` is added to the background's logit: at 0 it sees people anywhere, at 100 nowhere.
    """
    if not installed():
        pytest.skip("Detectron2 is not installed; docs/how-to/install-detectron2.md says how to build it")
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        model = build("R50-FPN", "cpu", person_threshold=0.1)
        boxes, proposals = model.roi_heads.box_predictor, model.proposal_generator.rpn_head
        for layer, scale in (
            (boxes.cls_score, 0.01),
            (boxes.bbox_pred, 0.01),
            (proposals.anchor_deltas, 0.001),
            (proposals.objectness_logits, 0.01),
            (model.roi_heads.keypoint_head.score_lowres, 0.005),
        ):
            layer.weight.mul_(scale)
        boxes.cls_score.bias[-1] += doubt
    return model

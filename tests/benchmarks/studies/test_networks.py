"""The networks that the action network is compared with."""

import numpy as np
import pytest
import torch

from benchmarks.studies.networks.__main__ import measured
from benchmarks.studies.networks.image_network import ImageResNet
from benchmarks.studies.networks.skeleton_network import SkeletonNet, features
from kinelift.models.enas.genotype import HAND_CHOSEN
from kinelift.recognition.training.corpus import corpus_of
from kinelift.recognition.training.trainer import TrainSettings
from kinelift.recognition.windows import WindowPlan
from tests.recognition.motions import clip, dataset, walking, waving


def test_features_are_positions_bones_and_velocities_whichever_way_the_body_faces() -> None:
    windows = np.stack([walking(31), waving(31)])
    seen = features(windows)
    assert seen.shape == (2, 9, 31, 17)
    assert not seen[:, :3, :, 0].any() and not seen[:, 6:, 0].any(), "hip at the origin, first frame at rest"
    turned = features(windows @ np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]) + 3.0)
    torch.testing.assert_close(turned, seen, atol=1e-4, rtol=0)


def test_networks_give_a_logit_for_each_label() -> None:
    assert SkeletonNet(5, width=8)(features(walking(31)[None])).shape == (1, 5)
    assert ImageResNet(5, width=4)(torch.zeros(2, 3, 32, 32)).shape == (2, 5)


@pytest.mark.parametrize("kind", ["cell", "random", "resnet", "skeleton"])
def test_every_kind_learns_two_easy_actions(kind: str) -> None:
    motions = {"walk": walking(60), "gesture": waving(60)}
    clips = [clip(f"{name}{who}", who, points, name) for who in ("1", "2") for name, points in motions.items()]
    settings = TrainSettings(channels=4, stages=2, epochs=4, steps=15, batch=16, plan=WindowPlan())
    result = measured(corpus_of(dataset(clips), settings.plan), settings, kind, HAND_CHOSEN, 2)  # type: ignore[arg-type]
    assert result["clips"] == 1.0 and result["parameters"] > 1000

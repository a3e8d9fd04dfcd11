"""The network has the size, the names and the shapes of the published one."""

import pytest
import torch
from torch import nn

from kinelift.models.lightweight_openpose import LightweightOpenPose, LightweightOpenPoseConfig


@pytest.fixture(scope="module")
def net() -> LightweightOpenPose:
    torch.manual_seed(0)
    return LightweightOpenPose(LightweightOpenPoseConfig()).eval()


def test_parameters_are_as_many_as_published(net: LightweightOpenPose) -> None:
    assert sum(parameter.numel() for parameter in net.parameters()) == 4_091_698


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("model.0.0.weight", (32, 3, 3, 3)),
        ("model.1.3.weight", (64, 32, 1, 1)),
        ("model.11.4.running_var", (512,)),
        ("cpm.align.0.bias", (128,)),
        ("cpm.trunk.0.2.weight", (128, 128, 1, 1)),
        ("cpm.conv.0.weight", (128, 128, 3, 3)),
        ("initial_stage.trunk.2.0.bias", (128,)),
        ("initial_stage.heatmaps.0.0.weight", (512, 128, 1, 1)),
        ("initial_stage.heatmaps.1.0.bias", (19,)),
        ("initial_stage.pafs.1.0.weight", (38, 512, 1, 1)),
        ("refinement_stages.0.trunk.0.initial.0.weight", (128, 185, 1, 1)),
        ("refinement_stages.0.trunk.4.trunk.1.1.weight", (128,)),
        ("refinement_stages.0.pafs.1.0.bias", (38,)),
    ],
)
def test_parameters_have_the_published_names(net: LightweightOpenPose, name: str, shape: tuple[int, ...]) -> None:
    assert tuple(net.state_dict()[name].shape) == shape


@pytest.mark.parametrize(("size", "cells"), [((64, 96), (8, 12)), ((72, 65), (9, 9))])
def test_every_stage_outputs_an_eighth_of_the_resolution(
    net: LightweightOpenPose, size: tuple[int, int], cells: tuple[int, int]
) -> None:
    with torch.inference_mode():
        stages = net(torch.rand(2, 3, *size))
    assert len(stages) == 2
    for heatmaps, fields in stages:
        assert (heatmaps.shape, fields.shape) == ((2, 19, *cells), (2, 38, *cells))
    assert net.config.stride == 8


def test_images_of_a_batch_are_independent(net: LightweightOpenPose) -> None:
    pictures = torch.rand(3, 3, 32, 40)
    with torch.inference_mode():
        together = net(pictures)[-1]
        alone = [net(picture[None])[-1] for picture in pictures]
    for part, answer in enumerate(together):
        torch.testing.assert_close(answer, torch.cat([one[part] for one in alone]), rtol=1e-4, atol=1e-5)


def test_refinements_do_not_change_the_stages_before(net: LightweightOpenPose) -> None:
    longer = LightweightOpenPose(LightweightOpenPoseConfig(refinements=3)).eval()
    missing = longer.load_state_dict(net.state_dict(), strict=False).missing_keys
    assert all(name.startswith(("refinement_stages.1.", "refinement_stages.2.")) for name in missing)
    picture = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        short, long = net(picture), longer(picture)
    assert len(long) == 4
    torch.testing.assert_close(short, long[:2])


def test_dilation_takes_the_place_of_strides(net: LightweightOpenPose) -> None:
    convolutions = [layer for layer in net.model.modules() if isinstance(layer, nn.Conv2d) and layer.groups > 1]
    assert [layer.stride[0] for layer in convolutions] == [1, 2, 1, 2, *[1] * 7]
    assert [layer.dilation[0] for layer in convolutions] == [*[1] * 6, 2, *[1] * 4]
    assert all(layer.padding == layer.dilation for layer in convolutions)

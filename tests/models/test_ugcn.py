from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from kinelift.models.ugcn import UGCN, UGCNConfig, hops, partition

H36M = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
STAR = (1, -1, 1, 2)  # joint 1 is the root, 0 and 2 hang on it, 3 on 2


def small(config: UGCNConfig) -> UGCN:
    torch.manual_seed(0)
    net = UGCN(config).eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return net


@st.composite
def trees(draw: st.DrawFn) -> tuple[int, ...]:
    """Parents of a random tree whose joints are in random order."""
    count = draw(st.integers(1, 12))
    parents = [-1, *(draw(st.integers(0, j - 1)) for j in range(1, count))]
    order = draw(st.permutations(range(count)))
    renamed = [0] * count
    for joint, parent in enumerate(parents):
        renamed[order[joint]] = -1 if parent < 0 else order[parent]
    return tuple(renamed)


def test_partition_of_a_known_tree() -> None:
    assert hops(STAR) == (1, 0, 1, 2)
    same, nearer, farther = partition(STAR)
    assert torch.equal(same, torch.eye(4))
    assert nearer.tolist() == [[0, 1, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    assert farther.tolist() == [[0, 0, 0, 0], [0.5, 0, 0.5, 0], [0, 0, 0, 1], [0, 0, 0, 0]]


@given(trees())
def test_partition_splits_the_neighbours_of_any_tree(parents: tuple[int, ...]) -> None:
    subsets = partition(parents)
    for joint, far in enumerate(hops(parents)):
        assert far == (0 if parents[joint] < 0 else hops(parents)[parents[joint]] + 1)
        near = {joint, *(c for c, p in enumerate(parents) if p == joint)} | ({parents[joint]} - {-1})
        assert set(subsets[:, joint].sum(0).nonzero().flatten().tolist()) == near
    assert torch.isin(subsets.sum(2).round(decimals=5), torch.tensor([0.0, 1.0])).all()
    assert (subsets.count_nonzero(0) <= 1).all()


@pytest.mark.parametrize("parents", [(), (0, 1), (-1, -1), (-1, 2, 1), (-1, 5)])
def test_parents_that_form_no_tree_are_refused(parents: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="root"):
        UGCNConfig(parents)


def test_frames_that_do_not_halve_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 16"):
        UGCNConfig(STAR, frames=100)
    with pytest.raises(ValueError, match="7 frames are not a multiple of 2"):
        small(UGCNConfig(STAR, joints_in=4, widths=(4, 4)))(torch.randn(1, 7, 4, 2))
    with pytest.raises(ValueError, match="odd"):
        UGCNConfig(STAR, kernel=4)


def test_shapes_at_every_stage() -> None:
    net = small(UGCNConfig(H36M, joints_in=15, widths=(4, 6, 8, 10, 12)))
    shapes: dict[str, list[tuple[int, ...]]] = {"down": [], "up": [], "merge": []}
    for name, found in shapes.items():
        for module in net.get_submodule(name).children():
            module.register_forward_hook(lambda _, __, out, found=found: found.append(tuple(out.shape[1:])))
    assert net(torch.randn(2, 96, 15, 2)).shape == (2, 96, 17, 3)
    assert shapes["down"] == [(4, 96, 17), (6, 48, 17), (8, 24, 17), (10, 12, 17), (12, 6, 17)]
    assert shapes["up"] == [(10, 6, 17), (8, 12, 17), (6, 24, 17), (4, 48, 17)]  # each is then doubled
    assert shapes["merge"] == [(4, frames, 17) for frames in (6, 12, 24, 48, 96)]


def test_nine_blocks_down_with_strides_at_every_second_and_four_up() -> None:
    net = small(UGCNConfig(H36M, widths=(4, 4, 4, 4, 4)))
    strides = [block.convolution.time.stride[0] for stage in net.down for block in stage.blocks]
    assert strides == [1, 2, 1, 2, 1, 2, 1, 2, 1]
    assert [block.convolution.time.stride[0] for block in net.up] == [1, 1, 1, 1]


@pytest.mark.parametrize(("joints_in", "parents"), [(17, H36M), (15, H36M[:15]), (17, STAR)])
def test_output_shape_follows_the_config(joints_in: int, parents: tuple[int, ...]) -> None:
    config = UGCNConfig(parents, joints_in=joints_in, features_in=3, frames=32, widths=(4, 4, 8))
    answer = small(config)(torch.randn(2, config.window, joints_in, 3))
    assert answer.shape == (2, config.outputs, config.joints_out, 3)
    assert config.first_output == 0


def parameters(config: UGCNConfig) -> int:
    return sum(p.numel() for p in UGCN(config).parameters())


def test_default_size() -> None:
    assert parameters(UGCNConfig(H36M)) == 2_087_524


@pytest.mark.parametrize("widths", [(8,), (8, 16), (4, 4, 8), (4, 8, 8, 12, 16)])
def test_size_by_formula(widths: tuple[int, ...]) -> None:

    def block(inputs: int, outputs: int, shortcut: bool) -> int:
        short = inputs * outputs + 2 * outputs if shortcut else 0
        return 3 * inputs * outputs + 5 * outputs**2 + 2 * outputs + short

    stairs = list(pairwise(widths))
    down = block(2, widths[0], True) + sum(block(a, b, True) + block(b, b, False) for a, b in stairs)
    up = sum(block(b, a, a != b) for a, b in stairs)
    first = widths[0]
    rest = 17 * 17 + sum(w * first for w in widths) + 2 * first + 3 * first**2 + 5 * 3 * first + 3
    assert parameters(UGCNConfig(H36M, frames=16, widths=widths)) == down + up + rest


def test_every_parameter_learns() -> None:
    net = small(UGCNConfig(H36M, frames=32, widths=(4, 6, 8), dropout=0.1)).train()
    net(torch.randn(2, 32, 17, 2)).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


@settings(max_examples=10)
@given(st.permutations(range(len(STAR))))
def test_names_of_joints_do_not_matter(order: list[int]) -> None:
    """The same tree with its joints stored in another order gives the same poses in that order."""
    renamed = [0] * len(STAR)
    for joint, parent in enumerate(STAR):
        renamed[order[joint]] = -1 if parent < 0 else order[parent]
    shape = {"joints_in": len(STAR), "frames": 8, "widths": (4, 4)}
    net, other = small(UGCNConfig(STAR, **shape)), small(UGCNConfig(tuple(renamed), **shape))
    windows = torch.randn(2, 8, len(STAR), 2)
    moved = torch.empty_like(windows)
    moved[:, :, order] = windows
    torch.testing.assert_close(other(moved)[:, :, order], net(windows), atol=1e-6, rtol=1e-5)


def test_symmetric_limbs_are_treated_alike() -> None:
    """Exchanging the legs of the input exchanges the legs of the output: weights depend on hops, not on joints."""
    net, windows = small(UGCNConfig(H36M, frames=16, widths=(4, 4, 8))), torch.randn(1, 16, 17, 2)
    legs = torch.tensor([0, 4, 5, 6, 1, 2, 3, *range(7, 17)])
    torch.testing.assert_close(net(windows[:, :, legs]), net(windows)[:, :, legs], atol=1e-6, rtol=1e-5)


def test_network_is_shift_equivariant_away_from_the_ends() -> None:
    """A shift by a whole step of the coarsest resolution shifts the output by as much."""
    config = UGCNConfig(STAR, joints_in=4, frames=80, kernel=3, widths=(4, 4, 4))
    net, clip = small(config), torch.randn(1, 80 + config.multiple, 4, 2)
    early, late = net(clip[:, :80]), net(clip[:, config.multiple :])
    torch.testing.assert_close(early[:, 36:48], late[:, 36 - config.multiple : 48 - config.multiple])


@pytest.mark.parametrize("frames", [32, 64])
def test_longer_windows_use_the_same_weights(frames: int) -> None:
    net = small(UGCNConfig(STAR, joints_in=4, frames=32, widths=(4, 4)))
    assert net(torch.randn(1, frames, 4, 2)).shape == (1, frames, 4, 3)

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.models.enas.action_net import ActionNet, ActionNetConfig
from kinelift.models.enas.cell import Cell
from kinelift.models.enas.genotype import HAND_CHOSEN, OPERATIONS, Genotype, loose_ends, node
from kinelift.models.enas.operations import DropPath, operation
from tests.models.architectures import cells, genotypes


@given(genotypes())
def test_genotype_survives_json(genotype):
    assert Genotype.from_json(genotype.to_json()) == genotype


@given(cells())
def test_last_node_is_always_a_loose_end(nodes):
    assert 1 + len(nodes) in loose_ends(nodes)


def test_genotype_rejects_what_cannot_be_built():
    with pytest.raises(ValueError, match="Unknown operation 'fold'"):
        Genotype((node(0, "fold", 1, "identity"),), HAND_CHOSEN.reduction)
    with pytest.raises(ValueError, match="reads state 2"):
        Genotype((node(2, "identity", 1, "identity"),), HAND_CHOSEN.reduction)
    with pytest.raises(ValueError, match="at least one node"):
        Genotype((), HAND_CHOSEN.reduction)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("stride", [1, 2])
def test_operations_keep_channels_and_divide_resolution(name, stride):
    images = torch.randn(2, 4, 8, 8)
    assert operation(name, 4, stride)(images).shape == (2, 4, 8 // stride, 8 // stride)


@settings(max_examples=15)
@given(genotypes(), st.integers(1, 2), st.booleans())
def test_any_genotype_makes_a_net_that_learns(genotype, repeats, auxiliary):
    net = ActionNet(ActionNetConfig(5, genotype, channels=4, cells=repeats, dropout=0.0, auxiliary=auxiliary))
    heads = net.heads(torch.randn(3, 3, 16, 16))
    assert [head.shape for head in heads] == [(3, 5)] * (1 + auxiliary)
    sum(head.square().sum() for head in heads).backward()
    assert net.stem[0].weight.grad.abs().sum() > 0


def test_hand_chosen_net_is_small_and_every_parameter_gets_a_gradient():
    net = ActionNet(ActionNetConfig(11))
    net(torch.randn(2, 3, 32, 32)).square().sum().backward()
    assert sum(p.numel() for p in net.parameters()) < 1_000_000
    assert all(p.grad is not None for p in net.parameters())


def test_cell_adds_its_two_edges():
    nodes = (node(0, "identity", 1, "identity"),)
    cell = Cell(nodes, (2, 2), 2, stride=1).eval()
    before, last = torch.randn(1, 2, 4, 4), torch.randn(1, 2, 4, 4)
    torch.testing.assert_close(cell(before, last), cell.align[0](before) + cell.align[1](last))


def test_main_head_is_what_forward_returns():
    net = ActionNet(ActionNetConfig(3, channels=4, auxiliary=True)).eval()
    images = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(net(images), net.heads(images)[0])


def test_drop_path_spares_whole_examples_and_keeps_the_mean():
    path = torch.ones(4000, 2, 3, 3)
    dropped = DropPath(0.25)(path)
    kept = dropped.amax(dim=(1, 2, 3)) > 0
    assert kept.float().mean().item() == pytest.approx(0.75, abs=0.05)
    torch.testing.assert_close(dropped[kept], path[kept] / 0.75)
    assert not dropped[~kept].any()
    torch.testing.assert_close(DropPath(0.25).eval()(path), path)

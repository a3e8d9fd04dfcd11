import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.models.enas.action_net import ActionNetConfig
from kinelift.models.enas.batch_norm import batch_statistics
from kinelift.models.enas.genotype import HAND_CHOSEN, Genotype, node
from kinelift.models.enas.space import MicroSpace
from kinelift.models.enas.supernet import Supernet
from tests.models.architectures import genotypes

SPACE = MicroSpace(3)


def supernet(**changes):
    torch.manual_seed(0)
    sizes = {
        "channels": 4,
        "stages": 2,
        "auxiliary": True,
        "normalise": True,
        "grid": (2, 1),
        "dropout": 0.2,
        "drop_path": 0.2,
        **changes,
    }
    return Supernet(ActionNetConfig(5, **sizes), 3)


IMAGES = torch.randn(4, 3, 16, 16)


def trained(**changes):
    """A supernet whose weights and statistics are no longer those that every copy starts with."""
    net = supernet(**changes)
    with torch.no_grad():
        for tensor in net.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_(0.1 * torch.rand_like(tensor))
    return net


@settings(max_examples=10)
@given(genotypes(3, 3), st.integers(1, 2))
def test_supernet_on_a_genotype_is_the_standalone_network(genotype, repeats):
    shared = trained(cells=repeats)
    net = shared.extract(genotype)
    torch.manual_seed(1)
    expected = net.heads(IMAGES)
    torch.manual_seed(1)
    made = shared.heads(IMAGES, genotype)
    assert all(torch.equal(a, b) for a, b in zip(made, expected, strict=True))
    assert torch.equal(shared.eval()(IMAGES, genotype), net.eval()(IMAGES))
    assert torch.equal(shared.extract(genotype)(IMAGES), net(IMAGES))


@settings(max_examples=5)
@given(genotypes(3, 3))
def test_gradients_of_shared_weights_are_those_of_the_standalone_network(genotype):
    shared = trained(dropout=0.0, drop_path=0.0)
    net = shared.extract(genotype)
    net(IMAGES).square().sum().backward()
    shared(IMAGES, genotype).square().sum().backward()
    torch.testing.assert_close(shared.stem[0].weight.grad, net.stem[0].weight.grad)
    lengths = [part.weight.grad.norm().item() for part in (shared.head.linear, net.head.layers[-1])]
    assert lengths[0] == pytest.approx(lengths[1], rel=1e-5)


def test_a_copy_no_longer_shares():
    shared = trained()
    genotype = Genotype(*(nodes[:3] for nodes in (HAND_CHOSEN.normal, HAND_CHOSEN.reduction)))
    net = shared.extract(genotype)
    before = shared.eval()(IMAGES, genotype)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
    assert torch.equal(shared(IMAGES, genotype), before)


def test_genotypes_share_what_they_have_in_common():
    nodes = tuple(node(0, "separable-3x3", 1, "separable-5x5") for _ in range(3))
    other = (*nodes[:2], node(0, "maximum-3x3", 1, "separable-5x5"))
    shared = supernet()
    shared(IMAGES, Genotype(nodes, nodes)).sum().backward()
    first = {name for name, p in shared.named_parameters() if p.grad is not None}
    shared.zero_grad(set_to_none=True)
    shared(IMAGES, Genotype(other, nodes)).sum().backward()
    second = {name for name, p in shared.named_parameters() if p.grad is not None}
    assert second < first
    assert all("operations.2-0-" in name and "cells.1" not in name for name in first - second)


def test_batch_statistics_judges_alone_and_leaves_no_trace():
    shared, genotype = trained(), SPACE.decode([0] * len(SPACE.decisions))
    state = {name: tensor.clone() for name, tensor in shared.state_dict().items() if "num_batches" not in name}
    with batch_statistics(shared):
        first, second = shared(IMAGES, genotype), shared(IMAGES, genotype)
        far = shared(100 * IMAGES, genotype)
    assert torch.equal(first, second)
    torch.testing.assert_close(far, first, rtol=0.01, atol=0.01)
    assert shared.training
    assert all(torch.equal(shared.state_dict()[name], tensor) for name, tensor in state.items())
    assert {norm.momentum for norm in shared.modules() if isinstance(norm, torch.nn.BatchNorm2d)} == {0.1}

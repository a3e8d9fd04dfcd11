import pytest
import torch
from hypothesis import given, settings

from kinelift.models.enas.macro import PLAIN, Layer, MacroGenotype, MacroNet, MacroNetConfig, MacroSupernet
from kinelift.models.enas.space import MacroSpace
from tests.models.architectures import members

SPACE = MacroSpace(6)
IMAGES = torch.randn(4, 3, 16, 16)


@given(members(SPACE))
def test_genotype_survives_json(genotype):
    assert MacroGenotype.from_json(genotype.to_json()) == genotype


def test_genotype_rejects_what_cannot_be_built():
    with pytest.raises(ValueError, match="Unknown operation 'fold'"):
        MacroGenotype((Layer("fold"),))
    with pytest.raises(ValueError, match="Layer 1 adds states"):
        MacroGenotype((Layer("separable-3x3"), Layer("separable-3x3", (1,))))
    with pytest.raises(ValueError, match="at least one layer"):
        MacroGenotype(())


@settings(max_examples=10)
@given(members(SPACE))
def test_supernet_on_a_genotype_is_the_standalone_network(genotype):
    torch.manual_seed(0)
    config = MacroNetConfig(5, channels=4, auxiliary=True, dropout=0.2, drop_path=0.2)
    shared = MacroSupernet(config, len(genotype.layers))
    net = shared.extract(genotype)
    torch.manual_seed(1)
    expected = net.heads(IMAGES)
    torch.manual_seed(1)
    made = shared.heads(IMAGES, genotype)
    assert all(torch.equal(a, b) for a, b in zip(made, expected, strict=True))
    assert torch.equal(shared.eval()(IMAGES, genotype), net.eval()(IMAGES))
    assert torch.equal(shared.extract(genotype)(IMAGES), net(IMAGES))


@settings(max_examples=10)
@given(members(SPACE))
def test_a_network_has_no_parameter_that_it_does_not_use(genotype):
    net = MacroNet(MacroNetConfig(5, genotype, channels=4))
    net(IMAGES).square().sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_a_skip_connection_adds_an_earlier_state():
    skipping = MacroGenotype((*PLAIN.layers[:1], Layer("separable-3x3", (0,))))
    chain = MacroGenotype(PLAIN.layers[:2])
    config = MacroNetConfig(5, skipping, channels=4, stages=1)
    net, plain = MacroNet(config).eval(), MacroNet(MacroNetConfig(5, chain, channels=4, stages=1)).eval()
    plain.load_state_dict(net.state_dict())
    states = net.stem(IMAGES)
    middle = net.norms[0](net.operations["0-separable-3x3"](states))
    last = net.norms[1](net.operations["1-separable-3x3"](middle) + states)
    torch.testing.assert_close(net(IMAGES), net.head(last))
    assert not torch.allclose(net(IMAGES), plain(IMAGES))


def test_resolution_halves_between_stages():
    net = MacroNet(MacroNetConfig(5, PLAIN, channels=4, stem_stride=1)).eval()
    shapes = []
    for norm in net.norms:
        norm.register_forward_hook(lambda _, __, output: shapes.append(tuple(output.shape[1:3])))
    net(IMAGES)
    assert shapes == [(4, 16), (4, 16), (8, 8), (8, 8), (16, 4), (16, 4)]

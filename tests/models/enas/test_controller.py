import math

import pytest
import torch
from hypothesis import given

from kinelift.models.enas.controller import Controller, ControllerConfig
from kinelift.models.enas.space import MacroSpace, MicroSpace
from tests.models.architectures import genotypes, members

SPACES = MicroSpace(3), MacroSpace(4)


def controller(space, seed=0, **changes):
    return Controller(space.decisions, ControllerConfig(**changes), torch.Generator().manual_seed(seed))


def sharpen(net):
    """Make every preference as strong as it can be."""
    with torch.no_grad():
        for head in net.logits:
            head.weight.mul_(1e4)
    return net


@given(genotypes(4, 4))
def test_choices_of_cells_decode_to_what_was_encoded(genotype):
    assert MicroSpace(4).decode(MicroSpace(4).encode(genotype)) == genotype


@given(members(MacroSpace(5)))
def test_choices_of_chains_decode_to_what_was_encoded(genotype):
    assert MacroSpace(5).decode(MacroSpace(5).encode(genotype)) == genotype


@pytest.mark.parametrize("space", SPACES)
def test_every_sample_is_an_architecture(space):
    samples = controller(space).sample(50, torch.Generator().manual_seed(1))
    assert samples.choices.shape == (50, len(space.decisions))
    for choices in samples.choices.tolist():
        assert space.encode(space.decode(choices)) == choices


@pytest.mark.parametrize("space", SPACES)
def test_at_first_every_choice_is_about_equally_likely(space):
    largest = sum(math.log(decision.choices) for decision in space.decisions)
    samples = controller(space).sample(20, torch.Generator().manual_seed(1))
    assert samples.entropy.mean().item() == pytest.approx(largest, rel=0.01)
    assert (samples.entropy <= largest + 1e-4).all()


def test_probabilities_of_all_architectures_add_up_to_one():
    space = MacroSpace(2)
    every = torch.cartesian_prod(*(torch.arange(decision.choices) for decision in space.decisions))
    scored = controller(space).score(every)
    assert len(every) == 72
    assert scored.log_probability.exp().sum().item() == pytest.approx(1.0, abs=1e-5)


def test_samples_come_as_often_as_their_probability_says():
    space, net = MacroSpace(1), sharpen(controller(MacroSpace(1)))
    drawn = net.sample(4000, torch.Generator().manual_seed(2)).choices.flatten()
    expected = net.score(torch.arange(6)[:, None]).log_probability.exp()
    torch.testing.assert_close(drawn.bincount(minlength=6) / 4000, expected.detach(), atol=0.03, rtol=0)
    assert space.decode(net.likeliest()) == space.decode([int(expected.argmax())])


def test_bounded_logits_keep_every_choice_possible():
    samples = sharpen(controller(MicroSpace(2), bound=1.1)).sample(20, torch.Generator().manual_seed(1))
    least = sum(math.log(1 / (1 + (d.choices - 1) * math.exp(2.2))) for d in MicroSpace(2).decisions)
    assert (samples.log_probability >= least).all()


def test_a_sample_is_scored_as_it_was_drawn():
    net = controller(SPACES[0])
    drawn = net.sample(5, torch.Generator().manual_seed(3))
    again = net.score(drawn.choices)
    torch.testing.assert_close(again.log_probability, drawn.log_probability)
    torch.testing.assert_close(again.entropy, drawn.entropy)


def test_chance_is_the_generator_alone():
    first, second = (controller(SPACES[0]).sample(8, torch.Generator().manual_seed(4)).choices for _ in range(2))
    assert torch.equal(first, second)

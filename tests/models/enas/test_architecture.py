import json
from dataclasses import asdict

import pytest
import torch

from kinelift.models.action_net import ActionNetConfig
from kinelift.models.enas.architecture import config, configured, genotype, network
from kinelift.models.enas.genotype import HAND_CHOSEN
from kinelift.models.enas.macro import PLAIN, MacroNetConfig


@pytest.mark.parametrize(("cell", "kind"), [(HAND_CHOSEN, ActionNetConfig), (PLAIN, MacroNetConfig)])
def test_either_space_travels_as_plain_values(cell, kind):
    made = configured(4, cell, channels=2, auxiliary=True, grid=(4, 2))
    assert isinstance(made, kind) and config(json.loads(json.dumps(asdict(made)))) == made
    assert genotype(asdict(cell)) == cell
    net = network(made)
    assert [logits.shape for logits in net.heads(torch.zeros(2, 3, 32, 32))] == [(2, 4), (2, 4)]


def test_anything_else_is_refused():
    with pytest.raises(KeyError):
        genotype({"cells": []})

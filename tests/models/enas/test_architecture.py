import json
from dataclasses import asdict

import pytest
import torch

from kinelift.models.enas.action_net import ActionNetConfig
from kinelift.models.enas.architecture import build_network, config_class, genotype_from_mapping, make_config
from kinelift.models.enas.genotype import HAND_CHOSEN
from kinelift.models.enas.macro import PLAIN, MacroNetConfig


@pytest.mark.parametrize(("cell", "kind"), [(HAND_CHOSEN, ActionNetConfig), (PLAIN, MacroNetConfig)])
def test_either_space_travels_as_plain_values(cell, kind):
    made = make_config(4, cell, channels=2, auxiliary=True, grid=(4, 2))
    stored = json.loads(json.dumps(asdict(made)))
    assert isinstance(made, kind) and config_class(stored["genotype"]) is kind
    assert genotype_from_mapping(stored["genotype"]) == genotype_from_mapping(asdict(cell)) == cell
    net = build_network(made)
    assert [logits.shape for logits in net.heads(torch.zeros(2, 3, 32, 32))] == [(2, 4), (2, 4)]


def test_anything_else_is_refused():
    with pytest.raises(KeyError):
        genotype_from_mapping({"cells": []})


@pytest.mark.parametrize("wrong", [
    {"stages": 0}, {"stages": 65_536}, {"stem_stride": 0}, {"stem_stride": -1}, {"channels": 0}, {"grid": (1, 0)},
    {"dropout": float("nan")}, {"drop_path": -1.0},
])  # fmt: skip
@pytest.mark.parametrize("cell", [HAND_CHOSEN, PLAIN])
def test_sizes_that_no_network_has_are_refused(cell, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        make_config(4, cell, **wrong)

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from kinelift.models.enas.controller import Controller, ControllerConfig
from kinelift.models.enas.genotype import HAND_CHOSEN
from kinelift.models.enas.macro import PLAIN
from kinelift.models.enas.space import MacroSpace, MicroSpace
from kinelift.recognition.search import search_plots
from kinelift.recognition.search.reinforce import Reinforce, ReinforceSettings
from kinelift.recognition.search.search import Search
from kinelift.recognition.search.search_result import Candidate, SearchResult
from kinelift.recognition.search.search_settings import SearchSettings
from kinelift.weights.run import Run

SMALL = SearchSettings(
    nodes=2, layers=3, channels=4, stages=2, grid=(2, 2), epochs=4, steps=3, batch=8, warm_up=1, restart=2,
    controller_steps=2, samples=3, reward_batch=16, candidates=4, controller=ControllerConfig(hidden=8),
)  # fmt: skip


class Stripes:
    """Pictures with horizontal (0) or vertical (1) stripes under noise."""

    def draw(self, count, generator):
        labels = generator.integers(0, 2, count)
        images = generator.standard_normal((count, 3, 8, 8)).astype(np.float32) * 0.3
        wave = np.sin(np.pi * np.arange(8) + 0.5).astype(np.float32)
        images += np.where(labels[:, None, None, None] == 1, wave, wave[:, None])
        return torch.from_numpy(images), torch.from_numpy(labels)


def started(settings=SMALL):
    images, labels = Stripes().draw(20, np.random.default_rng(9))
    return Search(settings, 2, Stripes(), images, labels)


def without_time(records):
    return [{name: value for name, value in record.items() if name != "seconds"} for record in records]


@pytest.mark.parametrize("space", [MicroSpace(2), MacroSpace(4)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_controller_finds_a_hidden_architecture(space, seed):
    generator = torch.Generator().manual_seed(seed)
    controller = Controller(space.decisions, ControllerConfig(hidden=32), generator)
    hidden = torch.tensor([int(torch.randint(d.choices, (1,), generator=generator)) for d in space.decisions])
    reinforce = Reinforce(controller, ReinforceSettings(learning_rate=0.01, baseline_decay=0.9))
    for _ in range(100):
        samples = controller.sample(16, generator)
        reinforce.learn(samples, (samples.choices == hidden).float().mean(dim=1))
    chance = np.mean([1 / decision.choices for decision in space.decisions])
    reward = (controller.sample(200, generator).choices == hidden).float().mean().item()
    assert reward > chance + 0.6 * (1 - chance)


def test_reinforce_raises_architectures_better_than_the_baseline():
    generator = torch.Generator().manual_seed(0)
    controller = Controller(MacroSpace(2).decisions, ControllerConfig(hidden=8), generator)
    reinforce = Reinforce(controller, ReinforceSettings(learning_rate=0.01, baseline_decay=0.5))
    samples = controller.sample(2, generator)
    while torch.equal(samples.choices[0], samples.choices[1]):
        samples = controller.sample(2, generator)
    reinforce.learn(samples, torch.tensor([1.0, 0.0]))
    better, worse = (controller.score(samples.choices).log_probability - samples.log_probability).tolist()
    assert better > 0 > worse
    assert reinforce.baseline == 0.5
    reinforce.learn(controller.sample(2, generator), torch.tensor([1.0, 1.0]))
    assert reinforce.baseline == 0.75


def test_entropy_bonus_alone_raises_the_entropy():
    generator = torch.Generator().manual_seed(0)
    controller = Controller(MicroSpace(2).decisions, ControllerConfig(hidden=8), generator)
    with torch.no_grad():
        for head in controller.logits:
            head.weight.mul_(100)
    before = controller.sample(50, generator).entropy.mean()
    reinforce = Reinforce(controller, ReinforceSettings(learning_rate=0.05, entropy=1.0))
    for _ in range(20):
        reinforce.learn(controller.sample(8, generator), torch.zeros(8))
    assert controller.sample(50, generator).entropy.mean() > before


@pytest.mark.parametrize("space", ["micro", "macro"])
def test_resumed_search_equals_uninterrupted_one(space, tmp_path):
    settings = replace(SMALL, space=space)
    run = Run({}, asdict(settings))
    whole = started(settings)
    records = list(whole.fit())
    first = started(settings)
    part = first.fit()
    next(part), next(part)
    first.save(tmp_path / "search.state", run)
    second = started(settings)
    second.restore(tmp_path / "search.state", run)
    assert without_time(second.fit()) == without_time(records[2:])
    assert second.result().candidates == whole.result().candidates
    assert second.result().random == whole.result().random
    for name, tensor in second.net.state_dict().items():
        assert torch.equal(tensor, whole.net.state_dict()[name]), name


def test_shared_weights_learn():
    search = started(replace(SMALL, epochs=6, steps=10, warm_up=4))
    records = list(search.fit())
    assert records[-1]["loss"] < 0.7 * math.log(2)
    assert all("reward" not in record for record in records[:4])
    assert all(0 <= record["reward"] <= 1 for record in records[4:])
    assert records[-1]["random"] > 0.7
    json.dumps(records)


def test_candidates_are_scored_again_and_ranked():
    search = started()
    list(search.fit())
    result = search.result()
    for ranked in (result.candidates, result.random):
        assert len(ranked) == SMALL.candidates
        assert [each.accuracy for each in ranked] == sorted((each.accuracy for each in ranked), reverse=True)
    assert (result.best, result.best_random) == (result.candidates[0], result.random[0])
    assert result == search.result()
    assert SearchResult.from_json(result.to_json()) == result


def test_search_leaves_the_global_generator_and_the_running_statistics_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    search = started()
    next(search.fit())
    state = {name: tensor.clone() for name, tensor in search.net.state_dict().items() if "running" in name}
    search.result()
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(search.net.state_dict()[name], tensor) for name, tensor in state.items())


def test_learning_rate_restarts():
    search = started(replace(SMALL, epochs=7))
    rates = []
    for _ in search.fit():
        rates.append(search.optimizer.param_groups[0]["lr"])
    low, high = SMALL.lowest_rate, SMALL.learning_rate
    expected = [low + (high - low) * (1 + math.cos(math.pi * t)) / 2 for t in (1 / 3, 5 / 6, 1 / 6, 5 / 12, 2 / 3)]
    assert rates[:5] == pytest.approx(expected)
    assert rates[6] == pytest.approx(low + (high - low) * (1 + math.cos(math.pi / 12)) / 2)


def test_figures_are_drawn(tmp_path):
    history = tuple({"epoch": k, "loss": 1.0, "entropy": 0.9, "random": 0.1} for k in range(3))
    SearchResult(SMALL, (Candidate(PLAIN, 0.5),), (Candidate(PLAIN, 0.4),), history)
    search_plots.course(history, tmp_path / "course.png")
    search_plots.cells(HAND_CHOSEN, tmp_path / "new folder" / "cells.png")
    search_plots.chain(PLAIN, tmp_path / "chain.png")
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.rglob("*.png"))
    assert len(list(tmp_path.rglob("*.png"))) == 3

"""Compare searched cells with random cells and a small fixed CNN on MSR-Action3D and SBU, over several seeds.

    kinelift recognition convert ARCHIVE --layout msr-action3d -o msr
    kinelift recognition convert ARCHIVE --layout sbu -o sbu
    python -m benchmarks.studies.recognition_study msr sbu -o FOLDER

One search per seed uses all 20 actions of the training subjects of MSR-Action3D, one of whom is held out for the
reward. SBU reuses the resulting cells. All networks are then trained from scratch, and the test clips are evaluated
once. Each run writes a file, and is skipped if the file exists; a file from other data or settings is refused. Results
are in docs/explanation/recognition-study.md.
"""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from jaxtyping import Float
from scipy.special import softmax

from benchmarks.studies.recognition_table import FOLDS, MEMBERS, MODELS, PUBLISHED, SUBSETS, Case, table
from kinelift.models.enas.architecture import AnyGenotype
from kinelift.models.enas.genotype import HAND_CHOSEN
from kinelift.models.enas.macro import Layer, MacroGenotype
from kinelift.poses import skeleton as named
from kinelift.poses.output import make_folder, replacing
from kinelift.recognition.data import labelled_folder, msr_action3d
from kinelift.recognition.encoding.pair_order import all_pairs
from kinelift.recognition.encoding.spmf import Encoding
from kinelift.recognition.measuring.evaluation import rounds
from kinelift.recognition.network import ActionNetwork, motion_images
from kinelift.recognition.search import search_plots
from kinelift.recognition.search.reinforce import ReinforceSettings
from kinelift.recognition.search.search import Search
from kinelift.recognition.search.search_result import SearchResult
from kinelift.recognition.search.search_settings import SearchSettings
from kinelift.recognition.training.augment import Augmentation, Sampler
from kinelift.recognition.training.corpus import Corpus, corpus_of
from kinelift.recognition.training.inputs import inputs_of, run_of
from kinelift.recognition.training.trainer import ImageSampler, Trainer, TrainSettings
from kinelift.recognition.windows import WindowPlan
from kinelift.weights.run import Run

PLAN = WindowPlan(seconds=None, gap=60.0)
"""Each clip is one window; gaps in Kinect's tracking are interpolated."""
VARIED = Augmentation(
    speed=(0.75, 1.0), shift=0.125, short=0.0, warp=0.4, lost=0.15, mirror=0.0, proportion=0.1, turn=12.0, lean=5.0,
    wander=0.025, depth=0.0,
)  # fmt: skip
TRAINING = TrainSettings(
    plan=PLAN, augmentation=VARIED, channels=8, stages=2, grid=(8, 4), epochs=80, batch=16, learning_rate=5e-3
)
"""An epoch has as many steps as the training clips make batches."""
COPIES = 21
"""Images per test clip in the score that the authors report, which counts images, including the clip's own."""
SEARCH = SearchSettings(epochs=60, grid=(8, 4), reinforce=ReinforceSettings(learning_rate=3.5e-3, baseline_decay=0.95))
"""The controller takes a hundredth of the published number of steps, at ten times the learning rate."""
FIXED = MacroGenotype((Layer("convolution-3x3"),) * 6)
ENSEMBLES = ("searched", "by hand")
ACTIONS = {"AS1": msr_action3d.AS1, "AS2": msr_action3d.AS2, "AS3": msr_action3d.AS3}
VALIDATION_SUBJECTS = ("s01", "s03", "s05", "s07", "s09")
"""Training subjects of MSR-Action3D; seed k holds out number k for the reward."""


@dataclass(frozen=True)
class Data:
    """Folders of labelled motion."""

    msr: Path
    sbu: Path


def encodings(skeleton: str) -> dict[str, Encoding]:
    """The members of the ensemble: images of 16, 24 and 32 moments. And the published look: see ``published``.

    Everybody in MSR-Action3D faces the camera, so the recording's own axes are used there.
    """
    base = Encoding.of(skeleton)
    base = base if skeleton.endswith("-pair") else replace(base, axes="recorded")
    members = {str(steps): replace(base, steps=steps, lag=steps // 4) for steps in map(int, MEMBERS)}
    return {**members, PUBLISHED: published(base)}


def published(base: Encoding) -> Encoding:
    """All pairs of joints, pose and motion to the next moment in turn, resized to 32 × 32, CLAHE; axes of ``base``."""
    pairs = all_pairs(named(base.skeleton))
    return Encoding(skeleton=base.skeleton, distances=pairs, orientations=pairs, axes=base.axes, equalise="channels")


@lru_cache(maxsize=2)
def corpus(path: Path) -> Corpus:
    """All clips of a folder."""
    return corpus_of(labelled_folder.read(path), PLAN)


def problem(data: Data, name: str) -> tuple[Corpus, Corpus]:
    """The training clips and the test clips."""
    if name in SUBSETS:
        whole = corpus_of(corpus(data.msr).dataset.with_labels(ACTIONS[name]), PLAN)
        (only,) = rounds(whole, 0)
        return whole.only(only.train), whole.only(only.test)
    whole = corpus(data.sbu)
    (only,) = (each for each in rounds(whole, 0) if each.name == name)
    return whole.only(only.train), whole.only(only.test)


def search(data: Data, seed: int, out: Path, settings: SearchSettings) -> SearchResult:
    """The search of a seed: loaded from its file if done, resumed if interrupted."""
    file = out / f"search-{seed}.json"
    settings, encoding = replace(settings, seed=seed), encodings("kinect20")[MEMBERS[0]]
    whole, judge = corpus(data.msr), VALIDATION_SUBJECTS[seed % len(VALIDATION_SUBJECTS)]
    learnt = whole.only(np.array([clip.split == "train" for clip in whole.clips]))
    pictured = {"plan": asdict(PLAN), "augmentation": asdict(VARIED), "encoding": asdict(encoding)}
    run = Run(inputs_of(learnt), {**asdict(settings), **pictured, "validation_subjects": [judge]})
    if not file.exists():
        validation = learnt.of_subjects({judge})
        source = ImageSampler(Sampler(learnt.only(~validation), VARIED), encoding)
        judged = learnt.only(validation)
        images, labels = motion_images(judged.windows(), encoding), torch.from_numpy(judged.labels)
        work = Search(settings, len(whole.names), source, images, labels)
        state = file.with_suffix(".state")
        if state.exists():
            work.restore(state, run)
        for record in work.fit():
            work.save(state, run)
            print(seed, json.dumps(record), flush=True)
        with replacing(file) as part:
            part.write_text(replace(work.result(), run=run.facts()).to_json(), encoding="utf-8")
    found = SearchResult.from_json(file.read_text(encoding="utf-8"))
    run.check(file, found.run)
    return found


def run(data: Data, case: Case, genotype: AnyGenotype, out: Path) -> None:
    """Train for a case, and judge its test clips."""
    train, test = problem(data, case.problem)
    encoding = encodings(train.dataset.skeleton.name)[case.member]
    evaluate(train, test, replace(TRAINING, encoding=encoding, seed=case.seed), genotype, out / f"{case.name}.npz")


def evaluate(train: Corpus, test: Corpus, settings: TrainSettings, genotype: AnyGenotype, file: Path) -> None:
    """Train, and write the probabilities of the test clips and the accuracy on images, unless ``file`` holds them.

    Args:
        train: The training clips, which decide how many steps an epoch has.
        test: The test clips.
        settings: Of the training.
        genotype: Of the network.
        file: An npz file.

    Raises:
        ResumeError: ``file`` was made from other data or settings.
    """
    torch.set_num_threads(1)
    settings = replace(settings, steps=ceil(len(train) / settings.batch))
    alone = run_of(train, settings, genotype)
    inputs = replace(alone, inputs={**alone.inputs, "test": inputs_of(test)})
    if file.exists():
        with np.load(file) as kept:
            inputs.check(file, json.loads(str(kept["run"])) if "run" in kept else {})
        return
    trainer = Trainer(settings, train, genotype=genotype)
    for _ in trainer.fit():
        pass
    network = trainer.result({})
    parameters = sum(parameter.numel() for parameter in network.net.parameters())
    with replacing(file) as part, part.open("wb") as target:
        np.savez(
            target,
            probabilities=judged(network, test),
            labels=test.labels,
            images=image_score(network, test, settings.seed),
            parameters=parameters,
            run=json.dumps(inputs.facts()),
        )
    print(file.stem, flush=True)


def judged(network: ActionNetwork, test: Corpus) -> Float[np.ndarray, "W K"]:
    """Probabilities of the test clips; for two people, averaged over both roles."""
    windows = test.windows()
    two = test.dataset.skeleton.name.endswith("-pair")
    roles = [windows, np.roll(windows, windows.shape[2] // 2, axis=2)] if two else [windows]
    return np.mean([softmax(network.logits(each), axis=1) for each in roles], axis=0)


def image_score(network: ActionNetwork, test: Corpus, seed: int) -> float:
    """Accuracy on images, not clips: each test clip as it is, and augmented as in training."""
    generator, sampler = np.random.default_rng(seed), Sampler(test, VARIED)
    right = [network.logits(test.windows()).argmax(axis=1) == test.labels]
    for _ in range(COPIES - 1):
        windows = sampler.augment(np.arange(len(test)), generator)
        right.append(network.logits(windows).argmax(axis=1) == test.labels)
    return float(np.mean(right))


def main(
    msr: tyro.conf.Positional[Path],
    sbu: tyro.conf.Positional[Path],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    seeds: tuple[int, ...] = (0, 1, 2),
    models: tuple[str, ...] = (*MODELS, PUBLISHED),
    workers: int = 2,
    settings: Annotated[SearchSettings, tyro.conf.arg(name="search")] = SEARCH,
) -> None:
    """Search, train, evaluate, and print the tables.

    Args:
        msr: MSR-Action3D as a folder.
        sbu: SBU as a folder.
        out: Folder for the results of each run.
        seeds: Number of seeds, each with one search and one training of every network.
        models: Kinds of networks: searched, random, by hand, fixed, published look.
        workers: Number of processes.
        settings: Settings of the searches.
    """
    data = Data(msr, sbu)
    make_folder(out)
    with ProcessPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        searched = seeds if {"searched", "random"} & set(models) else ()
        searches = {seed: pool.submit(search, data, seed, out, settings) for seed in searched}
        found = {seed: each.result() for seed, each in searches.items()}
        planned = [case for seed in seeds for model in models for case in cases(seed, model)]
        planned.sort(key=lambda case: (case.problem in FOLDS, models.index(case.model)))
        jobs = [pool.submit(run, data, case, genotype(case, found), out) for case in planned]
        for job in jobs:
            job.result()
    if found:
        first = found[seeds[0]]
        search_plots.course(first.history, out / "search.png")
        search_plots.architecture(first.best.genotype, out / "cell.png")
    print("\n".join(table(out)))
    (out / "settings.json").write_text(json.dumps({"search": asdict(settings), "training": asdict(TRAINING)}, indent=1))


def genotype(case: Case, found: Mapping[int, SearchResult]) -> AnyGenotype:
    """The architecture of a training; ``found`` has the searches by seed."""
    if case.model == "searched":
        return found[case.seed].best.genotype
    if case.model == "random":
        return found[case.seed].best_random.genotype
    return FIXED if case.model == "fixed" else HAND_CHOSEN


def cases(seed: int, model: str) -> Iterator[Case]:
    """All problems with the first member's images; on MSR-Action3D, some models also with the others'."""
    for name in (*SUBSETS, *FOLDS):
        members = MEMBERS if model in ENSEMBLES and name in SUBSETS else MEMBERS[:1]
        for member in (PUBLISHED,) if model == PUBLISHED else members:
            yield Case(name, model, member, seed)


if __name__ == "__main__":
    tyro.cli(main)

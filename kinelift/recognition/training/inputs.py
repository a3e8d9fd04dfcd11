"""The inputs of a classifier's training, search or measurement, stored with its results."""

from dataclasses import asdict
from typing import Any

from kinelift.models.enas.architecture import AnyGenotype
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.trainer import TrainSettings
from kinelift.weights.run import Run, fingerprint


def run_of(corpus: Corpus, settings: TrainSettings, genotype: AnyGenotype, **chosen: Any) -> Run:
    """Everything that training ``genotype`` on ``corpus`` depends on.

    Args:
        corpus: The windows.
        settings: Of the training.
        genotype: The architecture.
        **chosen: Further settings that the result depends on.
    """
    return Run(inputs_of(corpus), {**asdict(settings), "genotype": asdict(genotype), **chosen})


def inputs_of(corpus: Corpus) -> dict[str, Any]:
    """The training data: labels in order, and fingerprints of the clips that have a window in ``corpus``.

    The order of clips counts, because the samples that a seed draws depend on it.
    """
    dataset = corpus.dataset
    clips = [dataset.clips[index] for index in sorted(set(corpus.clip.tolist()))]
    facts = ((c.name, c.subject, c.split, c.kind, c.segments) for c in clips)
    return {
        "labels": list(dataset.labels),
        "skeleton": dataset.skeleton.name,
        "terms.txt": dataset.terms,
        "labels.csv": {"segments": sum(len(clip.segments) for clip in clips), "sha256": fingerprint(facts)},
        "clips": {
            "count": len(clips),
            "frames": sum(map(len, clips)),
            "sha256": fingerprint((clip.points, clip.times) for clip in clips),
        },
    }

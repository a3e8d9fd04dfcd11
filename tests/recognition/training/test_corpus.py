from dataclasses import replace

import numpy as np
import pytest

from kinelift.poses.errors import DataError
from kinelift.recognition.data.clips import Clip, Segment
from kinelift.recognition.measuring.evaluation import rounds, subject_folds
from kinelift.recognition.training.corpus import UNLABELLED, corpus_of, window_label
from kinelift.recognition.windows import WindowPlan
from tests.recognition.motions import LABELS, clip, dataset, walking, waving

PLAN = WindowPlan(seconds=1.0, stride=0.25)
WHOLE = WindowPlan(seconds=None, samples=16, gap=60.0)


def test_windows_have_the_label_of_their_middle():
    points, times = walking(150), 7.0 + np.arange(150) / 30
    segments = (Segment("walk", 7.0, 9.0), Segment("gesture", 9.5, 12.0))
    corpus = corpus_of(dataset([Clip("c", "1", points, times, segments)]), PLAN)
    middles = corpus.spans.mean(axis=1) / 30
    assert set(corpus.labels[middles < 1.8]) == {LABELS.index("walk")}
    assert set(corpus.labels[middles > 2.7]) == {LABELS.index("gesture")}
    assert not ((middles > 2.2) & (middles < 2.3)).any()
    np.testing.assert_allclose(corpus.windows()[0], points[:31], atol=1e-9)


def test_whole_segments_are_one_window_each_however_long():
    clips = [clip("long", "1", walking(300), "walk"), clip("short", "2", waving(7), "gesture")]
    clips.append(Clip("two", "3", walking(61), np.arange(61) / 30, (Segment("walk", 0, 1), Segment("sit", 1, 2))))
    corpus = corpus_of(dataset(clips), WHOLE)
    assert corpus.labels.tolist() == [LABELS.index(name) for name in ("walk", "gesture", "walk", "sit")]
    assert corpus.spans.tolist() == [[0, 299], [0, 6], [0, 30], [30, 60]]
    assert corpus.windows().shape == (4, 16, 17, 3)
    np.testing.assert_allclose(corpus.windows()[0][[0, -1]], walking(300)[[0, -1]], atol=1e-9)


def test_stretches_are_consecutive_windows_of_one_label_of_one_clip():
    points = walking(240)
    points[150:180, 3] = np.nan
    mixed = Clip("a", "1", points, np.arange(240) / 30, (Segment("walk", 0, 2.5), Segment("gesture", 2.5, 8)))
    corpus = corpus_of(dataset([mixed, clip("b", "1", walking(61), "gesture")]), PLAN)
    stretches = corpus.stretches()
    for number in range(int(stretches.max()) + 1):
        rows = corpus.only(stretches == number)
        assert len(set(zip(rows.clip.tolist(), rows.labels.tolist(), strict=True))) == 1
        assert (np.diff(rows.spans[:, 0]) == PLAN.step).all()
    assert (np.diff(stretches) >= 0).all() and stretches.max() == 3
    whole = corpus_of(dataset([mixed, clip("b", "1", walking(61), "gesture")]), WHOLE)
    assert whole.stretches().tolist() == [0, 1, 2]


def test_a_part_of_a_row_is_cut_out_of_it():
    corpus = corpus_of(dataset([clip("long", "1", walking(101), "walk")]), WHOLE)
    assert corpus.part(0.1, 0.9).spans.tolist() == [[10, 90]]
    np.testing.assert_allclose(corpus.part(0.0, 0.5).windows()[0, -1], walking(101)[50], atol=1e-9)


def test_incomplete_windows_are_counted_and_left_out():
    points = walking(90)
    points[40:60, 3] = np.nan
    corpus = corpus_of(dataset([clip("c", "1", points, "walk")]), PLAN)
    complete = corpus_of(dataset([clip("c", "1", walking(90), "walk")]), PLAN)
    assert corpus.incomplete > 0 and len(corpus) + corpus.incomplete == len(complete)
    assert np.isfinite(corpus.windows()).all()
    assert corpus_of(dataset([clip("c", "1", points, "walk")]), WHOLE).incomplete == 0


@pytest.mark.parametrize(("labels", "expected"), [([1] * 9, 1), ([-1, -1, 2, 2, 2, 2, -1, -1], 2), ([0, 1] * 8, -1)])
def test_label_of_a_window(labels, expected):
    assert window_label(np.array(labels)) == expected
    assert UNLABELLED == -1


def test_folds_keep_subjects_apart_and_spread_their_labels():
    clips = [clip(f"{kind}{s}", str(s), walking(60), kind) for kind in ("walk", "sit") for s in range(6)]
    corpus = corpus_of(dataset(clips), PLAN)
    groups = subject_folds(corpus, 3)
    assert sorted(len(group) for group in groups) == [2, 2, 2]
    for each in rounds(corpus, 3):
        assert not {corpus.subjects[i] for i in np.flatnonzero(each.train)} & set(each.name.split(", "))
        assert (each.train ^ each.test).all()


def test_a_given_split_is_kept():
    clips = [clip("a", "1", walking(60), "walk"), clip("b", "1", walking(60), "sit")]
    sides = corpus_of(dataset([replace(clips[0], split="train"), replace(clips[1], split="test")]), PLAN)
    (only,) = rounds(sides, 5)
    assert set(sides.labels[only.test]) == {LABELS.index("sit")}
    folds = corpus_of(dataset([replace(c, split=f"fold{i}") for i, c in enumerate(clips)]), PLAN)
    assert [each.name for each in rounds(folds, 5)] == ["fold0", "fold1"]


def test_one_subject_cannot_be_divided():
    corpus = corpus_of(dataset([clip("a", "1", walking(60), "walk")]), PLAN)
    with pytest.raises(DataError, match="cannot be divided"):
        rounds(corpus, 5)


def test_parts_of_a_dataset_keep_what_belongs_together():
    both = Clip("both", "1", walking(60), np.arange(60) / 30, (Segment("walk", 0, 1), Segment("sit", 1, 2)))
    data = dataset([both, clip("b", "2", waving(60), "gesture")])
    part = data.with_labels({"sit", "walk"})
    assert part.labels == ("walk", "sit") and [c.name for c in part.clips] == ["both"]
    assert data.with_labels({"sit"}).clips[0].segments == (Segment("sit", 1, 2),)
    assert data.subjects == ("1", "2") and len(data.with_clips(data.clips[:1])) == 1

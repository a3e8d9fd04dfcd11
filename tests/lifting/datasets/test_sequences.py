from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinelift.lifting.datasets.sequences import Sequence, SequenceBank
from kinelift.poses import COCO17, H36M17
from kinelift.poses.errors import DataError, SettingsError, ShapeError
from tests.lifting.datasets.recordings import LENS, SIZE, bank, sequence


def same(one: Sequence, other: Sequence) -> bool:
    alike = ("subject", "action", "view", "camera", "size", "rate", "source", "target")
    np.testing.assert_array_equal(one.keypoints, other.keypoints)
    np.testing.assert_equal(one.truth, other.truth)
    return all(getattr(one, name) == getattr(other, name) for name in alike)


def test_save_and_load_are_inverse(tmp_path: Path) -> None:
    whole = bank()
    whole.sequences[0].keypoints[3, 5] = np.nan
    whole.save(tmp_path / "deep" / "bank.npz")
    loaded = SequenceBank.load(tmp_path / "deep" / "bank.npz")
    assert len(loaded) == len(whole)
    assert all(same(one, other) for one, other in zip(loaded, whole, strict=True))


def test_a_bank_can_be_all_unlabelled(tmp_path: Path) -> None:
    SequenceBank((sequence(5, labelled=False), sequence(2, labelled=False))).save(tmp_path / "bank.npz")
    assert [one.truth for one in SequenceBank.load(tmp_path / "bank.npz")] == [None, None]


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bank.npz"
    with pytest.raises(DataError, match="convert"):
        SequenceBank.load(path)
    bank().save(path)
    whole = path.read_bytes()
    for damage in (b"", whole[: len(whole) // 2], whole[:1000] + bytes(2000) + whole[3000:]):
        path.write_bytes(damage)
        with pytest.raises(DataError, match=r"bank\.npz"):
            SequenceBank.load(path)
    np.savez(path, format=np.array(99))
    with pytest.raises(DataError, match="format 99"):
        SequenceBank.load(path)
    np.savez(path, format=np.array([{}], dtype=object))
    with pytest.raises(DataError, match=r"bank\.npz"):
        SequenceBank.load(path)


def test_sequences_are_selected_by_exact_names() -> None:
    whole = bank()
    assert [one.action for one in whole.select(actions=["Walk"])] == ["Walk 1", "Walk 2"]
    assert [one.action for one in whole.select(actions=["Walk 2", "Sit"])] == ["Walk 2", "Sit"]
    assert [one.action for one in whole.select(subjects=["S2"], cameras=["0"])] == ["Walking"]
    assert len(whole.select()) == 4
    with pytest.raises(DataError, match=r"Unknown subject: S7\. Known: S1, S2"):
        whole.select(subjects=["S1", "S7"])
    with pytest.raises(DataError, match="No sequences"):
        whole.select(subjects=["S1"], actions=["Sit"])


def test_summary_counts() -> None:
    assert str(bank()) == (
        "4 sequences of 2 subjects by 2 cameras: 39 frames, 0.0 minutes, 72% with true poses (h36m17 → h36m17)"
    )


@pytest.mark.parametrize("change", [
    {"keypoints": np.zeros((20, 16, 2), np.float32)},
    {"truth": np.zeros((20, 15, 3), np.float32)},
])  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(change: dict[str, np.ndarray]) -> None:
    with pytest.raises(ShapeError, match=r"subject S1, Walk 1, camera 0: .* expected"):
        replace(sequence(20), **change)


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(SettingsError, match="positive"):
        replace(sequence(), rate=0.0)
    with pytest.raises(DataError, match="no frames"):
        replace(sequence(), keypoints=np.zeros((0, 17, 2)), truth=None)
    with pytest.raises(DataError, match="different layouts"):
        SequenceBank((sequence(), replace(sequence(), source=COCO17)))


def test_a_trial_holds_the_same_recording() -> None:
    one = sequence(9, rate=25.0)
    one.keypoints[2, 3, 1] = np.nan
    trial = one.trial()
    assert (trial.action, trial.camera, trial.track.size, trial.track.skeleton) == ("Walk", LENS, SIZE, H36M17)
    np.testing.assert_allclose(trial.track.times, np.arange(9) / 25)
    assert np.isnan(trial.track.points[2, 3]).all()
    assert trial.track.scores[2, 3] == 0
    assert trial.track.scores.sum() == 9 * 17 - 1
    assert one.truth is not None
    np.testing.assert_allclose(np.diff(trial.truth, axis=1), np.diff(one.truth.astype(float), axis=1))
    assert not trial.truth[:, 0].any()
    with pytest.raises(DataError, match="no true poses"):
        replace(one, truth=None).trial()

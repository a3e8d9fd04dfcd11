from pathlib import Path

import numpy as np
import pytest

from kinelift.poses import H36M17
from kinelift.poses.errors import DataError, SettingsError
from kinelift.recognition.data import labelled_folder, mocap
from kinelift.recognition.data.clips import Dataset, Flaw, Segment
from kinelift.recognition.data.collections import convert
from kinelift.recognition.data.labels import LABELS
from tests.recognition.data.folders import same
from tests.recognition.motions import standing, walking

EXTRA = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
NAMES = (
    "asfamc/02/02_01",
    "bvh-expmap/train_soccer_1",
    "asfamc/16/16_22",
    "asfamc/16/16_22",
    "bvh-expmap/test_jumping_1",
)
MOTIONS = (
    walking(121, 60.0),
    walking(40, 60.0),
    np.concatenate([standing(61), walking(60, 60.0)]),
    walking(61, 60.0),
    standing(40),
)
COLUMNS = {"subjects": ("2", "expmap", "16", "16", "expmap"), "actions": ("walk", "", "slow walk", "slow walk", "swim")}


def prepared(path: Path, rows: tuple[int, ...] = (0, 1, 2, 3, 4), thin: int = 1, **more: object) -> Path:
    """What ``kinelift lifting prepare`` writes for ``MOTIONS``, with every ``thin``-th frame kept."""
    motions = [MOTIONS[row][::thin] for row in rows]
    joints = np.concatenate([np.concatenate([m, np.zeros((len(m), 5, 3))], axis=1) for m in motions])
    np.savez(
        path,
        format=3,
        joints=np.array([*H36M17.joints, *EXTRA]),
        points=joints.astype(np.float32),
        offsets=np.cumsum([0, *map(len, motions)]),
        rates=np.full(len(rows), 60.0 / thin),
        names=np.array([NAMES[row] for row in rows]),
        **{name: np.array([column[row] for row in rows]) for name, column in COLUMNS.items()},
        **more,  # type: ignore[arg-type]
    )
    return path


def lifted(path: Path, rows: tuple[int, ...] = (0, 0, 2, 3)) -> Path:
    """What ``kinelift lifting relift`` writes."""
    return prepared(path, rows, thin=2, kinds=np.array(["lifted"] * len(rows)), sources=np.array(rows))


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return mocap.read(prepared(tmp_path / "m.npz"), lifted(tmp_path / "l.npz"))


def test_labels_hold_where_the_rules_apply(dataset: Dataset) -> None:
    walk, broken, piece, swim = dataset.clips[:4]
    assert dataset.labels == LABELS
    assert walk.segments == (Segment("walk", 0.0, 61 / 30),)
    (segment,) = broken.segments
    assert segment.label == "walk"
    assert segment.start == pytest.approx(1.0, abs=0.15)
    assert segment.end == pytest.approx(broken.times[-1], abs=0.05)
    assert (piece.name, piece.subject) == ("asfamc/16/16_22-2", "16")
    assert (swim.segments, swim.subject) == ((), "13")
    np.testing.assert_allclose(walk.points, MOTIONS[0], atol=1e-6)
    np.testing.assert_allclose(np.diff(walk.times), 1 / 60)


def test_changes_are_reported(dataset: Dataset) -> None:
    assert dataset.flaws == (
        Flaw("asfamc/16/16_22", "broken into 2 pieces", "each counts as a clip"),
        Flaw("bvh-expmap/train_soccer_1", "duplicate of a recording of a numbered subject", "left out"),
        Flaw("bvh-expmap/test_jumping_1", "no subject recorded", "counted as subject 13"),
    )


def test_lifted_copies_have_the_labels_of_their_originals(dataset: Dataset) -> None:
    copies = [clip for clip in dataset.clips if clip.kind == "lifted"]
    assert [clip.name for clip in copies] == ["asfamc/02/02_01"] * 2 + ["asfamc/16/16_22", "asfamc/16/16_22-2"]
    originals = {clip.name: clip for clip in dataset.clips if not clip.kind}
    for copy in copies:
        assert (copy.segments, copy.subject) == (originals[copy.name].segments, originals[copy.name].subject)
        assert copy.times[-1] == pytest.approx(originals[copy.name].times[-1], abs=1 / 30)


def test_copies_of_omitted_clips_are_omitted(tmp_path: Path) -> None:
    dataset = mocap.read(prepared(tmp_path / "m.npz"), lifted(tmp_path / "l.npz", (1, 0)))
    assert [clip.name for clip in dataset.clips if clip.kind] == ["asfamc/02/02_01"]


def test_the_folder_is_lossless(dataset: Dataset, tmp_path: Path) -> None:
    done = convert(tmp_path / "m.npz", tmp_path / "out", "mocap", tmp_path / "l.npz")
    same(done, dataset)
    same(labelled_folder.read(tmp_path / "out"), dataset)


def test_lifted_poses_of_another_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"was not made from .*m\.npz"):
        mocap.read(prepared(tmp_path / "m.npz", (0,)), lifted(tmp_path / "l.npz", (0, 2)))


def test_lifted_poses_belong_to_motion_capture(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="sbu has none"):
        convert(tmp_path / "sbu", tmp_path / "out", "sbu", tmp_path / "l.npz")


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    prepared(tmp_path / "future.npz")
    with np.load(tmp_path / "future.npz") as file:
        np.savez(tmp_path / "future.npz", **{**file, "format": 3})
    for name in ("text", "other", "future", "none"):
        with pytest.raises(DataError, match=f"{name}.*lifting prepare"):
            mocap.read(tmp_path / f"{name}.npz")

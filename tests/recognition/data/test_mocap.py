from pathlib import Path

import numpy as np
import pytest

from kinelift.poses import H36M17
from kinelift.poses.errors import DataError, SettingsError
from kinelift.recognition.data import labelled_folder, mocap
from kinelift.recognition.data.clips import Dataset, Flaw, Segment
from kinelift.recognition.data.collections import convert
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
    assert dataset.labels == ("stand", "walk")  # of LABELS, those that are shown
    assert walk.segments == (Segment("walk", 0.0, 61 / 30),)
    still, segment = broken.segments
    assert (still.label, still.start, segment.label) == ("stand", 0.0, "walk")
    assert segment.start == pytest.approx(1.0, abs=0.15)
    assert segment.end == pytest.approx(broken.times[-1], abs=0.05)
    assert (piece.name, piece.subject) == ("asfamc/16/16_22-2", "16")
    assert ([part.label for part in swim.segments], swim.subject) == (["stand"], "13")
    np.testing.assert_allclose(walk.points, MOTIONS[0], atol=1e-6)
    np.testing.assert_allclose(np.diff(walk.times), 1 / 60)


def test_a_label_of_one_person_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COLUMNS, "actions", ("walk", "", "run", "run", "swim"))
    found = mocap.read(prepared(tmp_path / "m.npz"))
    assert found.labels == ("stand",)
    flaws = {
        Flaw("label walk", "shown by one subject", "left out"),
        Flaw("label run", "shown by one subject", "left out"),
    }
    assert flaws < set(found.flaws)
    assert {part.label for clip in found.clips for part in clip.segments} == {"stand"}


def test_lifted_poses_are_turned_upright(tmp_path: Path) -> None:
    tilt = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    path = prepared(tmp_path / "l.npz", (0,), 2, kinds=np.array(["lifted"]), sources=np.array([0]), axes=tilt[None])
    (copy,) = (clip for clip in mocap.read(prepared(tmp_path / "m.npz"), path).clips if clip.kind)
    np.testing.assert_allclose(copy.points, MOTIONS[0][::2] @ tilt.T, atol=1e-6)


def test_files_of_hdm05_have_their_own_rules_and_terms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COLUMNS, "actions", ("sneak2StepsLStart", "", "slow walk", "slow walk", "swim"))
    monkeypatch.setattr("tests.recognition.data.test_mocap.NAMES", ("bd/HDM_bd_sneak_001_120", *NAMES[1:]))
    both, alone = mocap.read(prepared(tmp_path / "m.npz")), mocap.read(prepared(tmp_path / "h.npz", (0,)))
    assert [segment.label for segment in both.clips[0].segments] == ["walk"]
    assert "HDM05" in both.terms and "mocap.cs.cmu.edu" in both.terms
    assert "HDM05" in alone.terms and "mocap.cs.cmu.edu" not in alone.terms


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


def test_a_copy_does_not_have_what_begins_after_its_last_frame(tmp_path: Path) -> None:
    path = prepared(tmp_path / "l.npz", (2,), 121, kinds=np.array(["lifted"]), sources=np.array([2]))
    done = convert(prepared(tmp_path / "m.npz"), tmp_path / "out", "mocap", path)
    original, copy = (clip for clip in done.clips if clip.name == "asfamc/16/16_22")
    begins = [segment.start for segment in original.segments]
    assert begins[-1] > copy.times[-1], "two seconds of which one picture was taken"
    assert [segment.start for segment in copy.segments] == [start for start in begins if start <= copy.times[-1]]
    same(labelled_folder.read(tmp_path / "out"), done)


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
        np.savez(tmp_path / "future.npz", **{**file, "format": 4})
    for name in ("text", "other", "future", "none"):
        with pytest.raises(DataError, match=f"{name}.*lifting prepare"):
            mocap.read(tmp_path / f"{name}.npz")

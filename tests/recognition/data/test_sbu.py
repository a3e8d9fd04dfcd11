import os
from pathlib import Path

import numpy as np
import pytest

from kinelift.poses import skeleton
from kinelift.poses.errors import DataError
from kinelift.recognition.data import labelled_folder, sbu
from kinelift.recognition.data.clips import Dataset
from tests.recognition.data.folders import same
from tests.recognition.data.samples import packed, two_people, write_sbu

BODY = skeleton("kinect15")


@pytest.fixture(scope="module")
def real(shared: Path) -> Dataset:
    path = shared / "data/sbu/sbu_folds.tar.xz"
    if not path.is_file():
        pytest.skip(f"no {path}")
    return sbu.read(path)


def both(points: np.ndarray, joint: str) -> np.ndarray:
    """(T, 2, 3): a joint of both people."""
    return points.reshape(len(points), 2, 15, 3)[:, :, BODY.index(joint)]


def test_padding_is_removed_and_joints_keep_their_person(tmp_path: Path) -> None:
    dataset = sbu.read(write_sbu(tmp_path / "sbu"))
    assert (len(dataset), dataset.subjects) == (10, sbu.FOLDS)
    first, second = dataset.clips[:2]
    assert (first.name, first.split, first.segments[0].label) == ("fold1_01", "fold1", "approaching")
    assert (len(first), len(second), second.segments[0].label) == (10, 6, "punching")
    for person in (1, 2):
        for joint in BODY.joints:
            place = two_people(6)[:, BODY.index(joint), person - 1]
            np.testing.assert_allclose(second.points[:, sbu.SKELETON.index(f"{joint}_{person}")], place, atol=1e-6)


def test_an_archive_reads_like_its_folder(tmp_path: Path) -> None:
    path = write_sbu(tmp_path / "sbu")
    same(sbu.read(packed(path, "sbu.tar.xz")), sbu.read(path))


def test_clips_without_a_pose_are_reported(tmp_path: Path) -> None:
    dataset = sbu.read(write_sbu(tmp_path / "sbu", frames=(10, 0)))
    assert len(dataset) == 5
    assert [str(flaw) for flaw in dataset.flaws] == [f"{fold}_02: no pose in any frame; left out" for fold in sbu.FOLDS]


class Harm:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("harm",)

    def __str__(self) -> str:
        return "harm"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (Harm(), "would run posix.mkdir"),
        ((0, 8), "numbers from 0 to 7"),
        ((0, -1), "numbers from 0 to 7"),
        (("0", "1"), "numbers from 0 to 7"),
        ({0: 1}, "not a list"),
        ((0,), "2 clips but 1 labels"),
    ],
    ids=str,
)
def test_invalid_labels_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: object, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=message):
        sbu.read(write_sbu(tmp_path / "sbu", labels))
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("file", ["fold2_data.npy", "fold5_label.pkl"])
@pytest.mark.parametrize("change", ["missing", "cut", "nonsense"])
def test_damaged_files_are_refused(tmp_path: Path, file: str, change: str) -> None:
    path = write_sbu(tmp_path / "sbu") / file
    content = path.read_bytes()
    path.unlink()
    if change != "missing":
        path.write_bytes(content[:-5] if change == "cut" else b"\x93nonsense")
    with pytest.raises(DataError, match=file):
        sbu.read(tmp_path / "sbu")


def test_other_shapes_are_refused(tmp_path: Path) -> None:
    path = write_sbu(tmp_path / "sbu")
    np.save(path / "fold1_data.npy", np.zeros((2, 3, 9, 20, 2), np.float32))
    with pytest.raises(DataError, match="has shape"):
        sbu.read(path)
    np.save(path / "fold1_data.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(DataError, match="damaged"):
        sbu.read(path)


def test_real_bodies_are_of_human_size_and_keep_it(real: Dataset) -> None:
    """Any other scale of one axis against the others lets bones change their length as they turn."""
    assert (len(real), len(real.flaws)) == (282, 0)
    lengths = {
        bone: [] for bone in (("left_hip", "left_knee"), ("right_knee", "right_foot"), ("right_elbow", "right_hand"))
    }
    for clip in real.clips:
        for a, b in lengths:
            lengths[a, b].append(np.linalg.norm(both(clip.points, a) - both(clip.points, b), axis=-1))
    for (bone, values), expected in zip(lengths.items(), (0.43, 0.41, 0.28), strict=True):
        assert np.median(np.concatenate(values)) == pytest.approx(expected, abs=0.02), bone
        assert np.median([(value.std(axis=0) / value.mean(axis=0)) for value in values]) < 0.02, bone


def test_real_people_face_each_other_in_right_handed_axes(real: Dataset) -> None:
    towards = []
    for clip in real.clips:
        left, right = both(clip.points, "left_shoulder"), both(clip.points, "right_shoulder")
        hips = (both(clip.points, "left_hip") + both(clip.points, "right_hip")) / 2
        facing = np.cross(left - right, (left + right) / 2 - hips)
        towards.append((facing * (hips[:, ::-1] - hips)).sum(axis=-1).mean())
    assert np.mean(np.array(towards) > 0) > 0.9


def test_real_labels_are_what_people_do(real: Dataset) -> None:
    def of(label: str) -> list[np.ndarray]:
        return [clip.points for clip in real.with_labels([label]).clips]

    def apart(points: np.ndarray) -> np.ndarray:
        torso = both(points, "spine")
        return np.linalg.norm(torso[:, 0] - torso[:, 1], axis=-1)

    def reach(points: np.ndarray, joint: str) -> float:
        """Closest that anybody's ``joint`` comes to the other's chest."""
        return float(np.linalg.norm(both(points, joint) - both(points, "thorax")[:, ::-1], axis=-1).min())

    def grip(points: np.ndarray, hand: str = "right_hand") -> float:
        hands = both(points, hand)
        return float(np.linalg.norm(hands[:, 0] - hands[:, 1], axis=-1).min())

    def height(points: np.ndarray) -> float:
        """Highest foot below its hip, y down."""
        return float((both(points, "right_foot") - both(points, "right_hip"))[..., 1].min())

    def median(label: str, measure: object) -> float:
        return float(np.median([measure(points) for points in of(label)]))  # type: ignore[operator]

    assert median("approaching", lambda p: apart(p)[0] - apart(p)[-1]) > 0.6
    assert median("departing", lambda p: apart(p)[-1] - apart(p)[0]) > 0.6
    assert min(sbu.ACTIONS, key=lambda label: median(label, height)) == "kicking"
    assert min(sbu.ACTIONS, key=lambda label: median(label, lambda p: apart(p).min())) == "hugging"
    assert min(sbu.ACTIONS, key=lambda label: median(label, grip)) == "shaking hands"
    assert np.mean([grip(points) < grip(points, "left_hand") for points in of("shaking hands")]) > 0.9
    both_hands = {
        label: median(label, lambda p: max(reach(p, "left_hand"), reach(p, "right_hand"))) for label in sbu.ACTIONS
    }
    assert sorted(both_hands, key=both_hands.__getitem__)[:2] in (["pushing", "hugging"], ["hugging", "pushing"])
    one_hand = {
        label: median(label, lambda p: min(reach(p, "left_hand"), reach(p, "right_hand"))) for label in sbu.ACTIONS
    }
    assert one_hand["punching"] < one_hand["exchanging"]


def test_real_clips_survive_the_folder(real: Dataset, tmp_path: Path) -> None:
    part = real.with_clips(real.clips[::20])
    labelled_folder.write(tmp_path / "out", part)
    same(labelled_folder.read(tmp_path / "out"), part)

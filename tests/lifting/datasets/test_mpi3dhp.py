"""The data set is not available here; these files follow the layout in its documentation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from kinelift.lifting.datasets import mpi3dhp
from kinelift.lifting.datasets.sequences import SequenceBank
from kinelift.poses.camera import Camera
from kinelift.poses.errors import DataError
from kinelift.poses.skeleton import MPI3DHP17

LENS = Camera((1497.7, 1497.1), (1024.7, 1051.4))
PUBLISHED = (
    "spine3", "spine4", "spine2", "spine", "pelvis", "neck", "head", "head_top", "left_clavicle", "left_shoulder",
    "left_elbow", "left_wrist", "left_hand", "right_clavicle", "right_shoulder", "right_elbow", "right_wrist",
    "right_hand", "left_hip", "left_knee", "left_ankle", "left_foot", "left_toe", "right_hip", "right_knee",
    "right_ankle", "right_foot", "right_toe",
)  # fmt: skip
"""The data set's names of its 28 joints."""
OURS = {"head_top": "head", "neck": "thorax", "head": "nose", "pelvis": "hip"}
"""Its names of joints that have another name in MPI3DHP17."""


def filmed(seed: int, frames: int = 6, joints: int = 17) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (px) and poses (mm, camera frame)."""
    metres = np.random.default_rng(seed).uniform(-1, 1, (frames, joints, 3)) + np.array([0.0, 0.0, 4.0])
    return LENS.project(metres), metres * 1000


def write_test_set(path: Path, seed: int = 0, **change: Any) -> None:
    h5py = pytest.importorskip("h5py")
    keypoints, poses = filmed(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        "annot2": keypoints[:, None], "annot3": poses[:, None], "univ_annot3": poses[:, None] * 0.9,
        "valid_frame": np.array([[1, 0, 1, 1, 0, 1]], np.uint8),
        "activity_annotation": np.array([[1, 1, 2, 8, 7, 3.0]]),
    }  # fmt: skip
    with h5py.File(path, "w") as file:
        for name, array in (arrays | change).items():
            if array is not None:
                file[name] = array


def write_training_set(path: Path, frames: int = 6) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = {name: np.empty((14, 1), dtype=object) for name in ("annot2", "annot3", "univ_annot3")}
    for camera in range(14):
        keypoints, poses = filmed(camera, frames, 28)
        for name, array in (("annot2", keypoints), ("annot3", poses), ("univ_annot3", poses * 0.9)):
            cells[name][camera, 0] = array.reshape(frames, -1)
    savemat(path, cells | {"cameras": np.arange(14)[None], "frames": np.arange(frames)[:, None]})


def pickled(path: Path, data: Any) -> Path:
    np.savez_compressed(path, data=np.array(data, dtype=object))
    return path


def annotated(seed: int = 0) -> dict[str, np.ndarray]:
    keypoints, poses = filmed(seed)
    return {"data_2d": keypoints, "data_3d": poses, "valid": np.array([1, 0, 1, 1, 0, 1], np.uint8)}


def check_test(bank: SequenceBank, scale: float) -> None:
    first, last = bank
    assert [(one.subject, one.action, one.size, one.rate) for one in (first, last)] == [
        ("TS1", "GreenScreen", (2048, 2048), 25.0), ("TS6", "Outdoor", (1920, 1080), 25.0)
    ]  # fmt: skip
    for seed, one in ((0, first), (6, last)):
        keypoints, poses = filmed(seed)
        assert one.truth is not None
        assert np.isnan(one.truth).any((1, 2)).tolist() == [False, True, False, False, True, False]
        known = [0, 2, 3, 5]
        np.testing.assert_allclose(one.truth[known], poses[known] / 1000 * scale, rtol=0, atol=1e-6)
        np.testing.assert_allclose(one.keypoints, keypoints, rtol=0, atol=1e-3)
        np.testing.assert_allclose(one.camera.parameters[:4], LENS.parameters[:4], rtol=0, atol=0.02)


def test_joints_are_selected_by_the_published_names() -> None:
    names = [PUBLISHED[j] for j in mpi3dhp.JOINTS]
    assert tuple(OURS.get(name, name) for name in names) == MPI3DHP17.joints


@pytest.mark.parametrize(("pose", "scale"), [("univ_annot3", 0.9), ("annot3", 1.0)])
def test_the_test_set(tmp_path: Path, pose: mpi3dhp.Pose, scale: float) -> None:
    write_test_set(tmp_path / "TS1" / "annot_data.mat", 0)
    write_test_set(tmp_path / "TS6" / "annot_data.mat", 6)
    check_test(mpi3dhp.read_test_set(tmp_path, pose), scale)


def test_the_test_archive(tmp_path: Path) -> None:
    path = pickled(tmp_path / "data_test_3dhp.npz", {"TS1": annotated(0), "TS6": annotated(6)})
    check_test(mpi3dhp.read_test_archive(path), 1.0)


def test_the_training_set(tmp_path: Path) -> None:
    write_training_set(tmp_path / "S1" / "Seq2" / "annot.mat")
    write_training_set(tmp_path / "S8" / "Seq1" / "annot.mat")
    bank = mpi3dhp.read_training_set(tmp_path, cameras=(0, 13))
    assert [(one.subject, one.action, one.view, one.rate) for one in bank] == [
        ("S1", "Seq2", "0", 50.0), ("S1", "Seq2", "13", 50.0), ("S8", "Seq1", "0", 25.0), ("S8", "Seq1", "13", 25.0)
    ]  # fmt: skip
    keypoints, poses = filmed(13, joints=28)
    one = bank.sequences[1]
    assert one.truth is not None
    np.testing.assert_allclose(one.keypoints, keypoints[:, mpi3dhp.JOINTS], rtol=0, atol=1e-3)
    np.testing.assert_allclose(one.truth, poses[:, mpi3dhp.JOINTS] / 1000 * 0.9, rtol=0, atol=1e-6)
    assert {one.view for one in mpi3dhp.read_training_set(tmp_path)} == set("01245678")


def test_the_training_archive(tmp_path: Path) -> None:
    keypoints, poses = filmed(3)
    views = {camera: {"data_2d": keypoints, "data_3d": poses} for camera in ("0", "8")}
    bank = mpi3dhp.read_training_archive(pickled(tmp_path / "data_train_3dhp.npz", {"S2 Seq1": [views]}))
    assert [(one.subject, one.action, one.view, one.size, one.rate) for one in bank] == [
        ("S2", "Seq1", view, (2048, 2048), 25.0) for view in ("0", "8")
    ]
    assert bank.sequences[0].truth is not None
    np.testing.assert_allclose(bank.sequences[0].truth, poses / 1000, rtol=0, atol=1e-6)


@given(st.integers(0, 2**31), st.floats(500, 3000), st.floats(500, 3000), st.floats(0, 2000), st.floats(0, 2000))
@settings(max_examples=30)
def test_recovers_the_camera(seed: int, fx: float, fy: float, cx: float, cy: float) -> None:
    metres = filmed(seed)[1] / 1000
    camera = Camera((fx, fy), (cx, cy))
    keypoints = camera.project(metres)
    keypoints[0, 3] = np.nan
    found, stray = mpi3dhp.fit_camera(metres, keypoints)
    np.testing.assert_allclose(found.parameters, camera.parameters, rtol=0, atol=1e-6)
    assert stray < 1e-6


def test_poses_of_no_camera_are_refused(tmp_path: Path) -> None:
    relative, shuffled, blind = annotated(), annotated(), annotated()
    relative["data_3d"] = relative["data_3d"] - relative["data_3d"][:, 14:15]
    shuffled["data_2d"] = np.random.default_rng(0).permuted(shuffled["data_2d"], axis=1)
    blind["valid"] = np.zeros(6, np.uint8)
    for entry, message in (
        (relative, "absolute positions"),
        (shuffled, "TS2.*(px from|no camera fits)"),
        (blind, "too few"),
    ):
        with pytest.raises(DataError, match=message):
            mpi3dhp.read_test_archive(pickled(tmp_path / "data_test_3dhp.npz", {"TS2": entry}))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "expected a dictionary by sequence"),
        ([1, 2], "expected a dictionary by sequence"),
        ({"TS9": {}}, "'TS9', which is not one of TS1"),
        ({"TS1": {"data_2d": np.zeros((3, 17, 2))}}, "TS1 has no data_3d"),
        ({"TS1": annotated() | {"data_3d": np.zeros((6, 16, 3))}}, r"\(6, 16, 3\), expected frames × 17 × 3"),
        ({"TS1": annotated() | {"valid": np.ones(5)}}, "6 frames of keypoints, 6 of poses, 5 flags"),
    ],
)
def test_other_test_archives_are_refused(tmp_path: Path, data: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        mpi3dhp.read_test_archive(pickled(tmp_path / "data_test_3dhp.npz", data))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"S9 Seq1": []}, "'S9 Seq1', which is not one of"),
        ({"S1 Seq1": ["views"]}, "expected a dictionary by camera"),
        ({"S1 Seq1": [{"0": {"data_2d": np.zeros((3, 17, 2))}}]}, "S1 Seq1, camera 0 has no data_3d"),
        ({"S1 Seq1": [{"0": annotated() | {"data_3d": np.zeros((5, 17, 3))}}]}, "6 frames of keypoints, 5 of poses"),
    ],
)
def test_other_training_archives_are_refused(tmp_path: Path, data: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        mpi3dhp.read_training_archive(pickled(tmp_path / "data_train_3dhp.npz", data))


def test_other_annotations_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Expected TS1/annot_data\.mat"):
        mpi3dhp.read_test_set(tmp_path)
    with pytest.raises(DataError, match=r"Expected S1/Seq1/annot\.mat"):
        mpi3dhp.read_training_set(tmp_path)
    path = tmp_path / "S1" / "Seq1" / "annot.mat"
    write_training_set(path)
    with pytest.raises(DataError, match="expected a cell for camera 14"):
        mpi3dhp.read_training_set(tmp_path, cameras=(14,))
    savemat(path, {"annot2": np.zeros((3, 56)), "univ_annot3": np.zeros((3, 84))})
    with pytest.raises(DataError, match="expected a cell"):
        mpi3dhp.read_training_set(tmp_path)
    ts = tmp_path / "TS3" / "annot_data.mat"
    write_test_set(ts, univ_annot3=None)
    with pytest.raises(DataError, match="has no univ_annot3"):
        mpi3dhp.read_test_set(tmp_path)

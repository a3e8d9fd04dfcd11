from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinelift.lifting.datasets.community import Conversion, read_community
from kinelift.lifting.datasets.human36m import JOINTS, SIZES
from kinelift.lifting.datasets.videopose3d import HUMANEVA15, read_2d, read_3d
from kinelift.poses import COCO17, H36M17, Skeleton
from kinelift.poses.camera import Camera, Distortion, Extrinsics
from kinelift.poses.errors import DataError, SettingsError
from tests.lifting.datasets.recordings import standing, walk

CAMERAS = tuple(
    Camera((1145.0, 1143.8), (512.5, 515.5), Distortion(-0.2, 0.24, 0.001 * k, -0.001, -0.003)) for k in range(4)
)
FRAMES = {"S1": {"Walking 1": 90, "Sitting": 40}, "S9": {"Walking": 60}}
Files = dict[str, dict[str, Any]]


def place(subject: str, camera: int) -> Extrinsics:
    return standing(1.5 * camera + (subject == "S9"), distance=5.0)


def described(layout: Skeleton, **more: Any) -> dict[str, Any]:
    pairs = [list(layout.left), list(layout.right)]
    return {"layout_name": {"h36m17": "h36m", "coco17": "coco"}.get(layout.name, layout.name),
            "num_joints": len(layout), "keypoints_symmetry": pairs, **more}  # fmt: skip


@pytest.fixture
def recorded() -> Files:
    """Poses in the world, and their projections into four cameras."""
    poses = {s: {a: walk(frames, 17, seed=frames) for a, frames in of.items()} for s, of in FRAMES.items()}
    pictures = {
        subject: {
            action: [
                camera.project(place(subject, k).to_camera(world)).astype(np.float32)
                for k, camera in enumerate(CAMERAS)
            ]
            for action, world in of.items()
        }
        for subject, of in poses.items()
    }
    return {"positions_3d": poses, "positions_2d": pictures, "metadata": described(H36M17)}


def read(folder: Path, files: Files, **more: Any) -> Conversion:
    return read_community(
        saved(folder, files, "positions_2d", "metadata"), saved(folder, files, "positions_3d"), **more
    )


def saved(folder: Path, files: Files, *keys: str) -> Path:
    path = folder / f"data_{keys[0][-2:]}_h36m.npz"
    arrays: dict[str, Any] = {key: np.array(files[key], dtype=object) for key in keys}
    np.savez_compressed(path, **arrays)
    return path


def test_recovers_cameras_and_poses(recorded: Files, tmp_path: Path) -> None:
    found = read(tmp_path, recorded)
    assert len(found.bank) == 12
    assert max(one.residual for one in found.cameras.values()) < 0.01
    for one in found.bank:
        k = list(SIZES).index(one.view)
        world = recorded["positions_3d"][one.subject][one.action]
        assert one.truth is not None
        np.testing.assert_allclose(one.truth, place(one.subject, k).to_camera(world), atol=2e-3)
        np.testing.assert_allclose(one.camera.project(one.truth.astype(float)), one.keypoints, atol=0.05)
        assert (one.rate, one.size, one.source, one.target) == (50.0, SIZES[one.view], H36M17, H36M17)
    assert "By subject: S1 520, S9 240." in str(found)
    assert "By action: Walking 600, Sitting 160." in str(found)
    assert "S9 60457274 0.00" in str(found)


def test_all_joints_of_human36m_are_reduced(recorded: Files, tmp_path: Path) -> None:
    whole = {"positions_3d": {}}  # type: Files
    for subject, actions in recorded["positions_3d"].items():
        whole["positions_3d"][subject] = {}
        for action, poses in actions.items():
            whole["positions_3d"][subject][action] = np.full((len(poses), 32, 3), 7.0)
            whole["positions_3d"][subject][action][:, JOINTS] = poses
    found = read_3d(saved(tmp_path, whole, "positions_3d"))
    assert found.layout == H36M17
    for (subject, action), poses in found.recordings.items():
        np.testing.assert_allclose(poses, recorded["positions_3d"][subject][action], atol=1e-6)


def test_unmatched_frames_are_cut_and_reported(recorded: Files, tmp_path: Path) -> None:
    pictures, poses = recorded["positions_2d"], recorded["positions_3d"]
    pictures["S1"]["Sitting"] = [np.concatenate([one, one[-1:], one[-1:]]) for one in pictures["S1"]["Sitting"]]
    poses["S9"]["Walking"] = np.concatenate([poses["S9"]["Walking"], np.zeros((3, 17, 3))])
    pictures["S1"]["Waiting"] = pictures["S1"]["Walking 1"]
    pictures["S7"] = pictures["S1"]
    poses["S8"] = {"Eating": poses["S1"]["Sitting"]}
    found = read(tmp_path, recorded)
    assert {one.action: len(one) for one in found.bank} == {
        "Walking 1": 90,
        "Sitting": 40,
        "Walking": 60,
        "Waiting": 90,
    }
    assert all((one.truth is None) == (one.action == "Waiting") for one in found.bank)
    assert found.notes == (
        "Cut to the shorter of keypoints and poses (frames): S1 Sitting 2, S9 Walking 3",
        "Without poses: S1 Waiting",
        "Left out, no camera: S7 Walking 1, S7 Sitting, S7 Waiting",
        "Left out, no keypoints: S8 Eating",
    )


def detected(recorded: Files, layout: Skeleton) -> Files:
    """A detector's keypoints of another layout, with confidences."""
    random = np.random.default_rng(0)
    pictures = {
        subject: {
            action: [
                np.concatenate([one + random.normal(scale=5, size=one.shape), np.ones((*one.shape[:2], 1))], -1)
                for one in cameras
            ]
            for action, cameras in actions.items()
        }
        for subject, actions in recorded["positions_2d"].items()
    }
    return {**recorded, "positions_2d": pictures, "metadata": described(layout)}


def test_detections_take_the_cameras_of_exact_keypoints(recorded: Files, tmp_path: Path) -> None:
    (tmp_path / "exact").mkdir()
    exact = saved(tmp_path / "exact", recorded, "positions_2d", "metadata")
    found = read(tmp_path, detected(recorded, COCO17), truth_2d=exact)
    assert (found.bank.source, found.bank.target) == (COCO17, H36M17)
    assert max(one.residual for one in found.cameras.values()) < 0.01
    assert "The confidences of the keypoints are ignored" in found.notes
    with pytest.raises(DataError, match=r"coco17 keypoints.* Give the ground-truth"):
        read(tmp_path, detected(recorded, COCO17))
    with pytest.raises(DataError, match=r"data_2d_h36m.npz: camera 54138969 of S1: no camera fits.*ground truth"):
        read(tmp_path, detected(recorded, H36M17))


def test_users_videos_have_no_truth(tmp_path: Path) -> None:
    videos = {"run.mp4": {"custom": [np.full((30, 17, 2), 100.0)]}}
    files: Files = {
        "positions_2d": videos,
        "metadata": described(COCO17, video_metadata={"run.mp4": {"w": 1280, "h": 720}}),
    }
    found = read_community(saved(tmp_path, files, "positions_2d", "metadata"), rate=24.0)
    (one,) = found.bank
    assert (one.subject, one.action, one.size, one.rate, one.truth) == ("run.mp4", "custom", (1280, 720), 24.0, None)
    assert one.camera == Camera.from_field_of_view(55, (1280, 720))
    assert found.notes == ("Assumed a field of view of 55° along the longer side",)
    with pytest.raises(SettingsError, match="Give the rate"):
        read_community(saved(tmp_path, files, "positions_2d", "metadata"))
    del files["metadata"]["video_metadata"]
    with pytest.raises(DataError, match=r"no size for run\.mp4"):
        read_community(saved(tmp_path, files, "positions_2d", "metadata"), rate=24.0)


def lost(files: Files, *path: str) -> None:
    *way, last = path
    for key in way:
        files = files[key]
    files[last] = {}


@pytest.mark.parametrize(("spoil", "said"), [
    (lambda f: f["positions_2d"].update(S1=[]), "positions_2d is not nested .* Expected"),
    (lambda f: f["positions_3d"].update(S1=None), "positions_3d is not nested .* Expected"),
    (lambda f: f["positions_2d"].clear(), "positions_2d is empty"),
    (lambda f: f["positions_2d"]["S1"].update(Sitting=3.0), "positions_2d of S1 Sitting is not a list of cameras"),
    (lambda f: f["positions_2d"]["S1"]["Sitting"].pop(), "S1 Sitting has 3 cameras. Expected 4"),
    (lambda f: f["positions_2d"]["S1"].update(Sitting=[np.zeros((5, 34))]), r"camera 0 is shape \(5, 34\) of float"),
    (lambda f: f["positions_2d"]["S1"].update(Sitting=[np.zeros((5, 16, 2))]), "16 joints, but metadata names h36m17"),
    (lambda f: f["positions_2d"]["S1"].update(Sitting=[["text"]]), "camera 0 is a list"),
    (lambda f: f["positions_3d"]["S1"].update(Sitting=np.zeros((5, 17, 2))), r"positions_3d of S1 Sitting is shape"),
    (lambda f: f["positions_3d"]["S1"].update(Sitting=np.zeros((5, 15, 3))), "poses of 15 and 17 joints"),
    (lambda f: f["metadata"].update(layout_name="halpe"), "layout 'halpe'. Expected one of: h36m, humaneva15, coco"),
    (lambda f: f["metadata"].update(keypoints_symmetry=[[1, 2], [3, 4]]), "Reorder the joints"),
    (lambda f: f["metadata"].update(video_metadata={"a": {"w": 3}}), "video_metadata is not"),
])  # fmt: skip
def test_files_of_another_layout_are_named(
    spoil: Callable[[Files], Any], said: str, recorded: Files, tmp_path: Path
) -> None:
    spoil(recorded)
    with pytest.raises(DataError, match=rf"data_[23]d_h36m\.npz: .*{said}"):
        read(tmp_path, recorded)


def test_humaneva_as_it_is_shared(shared: Path) -> None:
    pictures, poses = (shared / f"data/humaneva/data_{name}.npz" for name in ("2d_humaneva15_gt", "3d_humaneva15"))
    if not pictures.is_file():
        pytest.skip(f"no HumanEva at {pictures}")
    assert read_2d(pictures).layout == read_3d(poses).layout == HUMANEVA15
    found = read_community(pictures, poses)
    assert max(one.residual for one in found.cameras.values()) < 0.02
    assert not found.notes
    assert (len(found.bank), found.bank.frames) == (231, 28731)
    walking = found.bank.select(actions=["Walking"], cameras=["C1"])
    assert sum(map(len, walking)) == 2932
    for one in walking:
        assert one.truth is not None
        assert (one.truth[:, HUMANEVA15.index("head"), 1] < one.truth[:, HUMANEVA15.index("hip"), 1] - 0.2).all()
        assert _leads_left(one.truth) > 0.9


def _leads_left(truth: np.ndarray) -> float:
    """Share of frames in which the left hip is to the left of the walking direction."""
    hip, left, right = (truth[:, HUMANEVA15.index(name)][:, [0, 2]] for name in ("hip", "left_hip", "right_hip"))
    way = hip[6:] - hip[:-6]
    side = (left - right)[3:-3]
    return float((way[:, 1] * side[:, 0] - way[:, 0] * side[:, 1] < 0).mean())

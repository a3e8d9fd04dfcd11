import tarfile
from pathlib import Path

import numpy as np
import pytest

from kinelift.lifting.mocap import acclaim, bvh, joints
from kinelift.lifting.mocap.prepare import prepare, read_index, split_at_jumps
from kinelift.lifting.synthesis.bank import MOCAP, MotionBank
from kinelift.poses.errors import DataError

ARM = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT Arm
  {
    OFFSET 0 2 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 3 0 0
    }
  }
}
MOTION
Frames: 3
Frame Time: 0.05
0 0 0 0 0 0 0 0 0
1 2 3 0 0 0 90 0 0
0 0 0 90 0 0 0 0 90
"""

SKELETON = """:version 1.10
:units
  length 0.45
:root
  order TX TY TZ RX RY RZ
:bonedata
  begin
    id 1
    name thigh
    direction 0 -1 0
    length 2
    axis 0 0 90 XYZ
    dof rx
    limits (-160.0 20.0)
  end
  begin
    id 2
    name shin
    direction 0 -1 0
    length 3
    axis 0 0 0 XYZ
    dof rx
  end
:hierarchy
  begin
    root thigh
    thigh shin
  end
"""

MOVEMENT = """#!OML:ASF
:FULLY-SPECIFIED
:DEGREES
1
root 0 10 0 0 0 0
thigh 0
shin 0
2
root 0 10 0 0 90 0
thigh 0
shin 90
3
root 1 10 0 0 0 0
thigh 90
shin 0
"""


def test_bvh_kinematics(tmp_path: Path) -> None:
    path = tmp_path / "arm.bvh"
    path.write_text(ARM)
    file = bvh.read_bvh(path)
    motion = bvh.pose(file)
    assert file.rate == pytest.approx(20)
    np.testing.assert_allclose(file.offset("Arm"), [0, 2, 0])
    np.testing.assert_allclose(motion.positions["Arm_end"][0], [3, 2, 0], atol=1e-9)
    np.testing.assert_allclose(motion.positions["Arm_end"][1], [1, 7, 3], atol=1e-9)  # raised by its own joint
    np.testing.assert_allclose(motion.positions["Arm"][2], [-2, 0, 0], atol=1e-9)  # the root leans
    np.testing.assert_allclose(motion.positions["Arm_end"][2], [-2, 0, -3], atol=1e-9)  # its forearm turns about Y
    np.testing.assert_allclose(motion.rotations["Arm"][1] @ [1, 0, 0], [0, 1, 0], atol=1e-9)


def test_acclaim_kinematics(tmp_path: Path) -> None:
    (tmp_path / "s.asf").write_text(SKELETON)
    (tmp_path / "s.amc").write_text(MOVEMENT)
    bones = acclaim.read_asf(tmp_path / "s.asf")
    motion = acclaim.pose(bones, acclaim.read_amc(tmp_path / "s.amc"))
    np.testing.assert_allclose(motion.positions["shin"][0], [0, 5, 0], atol=1e-9)
    # The root faces +X; the shin's positive turn about its own x axis brings its end forward… to −Z before the root.
    np.testing.assert_allclose(motion.positions["shin"][1], [-3, 8, 0], atol=1e-9)
    # The thigh's axis is turned by 90° about z: its rx turns about the world's y, which its direction lies on.
    np.testing.assert_allclose(motion.positions["thigh"][2], [1, 8, 0], atol=1e-9)
    assert motion.rate == 120


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        ARM.replace("Frames: 3", "Frames: 4"),
        ARM.replace("90 0 0\n0", "90 0\n0"),
        ARM.replace("2 0\n", "x 0\n"),
    ],
)
def test_damaged_bvh_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.bvh"
    path.write_text(text)
    with pytest.raises(DataError, match=r"broken\.bvh"):
        bvh.read_bvh(path)


@pytest.mark.parametrize("text", ["", "hello", SKELETON.replace("length 2", "length two"), SKELETON[:200]])
def test_damaged_asf_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.asf"
    path.write_text(text)
    with pytest.raises(DataError, match=r"broken\.asf"):
        acclaim.read_asf(path)


@pytest.mark.parametrize("text", ["", "hello world", MOVEMENT.replace("shin 90\n", "")])
def test_damaged_amc_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.amc"
    path.write_text(text)
    with pytest.raises(DataError, match=r"broken\.amc"):
        acclaim.read_amc(path)


def test_unknown_bones_are_refused(tmp_path: Path) -> None:
    (tmp_path / "arm.bvh").write_text(ARM)
    with pytest.raises(DataError, match=r"arm\.bvh: Unknown bone names \(Hips, Arm"):
        prepare([tmp_path], tmp_path / "out.npz")
    assert not list(tmp_path.glob("out*"))


def test_empty_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No motion capture under"):
        prepare([tmp_path], tmp_path / "out.npz")
    with pytest.raises(DataError, match="not a folder"):
        prepare([tmp_path / "none"], tmp_path / "out.npz")
    (tmp_path / "a.amc").write_text(MOVEMENT)
    with pytest.raises(DataError, match=r"no \.asf skeleton"):
        prepare([tmp_path], tmp_path / "out.npz")


def test_clips_are_cut_at_jumps() -> None:
    points = np.zeros((10, len(MOCAP), 3))
    points[4:, 7] = 1.0  # a metre in one frame
    points[8] = np.nan
    assert [len(p) for p in split_at_jumps(points, 60.0)] == [4, 4, 1, 1]
    assert [len(p) for p in split_at_jumps(points[:4], 60.0)] == [4]


def test_index_is_read_by_subject_and_trial(tmp_path: Path) -> None:
    path = tmp_path / "index.csv"
    path.write_text('"Subject","Trial #","Motion"\n02,5,"punch, strike",120\n')
    assert read_index(path) == {("2", 5): "punch, strike"}
    path.write_text("nothing here")
    with pytest.raises(DataError, match="lists no trials"):
        read_index(path)
    with pytest.raises(DataError, match="Cannot read"):
        read_index(tmp_path / "none.csv")


@pytest.fixture(scope="module")
def recordings(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few real recordings of every kind."""
    archive, folder = shared / "data/cmu/cmu_mocap_subset.tar.xz", tmp_path_factory.mktemp("cmu")
    if not archive.is_file():
        pytest.skip(f"no motion capture at {archive}")
    wanted = (
        "asfamc/07/07.asf", "asfamc/07/07_01.amc", "bvh-motionbuilder/07/07_04.bvh", "bvh-daz/13/13_11.bvh",
        "bvh-expmap/train_soccer_1.bvh", "cmu-index.csv",
    )  # fmt: skip
    with tarfile.open(archive) as tar:
        tar.extractall(folder, [m for m in tar if m.name.endswith(wanted)], filter="data")
    return folder / "cmu"


@pytest.fixture(scope="module")
def bank(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> MotionBank:
    out = tmp_path_factory.mktemp("prepared") / "cmu.npz"
    summary = prepare([recordings], out, recordings / "cmu-index.csv")
    assert (summary.clips, summary.subjects) == (4, 3)
    return MotionBank.load(out)


def joint(bank: MotionBank, clip: int, name: str) -> np.ndarray:
    return bank.clip(clip)[:, MOCAP.index(name)].numpy()


def test_real_recordings_are_people(bank: MotionBank) -> None:
    assert bank.names == (
        "asfamc/07/07_01",
        "bvh-daz/13/13_11",
        "bvh-expmap/train_soccer_1",
        "bvh-motionbuilder/07/07_04",
    )
    assert bank.subjects == ("7", "13", "expmap", "7")
    assert bank.actions[0] == "walk"
    assert bank.actions[2] == "soccer"
    assert bank.rates.numpy() == pytest.approx(60, rel=1e-4)
    for k in range(4):
        height = joint(bank, k, "head")[:, 1] - joint(bank, k, "left_ankle")[:, 1]
        assert 1.2 < np.median(height) < 1.8, bank.names[k]
        assert (joint(bank, k, "thorax")[:, 1] > joint(bank, k, "spine")[:, 1]).mean() > 0.95


def test_left_is_left_and_noses_point_forward(bank: MotionBank) -> None:
    for k in range(4):
        across = joint(bank, k, "left_hip") - joint(bank, k, "right_hip")
        forward = np.cross(across, [0.0, 1.0, 0.0])
        nose = joint(bank, k, "nose") - (joint(bank, k, "left_ear") + joint(bank, k, "right_ear")) / 2
        eyes = joint(bank, k, "left_eye") - joint(bank, k, "right_eye")
        assert ((nose * forward).sum(1) > 0).mean() > 0.9, bank.names[k]
        assert ((eyes * across).sum(1) > 0).mean() > 0.9, bank.names[k]
        knees = joint(bank, k, "left_knee") - (joint(bank, k, "left_hip") + joint(bank, k, "left_ankle")) / 2
        assert np.median((knees * forward).sum(1)) > 0, bank.names[k]  # knees bend forward


def test_bones_keep_their_length_and_formats_agree(bank: MotionBank) -> None:
    pairs = [("left_hip", "left_knee"), ("left_shoulder", "left_elbow"), ("thorax", "left_shoulder"), ("neck", "nose")]
    lengths = np.array(
        [[np.linalg.norm(joint(bank, k, a) - joint(bank, k, b), axis=1) for a, b in pairs] for k in (0,)]
    )
    assert lengths.std(axis=2).max() < 1e-3
    by_format = [
        [np.linalg.norm(joint(bank, k, a) - joint(bank, k, b), axis=1).mean() for a, b in pairs] for k in (0, 3)
    ]
    np.testing.assert_allclose(*by_format, atol=0.01)  # subject 7 from ASF/AMC and from mended BVH
    trunk = [np.linalg.norm(joint(bank, k, "thorax") - joint(bank, k, "spine"), axis=1).mean() for k in (0, 3)]
    np.testing.assert_allclose(*trunk, atol=0.02)


def test_layouts_name_every_joint() -> None:
    for layout in (joints.ACCLAIM, joints.MOTIONBUILDER, joints.DAZ):
        assert layout.find("left_knee") != layout.find("right_knee")
        assert layout.find("thorax") == layout.joints["thorax"]

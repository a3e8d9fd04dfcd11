"""Preparing, on a small figure written here: bones along the axes, so that every place is known."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from kinelift.lifting.mocap.capture_files import LEAD_IN, Capture, read
from kinelift.lifting.mocap.joints import ACCLAIM_METRES
from kinelift.lifting.mocap.prepare import prepare
from kinelift.lifting.synthesis.bank import MOCAP, MotionBank
from kinelift.poses.errors import DataError, OutputError
from tests.lifting.test_mocap import MOVEMENT, SKELETON

TREE = {
    "Hips": {
        "LeftUpLeg": ((2, 0, 0), {"LeftLeg": ((0, -7, 0), {"LeftFoot": ((0, -7, 0), {})})}),
        "RightUpLeg": ((-2, 0, 0), {"RightLeg": ((0, -7, 0), {"RightFoot": ((0, -7, 0), {})})}),
        "Spine": ((0, 2, 0), {
            "Spine1": ((0, 3, 0), {
                "Neck": ((0, 0, 0), {"Head": ((0, 3, 0), {})}),
                "LeftArm": ((3, 0, 0), {"LeftForeArm": ((5, 0, 0), {"LeftHand": ((4, 0, 0), {})})}),
                "RightArm": ((-3, 0, 0), {"RightForeArm": ((-5, 0, 0), {"RightHand": ((-4, 0, 0), {})})}),
            })
        }),
    }
}  # fmt: skip
ORDER = ("Hips", "LeftUpLeg", "LeftLeg", "LeftFoot", "RightUpLeg", "RightLeg", "RightFoot", "Spine", "Spine1", "Neck")


def joint(name: str, offset: tuple[int, ...], children: dict) -> str:
    inside = "".join(joint(child, *facts) for child, facts in children.items())
    end = "End Site\n{\nOFFSET 0 1 0\n}\n" if not children else ""
    head = f"OFFSET {offset[0]} {offset[1]} {offset[2]}\nCHANNELS 3 Zrotation Yrotation Xrotation\n"
    return f"JOINT {name}\n{{\n{head}{inside}{end}}}\n"


def figure(rows: np.ndarray, rate: float) -> str:
    """A figure with MotionBuilder's bones, facing +Z with its arms stretched out. ``rows`` (T, 6 + 3 × 16) channels."""
    inside = "".join(joint(child, *facts) for child, facts in TREE["Hips"].items())
    channels = "CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation"
    numbers = "\n".join(" ".join(f"{v:.4f}" for v in row) for row in rows)
    return (
        f"HIERARCHY\nROOT Hips\n{{\nOFFSET 0 0 0\n{channels}\n{inside}}}\n"
        f"MOTION\nFrames: {len(rows)}\nFrame Time: {1 / rate:.7f}\n{numbers}\n"
    )


def still(frames: int) -> np.ndarray:
    rows = np.zeros((frames, 6 + 3 * 16))
    rows[:, 1] = 14
    return rows


def turn(rows: np.ndarray, name: str, axis: str, degrees: float) -> None:
    """Turn a joint in every frame."""
    rows[:, 3 + 3 * ORDER.index(name) + "ZYX".index(axis)] = degrees


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / "in" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="latin-1")
    return path


def recorded(folder: Path, name: str, text: str) -> Capture:
    put(folder, name, text)
    return next(read(folder / "in"))


def prepared(folder: Path, name: str, text: str) -> dict[str, np.ndarray]:
    put(folder, name, text)
    prepare([folder / "in"], folder / "out.npz")
    with np.load(folder / "out.npz") as file:
        return dict(file)


def place(data: Capture, name: str) -> np.ndarray:
    return data.points[0, MOCAP.index(name)]


def test_restores_the_omitted_thorax(tmp_path: Path) -> None:
    data = recorded(tmp_path, "05/05_01.bvh", figure(still(60), 60))
    unit = ACCLAIM_METRES
    np.testing.assert_allclose(place(data, "hip"), [0, 14 * unit, 0], atol=1e-6)
    np.testing.assert_allclose(place(data, "spine"), [0, 16 * unit, 0], atol=1e-6)
    np.testing.assert_allclose(place(data, "thorax"), [0, 22 * unit, 0], atol=1e-6)  # Spine1 at 19, its length again
    np.testing.assert_allclose(place(data, "head"), [0, 26 * unit, 0], atol=1e-6)
    np.testing.assert_allclose(place(data, "left_wrist"), [12 * unit, 22 * unit, 0], atol=1e-6)
    np.testing.assert_allclose(place(data, "right_ankle"), [-2 * unit, 0, 0], atol=1e-6)
    np.testing.assert_allclose(place(data, "nose"), [0, 25 * unit + 0.06, 0.115], atol=1e-6)
    assert place(data, "left_eye")[0] > 0 > place(data, "right_eye")[0]


def test_the_thorax_follows_the_spine(tmp_path: Path) -> None:
    rows = still(60)
    turn(rows, "Spine1", "X", 90)  # bent forward, to +Z
    data = recorded(tmp_path, "05/05_01.bvh", figure(rows, 60))
    np.testing.assert_allclose(place(data, "thorax"), np.array([0, 19, 3]) * ACCLAIM_METRES, atol=1e-6)
    nose = place(data, "nose") - place(data, "neck")
    np.testing.assert_allclose(nose, [0, -0.115, 0.06], atol=1e-6)  # looks at the floor


def test_toes_are_added_to_files_without_and_taken_from_others(tmp_path: Path) -> None:
    rows = still(60)
    turn(rows, "LeftFoot", "Y", 90)  # to the left: from +Z to +X
    data = recorded(tmp_path, "05/05_01.bvh", figure(rows, 60))
    left, right = (place(data, f"{s}_big_toe") - place(data, f"{s}_ankle") for s in ("left", "right"))
    np.testing.assert_allclose(left, [0.18, -0.05, 0], atol=1e-6)
    np.testing.assert_allclose(right, [0, -0.05, 0.18], atol=1e-6)
    end = "End Site\n{\nOFFSET 0 1 0\n}\n"
    toes = "JOINT LeftToeBase\n{\nOFFSET 0 -1 2\nCHANNELS 0\nEnd Site\n{\nOFFSET 0 0 1\n}\n}\n"
    text = figure(still(60), 60)
    at = text.index(end, text.index("LeftFoot"))
    data = recorded(tmp_path, "05/05_01.bvh", text[:at] + toes + text[at + len(end) :])
    left = place(data, "left_big_toe") - place(data, "left_ankle")
    np.testing.assert_allclose(left, np.array([0, -1, 3]) * ACCLAIM_METRES, atol=1e-6)


def test_the_face_turns_with_the_body(tmp_path: Path) -> None:
    rows = still(60)
    turn(rows, "Hips", "Y", 90)  # to its left: from +Z to +X
    data = recorded(tmp_path, "05/05_01.bvh", figure(rows, 60))
    np.testing.assert_allclose((place(data, "nose") - place(data, "neck"))[[0, 2]], [0.115, 0], atol=1e-6)
    assert place(data, "left_shoulder")[2] < 0 < place(data, "right_shoulder")[2]


@pytest.mark.parametrize(("rate", "kept", "out"), [(120, 2, 60), (60, 1, 60), (30, 1, 30), (100, 2, 50)])
def test_fast_recordings_are_decimated_after_the_lead_in(tmp_path: Path, rate: int, kept: int, out: int) -> None:
    rows = still(LEAD_IN + 2 * rate)
    rows[:, 0] = 0.001 * np.arange(len(rows))
    data = prepared(tmp_path, "05/05_01.bvh", figure(rows, rate))
    assert data["rates"][0] == pytest.approx(out, rel=1e-4)
    expected = 0.001 * np.arange(LEAD_IN, len(rows), kept) * ACCLAIM_METRES
    np.testing.assert_allclose(data["points"][:, 0, 0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "subject", "action"),
    [
        ("05/05_03.bvh", "5", "from the index"),
        ("60/60_salsa_02.bvh", "60", "salsa"),
        ("bvh-expmap/train_basketball_signal_2.bvh", "expmap", "basketball signal"),
        ("99/walk_01.bvh", "99", "walk"),
        ("asfdirect/35_01.bvh", "35", "35_01"),
        ("hdm05/mm/HDM_mm_squat1Reps_003_120.bvh", "hdm05-mm", "squat1Reps"),
        ("sfu/0005_Jogging001.bvh", "sfu-0005", "Jogging001"),
    ],
)
def test_clips_are_described(tmp_path: Path, name: str, subject: str, action: str) -> None:
    index = tmp_path / "index.csv"
    index.write_text('5,3,"from the index"\n')
    path = tmp_path / "in" / name
    path.parent.mkdir(parents=True)
    path.write_text(figure(still(60), 60))
    prepare([tmp_path / "in"], tmp_path / "out.npz", index)
    with np.load(tmp_path / "out.npz") as data:
        assert (data["names"][0], data["subjects"][0]) == (name.removesuffix(".bvh"), subject)
        assert data["actions"][0] == action


def test_cuts_at_jumps_and_reports_them(tmp_path: Path) -> None:
    rows = still(LEAD_IN + 100)
    rows[LEAD_IN + 40] = np.nan
    rows[LEAD_IN + 90 :, 0] = 100  # elsewhere at once; what follows is too short
    (tmp_path / "a.bvh").write_text(figure(rows, 60))
    summary = prepare([tmp_path], tmp_path / "out.npz")
    assert (summary.clips, summary.cuts) == (2, {"a": 3})
    assert summary.left_out == pytest.approx(11 / 60, rel=1e-3)
    assert "a (3)" in str(summary)
    assert "0.2 s" in str(summary)
    with np.load(tmp_path / "out.npz") as data:
        assert data["offsets"].tolist() == [0, 40, 89]
        assert np.isfinite(data["points"]).all()


@pytest.mark.parametrize(
    ("skeleton", "movement", "message"),
    [
        (SKELETON, MOVEMENT, r"s\.amc: Unknown bone names \(root, thigh"),
        (SKELETON, MOVEMENT.replace("shin 0\n", "").replace("shin 90\n", ""), r"s\.amc: shin has 0 numbers"),
        (SKELETON.replace("dof rx\n    lim", "dof rx ry\n    lim"), MOVEMENT, r"s\.amc: thigh has 1 numbers .* 2"),
        (SKELETON, MOVEMENT.replace("root 0", "root"), r"s\.amc"),
        (SKELETON, MOVEMENT.replace(":DEGREES", ":RADIANS"), r"s\.amc.*radians"),
        (SKELETON.replace("TX TY TZ RX RY RZ", "RX RY RZ TX TY TZ"), MOVEMENT, r"s\.asf.*order"),
        (SKELETON.replace("dof rx", "dof rx l"), MOVEMENT, r"s\.asf.*freedom"),
    ],
)
def test_acclaim_files_that_do_not_fit_are_named(tmp_path: Path, skeleton: str, movement: str, message: str) -> None:
    (tmp_path / "s.asf").write_text(skeleton)
    (tmp_path / "s.amc").write_text(movement)
    with pytest.raises(DataError, match=message):
        prepare([tmp_path], tmp_path / "out.npz")
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("step", ["nan", "0", "-0.1", "inf"])
def test_invalid_frame_times_are_refused(tmp_path: Path, step: str) -> None:
    (tmp_path / "a.bvh").write_text(figure(still(60), 60).replace("Frame Time: 0.0166667", f"Frame Time: {step}"))
    with pytest.raises(DataError, match=r"a\.bvh states a frame time"):
        prepare([tmp_path], tmp_path / "out.npz")


def test_an_output_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.bvh").write_text(figure(still(60), 60))
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match="taken"):
        prepare([folder], tmp_path / "taken")
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("metres", [0.0254 / 0.45, 0.0254, 0.01, 0.001, 1.0])
def test_unit_is_detected_by_leg_length(tmp_path: Path, metres: float) -> None:
    """A leg of the figure has 14 units of CMU's, which are 0.79 m."""
    scale = ACCLAIM_METRES / metres
    text = re.sub(
        r"OFFSET (\S+) (\S+) (\S+)", lambda m: "OFFSET " + " ".join(f"{float(v) * scale:.5f}" for v in m.groups()),
        figure(still(60), 60),
    )  # fmt: skip
    points = recorded(tmp_path, "a.bvh", text).points[0]
    leg = points[MOCAP.index("left_ankle")] - points[MOCAP.index("left_hip")]
    assert np.linalg.norm(leg) == pytest.approx(14 * ACCLAIM_METRES, rel=1e-4)


def test_spine_joint_moves_up_if_its_bone_has_no_length(tmp_path: Path) -> None:
    text = figure(still(60), 60).replace("JOINT Spine\n{\nOFFSET 0 2 0", "JOINT Spine\n{\nOFFSET 0 0.01 0")
    found = recorded(tmp_path, "a.bvh", text)
    np.testing.assert_allclose(place(found, "spine"), [0, 17.01 * ACCLAIM_METRES, 0], atol=1e-6)


def test_files_in_latin_1_and_in_capitals_are_read(tmp_path: Path) -> None:
    shutil.copy(put(tmp_path, "a.bvh", figure(still(60), 60).replace("HIERARCHY", "HIERARCHY ")), tmp_path / "B.BVH")
    comment = figure(still(60), 60).replace("JOINT Neck", "JOINT Neck")
    (tmp_path / "in" / "c.bvh").write_bytes(comment.encode() + b"\n")
    assert [one.name for one in read(tmp_path)] == ["B", "in/a", "in/c"]
    (tmp_path / "s.asf").write_bytes(b"# M\xfcller\n" + SKELETON.encode())
    (tmp_path / "s.AMC").write_bytes(b"# M\xfcller\n" + MOVEMENT.encode())
    with pytest.raises(DataError, match=r"s\.AMC: Unknown bone names"):  # read, and then found to be no person
        list(read(tmp_path))


def test_motion_without_a_skeleton_asks_for_one(tmp_path: Path) -> None:
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "s.amc").write_text(MOVEMENT)
    with pytest.raises(DataError, match="--asf"):
        list(read(tmp_path / "alone"))
    (tmp_path / "other.asf").write_text(SKELETON)
    with pytest.raises(DataError, match=r"s\.amc: Unknown bone names"):  # the skeleton fits
        list(read(tmp_path / "alone", tmp_path / "other.asf"))


def test_skeleton_may_be_one_folder_up(tmp_path: Path) -> None:
    (tmp_path / "mm").mkdir()
    (tmp_path / "HDM_mm.asf").write_text(SKELETON)
    (tmp_path / "mm" / "s.amc").write_text(MOVEMENT)
    with pytest.raises(DataError, match=r"s\.amc: Unknown bone names"):
        list(read(tmp_path))


def test_the_better_copy_of_a_trial_is_kept(tmp_path: Path) -> None:
    put(tmp_path, "bvh-daz/5/05_03.bvh", in_daz_bones(figure(still(60), 60)))
    put(tmp_path, "bvh-max/05_03.bvh", figure(still(60), 60))
    put(tmp_path, "bvh-max/05_04.bvh", figure(still(60), 60))
    summary = prepare([tmp_path / "in"], tmp_path / "out.npz")
    assert summary.replaced == {"bvh-daz/5/05_03": "bvh-max/05_03"}
    assert summary.clips == 2


def test_excluded_recordings_are_reported_with_a_reason(tmp_path: Path) -> None:
    put(tmp_path, "60/60_salsa_06.bvh", figure(still(60), 60))
    put(tmp_path, "60/60_salsa_01.bvh", figure(still(60), 60))
    summary = prepare([tmp_path / "in"], tmp_path / "out.npz")
    assert summary.dropped == {"60/60_salsa_06": "the head is upside down"}
    assert "Dropped 60/60_salsa_06: the head is upside down." in str(summary)


DAZ = {
    "LeftUpLeg": "lThigh", "LeftLeg": "lShin", "LeftFoot": "lFoot", "RightUpLeg": "rThigh", "RightLeg": "rShin",
    "RightFoot": "rFoot", "Spine1": "chest", "Spine": "abdomen", "Neck": "neck", "Head": "head", "LeftArm": "lShldr",
    "RightArm": "rShldr", "LeftForeArm": "lForeArm", "RightForeArm": "rForeArm", "LeftHand": "lHand",
    "RightHand": "rHand",
}  # fmt: skip


def in_daz_bones(text: str) -> str:
    return re.sub(r"JOINT (\w+)", lambda m: f"JOINT {DAZ[m[1]]}", text)


def test_a_file_of_an_older_version_is_refused(tmp_path: Path) -> None:
    """Its bodies are not the typical one, so applying other segment lengths would give wrong bodies."""
    data = prepared(tmp_path, "05/05_01.bvh", figure(still(60), 60))
    np.savez(tmp_path / "old.npz", **{**data, "format": np.array(1)})
    with pytest.raises(DataError, match=r"format 1; .* Prepare it again"):
        MotionBank.load(tmp_path / "old.npz")


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Name at least one"):
        prepare([], tmp_path / "out.npz")

"""The data set is not available here; these files follow the layout in its documentation."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from scipy.spatial.transform import Rotation

from kinelift.lifting.datasets import human36m
from kinelift.lifting.datasets.human36m import JOINTS, SIZES, SUBJECTS
from kinelift.poses import H36M17
from kinelift.poses.errors import DataError

FRAMES = 7
NUMBERS = np.random.default_rng(5)
ANGLES = NUMBERS.uniform(-0.05, 0.05, (4, 11, 3)) + np.array([1.6, 0.0, 0.0])
PLACES = NUMBERS.uniform(-200, 200, (4, 11, 3)) + np.array([0.0, -5000.0, 1500.0])
LENSES = np.array([[1145 + k, 1143, 512, 515, -0.2, 0.24, -0.003, -0.0014 + 0.0001 * k, -0.001] for k in range(4)])


def metadata() -> str:
    numbers = np.concatenate([np.concatenate([ANGLES, PLACES], -1).ravel(), LENSES.ravel()])
    return f"<metadata><w0>[{' '.join(repr(float(number)) for number in numbers)}]</w0></metadata>"


def published() -> str:
    rotations = Rotation.from_euler("XYZ", ANGLES.reshape(-1, 3)).as_matrix().reshape(4, 11, 3, 3)
    extrinsics = {
        f"S{s + 1}": {
            name: {"R": rotations[k, s].tolist(), "t": (-rotations[k, s] @ PLACES[k, s])[:, None].tolist()}
            for k, name in enumerate(SIZES)
        }
        for s in range(11)
    }
    intrinsics = {
        name: {"calibration_matrix": [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], "distortion": [k1, k2, p1, p2, k3]}
        for name, (fx, fy, cx, cy, k1, k2, k3, p1, p2) in zip(SIZES, LENSES.tolist(), strict=True)
    }
    return json.dumps({"intrinsics": intrinsics, "extrinsics": extrinsics})


def recorded(seed: int) -> np.ndarray:
    """(T, 32, 3) mm: joints around the middle of the room, thighs of 450 mm; joints not in H36M-17 are far away."""
    points = np.random.default_rng(seed).uniform(-500, 500, (FRAMES, 32, 3)) + np.array([0, 0, 1000])
    points[:, 2] = points[:, 1] - [0, 0, 450]
    points[:, [j for j in range(32) if j not in JOINTS]] = 1e6
    return points


def write_mat(path: Path, points: np.ndarray) -> None:
    cell = np.empty((1, 1), dtype=object)
    cell[0, 0] = points.reshape(len(points), 96)
    savemat(path.with_name(path.name + ".cdf.mat"), {"data": cell})


def write_h5(path: Path, points: np.ndarray) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path.with_name(path.name + ".h5"), "w") as file:
        file["3D_positions"] = points.reshape(len(points), 96).T


def write_cdf(path: Path, points: np.ndarray) -> None:
    pytest.importorskip("cdflib")
    from cdflib.cdfwrite import CDF

    file = CDF(path.with_name(path.name + ".cdf"), cdf_spec={"Majority": "row_major"})
    spec = {
        "Variable": "Pose", "Data_Type": 45, "Num_Elements": 1, "Rec_Vary": True, "Dim_Sizes": [len(points), 96],
    }  # fmt: skip
    file.write_var(spec, var_data=points.reshape(1, len(points), 96))
    file.close()


LAYOUTS = {
    "mat": ("MyPoseFeatures/D3_Positions", write_mat),
    "h5": ("MyPoses/3D_positions", write_h5),
    "cdf": ("MyPoseFeatures/D3_Positions", write_cdf),
}
Writer = Callable[[Path, np.ndarray], None]


def record(folder: Path, subject: str, action: str, points: np.ndarray, layout: str = "mat") -> None:
    place, write = LAYOUTS[layout]
    (folder / subject / place).mkdir(parents=True, exist_ok=True)
    write(folder / subject / place / action, points)


@pytest.fixture
def cameras(tmp_path: Path) -> human36m.Calibration:
    (tmp_path / "metadata.xml").write_text(metadata())
    return human36m.calibration(tmp_path / "metadata.xml")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_recordings_are_seen_by_four_cameras(tmp_path: Path, cameras: human36m.Calibration, layout: str) -> None:
    points = recorded(0)
    record(tmp_path, "S9", "TakingPhoto 1", points, layout)
    bank, summary = human36m.convert(tmp_path, cameras)
    assert [(one.subject, one.action, one.view, one.size) for one in bank] == [
        ("S9", "Photo 1", name, size) for name, size in SIZES.items()
    ]
    assert {(one.source, one.target, one.rate) for one in bank} == {(H36M17, H36M17, 50.0)}
    assert summary.recordings == 1
    assert summary.missing == tuple(subject for subject in SUBJECTS if subject != "S9")
    for k, one in enumerate(bank):
        keypoints, truth = projected(points, k, 9)
        assert one.truth is not None
        np.testing.assert_allclose(one.truth, truth, rtol=0, atol=1e-6)
        np.testing.assert_allclose(one.keypoints, keypoints, rtol=0, atol=1e-3)


def projected(points: np.ndarray, camera: int, subject: int) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (px) and joints (m) by the data set's own formula, written out."""
    a, b, c = ANGLES[camera, subject - 1]
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    seen = (points[:, list(JOINTS)] - PLACES[camera, subject - 1]) @ (x @ y @ z).T
    fx, fy, cx, cy, k1, k2, k3, p1, p2 = LENSES[camera]
    plane = seen[..., :2] / seen[..., 2:]
    square = (plane**2).sum(-1, keepdims=True)
    scale = 1 + k1 * square + k2 * square**2 + k3 * square**3 + p1 * plane[..., 1:] + p2 * plane[..., :1]
    return (plane * scale + square * [p2, p1]) * [fx, fy] + [cx, cy], seen / 1000


def test_both_files_of_the_calibration_agree(tmp_path: Path, cameras: human36m.Calibration) -> None:
    (tmp_path / "cameras.json").write_text(published())
    other = human36m.calibration(tmp_path / "cameras.json")
    assert list(other) == list(cameras) == list(SUBJECTS)
    for subject in SUBJECTS:
        for one, two in zip(cameras[subject], other[subject], strict=True):
            assert (one.name, one.camera, one.size) == (two.name, two.camera, two.size)
            np.testing.assert_allclose(one.extrinsics.rotation, two.extrinsics.rotation, rtol=0, atol=1e-12)
            np.testing.assert_allclose(one.extrinsics.centre, two.extrinsics.centre, rtol=0, atol=1e-12)


def test_only_the_corrupt_recording_is_left_out(tmp_path: Path, cameras: human36m.Calibration) -> None:
    for action in ("Directions", "Directions 1", "_ALL", "Walking", "WalkTogether 1", "WalkingDog"):
        record(tmp_path, "S11", action, recorded(1))
    record(tmp_path, "S1", "Directions", recorded(2))
    bank, summary = human36m.convert(tmp_path, cameras)
    assert summary.left_out == ("S11 Directions",)
    assert {(one.subject, one.action) for one in bank} == {
        ("S1", "Directions"), ("S11", "Directions 1"), ("S11", "Walking"), ("S11", "WalkTogether 1"),
        ("S11", "WalkDog"),
    }  # fmt: skip
    assert summary.recordings == 5
    assert "S11 Directions" in str(summary)
    assert {one.action for one in bank.select(actions=["Walking"])} == {"Walking"}


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((4, 32, 2)), r"data has shape .* expected frames × 96"),
        (recorded(0) / 1000, "thighs are 0.45 mm long"),
        (recorded(0)[:, ::-1], "thighs"),
    ],
)
def test_invalid_positions_are_refused(tmp_path: Path, points: np.ndarray, message: str) -> None:
    path = tmp_path / "Walking.cdf.mat"
    savemat(path, {"data": points.reshape(len(points), -1)})
    with pytest.raises(DataError, match=message):
        human36m.positions(path)


def test_files_that_are_not_the_data_sets_are_refused(tmp_path: Path, cameras: human36m.Calibration) -> None:
    with pytest.raises(DataError, match="No recordings of Human3"):
        human36m.convert(tmp_path, cameras)
    path = tmp_path / "Walking.cdf.mat"
    savemat(path, {"other": np.zeros(3)})
    with pytest.raises(DataError, match="has no data"):
        human36m.positions(path)
    whole = path.read_bytes()
    for damaged in (b"", b"something else", whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"Walking\.cdf\.mat"):
            human36m.positions(path)
    record(tmp_path, "S1", "Juggling", recorded(0))
    with pytest.raises(DataError, match=r"Juggling.* not named after an action of Human3"):
        human36m.convert(tmp_path, cameras)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "<metadata><w0>[1 2 3]</w0></metadata>", "<metadata></metadata>", "<w0>",
     '{"extrinsics": {"S1": 3}}',
     published().replace('"distortion"', '"lens"'), metadata().replace("1143.0", "nan")],
)  # fmt: skip
def test_other_calibrations_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "metadata.xml"
    path.write_text(text)
    with pytest.raises(DataError, match="no calibration of Human3"):
        human36m.calibration(path)
    with pytest.raises(DataError, match="Cannot read the calibration"):
        human36m.calibration(tmp_path / "nowhere.xml")


def test_a_calibration_without_the_subject_is_named(tmp_path: Path, cameras: human36m.Calibration) -> None:
    record(tmp_path, "S5", "Eating", recorded(0))
    with pytest.raises(DataError, match="no cameras for S5"):
        human36m.convert(tmp_path, {"S1": cameras["S1"]})


@pytest.mark.parametrize(("layout", "library"), [("h5", "h5py"), ("cdf", "cdflib")])
def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str, library: str) -> None:
    start = b"\x89HDF\r\n\x1a\n" if layout == "h5" else b"\xcd\xf3\x00\x01"
    path = tmp_path / f"Walking.{layout}"
    path.write_bytes(start + bytes(100))
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(DataError, match=f"pip install {library}"):
        human36m.positions(path)


@pytest.mark.parametrize("layout", ["h5", "cdf"])
def test_damaged_files_of_other_kinds_are_refused(tmp_path: Path, layout: str) -> None:
    record(tmp_path, "S1", "Eating", recorded(0), layout)
    (path,) = (tmp_path / "S1").rglob("Eating.*")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match="Eating"):
        human36m.positions(path)

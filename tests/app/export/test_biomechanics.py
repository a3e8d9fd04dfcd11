"""TRC, MOT, C3D and angles hold the recorded motion, also as OpenSim and ezc3d read them."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinelift.app.export.formats import Format, export
from kinelift.app.export.markers import MARKERS
from kinelift.app.export.placing import Placed, place
from kinelift.poses import Recording
from kinelift.poses.errors import DataError, OutputError
from kinelift.poses.kinematics.angles import flexion
from tests.app.export.readers import opensim
from tests.app.export.samples import sample, uneven
from tests.poses.scenes import recording as made_up

HALPE_26 = {
    "Hip", "RHip", "RKnee", "RAnkle", "RBigToe", "RSmallToe", "RHeel", "LHip", "LKnee", "LAnkle", "LBigToe",
    "LSmallToe", "LHeel", "Neck", "Head", "Nose", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist",
}  # fmt: skip
"""The markers of Pose2Sim's model."""


@pytest.fixture(scope="module")
def recording() -> Recording:
    return sample()


@pytest.fixture(scope="module")
def walker(recording: Recording) -> Placed:
    return place(recording).people[1]


def written(folder: Path, recording: Recording, to: Format) -> tuple[Path, ...]:
    files = export(folder / to.file, recording, to)
    assert sorted(files) == sorted(folder.iterdir())
    return files


def marker(person: Placed, name: str) -> np.ndarray:
    return person.points[:, person.poses.skeleton.index(MARKERS[name])]


class TestTrc:
    def read(self, path: Path) -> tuple[dict[str, str], list[str], np.ndarray]:
        lines = path.read_text().splitlines()
        assert lines[0].split("\t") == ["PathFileType", "4", "(X/Y/Z)", path.name]
        facts = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
        names = [name for name in lines[3].split("\t")[2:] if name]
        assert len(lines[4].split("\t")) == 2 + 3 * len(names) and lines[5] == ""
        return facts, names, np.array([[float(cell) for cell in line.split("\t")] for line in lines[6:]])

    def test_markers_are_the_joints_in_metres_at_the_times_of_the_video(
        self, tmp_path: Path, recording: Recording, walker: Placed
    ) -> None:
        _, path, sidecar = written(tmp_path, recording, Format.TRC)
        facts, names, rows = self.read(path)
        assert (facts["DataRate"], facts["NumFrames"], facts["NumMarkers"], facts["Units"]) == ("30", "162", "19", "m")
        assert set(names) == HALPE_26 - {"Nose", "RSmallToe", "LSmallToe"}
        np.testing.assert_array_equal(rows[:, 0], np.arange(1, 163))
        np.testing.assert_allclose(rows[:, 1], walker.poses.times, atol=1e-6)
        for k, name in enumerate(names):
            np.testing.assert_allclose(rows[:, 2 + 3 * k : 5 + 3 * k], marker(walker, name), atol=1e-6)
        assert json.loads(sidecar.read_text())["people"][1]["file"] == path.name

    def test_a_varying_rate_is_resampled(self, tmp_path: Path, recording: Recording) -> None:
        path, *_, sidecar = written(tmp_path, uneven(recording), Format.TRC)
        _, names, rows = self.read(path)
        person = place(uneven(recording)).people[0]
        np.testing.assert_allclose(np.diff(rows[:, 1]), rows[1, 1] - rows[0, 1], atol=2e-6)
        k = names.index("RWrist")
        expected = np.stack([np.interp(rows[:, 1], person.poses.times, axis) for axis in marker(person, "RWrist").T], 1)
        np.testing.assert_allclose(rows[:, 2 + 3 * k : 5 + 3 * k], expected, atol=5e-6)
        assert json.loads(sidecar.read_text())["resampled"]

    @pytest.mark.readers
    def test_opensim_fits_a_model_to_the_markers_and_agrees_with_the_motion(
        self, tmp_path: Path, recording: Recording
    ) -> None:
        for to in (Format.TRC, Format.MOT):
            export(tmp_path / to.file, recording, to)
        results = [opensim(*(tmp_path / f"poses3d-person{k}.{suffix}" for suffix in ("trc", "mot"))) for k in (1, 2)]
        for result, frames in zip(results, (226, 162), strict=True):
            assert result["inverse_kinematics"]["frames"] == frames
            assert result["inverse_kinematics"]["rms"] <= 0.04
        walking = results[1]
        assert walking["motion"]["rms"] <= 0.04
        for name in ("knee_angle", "ankle_angle", "elbow_flex", "arm_flex", "arm_add", "hip_adduction", "hip_rotation"):
            for side in "rl":  # the tilt of the pelvis, and so the flexion of the hips, is not fixed by these markers
                assert walking["angles"][f"{name}_{side}"] < 5, name


class TestMot:
    def test_coordinates(self, tmp_path: Path, recording: Recording, walker: Placed) -> None:
        _, path, _ = written(tmp_path, recording, Format.MOT)
        lines = path.read_text().splitlines()
        start = lines.index("endheader")
        assert lines[0] == "Coordinates" and {"version=1", "nRows=162", "inDegrees=yes"} <= set(lines[:start])
        names = lines[start + 1].split("\t")
        assert f"nColumns={len(names)}" in lines[:start]
        columns = dict(
            zip(names, np.array([line.split("\t") for line in lines[start + 2 :]], dtype=float).T, strict=True)
        )
        np.testing.assert_allclose(columns["time"], walker.poses.times, atol=1e-6)
        hip = marker(walker, "Hip")
        np.testing.assert_allclose([columns[f"pelvis_t{axis}"] for axis in "xyz"], hip.T, atol=1e-6)
        knee = flexion(walker.points, walker.poses.skeleton, ("right_hip", "right_knee", "right_ankle"))
        np.testing.assert_allclose(columns["knee_angle_r"], knee, atol=1e-3)
        assert max(np.abs(np.diff(values)).max() for name, values in columns.items() if name != "time") < 60


class TestC3d:
    def test_points_rate_labels_and_residuals(self, tmp_path: Path, recording: Recording, walker: Placed) -> None:
        ezc3d = pytest.importorskip("ezc3d")
        _, path, _ = written(tmp_path, recording, Format.C3D)
        read = ezc3d.c3d(str(path))
        point = read["parameters"]["POINT"]
        assert point["RATE"]["value"][0] == pytest.approx(30) and point["UNITS"]["value"] == ["mm"]
        names = point["LABELS"]["value"]
        assert set(names) == HALPE_26 - {"Nose", "RSmallToe", "LSmallToe"}
        points, residuals = read["data"]["points"], read["data"]["meta_points"]["residuals"][0]
        assert points.shape == (4, 19, 230)
        assert walker.poses.error is not None
        for k, name in enumerate(names):
            expected = 1000 * marker(walker, name)
            np.testing.assert_allclose(points[:3, k, 38:200], expected.T, atol=0.01)
            error = 1000 * walker.poses.error[:, walker.poses.skeleton.index(MARKERS[name])]
            np.testing.assert_allclose(residuals[k, 38:200], error.clip(max=255), atol=1)
        outside = np.r_[0:38, 200:230]
        assert (residuals[:, outside] == -1).all() and np.isnan(points[:3][..., outside]).all()

    def test_a_video_that_is_too_long_is_refused(
        self, tmp_path: Path, recording: Recording, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("ezc3d")
        monkeypatch.setattr("kinelift.app.export.c3d.MOST_FRAMES", 229)
        with pytest.raises(OutputError, match="230 frames"):
            export(tmp_path / "a.c3d", recording, Format.C3D)
        assert list(tmp_path.iterdir()) == []

    def test_without_ezc3d_it_says_how_to_get_it(
        self, tmp_path: Path, recording: Recording, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kinelift.app.export.c3d.find_spec", lambda name: None)
        with pytest.raises(OutputError, match=r"kinelift\[c3d\]"):
            export(tmp_path / "a.c3d", recording, Format.C3D)
        assert list(tmp_path.iterdir()) == []


class TestAngles:
    def rows(self, path: Path) -> list[dict[str, str]]:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def test_knees_and_elbows_are_the_angle_of_three_joints(
        self, tmp_path: Path, recording: Recording, walker: Placed
    ) -> None:
        table, figure = written(tmp_path, recording, Format.ANGLES)
        assert figure.read_bytes().startswith(b"\x89PNG")
        rows = [row for row in self.rows(table) if row["person"] == "2"]
        for name, joints in {"knee": ("hip", "knee", "ankle"), "elbow": ("shoulder", "elbow", "wrist")}.items():
            for side in ("left", "right"):
                mine = [row for row in rows if row["angle"] == f"{side}_{name}_flexion"]
                assert [int(row["frame"]) for row in mine] == list(range(38, 200))
                a, b, c = (walker.points[:, walker.poses.skeleton.index(f"{side}_{joint}")] for joint in joints)
                cosine = ((a - b) * (c - b)).sum(-1) / np.linalg.norm(a - b, axis=-1) / np.linalg.norm(c - b, axis=-1)
                np.testing.assert_allclose(
                    [float(row["degrees"]) for row in mine], 180 - np.degrees(np.arccos(cosine)), atol=0.01
                )

    def test_a_walk_looks_like_one(self, tmp_path: Path, recording: Recording) -> None:
        rows = self.rows(written(tmp_path, recording, Format.ANGLES)[0])
        mine = [row for row in rows if row["person"] == "2" and row["degrees"]]
        walk = {
            name: [float(row["degrees"]) for row in mine if row["angle"] == name]
            for name in {row["angle"] for row in mine}
        }
        for side in ("left", "right"):
            assert 50 < max(walk[f"{side}_knee_flexion"]) < 90 and min(walk[f"{side}_knee_flexion"]) >= 0
            assert 20 < max(walk[f"{side}_hip_flexion"]) < 50 and -35 < min(walk[f"{side}_hip_flexion"]) < -5
            assert 5 < max(walk[f"{side}_ankle_dorsiflexion"]) < 35
        legs = [walk[f"{side}_hip_flexion"] for side in ("left", "right")]
        assert np.corrcoef(legs[0], legs[1])[0, 1] < -0.8

    def test_what_an_angle_rests_on(self, tmp_path: Path, recording: Recording, walker: Placed) -> None:
        rows = self.rows(written(tmp_path, recording, Format.ANGLES)[0])
        assert walker.poses.seen is not None
        joints = [walker.poses.skeleton.index(f"right_{part}") for part in ("shoulder", "elbow", "wrist")]
        words = np.array(["unseen", "interpolated", "seen"])[walker.poses.seen[:, joints].min(1)]
        mine = [row for row in rows if row["person"] == "2" and row["angle"] == "right_elbow_flexion"]
        assert [row["seen"] for row in mine] == words.tolist()
        errors = np.array([float(row["error"]) for row in mine])
        assert errors[words == "seen"].max() < errors[words == "unseen"].min()

    def test_without_states_and_errors_their_cells_are_empty(self, tmp_path: Path, recording: Recording) -> None:
        person = recording.people[1]
        assert person.poses is not None
        bare = replace(person, poses=replace(person.poses, seen=None, error=None))
        rows = self.rows(written(tmp_path, replace(recording, people=(bare,)), Format.ANGLES)[0])
        assert {(row["seen"], row["error"]) for row in rows} == {("", "")}


@pytest.mark.parametrize("to", [Format.BVH, Format.GLB, Format.TRC, Format.MOT, Format.ANGLES])
def test_without_poses_there_is_nothing_to_export(tmp_path: Path, to: Format) -> None:
    with pytest.raises(DataError, match="no 3D poses"):
        export(tmp_path / to.file, made_up(), to)
    assert list(tmp_path.iterdir()) == []

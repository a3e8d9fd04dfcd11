import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

from kinelift.app import cli
from kinelift.app.export.actions_json import write_timeline
from kinelift.app.export.data_files import COLUMNS
from kinelift.app.export.formats import Format, export
from kinelift.poses import H36M17, Action, Person, Recording, World, skeleton
from kinelift.poses.errors import OutputError
from tests.poses.scenes import person, recording, track


def test_the_command_line_offers_every_format() -> None:
    offered = get_type_hints(cli.export)["to"]
    assert set(get_args(offered)) == {one.value for one in Format}


@pytest.fixture
def original() -> Recording:
    """Two people of a video of 20 frames: one throughout, one in frames 5 to 11."""
    return recording(person(1), person(3, start=5, frames=7))


def exported(folder: Path, original: Recording, to: Format) -> Path:
    path = folder / to.file
    export(path, original, to)
    assert [p.name for p in folder.iterdir()] == [path.name]
    return path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def number(cell: str) -> float:
    return float(cell) if cell else float("nan")


class TestCsv:
    def test_has_one_row_a_person_frame_and_joint(self, tmp_path: Path, original: Recording) -> None:
        table = rows(exported(tmp_path, original, Format.CSV))
        assert tuple(table[0]) == COLUMNS
        keys = [(int(r["person"]), int(r["frame"]), r["joint"]) for r in table]
        frames = {1: range(20), 3: range(5, 12)}
        assert keys == [(p, f, j) for p, seen in frames.items() for f in seen for j in H36M17.joints]

    def test_numbers_are_those_of_the_recording(self, tmp_path: Path, original: Recording) -> None:
        second = original.people[1]
        assert second.poses is not None and second.poses.root is not None
        table = [r for r in rows(exported(tmp_path, original, Format.CSV)) if r["person"] == "3"]
        points = np.array([[number(r[c]) for c in "xyz"] for r in table]).reshape(7, 17, 3)
        roots = np.array([[number(r[f"root_{c}"]) for c in "xyz"] for r in table]).reshape(7, 17, 3)
        np.testing.assert_allclose(points, second.poses.points, atol=6e-5)
        np.testing.assert_allclose(roots, np.repeat(second.poses.root[:, None], 17, axis=1), atol=6e-5)
        times = original.video.times[[int(r["frame"]) for r in table]]
        np.testing.assert_allclose([float(r["time"]) for r in table], times, atol=1e-6)

    def test_each_joint_tells_what_it_rests_on(self, tmp_path: Path, original: Recording) -> None:
        first = original.people[0].poses
        assert first is not None and first.seen is not None and first.error is not None
        table = [r for r in rows(exported(tmp_path, original, Format.CSV)) if r["person"] == "1"]
        words = np.array(["unseen", "interpolated", "seen"])
        assert [r["seen"] for r in table] == words[first.seen].ravel().tolist()
        np.testing.assert_allclose([number(r["error"]) for r in table], first.error.ravel(), atol=6e-5)
        bare = replace(original.people[0], poses=replace(first, seen=None, error=None))
        (tmp_path / "bare").mkdir()
        table = rows(exported(tmp_path / "bare", recording(bare), Format.CSV))
        assert {(r["seen"], r["error"]) for r in table} == {("", "")}

    def test_what_is_unknown_is_an_empty_cell(self, tmp_path: Path, original: Recording) -> None:
        somebody = original.people[0]
        assert somebody.poses is not None
        rootless = replace(somebody, poses=replace(somebody.poses, root=None))
        table = rows(exported(tmp_path, recording(rootless), Format.CSV))
        assert {r["root_z"] for r in table} == {""}
        assert {r["x"] for r in table if r["frame"] == "0"} == {""}
        assert "" not in {r["x"] for r in table if r["frame"] != "0"}

    @pytest.mark.parametrize("people", [(), (Person(1, track()),)])
    def test_without_poses_there_is_the_heading_alone(self, tmp_path: Path, people: tuple[Person, ...]) -> None:
        path = exported(tmp_path, recording(*people), Format.CSV)
        assert path.read_text() == ",".join(COLUMNS) + "\n"


class TestJson:
    def test_holds_everything(self, tmp_path: Path, original: Recording) -> None:
        document = json.loads(exported(tmp_path, original, Format.JSON).read_text())
        assert document["video"]["name"] == "dance" and document["made_with"] == original.made_with
        assert document["states"] == ["unseen", "interpolated", "seen"]
        assert document["skeletons"]["h36m17"]["joints"] == list(H36M17.joints)
        assert document["skeletons"]["coco17"]["bones"][0] == [0, 1]
        for entry, somebody in zip(document["people"], original.people, strict=True):
            assert somebody.poses is not None and somebody.poses.root is not None
            assert (entry["id"], entry["start"]) == (somebody.id, somebody.track.start)
            assert_close(entry["track"]["points"], somebody.track.points, 6e-3)
            assert_close(entry["track"]["scores"], somebody.track.scores, 6e-5)
            assert_close(entry["poses"]["points"], somebody.poses.points, 6e-5)
            assert_close(entry["poses"]["root"], somebody.poses.root, 6e-5)
            assert somebody.poses.seen is not None and somebody.poses.error is not None
            assert entry["poses"]["seen"] == somebody.poses.seen.tolist()
            assert_close(entry["poses"]["error"], somebody.poses.error, 6e-5)
            assert_close(entry["times"], somebody.track.times, 1e-6)
            assert entry["track"]["filled"] == somebody.track.filled.tolist()
            assert [a["label"] for a in entry["actions"]] == ["walk", "unknown"]

    def test_unknown_is_null_never_nan(self, tmp_path: Path) -> None:
        text = exported(tmp_path, recording(Person(1, track()), person(2)), Format.JSON).read_text()
        assert "NaN" not in text
        bare, whole = json.loads(text)["people"]
        assert bare["poses"] is None and bare["actions"] is None
        assert whole["poses"]["points"][0][3] == [None, None, None]


def assert_close(values: Any, expected: np.ndarray, within: float) -> None:
    np.testing.assert_allclose(np.array(values, dtype=float), expected, rtol=0, atol=within)


class TestNpz:
    def test_everybody_lies_on_the_frames_of_the_video(self, tmp_path: Path, original: Recording) -> None:
        with np.load(exported(tmp_path, original, Format.NPZ), allow_pickle=False) as file:
            arrays = dict(file)
        assert arrays["ids"].tolist() == [1, 3] and arrays["joints3d"].tolist() == list(H36M17.joints)
        late = original.people[1]
        assert late.poses is not None
        for name, values in {
            "points3d": late.poses.points, "root3d": late.poses.root,
            "points2d": late.track.points, "scores": late.track.scores, "error3d": late.poses.error,
        }.items():  # fmt: skip
            assert len(arrays[name]) == 2 and len(arrays[name][1]) == 20
            assert np.array_equal(arrays[name][1, 5:12], values, equal_nan=True)
            assert np.isnan(arrays[name][1, :5]).all() and np.isnan(arrays[name][1, 12:]).all()
        assert late.poses.seen is not None and np.array_equal(arrays["seen3d"][1, 5:12], late.poses.seen)
        assert (arrays["seen3d"][1, :5] == -1).all() and arrays["seen3d"].dtype == np.int8

    def test_layouts_are_matched_by_name(self, tmp_path: Path) -> None:
        body25 = skeleton("body25")
        other = Person(2, track(layout=body25))
        with np.load(exported(tmp_path, recording(person(1), other), Format.NPZ)) as file:
            wrists = file["points2d"][1][:, file["joints2d"].tolist().index("left_wrist")]
            assert np.isnan(file["points3d"][1]).all()
        expected = other.track.points[:, body25.index("left_wrist")]
        assert np.array_equal(wrists, expected, equal_nan=True)

    def test_nobody_is_no_rows(self, tmp_path: Path) -> None:
        with np.load(exported(tmp_path, recording(), Format.NPZ)) as file:
            assert file["points3d"].shape == (0, 20, 17, 3) and len(file["times"]) == 20


class TestTimeline:
    def test_names_who_does_what_when(self, tmp_path: Path, original: Recording) -> None:
        write_timeline(tmp_path / "actions.json", original)
        document = json.loads((tmp_path / "actions.json").read_text())
        assert document["video"] == "dance"
        first, second = document["people"]
        assert (first["id"], second["id"]) == (1, 3)
        assert second["start"] == pytest.approx(original.video.times[5], abs=1e-6)
        assert second["end"] == pytest.approx(original.video.times[12], abs=1e-6)  # when its last frame ends
        assert [(a["label"], a["probability"]) for a in first["actions"]] == [("walk", 0.9), ("unknown", 0.4)]

    def test_holds_the_most_probable_labels(self, tmp_path: Path) -> None:
        top = (("walk", 0.61), ("run", 0.20001), ("unknown", 0.1))
        somebody = replace(person(1), actions=(Action(0.0, 1.0, "walk", 0.61, top), Action(1.0, 2.0, "run", 0.7)))
        write_timeline(tmp_path / "a.json", recording(somebody))
        first, second = json.loads((tmp_path / "a.json").read_text())["people"][0]["actions"]
        assert [(entry["label"], entry["probability"]) for entry in first["top"]] == [
            ("walk", 0.61),
            ("run", 0.2),
            ("unknown", 0.1),
        ]
        assert second["top"] == []

    def test_nobody_is_an_empty_list_and_unclassified_is_null(self, tmp_path: Path) -> None:
        write_timeline(tmp_path / "none.json", recording())
        write_timeline(tmp_path / "one.json", recording(Person(1, track())))
        assert json.loads((tmp_path / "none.json").read_text()) == {"video": "dance", "people": []}
        assert json.loads((tmp_path / "one.json").read_text())["people"][0]["actions"] is None

    def test_labels_of_any_script_stay_readable(self, tmp_path: Path) -> None:
        somebody = replace(person(1), actions=(Action(0.0, 1.0, "tanz — 踊り", 1.0),))
        write_timeline(tmp_path / "a.json", recording(somebody))
        assert "踊り" in (tmp_path / "a.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("to", list(Format))
def test_what_cannot_be_written_is_told(tmp_path: Path, original: Recording, to: Format) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        export(tmp_path / "file" / "x", original, to)
    with pytest.raises(OutputError, match="cannot be written"):
        export(tmp_path, original, to)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_contacts_and_places_in_the_world_are_written(tmp_path: Path, original: Recording) -> None:
    who = original.people[0]
    assert who.poses is not None
    contact = np.zeros(who.poses.points.shape[:2], dtype=bool)
    contact[1, 3] = True
    points, root = np.nan_to_num(who.poses.points), np.tile([0.0, 1.0, 5.0], (len(who.poses), 1))
    world = World(np.diag([1.0, -1.0, -1.0]), np.array([0.0, 1.5, 0.0]))
    standing = replace(who, poses=replace(who.poses, points=points, contact=contact, root=root))
    one = replace(original, people=(standing,), world=world)
    for to in (Format.CSV, Format.JSON, Format.NPZ):
        export(tmp_path / to.file, one, to)
    table = rows(tmp_path / "poses3d.csv")
    joints = len(who.poses.skeleton)
    assert [k for k, row in enumerate(table) if row["contact"] == "1"] == [joints + 3]
    place = world.from_camera(points[0, 2] + root[0])
    np.testing.assert_allclose([float(table[2][f"world_{axis}"]) for axis in "xyz"], place, atol=1e-3)
    document = json.loads((tmp_path / "poses3d.json").read_text())
    assert document["world"]["position"] == [0, 1.5, 0]
    assert document["people"][0]["poses"]["contact"][1][3] is True
    with np.load(tmp_path / "poses3d.npz") as arrays:
        assert arrays["contact3d"][0, who.track.start + 1, 3] == 1
        np.testing.assert_array_equal(arrays["world_rotation"], world.rotation)


@pytest.mark.parametrize("to", [Format.CSV, Format.JSON])
def test_numbers_in_single_precision_are_written_with_few_digits(tmp_path: Path, to: Format) -> None:
    one = person(1, 0, 5)
    assert one.poses is not None
    coarse = replace(one, poses=replace(one.poses, points=one.poses.points.astype(np.float32)))
    export(tmp_path / "out", recording(coarse), to)
    numbers = re.findall(r"-?\d+\.\d+", (tmp_path / "out").read_text())
    assert numbers and max(len(number.partition(".")[2]) for number in numbers) <= 8

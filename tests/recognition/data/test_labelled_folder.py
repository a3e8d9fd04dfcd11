import re
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kinelift.poses import H36M17, skeleton
from kinelift.poses.errors import DataError, OutputError
from kinelift.recognition.data import labelled_folder
from kinelift.recognition.data.clips import Clip, Dataset, Flaw, Segment
from tests.recognition.data.folders import recorded, same, written
from tests.recognition.motions import walking

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=12).filter(
    lambda text: text == text.strip() and len(text.splitlines()) == 1
)
POINTS = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda kind: hnp.arrays(
        kind,
        st.tuples(st.integers(1, 4), st.just(15), st.just(3)),
        elements=st.floats(-9, 9, width=32).filter(bool) | st.just(np.nan),
        fill=st.nothing() if kind is np.float64 else st.just(1.0),
    ).filter(lambda points: not np.isnan(points).all(axis=(1, 2)).any())
)


Draw = Callable[..., Any]


def any_clip(draw: Draw, labels: list[str]) -> Clip:
    points = draw(POINTS)
    steps = draw(hnp.arrays(np.float64, len(points), elements=st.floats(1e-3, 1e3)))
    times = draw(st.floats(-1e3, 1e3)) + np.cumsum(steps)
    segments = tuple(
        Segment(
            draw(st.sampled_from(labels)),
            draw(st.just(-inf) | st.floats(-1e4, float(times[0]))),
            draw(st.just(inf) | st.floats(float(times[-1]) + 1e-3, 1e7)),
        )
        for _ in range(draw(st.integers(0, 2)))
    )
    names = draw(NAMES), draw(NAMES)
    return Clip(*names, points, times, segments, draw(st.just("") | NAMES), draw(st.sampled_from(["", "lifted"])))


def any_dataset(draw: Draw) -> Dataset:
    labels = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    clips = [any_clip(draw, labels) for _ in range(draw(st.integers(1, 3)))]
    if not any(clip.segments for clip in clips):
        clips.append(Clip("one", "1", np.ones((1, 15, 3)), np.zeros(1), (Segment(labels[0]),)))
    flaws = draw(st.lists(st.builds(Flaw, NAMES, NAMES, NAMES), max_size=2, unique=True))
    return Dataset(skeleton("kinect15"), tuple(labels), tuple(clips), draw(NAMES | st.just("")), tuple(flaws))


@settings(max_examples=60)
@given(data=st.data())
def test_writing_and_reading_is_lossless(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path, dataset = tmp_path_factory.mktemp("set") / "folder", any_dataset(data.draw)
    labelled_folder.write(path, dataset)
    same(labelled_folder.read(path), dataset)


def test_a_folder_written_by_hand(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "clip,label,start,end,subject\nanna 1,walk,,1.5,anna\nanna 1,wave,1.5,,\nsub/ben,sit,,,ben\n",
        **{"anna 1": walking(60), "sub/ben": walking(30)},
    )
    dataset = labelled_folder.read(path)
    assert dataset.skeleton == H36M17
    assert dataset.labels == ("walk", "wave", "sit")
    assert [(clip.name, clip.subject, clip.segments) for clip in dataset.clips] == [
        ("anna 1", "anna", (Segment("walk", end=1.5), Segment("wave", start=1.5))),
        ("sub/ben", "ben", (Segment("sit"),)),
    ]
    np.testing.assert_allclose(dataset.clips[1].times, np.arange(30) / 30)
    assert dataset.flaws == ()


def test_tables_of_spreadsheets_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffclip;label;subject\r\na;gehen;Jörg\r\n;;\r\n", a=walking(9))
    assert [(clip.name, clip.subject) for clip in labelled_folder.read(path).clips] == [("a", "Jörg")]


def test_labels_txt_sets_the_order_of_labels(tmp_path: Path) -> None:
    path = written(tmp_path, "clip,label\na,walk\na,sit\n", a=walking(9))
    (path / "labels.txt").write_text("sit\nstand\nwalk\n")
    assert labelled_folder.read(path).labels == ("sit", "stand", "walk")


def test_subjects_are_optional(tmp_path: Path) -> None:
    """Without subjects, every clip counts as its own subject, and the data set reports it."""
    dataset = labelled_folder.read(written(tmp_path, "clip,label\na,walk\nb,sit\n", a=walking(9), b=walking(9)))
    assert dataset.subjects == ("a", "b")
    (flaw,) = dataset.flaws
    assert "no subject for 2 clips" in str(flaw)


def test_recordings_are_clips(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "clip,label,subject,person\nvideo/recording,walk,anna,3\nvideo/recording,wave,ben,8\n",
        **{"video/recording": recorded({3: walking(20), 8: walking(25)})},
    )
    anna, ben = labelled_folder.read(path).clips
    assert (anna.name, ben.name) == ("video/recording 3", "video/recording 8")
    assert (len(anna), len(ben)) == (20, 25)
    np.testing.assert_allclose(anna.points, walking(20) * [1, -1, -1], atol=2**-16)  # from camera axes: y up


def test_the_only_person_of_a_recording_needs_no_number(tmp_path: Path) -> None:
    path = written(tmp_path, "clip,label\na,walk\n", a=recorded({3: walking(20)}))
    assert [len(clip) for clip in labelled_folder.read(path).clips] == [20]


def with_missing_frames(points: np.ndarray) -> np.ndarray:
    points[3:5] = 0
    points[7] = np.nan
    return points


def test_frames_without_a_pose_are_reported_and_not_seen(tmp_path: Path) -> None:
    path = written(tmp_path, "clip,label,subject\na,walk,1\n", a=with_missing_frames(walking(12)))
    dataset = labelled_folder.read(path)
    (clip,) = dataset.clips
    assert np.flatnonzero(np.isnan(clip.points).all(axis=(1, 2))).tolist() == [3, 4, 7]
    assert dataset.flaws == (Flaw("a", "no pose in 3 of 12 frames", "counted as not seen"),)
    labelled_folder.write(tmp_path / "again", dataset)
    same(labelled_folder.read(tmp_path / "again"), dataset)


def test_times_that_do_not_increase_are_reported_and_left_out(tmp_path: Path) -> None:
    times = np.array([0, 1, 1, 0.5, np.nan, 2, 3.0])
    path = written(tmp_path, "clip,label,subject\na,walk,1\n", a={"points": walking(7), "times": times})
    dataset = labelled_folder.read(path)
    assert dataset.clips[0].times.tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(dataset.clips[0].points, walking(7)[[0, 1, 5, 6]])
    assert [flaw.done for flaw in dataset.flaws] == ["left out"]


def test_poses_without_a_row_are_reported(tmp_path: Path) -> None:
    path = written(tmp_path, "clip,label,subject\na,walk,1\n", a=walking(9), b=walking(9))
    assert [flaw.clip for flaw in labelled_folder.read(path).flaws] == ["b"]


BAD_TABLES = {
    "clip,subject\na,1\n": "no column label",
    "clip,label,subjekt\na,walk,1\n": "unknown column 'subjekt'",
    "clip,label,label\na,walk,walk\n": "column twice",
    "": "no column clip",
    "clip,label\n": "has no rows",
    "clip,label\na,\n": "no label in any row",
    "clip,label\nzoe,walk\n": "There is no .*zoe.npz",
    "clip,label\n,walk\n": "line 2 has no clip",
    "clip,label\n../a,walk\n": "outside its folder",
    "clip,label\na,walk, slowly\n": "line 2 has more or fewer cells",
    "clip,label,start,end\na,walk,2,1\n": "line 2: walk ends at 1 s, but starts at 2 s",
    "clip,label,start,end\na,walk,nan,1\n": "line 2: start is 'nan'",
    "clip,label,start,end\na,walk,,0:01\n": "line 2: end is '0:01'",
    "clip,label,start,end\na,,0,1\n": "line 2 has a start or an end but no label",
    "clip,label,start,end\na,sit,,\na,walk,60,61\n": "line 3: walk is from 60 to 61 s, but a lasts from 0 to",
    "clip,label,subject\na,walk,1\na,sit,2\n": "subject of one clip is '1' in line 2, but '2' in line 3",
    "clip,label,person\na,walk,1\n": "not a recording, so it has no person '1'",
    'clip,label\na,"walk\n': "not a CSV file",
    "clip,label\na,walk\n\x00": "not a CSV file|more or fewer cells",
}


@pytest.mark.parametrize(("table", "message"), BAD_TABLES.items(), ids=BAD_TABLES.values())
def test_bad_tables_are_refused(tmp_path: Path, table: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        labelled_folder.read(written(tmp_path, table, a=walking(9)))
    assert str(tmp_path) in str(error.value)


def test_a_table_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "", a=walking(9))
    (path / "labels.csv").write_bytes(b"clip,label\na,\xff\xfe\x80\n")
    with pytest.raises(DataError, match="not a CSV file in UTF-8"):
        labelled_folder.read(path)


def test_labels_missing_from_labels_txt_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "clip,label\na,walk\na,sitt\n", a=walking(9))
    (path / "labels.txt").write_text("sit\nwalk\n")
    with pytest.raises(DataError, match="line 3: the label 'sitt' is not in"):
        labelled_folder.read(path)


BAD_CLIPS: dict[str, tuple[Callable[[Path], None], str]] = {
    "wrong joint count": (lambda p: np.savez(p, points=np.ones((9, 16, 3)), rate=30.0, skeleton="h36m17"), "17, 3"),
    "flat": (lambda p: np.savez(p, points=np.ones((9, 17, 2)), rate=30.0, skeleton="h36m17"), "17, 3"),
    "no skeleton": (lambda p: np.savez(p, points=np.ones((9, 17, 3)), rate=30.0), "no skeleton"),
    "unknown skeleton": (lambda p: np.savez(p, points=np.ones((9, 17, 3)), rate=30.0, skeleton="h36"), "Known: "),
    "no times": (lambda p: np.savez(p, points=np.ones((9, 17, 3)), skeleton="h36m17"), "neither times"),
    "rate of zero": (lambda p: np.savez(p, points=np.ones((9, 17, 3)), rate=0.0, skeleton="h36m17"), "nor a rate"),
    "times too few": (lambda p: np.savez(p, points=np.ones((9, 17, 3)), times=[0.0], skeleton="h36m17"), "9 poses"),
    "times never": (
        lambda p: np.savez(p, points=np.ones((2, 17, 3)), times=[np.nan, np.nan], skeleton="h36m17"), "no usable"
    ),
    "text": (lambda p: np.savez(p, points=np.full((9, 17, 3), "1"), rate=30.0, skeleton="h36m17"), "Write numbers"),
    "never seen": (lambda p: np.savez(p, points=np.full((9, 17, 3), np.nan), rate=30.0, skeleton="h36m17"), "anywhere"),
    "zero throughout": (lambda p: np.savez(p, points=np.zeros((9, 17, 3)), rate=30.0, skeleton="h36m17"), "no usable"),
    "millimetres": (lambda p: np.savez(p, points=walking(9) * 1000, rate=30.0, skeleton="h36m17"), "divide milli"),
    "no frames": (lambda p: np.savez(p, points=np.ones((0, 17, 3)), rate=30.0, skeleton="h36m17"), "no frames"),
    "pickled": (
        lambda p: np.savez(p, points=np.array([{}], object), rate=30.0, skeleton="h36m17", allow_pickle=True), "plain"
    ),
    "no npz": (lambda p: p.write_bytes(b"PK\x03\x04 cut off"), "not an npz file"),
    "empty": (lambda p: p.write_bytes(b""), "not an npz file"),
    "one array": (lambda p: np.save(p.open("wb"), np.ones((9, 17, 3))), "npz"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "message"), BAD_CLIPS.values(), ids=BAD_CLIPS)
def test_bad_clips_are_refused(tmp_path: Path, make: Callable[[Path], None], message: str) -> None:
    path = written(tmp_path, "clip,label\na,walk\nbad,walk\n", a=walking(9))
    make(path / "clips" / "bad.npz")
    with pytest.raises(DataError, match=message) as error:
        labelled_folder.read(path)
    assert "bad.npz" in str(error.value)


@pytest.mark.parametrize("cut", [100, 1000, -30])
def test_cut_off_clips_are_refused(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path, "clip,label\na,walk\n", a=walking(9))
    file = path / "clips" / "a.npz"
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(DataError, match=r"a\.npz"):
        labelled_folder.read(path)


def test_two_skeletons_are_refused(tmp_path: Path) -> None:
    other = {"points": np.ones((9, 20, 3)), "rate": 30.0, "skeleton": "kinect20"}
    path = written(tmp_path, "clip,label\na,walk\nb,walk\n", a=walking(9), b=other)
    with pytest.raises(DataError, match=r"a\.npz has the skeleton h36m17, but .*b\.npz has kinect20"):
        labelled_folder.read(path)


@pytest.mark.parametrize(("person", "message"), [("", "Choose one with person: 3, 8"), ("4", "'4'")])
def test_unknown_person_ids_are_refused(tmp_path: Path, person: str, message: str) -> None:
    people = recorded({3: walking(20), 8: walking(25)})
    with pytest.raises(DataError, match=message):
        labelled_folder.read(written(tmp_path, f"clip,label,person\na,walk,{person}\n", a=people))


def test_recordings_without_poses_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no 3D poses of person 3"):
        labelled_folder.read(written(tmp_path, "clip,label\na,walk\n", a=recorded({3: None})))


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder"):
        labelled_folder.read(tmp_path / "none")
    with pytest.raises(DataError, match=r"docs/reference/labelled-motion\.md"):
        labelled_folder.read(tmp_path)


def one_clip(**changes: str) -> Dataset:
    clip = Clip(**{"name": "a", "subject": "1", **changes}, points=walking(9), times=np.arange(9.0))
    return Dataset(H36M17, ("walk",), (clip,))


def test_existing_files_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(OutputError, match="exists already"):
        labelled_folder.write(tmp_path, one_clip())
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(labelled_folder, "write_rows", full)
    with pytest.raises(OutputError, match="Free some space"):
        labelled_folder.write(tmp_path / "out", one_clip())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", " a", "a\nb"])
def test_names_that_do_not_fit_the_table_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="Choose another"):
        labelled_folder.write(tmp_path / "out", one_clip(name=name))


def test_the_documented_example_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[3] / "docs" / "reference" / "labelled-motion.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^```csv\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (code,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    videos = {name: recorded({1: walking(250)}) for name in ("anna-1", "anna-2", "ben")}
    written(tmp_path, "", **{f"mine/clips/{name}": video for name, video in videos.items()})
    (tmp_path / "clips" / "mine").rename(tmp_path / "mine")
    np.save(tmp_path / "poses.npy", walking(50))
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    (tmp_path / "mine" / "labels.csv").write_text(f"{table}carl,run,,,carl\n")
    dataset = labelled_folder.read(tmp_path / "mine")
    assert dataset.subjects == ("anna", "ben", "carl")
    assert dataset.labels == ("walk", "wave", "run")
    assert dataset.flaws == ()
    assert dataset.clips[-1].times[-1] == pytest.approx(49 / 25)

"""Ultralytics' labels and DeepLabCut's tables."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinelift.detectors.keypoint_files.detector import KeypointFile
from kinelift.poses import COCO17, Frame
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints import read, read_videos
from kinelift.poses.skeleton import HALPE26
from tests.poses.keypoints.test_damage import check_sound

WIDTH, HEIGHT = 200, 100
POINTS = np.stack([100.0 + np.arange(17), 20.0 + 4 * np.arange(17)], axis=-1)
SCORES = np.linspace(0.5, 0.9, 17)


def label(points: np.ndarray = POINTS, scores: np.ndarray | None = SCORES, *more: float, number: int = 0) -> str:
    """A line as ``save_txt`` writes it: every number with %g, the box in the middle."""
    size = np.array([WIDTH, HEIGHT])
    columns = points / size if scores is None else np.concatenate([points / size, scores[:, None]], axis=-1)
    box = [108.0 / WIDTH, 52.0 / HEIGHT, 20.0 / WIDTH, 70.0 / HEIGHT]
    return " ".join(f"{value:g}" for value in (number, *box, *columns.ravel(), *more))


def labels(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def shown(path: Path, count: int) -> list[np.ndarray]:
    """The points of the people in each of ``count`` pictures of 200 × 100 px."""
    frames = [Frame(k, Fraction(k), np.zeros((HEIGHT, WIDTH, 3), np.uint8)) for k in range(count)]
    return [people.points for people in KeypointFile(read(path)).detect(frames)]


class TestLabels:
    def test_fractions_become_pixels_of_the_video(self, tmp_path: Path) -> None:
        folder = labels(tmp_path / "walk", {"walk_1.txt": label() + "\n" + label(POINTS - 30), "walk_3.txt": label()})
        first, second, third = shown(folder, 3)
        assert [len(each) for each in (first, second, third)] == [2, 0, 1]
        np.testing.assert_allclose(first[0], POINTS, atol=2e-3)
        np.testing.assert_allclose(first[1], POINTS - 30, atol=2e-3)
        people = read(folder).in_pixels(WIDTH, HEIGHT).at(0)
        np.testing.assert_allclose(people.boxes[0], [98, 17, 118, 87], atol=1e-2)
        np.testing.assert_allclose(people.scores[0], SCORES, atol=1e-5)
        assert (read(folder).layout, read(folder).layout_source) == (COCO17, "Ultralytics' labels of 17 joints")

    @pytest.mark.parametrize(
        ("scores", "more", "confidence"),
        [
            (SCORES, (), SCORES.mean()),
            (SCORES, (0.83,), 0.83),
            (SCORES, (7.0,), SCORES.mean()),
            (SCORES, (0.83, 7.0), 0.83),
            (None, (), 1.0),
            (None, (0.83,), 0.83),
            (None, (0.83, 12.0), 0.83),
        ],
    )
    def test_confidence_and_track_may_follow(
        self, tmp_path: Path, scores: np.ndarray | None, more: tuple[float, ...], confidence: float
    ) -> None:
        people = read(labels(tmp_path / "f", {"a_1.txt": label(POINTS, scores, *more)})).at(0)
        np.testing.assert_allclose(people.confidence, [confidence], atol=1e-5)
        np.testing.assert_allclose(people.points[0] / 10_000 * [WIDTH, HEIGHT], POINTS, atol=2e-3)

    def test_joints_at_the_corner_were_not_seen(self, tmp_path: Path) -> None:
        points = POINTS.copy()
        points[3] = 0
        people = read(labels(tmp_path / "f", {"a_1.txt": label(points)})).at(0)
        assert np.isnan(people.points[0, 3]).all() and people.scores[0, 3] == 0 and (people.scores[0] > 0).sum() == 16

    def test_the_folder_of_a_run_and_other_classes(self, tmp_path: Path) -> None:
        labels(tmp_path / "predict/labels", {"a_1.txt": f"{label(number=16)}\n\n{label()}\n", "classes.txt": "person"})
        assert [len(each) for each in shown(tmp_path / "predict", 1)] == [1]

    @pytest.mark.parametrize(
        ("names", "frames"),
        [(("a_1", "a_2"), (0, 1)), (("a_0", "a_1"), (0, 1)), (("img0001", "img0002"), (1, 2)), (("a_12",), (11,))],
    )
    def test_videos_count_from_1_and_pictures_as_they_are_named(
        self, tmp_path: Path, names: tuple[str, ...], frames: tuple[int, ...]
    ) -> None:
        found = read(labels(tmp_path / "f", {f"{name}.txt": label() for name in names}))
        assert tuple(found.frames) == frames

    def test_several_videos_are_told_apart(self, tmp_path: Path) -> None:
        folder = labels(tmp_path / "f", {"left_1.txt": label(), "right_1.txt": label(), "right_2.txt": ""})
        assert list(read_videos(folder)) == ["left", "right"]
        assert len(read(folder / "left").at(0)) == 1
        with pytest.raises(DataError, match="holds 2 videos"):
            read(folder)

    def test_another_layout(self, tmp_path: Path) -> None:
        points = np.full((26, 2), 50.0) + np.arange(26)[:, None]
        folder = labels(tmp_path / "f", {"a_1.txt": label(points, np.full(26, 0.7))})
        assert read(folder, "halpe26").layout == HALPE26
        with pytest.raises(DataError, match=r"a_1\.txt: line 1 has 83 numbers\. Expected .* 17 joints"):
            read(folder)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("0 0.5 0.5 0.1 0.1", "has 5 numbers"),
            ("0 a b c d", "not a list of numbers"),
            (label().replace("0 ", "0 nan ", 1), "not finite"),
            (label(POINTS * 100), "not fractions"),
        ],
    )
    def test_what_is_no_label_is_told(self, tmp_path: Path, text: str, told: str) -> None:
        with pytest.raises(DataError, match=rf"a_1\.txt: line 1.*{told}"):
            read(labels(tmp_path / "f", {"a_1.txt": text}))

    def test_files_without_number_or_with_the_same(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"its name is 'notes\.txt'"):
            read(labels(tmp_path / "f", {"a_1.txt": label(), "notes.txt": label()}))
        with pytest.raises(DataError, match="both frame 1"):
            read(labels(tmp_path / "g", {"a_1.txt": label(), "a_01.txt": label()}))
        (tmp_path / "f/notes.txt").unlink()
        (tmp_path / "f/a_1.txt").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(DataError, match="is not text"):
            read(tmp_path / "f")


NAMES = ("LeftHip", "right_hip", "Left-Knee", "right knee", "left_ankle", "RightAnkle")
COLUMNS = [
    COCO17.index(name) for name in ("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle")
]


def table(
    rows: list[list[object]], individuals: tuple[str, ...] = (), names: tuple[str, ...] = NAMES, lead: int = 1
) -> str:
    """A table as DeepLabCut writes it."""
    each = individuals or ("",)
    blank = [""] * (lead - 1)
    count = 3 * len(names)
    header = [["scorer", *blank, *["DLC_resnet50"] * (count * len(each))]]
    if individuals:
        header.append(["individuals", *blank, *[one for one in each for _ in range(count)]])
    header.append(["bodyparts", *blank, *[name for _ in each for name in names for _ in range(3)]])
    header.append(["coords", *blank, *["x", "y", "likelihood"] * (len(names) * len(each))])
    return "\n".join(",".join(map(str, row)) for row in [*header, *rows]) + "\n"


def cells(start: float = 10.0) -> list[object]:
    return [value for k in range(len(NAMES)) for value in (start + k, start + 2 * k, 0.5 + k / 20)]


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


class TestDeepLabCut:
    def test_one_individual(self, tmp_path: Path) -> None:
        absent: list[object] = [""] * 18
        found = read(written(tmp_path / "t.csv", table([[0, *cells()], [1, *absent], [2, *cells(30)]])))
        assert (found.layout, found.layout_source) == (COCO17, "bodyparts name the joints")
        assert [len(found.at(k)) for k in range(3)] == [1, 0, 1] and list(found.frames) == [0, 1, 2]
        people = found.at(2)
        np.testing.assert_allclose(people.points[0, COLUMNS], [[30 + k, 30 + 2 * k] for k in range(6)])
        np.testing.assert_allclose(people.scores[0, COLUMNS], 0.5 + np.arange(6) / 20)
        assert np.isnan(np.delete(people.points[0], COLUMNS, axis=0)).all()

    def test_several_individuals(self, tmp_path: Path) -> None:
        gone: list[object] = ["nan"] * 18
        text = table([[0, *cells(), *cells(50)], [1, *gone, *cells(60)]], ("ann", "bob"))
        found = read(written(tmp_path / "t.csv", text))
        assert [len(found.at(k)) for k in range(2)] == [2, 1]
        np.testing.assert_allclose(found.at(0).points[:, COLUMNS[0]], [[10, 10], [50, 50]])
        np.testing.assert_allclose(found.at(1).points[0, COLUMNS[0]], [60, 60])

    def test_joints_of_nobody_are_left_out(self, tmp_path: Path) -> None:
        found = read(written(tmp_path / "t.csv", table([[0, *cells(), *cells(50)]], ("ann", "single"))))
        assert len(found.at(0)) == 1

    @pytest.mark.parametrize("lead", [1, 3])
    def test_pictures_that_were_labelled(self, tmp_path: Path, lead: int) -> None:
        name = ["labeled-data", "walk", "img0012.png"]
        first = ["/".join(name)] if lead == 1 else name
        assert list(read(written(tmp_path / "t.csv", table([[*first, *cells()]], lead=lead))).frames) == [12]

    def test_other_names_need_a_layout(self, tmp_path: Path) -> None:
        names = tuple(f"part{k}" for k in range(17))
        row: list[object] = [0, *[value for k in range(17) for value in (10 + k, 20 + k, 0.9)]]
        path = written(tmp_path / "t.csv", table([row], names=names))
        with pytest.raises(DataError, match=r"bodyparts names the joints part0, .*--keypoint-layout"):
            read(path)
        found = read(path, "coco17")
        np.testing.assert_allclose(found.at(0).points[0, 16], [26, 36])

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "not a table of DeepLabCut"),
            ("a,b\n1,2\n", "not a table of DeepLabCut"),
            (table([[0, *cells()]]).replace("likelihood", "z", 1), "column 4 is 'z'"),
            (table([[0, *cells()]]).replace("x,y", "x,x", 1), "column 3 is 'x'"),
            (table([["a", *cells()]]), "line 4: the first column is 'a'"),
            (table([[0, *["?"] * 18]]), "line 4: column 2 is '\\?'"),
            (table([[0, *cells()], [0, *cells()]]), "line 5 is frame 0 again"),
            (table([[0, *cells(1e9)]]), "cannot be in a picture"),
            (table([[0, *[0.5] * 18]]), "fractions of the picture"),
            ("scorer,a\nbodyparts,left_hip,left_hip\ncoords,x,y\n", "different lengths"),
            ("scorer,a\nbodyparts,left_hip\ncoords,x\n", "no x and y for left_hip"),
            ("scorer\nbodyparts\ncoords\n0\n", "no columns of joints"),
        ],
    )
    def test_what_is_no_table_is_told(self, tmp_path: Path, text: str, told: str) -> None:
        with pytest.raises(DataError, match=told):
            read(written(tmp_path / "t.csv", text))

    def test_rows_that_end_early_hold_what_they_hold(self, tmp_path: Path) -> None:
        text = table([[0, *cells()[:5]]])
        assert (read(written(tmp_path / "t.csv", text)).at(0).scores > 0).sum() == 1


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.floats(0, 1), content=st.binary(max_size=8), drop=st.integers(0, 40), kind=st.sampled_from(["txt", "csv"]))
def test_damage_is_read_or_refused(tmp_path: Path, at: float, content: bytes, drop: int, kind: str) -> None:
    whole = (label() + "\n" if kind == "txt" else table([[0, *cells()], [1, *cells(30)]])).encode()
    place = int(at * len(whole))
    path = tmp_path / "a_1.txt" if kind == "txt" else tmp_path / "t.csv"
    path.write_bytes(whole[:place] + content + whole[place + drop :])
    try:
        check_sound(read(tmp_path if kind == "txt" else path))
    except DataError as error:
        assert str(tmp_path) in str(error)

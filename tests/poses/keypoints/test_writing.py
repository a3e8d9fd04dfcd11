import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.poses import COCO17, COCO23, H36M17, Person, Recording, Skeleton, Track2D, convert, exchange
from kinelift.poses.errors import OutputError
from kinelift.poses.keypoints import Format, Keypoints, read, write
from kinelift.poses.skeleton import BODY25, HALPE26, OPENPOSE18
from tests.poses.scenes import recording
from tests.poses.scenes import track as random_track

FILES = {Format.OPENPOSE: "keypoints", Format.COCO: "keypoints.json", Format.NPZ: "keypoints.npz"}


def of(*tracks: Track2D, frames: int = 20) -> Recording:
    return recording(*(Person(k, track) for k, track in enumerate(tracks, 1)), frames=frames)


def expected(made: Recording, target: Skeleton) -> dict[int, list[np.ndarray]]:
    """x, y, score of everybody in every frame, in the layout ``target``; NaN where not seen."""
    found: dict[int, list[np.ndarray]] = {k: [] for k in range(len(made.video.times))}
    for person in made.people:
        track = person.track
        seen = np.isfinite(track.points).all(-1) & ~track.filled
        rows = np.where(seen[..., None], np.concatenate([track.points, track.scores[..., None]], -1), np.nan)
        for t, row in enumerate(convert(rows, track.skeleton, target)):
            if np.isfinite(row).any():
                found[track.start + t].append(row)
    return found


def check(found: Keypoints, made: Recording, joints: tuple[str, ...]) -> None:
    """The same people in the same frames, at the same ``joints``."""
    columns = [found.layout.index(joint) for joint in joints]
    for frame, people in expected(made, found.layout).items():
        there = found.at(frame)
        assert len(there) == len(people)
        for n, row in enumerate(people):
            np.testing.assert_allclose(there.points[n][columns], row[columns, :2], rtol=0, atol=1 / 32)
            np.testing.assert_allclose(there.scores[n][columns], np.nan_to_num(row[columns, 2]), rtol=0, atol=1e-3)


@pytest.mark.parametrize("to", Format)
@settings(max_examples=15)
@given(seed=st.integers(0, 2**31), starts=st.lists(st.integers(0, 12), max_size=3))
def test_what_is_written_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, to: Format, seed: int, starts: list[int]
) -> None:
    made = of(*(random_track(start, 6, seed=seed + k) for k, start in enumerate(starts)), frames=20)
    path = tmp_path_factory.getbasetemp() / FILES[to]
    write(path, made, to)
    found = read(path)
    assert found.layout == (
        OPENPOSE18 if to is Format.OPENPOSE and starts else BODY25 if to is Format.OPENPOSE else COCO17
    )
    check(found, made, COCO17.joints)


@pytest.mark.parametrize(("layout", "written"), [
    (BODY25, BODY25), (HALPE26, BODY25), (COCO23, BODY25), (OPENPOSE18, OPENPOSE18), (H36M17, OPENPOSE18)
])  # fmt: skip
def test_openpose_keeps_what_it_knows(tmp_path: Path, layout: Skeleton, written: Skeleton) -> None:
    made = of(random_track(2, 8, layout))
    write(tmp_path / "k", made, Format.OPENPOSE)
    found = read(tmp_path / "k")
    assert found.layout == written
    check(found, made, tuple(joint for joint in written.joints if joint in layout.joints))


def test_feet_that_were_never_seen_are_zeros(tmp_path: Path) -> None:
    track = random_track(0, 5, COCO23)
    points, toes = track.points.copy(), [COCO23.index(f"{side}_small_toe") for side in ("left", "right")]
    points[:, toes] = np.nan
    made = of(replace(track, points=points, scores=np.where(np.isnan(points[..., 0]), 0, track.scores)), frames=5)
    write(tmp_path / "k", made, Format.OPENPOSE)
    people = json.loads((tmp_path / "k" / "dance_000000000003_keypoints.json").read_text())["people"]
    rows = np.reshape(people[0]["pose_keypoints_2d"], (25, 3))
    assert (rows[[BODY25.index(COCO23.joints[j]) for j in toes]] == 0).all()
    check(read(tmp_path / "k"), made, COCO23.joints)


def test_a_hip_lies_between_two_seen_hips(tmp_path: Path) -> None:
    track = random_track(0, 20, COCO23)
    made = of(replace(track, points=np.where(track.filled[..., None], np.nan, track.points)))
    write(tmp_path / "k", made, Format.OPENPOSE)
    found = read(tmp_path / "k")
    hips = made.people[0].track.points[:, [COCO23.index(f"{side}_hip") for side in ("left", "right")]]
    for t, middle in enumerate(hips.mean(axis=1)):
        np.testing.assert_allclose(found.at(t).points[0, BODY25.index("hip")], middle, atol=0.01)


@pytest.mark.parametrize("layout", [COCO23, HALPE26, BODY25])
def test_coco_keeps_the_feet_as_whole_body_does(tmp_path: Path, layout: Skeleton) -> None:
    made = of(random_track(2, 8, layout), random_track(3, 8, COCO17, seed=4))
    write(tmp_path / "k.json", made, Format.COCO)
    found = read(tmp_path / "k.json")
    assert found.layout == COCO23
    check(found, made, COCO23.joints)
    for row in json.loads((tmp_path / "k.json").read_text()):
        assert (len(row["keypoints"]), len(row["foot_kpts"])) == (51, 18)


def test_a_neck_lies_between_two_seen_shoulders(tmp_path: Path) -> None:
    track = random_track(0, 20)
    made = of(replace(track, points=np.where(track.filled[..., None], np.nan, track.points)))
    write(tmp_path / "k", made, Format.OPENPOSE)
    found = read(tmp_path / "k")
    left, right = (COCO17.index(f"{side}_shoulder") for side in ("left", "right"))
    both = made.people[0].track.points[:, [left, right]]
    for t, middle in enumerate(both.mean(axis=1)):
        np.testing.assert_allclose(found.at(t).points[0, 1], middle, atol=0.01)
    assert 2 < np.isnan(both).any((1, 2)).sum() < 18


def test_openpose_writes_every_frame(tmp_path: Path) -> None:
    write(tmp_path / "k", of(random_track(3, 4), frames=9), Format.OPENPOSE)
    files = sorted(path.name for path in (tmp_path / "k").iterdir())
    assert files == [f"dance_{k:012d}_keypoints.json" for k in range(9)]
    facts = [json.loads((tmp_path / "k" / file).read_text()) for file in files]
    assert [[person["person_id"] for person in one["people"]] for one in facts] == [[]] * 3 + [[[1]]] * 4 + [[]] * 2
    assert all(len(p["pose_keypoints_2d"]) == 54 and p["face_keypoints_2d"] == [] for f in facts for p in f["people"])


def test_coco_is_as_its_evaluation_wants_it(tmp_path: Path) -> None:
    write(tmp_path / "k.json", of(random_track(3, 4), random_track(5, 4)), Format.COCO)
    rows = json.loads((tmp_path / "k.json").read_text())
    assert [(row["image_id"], row["track_id"]) for row in rows] == [
        (3, 1), (4, 1), (5, 1), (5, 2), (6, 1), (6, 2), (7, 2), (8, 2)
    ]  # fmt: skip
    for row in rows:
        x, y, score = np.reshape(row["keypoints"], (17, 3)).T
        left, top, width, height = row["bbox"]
        seen = score > 0
        assert row["category_id"] == 1 and row["score"] == pytest.approx(score[seen].mean(), abs=1e-3)
        assert (x[seen] > left).all() and (x[seen] < left + width).all() and (x[~seen] == 0).all()
        assert (y[seen] > top).all() and (y[seen] < top + height).all() and (y[~seen] == 0).all()


def test_small_scores_are_not_lost(tmp_path: Path) -> None:
    track = random_track(0, 5)
    made = of(replace(track, scores=np.where(track.scores > 0, 1e-6, 0)))
    for to in Format:
        write(tmp_path / FILES[to], made, to)
        check(read(tmp_path / FILES[to]), made, COCO17.joints)


@pytest.mark.parametrize("name", ["a_1", "", "a/b", "é ü", "x_000000000001", "a\nb", "[x]*"])
def test_any_name(tmp_path: Path, name: str) -> None:
    made = of(random_track(0, 5), frames=5)
    made = replace(made, video=replace(made.video, name=name))
    for _ in range(2):
        write(tmp_path / "k", made, Format.OPENPOSE)
        check(read(tmp_path / "k"), made, COCO17.joints)


class TestReplacing:
    """A folder is there as a whole, the earlier or the new one."""

    first, second = of(random_track(0, 5, seed=1), frames=9), of(random_track(0, 5, seed=2), frames=5)

    def test_the_new_one_takes_its_place(self, tmp_path: Path) -> None:
        for made in (self.first, self.second):
            write(tmp_path / "k", made, Format.OPENPOSE)
        check(read(tmp_path / "k"), self.second, COCO17.joints)
        assert len(list((tmp_path / "k").iterdir())) == 5
        assert [path.name for path in tmp_path.iterdir()] == ["k"]

    @pytest.mark.parametrize(
        "other", ["notes.txt", "b_000000000000_keypoints.json", "dance_000000000000_keypoints.json"]
    )
    def test_what_is_not_ours_is_kept(self, tmp_path: Path, other: str) -> None:
        write(tmp_path / "k", self.first, Format.OPENPOSE)
        if other.startswith("dance"):
            (tmp_path / "k" / other).unlink()
            (tmp_path / "k" / other).mkdir()
        else:
            (tmp_path / "k" / other).write_text("mine")
        before = sorted(path.name for path in tmp_path.rglob("*"))
        with pytest.raises(OutputError, match=f"it also holds {other}"):
            write(tmp_path / "k", self.second, Format.OPENPOSE)
        assert sorted(path.name for path in tmp_path.rglob("*")) == before

    def test_a_file_is_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "k").write_text("mine")
        with pytest.raises(OutputError, match="not a folder"):
            write(tmp_path / "k", self.first, Format.OPENPOSE)
        assert (tmp_path / "k").read_text() == "mine"
        with pytest.raises(OutputError, match=r"cannot be (written|made)"):
            write(tmp_path / "k" / "deeper", self.first, Format.OPENPOSE)

    @pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
    def test_nothing_is_lost_while_writing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
    ) -> None:
        write(tmp_path / "k", self.first, Format.OPENPOSE)
        honest, written = Path.write_text, []

        def failing(path: Path, *args: Any, **kwargs: Any) -> int:
            written.append(path)
            if len(written) == 3:
                raise error
            return honest(path, *args, **kwargs)

        monkeypatch.setattr(Path, "write_text", failing)
        with pytest.raises((OutputError, KeyboardInterrupt)):
            write(tmp_path / "k", self.second, Format.OPENPOSE)
        assert [path.name for path in tmp_path.iterdir()] == ["k"]
        check(read(tmp_path / "k"), self.first, COCO17.joints)

    @pytest.mark.parametrize("at", [1, 2])
    def test_nothing_is_lost_while_names_change(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        write(tmp_path / "k", self.first, Format.OPENPOSE)
        honest, renamed = Path.rename, []

        def failing(path: Path, target: Path) -> Path:
            if path.is_dir() and "k" in (path.name, Path(target).name):
                renamed.append(path)
            if len(renamed) == at:
                raise OSError(5, "Input/output error")
            return honest(path, target)

        monkeypatch.setattr(exchange, "_exchange", lambda a, b: False)
        monkeypatch.setattr(Path, "rename", failing)
        with pytest.raises(OutputError, match="Input/output error"):
            write(tmp_path / "k", self.second, Format.OPENPOSE)
        assert [path.name for path in tmp_path.iterdir()] == ["k"]
        check(read(tmp_path / "k"), self.first, COCO17.joints)

    def test_a_link_stays_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real")
        for made in (self.first, self.second):
            write(tmp_path / "link", made, Format.OPENPOSE)
        assert (tmp_path / "link").is_symlink()
        check(read(tmp_path / "real"), self.second, COCO17.joints)


@pytest.mark.parametrize("to", [Format.OPENPOSE, Format.COCO])
def test_numbers_in_single_precision_are_written_with_few_digits(tmp_path: Path, to: Format) -> None:
    track = random_track(0, 5)
    coarse = replace(track, points=track.points.astype(np.float32), scores=track.scores.astype(np.float32))
    write(tmp_path / FILES[to], of(coarse), to)
    written = tmp_path / FILES[to]
    texts = [path.read_text() for path in (written.iterdir() if written.is_dir() else [written])]
    assert max(len(number) for text in texts for number in re.findall(r"\.(\d+)", text)) <= 4

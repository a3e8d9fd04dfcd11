import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.lifting.datasets.sequences import Sequence
from kinelift.lifting.datasets.tracks import VideoInfo, follow, read_tracks
from kinelift.poses import COCO17, H36M17, Person, Recording, Skeleton, Track2D, VideoFacts
from kinelift.poses.camera import Camera
from kinelift.poses.errors import DataError, SettingsError
from kinelift.poses.recording import save
from kinelift.poses.skeleton import BODY25, HALPE26, HUMANEVA15, OPENPOSE18

VIDEO = VideoInfo((640, 480), 10.0)


def person(layout: Skeleton, seed: int, middle: tuple[float, float] = (300, 200), score: float = 0.9) -> np.ndarray:
    """(J, 3): a person of 100 px around ``middle``, every third joint invisible."""
    random = np.random.default_rng(seed)
    found = np.concatenate(
        [np.array(middle) + random.uniform(-50, 50, (len(layout), 2)), np.full((len(layout), 1), score)], -1
    )
    found[seed % 3 :: 3] = 0
    return found.round(3)


def write_openpose(folder: Path, frames: list[list[np.ndarray]], name: str = "walk", first: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    for k, people in enumerate(frames):
        facts = {
            "version": 1.3,
            "people": [{"person_id": [-1], "pose_keypoints_2d": p.ravel().tolist()} for p in people],
        }
        (folder / f"{name}_{first + k:012d}_keypoints.json").write_text(json.dumps(facts))
    return folder


def write_results(path: Path, frames: list[list[np.ndarray]]) -> Path:
    """Results of AlphaPose, which names images: there, 26 joints are Halpe's."""
    results = [
        {"image_id": f"{k}.jpg", "category_id": 1, "keypoints": p.ravel().tolist(), "score": 0.5}
        for k, people in enumerate(frames)
        for p in people
    ]
    path.write_text(json.dumps(results))
    return path


def check_kept(one: Sequence, frames: list[np.ndarray], layout: Skeleton) -> None:
    """Visible joints of COCO-17 are kept by name; all others are NaN."""
    assert one.keypoints.shape == (len(frames), 17, 2)
    for t, found in enumerate(frames):
        for j, name in enumerate(COCO17.joints):
            row = found[layout.index(name)] if name in layout.joints else np.zeros(3)
            expected = row[:2] if row[2] > 0 else [np.nan, np.nan]
            np.testing.assert_allclose(one.keypoints[t, j], expected, atol=1 / 32)


@pytest.mark.parametrize("layout", [BODY25, OPENPOSE18])
def test_reads_openpose_points(tmp_path: Path, layout: Skeleton) -> None:
    people = [person(layout, seed) for seed in range(8)]
    (one,) = read_tracks(write_openpose(tmp_path / "run", [[p] for p in people], first=7), VIDEO)
    check_kept(one, people, layout)
    assert (one.subject, one.action, one.size, one.rate, one.truth) == ("walk 1", "unlabelled", (640, 480), 10.0, None)
    assert (one.source, one.target) == (COCO17, H36M17)


@pytest.mark.parametrize("layout", [COCO17, HALPE26])
def test_reads_points_of_results(tmp_path: Path, layout: Skeleton) -> None:
    people = [person(layout, seed) for seed in range(8)]
    camera = Camera(700.0, (320.0, 240.0))
    path = write_results(tmp_path / "clip.json", [[p] for p in people])
    (one,) = read_tracks(path, VideoInfo((640, 480), 10.0, camera), HUMANEVA15)
    check_kept(one, people, layout)
    assert (one.subject, one.camera, one.target) == ("clip 1", camera, HUMANEVA15)


def test_videos_of_a_folder_are_separate(tmp_path: Path) -> None:
    write_openpose(tmp_path, [[person(BODY25, 1)]] * 6, "a_1")
    write_openpose(tmp_path, [[person(OPENPOSE18, 2)]] * 7, "b")
    assert [(one.subject, len(one)) for one in read_tracks(tmp_path, VIDEO)] == [("a_1 1", 6), ("b 1", 7)]


def test_follows_the_person_with_the_best_scores(tmp_path: Path) -> None:
    best = [person(BODY25, t, (100 + 10 * t, 200), 0.5 if t else 0.95) for t in range(10)]
    other = [person(BODY25, t, (500, 200), 0.8) for t in range(10)]
    frames = [[b, o] if t % 2 else [o, b] for t, (b, o) in enumerate(zip(best, other, strict=True))]
    frames[4] = [other[4]]
    best[4] = np.zeros_like(best[4])
    (one,) = read_tracks(write_openpose(tmp_path / "run", frames), VIDEO)
    check_kept(one, best, BODY25)


def test_missing_files_are_frames_without_anybody(tmp_path: Path) -> None:
    people = [person(BODY25, t) for t in range(9)]
    folder = write_openpose(tmp_path / "run", [[p] for p in people])
    (folder / "walk_000000000003_keypoints.json").unlink()
    people[3] = np.zeros_like(people[3])
    (one,) = read_tracks(folder, VIDEO)
    check_kept(one, people, BODY25)


def test_absent_people_are_replaced(tmp_path: Path) -> None:
    first, second = ([person(BODY25, t, (x, 200)) for t in range(8)] for x in (100, 500))
    frames = [[p] for p in first] + [[]] * 6 + [[p] for p in second]
    one, two = read_tracks(write_openpose(tmp_path / "run", frames), VIDEO)
    check_kept(one, first, BODY25)
    check_kept(two, second, BODY25)
    assert (one.subject, two.subject) == ("walk 1", "walk 2")


@given(st.integers(1, 40), st.integers(0, 2**31))
@settings(max_examples=30)
def test_tracks_contain_only_detected_people(frames: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    crowd = {
        t: np.stack([person(OPENPOSE18, int(random.integers(99)), tuple(random.uniform(60, 400, 2))) for _ in range(n)])
        for t, n in enumerate(random.integers(1, 4, frames))
    }
    everybody = {row.tobytes() for people in crowd.values() for row in people}
    pieces = list(follow(crowd, 10.0))
    assert sum(len(piece) for piece in pieces) <= frames
    assert all(np.isnan(row).all() or row.tobytes() in everybody for piece in pieces for row in piece)
    assert all(np.isfinite(piece[[0, -1]]).all() for piece in pieces)


def test_low_scores_count_as_invisible(tmp_path: Path) -> None:
    people = [person(COCO17, t, score=0.9 if t % 2 else 0.2) for t in range(8)]
    (one,) = read_tracks(
        write_results(tmp_path / "clip.json", [[p] for p in people]), VideoInfo((640, 480), 10.0, min_score=0.3)
    )
    check_kept(one, [p * (p[:, 2:] > 0.3) for p in people[1:]], COCO17)


def test_scaled_coordinates_and_wrong_sizes_are_refused(tmp_path: Path) -> None:
    people = [person(BODY25, t) for t in range(8)]
    folder = write_openpose(tmp_path / "pixels", [[p] for p in people])
    with pytest.raises(DataError, match="outside the image of 200 × 150 px"):
        read_tracks(folder, VideoInfo((200, 150), 10.0))
    scaled = write_openpose(tmp_path / "scaled", [[p / [640, 480, 1]] for p in people])
    with pytest.raises(DataError, match="--keypoint_scale 0"):
        read_tracks(scaled, VIDEO)
    with pytest.raises(DataError, match="Give the image size and the frame rate"):
        read_tracks(folder)
    with pytest.raises(SettingsError, match="positive"):
        VideoInfo((640, 480), 0.0)


def test_too_little_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nobody for 0\.5 s or longer"):
        read_tracks(write_openpose(tmp_path / "short", [[person(BODY25, 0)]] * 3), VIDEO)
    with pytest.raises(DataError, match=r"nobody for 0\.5 s or longer"):
        read_tracks(write_openpose(tmp_path / "empty", [[]] * 20), VIDEO)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="No OpenPose files"):
        read_tracks(tmp_path / "none", VIDEO)
    with pytest.raises(DataError, match="does not exist"):
        read_tracks(tmp_path / "nowhere", VIDEO)


@pytest.mark.parametrize(
    "facts",
    [
        [],
        {},
        {"people": 3},
        {"people": [{"pose": []}]},
        {"people": [{"pose_keypoints_2d": [1, 2]}]},
        {"people": [{"pose_keypoints_2d": ["a"] * 54}]},
    ],
)
def test_other_json_is_refused(tmp_path: Path, facts: Any) -> None:
    path = tmp_path / "walk_000000000000_keypoints.json"
    for text in (json.dumps(facts), "{"):
        path.write_text(text)
        with pytest.raises(DataError, match="walk_000000000000_keypoints"):
            read_tracks(tmp_path, VIDEO)
    other = tmp_path / "results.json"
    for found in (facts or 3, [{"image_id": 1}], [{"image_id": "no number", "keypoints": []}]):
        other.write_text(json.dumps(found))
        with pytest.raises(DataError, match=r"results\.json"):
            read_tracks(other, VIDEO)


def test_frames_need_numbers(tmp_path: Path) -> None:
    (tmp_path / "walk_keypoints.json").write_text('{"people": []}')
    with pytest.raises(DataError, match="no frame number"):
        read_tracks(tmp_path, VIDEO)


def test_layouts_do_not_mix_in_a_video(tmp_path: Path) -> None:
    frames = [[person(BODY25, 0)], [person(OPENPOSE18, 0)]]
    with pytest.raises(DataError, match=r"\[18, 25\] keypoints"):
        read_tracks(write_openpose(tmp_path / "run", frames), VIDEO)


def recorded(path: Path, times: np.ndarray) -> Track2D:
    random = np.random.default_rng(0)
    points = np.cumsum(random.uniform(-1, 1, (len(times), 26, 2)), 0) + 300
    points[3, 5] = np.nan
    filled = np.zeros((len(times), 26), dtype=bool)
    filled[6, 7] = True
    track = Track2D(points, np.ones((len(times), 26)), times, filled, 0, (640, 480), HALPE26)
    save(path, Recording(VideoFacts("clip", 640, 480, times), (Person(4, track),)))
    return track


def test_filled_keypoints_of_recordings_are_ignored(tmp_path: Path) -> None:
    track = recorded(tmp_path / "clip.npz", np.arange(10) / 25)
    (one,) = read_tracks(tmp_path / "clip.npz")
    seen = np.concatenate([track.points, ~track.filled[..., None] & np.isfinite(track.points[..., :1])], -1)
    check_kept(one, list(np.nan_to_num(seen)), HALPE26)
    assert (one.subject, one.size, one.truth) == ("clip 4", (640, 480), None)
    assert one.rate == pytest.approx(25)


def test_uneven_recordings_are_resampled(tmp_path: Path) -> None:
    times = np.arange(20) / 20 + np.where(np.arange(20) % 2, 0.02, 0.0)
    track = recorded(tmp_path / "clip.npz", times)
    (one,) = read_tracks(tmp_path / "clip.npz")
    at = np.arange(len(one)) / one.rate
    assert abs(at[-1] - times[-1]) <= 0.5 / one.rate
    nose = np.stack([np.interp(at, times, track.points[:, 0, axis]) for axis in (0, 1)], -1)
    np.testing.assert_allclose(one.keypoints[:, 0], nose, atol=1 / 32)

"""The figures of people in the world, on made-up recordings whose right values are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.bodies.standing import bodies
from benchmarks.bodies.still_views import RATE, StillView
from benchmarks.bodies.world import figures, labels
from benchmarks.bodies.world.clips import load_found, save_found
from benchmarks.bodies.world.labels import Jump, Span
from benchmarks.bodies.world.scene import Actor, scene
from benchmarks.bodies.world.synthetic import FOOT, film, standing, walking
from benchmarks.bodies.world.view import draw
from kinelift.app.pipeline import Pipeline
from kinelift.detectors.scripted import Scripted
from kinelift.lifting.synthesis.bank import MOCAP
from kinelift.poses import COCO17, H36M17, People, Person, Poses3D, Recording, Track2D, VideoFacts
from kinelift.poses.skeleton import COCO23, H36M21, Skeleton
from kinelift.poses.world import World

FRAMES = 60
TIMES = np.arange(FRAMES) / 30
MAN = bodies(0, seed=0)["man"]
DOWN = np.diag([1.0, -1.0, -1.0])
"""Rotation from a level camera to the world."""


def actor(joints: np.ndarray | None = None, contact: np.ndarray | None = None, start: int = 0) -> Actor:
    still = np.zeros((FRAMES, len(H36M21), 3)) if joints is None else joints
    return Actor(still, TIMES, start, H36M21, contact)


def moving(speed: float) -> np.ndarray:
    """Joints that move sideways at ``speed`` m/s."""
    joints = np.zeros((FRAMES, len(H36M21), 3))
    joints[..., 0] = speed * TIMES[:, None]
    return joints


def span(first: int, last: int, state: str = "contact", foot: str = "left", part: str = "toe") -> Span:
    return Span("clip", "man", foot, part, first, last, state, "floor" if state == "contact" else "")


def recording(skeleton: Skeleton = H36M17, world: World | None = None, root: bool = True) -> Recording:
    nothing = np.zeros((FRAMES, len(COCO17)))
    points = np.tile([300.0, 200.0], (FRAMES, len(COCO17), 1))
    track = Track2D(points, nothing + 1, TIMES, nothing > 0, 10, (640, 480))
    poses = Poses3D(
        np.zeros((FRAMES, len(skeleton), 3)), TIMES, np.tile([0.0, 0.0, 4.0], (FRAMES, 1)) if root else None, skeleton
    )
    return Recording(VideoFacts("clip", 640, 480, TIMES), (Person(7, track, poses),), world=world)


def test_tilt_is_the_angle_to_the_true_up() -> None:
    assert figures.tilt(np.array([0.0, -1.0, 0.0]), np.array([0.0, -np.cos(0.1), np.sin(0.1)])) == 5.73


def test_planted_feet_slide_by_their_speed() -> None:
    found = figures.planted(actor(moving(0.3)), [span(0, 30), span(40, 59, "air")])
    assert found == {"speed": 300.0, "speed_95": 300.0, "slide": 150.0, "seconds": 1.0}
    assert figures.planted(actor(), [span(0, 30)])["speed"] == 0
    assert figures.planted(actor(), [span(40, 59, "air")]) == {}


def test_spans_are_frames_of_the_video_not_of_the_track() -> None:
    joints = np.zeros((FRAMES, len(H36M21), 3))
    joints[:20] = np.linspace(0, 1, 20)[:, None, None]
    late = actor(joints, start=100)
    assert figures.planted(late, [span(125, 140)])["speed"] == 0
    assert figures.planted(late, [span(100, 115)])["speed"] > 1000
    assert figures.planted(late, [span(0, 99)]) == {}


def test_feet_of_a_skeleton_without_feet_are_its_ankles() -> None:
    plain = Actor(np.zeros((FRAMES, len(H36M17), 3)), TIMES, 0, H36M17, np.ones((FRAMES, len(H36M17)), bool))
    assert plain.part("left", "heel") == H36M17.index("left_ankle")
    assert plain.touching("left", "heel") is None
    assert actor().part("left", "heel") == H36M21.index("left_heel")


def test_contacts_are_counted_against_labels() -> None:
    contact = np.zeros((FRAMES, len(H36M21)), bool)
    contact[:15, H36M21.index("left_toe")] = True
    counts = figures.touched(actor(contact=contact), [span(0, 19), span(10, 29, "air")])
    assert counts == (20, 15, 20, 5)
    assert figures.contact_shares([counts, (20, 20, 0, 0), None]) == {"found": 0.875, "false": 0.25}
    assert figures.touched(actor(), [span(0, 19)]) is None
    assert figures.contact_shares([None]) == {"found": None, "false": None}


def test_drift_is_measured_from_where_a_span_begins() -> None:
    path = np.zeros((FRAMES, 3))
    path[30:40, 2] = 0.05
    assert figures.drift(path, TIMES) == 50.0
    assert figures.drift(path[:30] + 3, TIMES[:30]) == 0.0


def test_heights_by_surface_about_their_median() -> None:
    joints = np.zeros((FRAMES, len(H36M21), 3))
    joints[..., 1] = 0.02
    joints[30:, :, 1] = 2.0
    spans = [span(0, 29), replace(span(30, 59), surface="roof"), span(0, 59, "air")]
    found = figures.heights(actor(joints), spans)
    assert {name: figures.level(some)["height"] for name, some in found.items()} == {"floor": 20.0, "roof": 2000.0}
    assert figures.level(np.array([0.0] * 50 + [100.0] * 50)) == {"height": 50.0, "lowest": -50.0, "highest": 50.0}


def test_a_fall_has_its_acceleration() -> None:
    height = 2 + TIMES - 9.81 * TIMES**2 / 2
    assert figures.fall(height, TIMES)[0] == pytest.approx(9.81)
    assert figures.fall(height, TIMES)[1] == pytest.approx(0, abs=1e-9)
    assert figures.fall(np.where(np.arange(FRAMES) == 5, np.nan, height), TIMES)[0] == pytest.approx(9.81)


def test_time_in_the_air_is_the_longest_run_without_a_contact() -> None:
    joints = np.zeros((FRAMES, len(H36M21), 3))
    joints[..., 1] = (3 - 5 * TIMES**2)[:, None]
    contact = np.ones((FRAMES, len(H36M21)), bool)
    contact[21:39] = False
    contact[5:7] = False
    found = figures.flight(actor(joints, contact), Jump("clip", "man", 20, 40))
    assert found == {"frames": 19, "frames_3d": 18, "g_hip": 10.0, "g_body": 10.0, "off_hip": 0.0}
    assert figures.flight(actor(joints), Jump("clip", "man", 20, 40))["frames_3d"] is None


def test_the_recordings_world_is_used_where_there_is_one() -> None:
    world = World(DOWN, np.array([1.0, 1.5, 2.0]))
    placed = scene(recording(H36M21, world))
    assert placed.found and placed.actors[0] is not None
    np.testing.assert_allclose(placed.up, [0, -1, 0])
    np.testing.assert_allclose(placed.actors[0].joints, np.broadcast_to([1.0, 1.5, -2.0], (FRAMES, 21, 3)))
    assert scene(recording(H36M21, world, root=False)).actors == [None]
    drawn = scene(recording())
    assert not drawn.found and drawn.actors[0] is not None and drawn.actors[0].start == 10


def test_a_picture_of_a_scene(tmp_path: Path) -> None:
    assert draw(scene(recording()), "clip", tmp_path).read_bytes().startswith(b"\x89PNG")


def test_labels_do_not_contradict_each_other() -> None:
    for clip in ("single", "multi", "sample", "squats", "pose1"):
        spans = labels.contacts(clip)
        assert spans and {one.state for one in spans} <= {"contact", "air"}
        taken = [(one.person, one.foot, one.part, k) for one in spans for k in range(one.first, one.last + 1)]
        assert len(taken) == len(set(taken))
        assert all(one.first <= one.last and bool(one.surface) == (one.state == "contact") for one in spans)


def test_labelled_people_are_found_by_place(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = labels.Place("clip", "man", 30, 310.0, 210.0), labels.Place("clip", "woman", 30, 500.0, 200.0)
    monkeypatch.setattr(labels, "places", lambda _: [near, far, labels.Place("clip", "late", 5, 300.0, 200.0)])
    assert labels.identify(recording(), "clip") == {"man": 0}


def test_a_walk_keeps_planted_feet_still_and_bones_long() -> None:
    motion = walking(MAN, 3.0)
    assert 0.5 < (~motion.air).mean() < 0.7 and (~motion.air).any(axis=1).all()
    for span_ in motion.spans():
        keypoint = f"{span_.foot}_heel" if span_.part == "heel" else f"{span_.foot}_big_toe"
        path = motion.keypoints()[span_.first : span_.last + 1, COCO23.index(keypoint)]
        spread = np.ptp(path, axis=0)
        assert spread.max() < 1e-9 if span_.state == "contact" else spread[2] > 0.3
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("hip", "thorax")):
        names = (a, b) if b == "thorax" else (f"left_{a}", f"left_{b}")
        one, other = (motion.points[:, MOCAP.index(name)] for name in names)
        assert np.ptp(np.linalg.norm(one - other, axis=-1)) < 1e-6


def test_feet_lie_on_the_floor_below_the_ankles() -> None:
    points = standing(MAN, 0.1).keypoints()
    feet = points[:, [COCO23.index(f"left_{part}") for part in FOOT]]
    assert np.allclose(feet[..., 1], 0.01)
    assert feet[0, 0, 2] < points[0, COCO23.index("left_ankle"), 2] < feet[0, 1, 2]


def test_found_people_survive_the_cache(tmp_path: Path) -> None:
    one = People(0, np.full((2, 17, 2), 3.5), np.ones((2, 17)), np.zeros((2, 4)), np.ones(2))
    save_found(tmp_path / "found.npz", Scripted([one, People.nobody(1, 17)], COCO17))
    back = load_found(tmp_path / "found.npz")
    assert [len(people) for people in back.script] == [2, 0] and back.skeleton == COCO17
    np.testing.assert_array_equal(back.script[0].points, one.points)


def test_an_upright_body_is_filmed_with_its_true_up() -> None:
    pipeline = Pipeline.load(device="cpu")
    made, up = film(pipeline, standing(MAN, 0.3), StillView(90, 2.0))
    assert len(made.people) == 1 and len(made.people[0].track) == round(0.3 * RATE)
    assert up[1] < -0.9 and up[2] < 0 and up[0] == pytest.approx(0, abs=1e-12)

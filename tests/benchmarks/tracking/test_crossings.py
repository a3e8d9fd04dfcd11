"""Scenes of several people and the simulated detector: occlusion and its effect on detections."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks.tracking.crossings import KINDS, RATES, SECONDS, Scene, hidden, in_place, scenes
from benchmarks.tracking.simulated_detector import Flaws, detected, episodes
from benchmarks.tracking.tracking import judged, ours, plain
from kinelift.lifting.synthesis.bank import MOCAP, MotionBank
from kinelift.lifting.synthesis.noise import NoiseSettings
from kinelift.poses import COCO17

NEVER = (0.0, 1.0)
EXACT = NoiseSettings(
    level=(1e-9, 1e-8), swap=0, drop=0, drop_limb=0, drop_whole=0, drop_face=0, half=0, cover=0, stray=0
)
PERFECT = Flaws(EXACT, 0.0, NEVER, NEVER, NEVER, NEVER, NEVER, hidden=2.0, astray=0.0)


def bank(clips: int = 6) -> MotionBank:
    """Somebody who walks on the spot, in ``clips`` sizes: a stick figure with swinging limbs."""
    heights = {"ankle": 0.1, "knee": 0.5, "hip": 0.95, "spine": 1.2, "thorax": 1.45, "neck": 1.5, "shoulder": 1.42}
    heights |= {"elbow": 1.15, "wrist": 0.9, "head": 1.7}
    body = np.array([[0.0, heights.get(name.split("_")[-1], 1.6), 0.0] for name in MOCAP.joints])
    sides = np.array([("left" in name) - ("right" in name) * 1.0 for name in MOCAP.joints])
    body[:, 0] = 0.15 * sides
    times = np.arange(120) / 60
    swing = 0.2 * np.sin(2 * np.pi * times)[:, None] * sides * np.isin(body[:, 1], [0.1, 0.5, 1.15, 0.9])
    motion = body + np.stack([0 * swing, 0 * swing, swing], -1)
    points = np.concatenate([motion * size for size in np.linspace(0.9, 1.1, clips)])
    lengths = torch.full((clips,), 120)
    names = tuple(map(str, range(clips)))
    rates = torch.full((clips,), 60.0)
    return MotionBank(torch.from_numpy(points).float(), torch.arange(clips) * 120, lengths, rates, names, names, names)


@pytest.fixture(scope="module")
def all_kinds() -> list[Scene]:
    return list(scenes(bank(), 1, 0))


def test_every_kind_shows_people_for_its_time(all_kinds: list[Scene]) -> None:
    assert [scene.kind for scene in all_kinds] == list(KINDS)
    for scene in all_kinds:
        assert scene.rate in RATES
        assert scene.times[-1] == pytest.approx(SECONDS - 1 / scene.rate)
        assert scene.points.shape == (len(scene.points), len(scene.times), 17, 2)
        assert (scene.depth > 1).all()
        assert (scene.clear.max(axis=1) > 0.5).all(), "everybody is seen at some time"
        step = np.linalg.norm(np.diff(scene.points, axis=1), axis=-1) * scene.depth[:, 1:] * scene.rate
        assert step.max() < 12 * 1280, "nobody moves faster than people do"


def test_scenes_are_the_same_for_the_same_seed(all_kinds: list[Scene]) -> None:
    for scene, again in zip(all_kinds[:2], scenes(bank(), 1, 0), strict=False):
        np.testing.assert_array_equal(scene.points, again.points)
        np.testing.assert_array_equal(scene.behind, again.behind)


def test_people_hide_who_is_behind_them_only() -> None:
    body = np.random.default_rng(0).uniform(300, 400, (1, 1, 17, 2))
    depth = np.full((2, 1, 17), 4.0)
    depth[1] += 1
    assert not hidden(body, depth[:1]).any()
    both = hidden(np.concatenate([body, body]), depth)
    assert not both[0].any() and both[1].mean() > 0.8
    assert not hidden(np.concatenate([body, body + 500.0]), depth).any()


def test_motion_in_place_keeps_the_hip_on_the_spot_and_faces_the_camera() -> None:
    turned = bank(1).clip(0).double().numpy() @ np.array([[0, 0, -1.0], [0, 1, 0], [1, 0, 0]])
    still = in_place(turned + np.array([3.0, 1.0, -2.0]), 60.0)
    np.testing.assert_allclose(still[:, 0, [0, 2]], 0, atol=1e-9)
    assert still[..., 1].min() == pytest.approx(0)
    np.testing.assert_allclose(still[:, MOCAP.index("left_hip")] - still[:, 0], [[0.135, 0, 0]] * 120, atol=0.01)


def test_a_perfect_detector_finds_everybody_where_they_are(all_kinds: list[Scene]) -> None:
    scene = all_kinds[0]
    for t, people in enumerate(detected(scene, PERFECT, 0)):
        there = scene.clear[:, t] > 0.15
        assert len(people) == there.sum()
        for points in people.points:
            off = np.nanmax(np.linalg.norm(scene.points[there, t] - points, axis=-1), axis=1)
            assert off.min() < 0.01


def test_each_flaw_does_something(all_kinds: list[Scene]) -> None:
    scene = all_kinds[0]
    usual = sum(map(len, detected(scene, PERFECT, 0)))
    for fewer in (replace(PERFECT, miss=0.2), replace(PERFECT, lost=(1.0, 0.3)), replace(PERFECT, hidden=0.2)):
        assert sum(map(len, detected(scene, fewer, 0))) < usual
    for more in (replace(PERFECT, double=(1.0, 0.3)), replace(PERFECT, ghost=(1.0, 0.3))):
        assert sum(map(len, detected(scene, more, 0))) > usual
    (flipped, *_), (straight, *_) = (detected(scene, replace(PERFECT, flip=(f, 9.0)), 5)[100:] for f in (90.0, 0.0))
    order = [np.argsort(np.nanmean(p.points[..., 0], axis=1)) for p in (flipped, straight)]
    mirror = list(COCO17.mirror)
    np.testing.assert_allclose(flipped.points[order[0]][:, mirror], straight.points[order[1]], atol=0.01)


def test_spells_last_as_long_as_they_should() -> None:
    times = np.arange(200_000) / 100
    share = episodes(times, 0.2, 0.5, np.random.default_rng(0)).mean()
    assert share == pytest.approx(1 - np.exp(-0.1), rel=0.15)


def test_without_flaws_ids_hold_and_without_memory_they_do_not(all_kinds: list[Scene]) -> None:
    results = {"ours": ours(), "no memory": ours(longest_hidden=0.1), "boxes": plain(0.0)}
    scores = {name: [] for name in results}
    for number, scene in enumerate(all_kinds[4:5]):
        found = detected(scene, Flaws(), number)
        for name, way in results.items():
            scores[name].append(judged(scene, way(found, scene.times)).idf1)
    means = {name: np.mean(values) for name, values in scores.items()}
    assert means["ours"] > 0.9 > means["no memory"] > means["boxes"]

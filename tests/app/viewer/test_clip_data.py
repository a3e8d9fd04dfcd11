from dataclasses import replace

import numpy as np
import pytest

from kinelift.app.viewer import clip_data as module
from kinelift.app.viewer.clip_data import ClipData, clip_data
from kinelift.poses import H36M17, Person, Recording, World
from kinelift.poses.camera import Camera
from tests.app.viewer.test_packing import unpacked
from tests.poses.scenes import person, recording, track

UPRIGHT = World(np.diag([1.0, -1.0, -1.0]), np.array([0.5, 1.7, 3.0]))


def colour_of(label: str) -> str:
    return {"walk": "#112233"}.get(label, "#999999")


def with_world(original: Recording) -> Recording:
    return replace(original, world=UPRIGHT, camera=Camera.from_focal(100.0, (64, 48)))


def points(data: ClipData, index: int) -> np.ndarray:
    """Joints of a person in metres, (T, J, 3), NaN where the page has none."""
    stored = unpacked(data.packed, data.header["people"][index]["poses"]["points"]).astype(float)
    stored[stored == -(2.0**31)] = np.nan
    return stored.transpose(2, 0, 1) / 1000


def test_joints_are_those_of_the_world_within_half_a_millimetre() -> None:
    original = with_world(recording(person(1), person(3, start=5, frames=7)))
    data = clip_data(original, colour_of)
    assert [one["id"] for one in data.header["people"]] == [1, 3]
    assert [one["first"] for one in data.header["people"]] == [0, 5]
    for index, somebody in enumerate(original.people):
        assert somebody.poses is not None and somebody.poses.root is not None
        expected = UPRIGHT.from_camera(somebody.poses.points + somebody.poses.root[:, None])
        np.testing.assert_allclose(points(data, index), expected, atol=0.00051)
        states = unpacked(data.packed, data.header["people"][index]["poses"]["states"])
        assert np.array_equal(states.T, somebody.poses.seen)


def test_times_are_exact() -> None:
    original = recording(person(1))
    times = np.sort(np.random.default_rng(0).uniform(0, 9, 20))
    data = clip_data(replace(original, video=replace(original.video, times=times)), colour_of)
    assert np.array_equal(unpacked(data.packed, data.header["times"]), times)


def test_actions_have_their_colours() -> None:
    header = clip_data(recording(person(1)), colour_of).header
    assert header["colours"] == {"unknown": "#999999", "walk": "#112233"}
    (first, second) = header["people"][0]["actions"]
    assert (first["label"], first["probability"], second["label"]) == ("walk", 0.9, "unknown")
    assert first["end"] == second["start"]


def test_angles_are_tenths_of_a_degree() -> None:
    original = with_world(recording(person(1)))
    data = clip_data(original, colour_of)
    angles = {(one["name"], one["side"]): one for one in data.header["people"][0]["poses"]["angles"]}
    degrees = unpacked(data.packed, angles["knee", "left"]["degrees"])
    poses = original.people[0].poses
    assert poses is not None
    hip, knee, ankle = (poses.points[5, H36M17.index(f"left_{joint}")] for joint in ("hip", "knee", "ankle"))
    cosine = (hip - knee) @ (ankle - knee) / np.linalg.norm(hip - knee) / np.linalg.norm(ankle - knee)
    assert degrees[5] / 10 == pytest.approx(180 - np.degrees(np.arccos(cosine)), abs=0.051)
    assert degrees[0] == -(2**15)  # not lifted


def test_people_without_poses_and_an_empty_video() -> None:
    header = clip_data(recording(Person(4, track())), colour_of).header
    assert header["people"][0]["poses"] is None and header["people"][0]["actions"] is None
    assert clip_data(recording(), colour_of).header["people"] == []


def test_what_was_not_computed_is_not_called_a_guess() -> None:
    somebody = person(1)
    assert somebody.poses is not None
    bare = replace(somebody, poses=replace(somebody.poses, seen=None))
    data = clip_data(recording(bare), colour_of)
    assert (unpacked(data.packed, data.header["people"][0]["poses"]["states"]) == -1).all()


def test_the_camera_is_that_of_the_video() -> None:
    still = with_world(recording(person(1)))
    camera = clip_data(still, colour_of).header["camera"]
    assert camera["position"] == [0.5, 1.7, 3.0] and camera["forward"] == [0.0, 0.0, -1.0]
    assert camera["fov"] == pytest.approx(2 * np.degrees(np.arctan(24 / 100)), abs=1e-3)
    turns = np.tile(np.eye(3), (20, 1, 1))
    assert still.camera is not None
    turning = replace(still, camera=replace(still.camera, rotations=turns))
    assert clip_data(turning, colour_of).header["camera"]["forward"] is None
    assert clip_data(replace(still, world=None), colour_of).header["camera"] is None


def test_of_a_recording_that_is_too_long_every_nth_frame_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    original = with_world(recording(person(1), person(3, start=5, frames=7), person(4, start=6, frames=1)))
    whole = clip_data(original, colour_of)
    monkeypatch.setattr(module, "MAX_PACKED", len(whole.packed) * 2 // 3)
    thin = clip_data(original, colour_of)
    step = thin.header["step"]
    assert step in (2, 3, 4) and len(thin.packed) <= module.MAX_PACKED
    assert thin.header["frames"] == 20
    assert np.array_equal(unpacked(thin.packed, thin.header["times"]), original.video.times[::step])
    for index, somebody in enumerate(original.people):
        start = somebody.track.start
        kept = [frame for frame in range(0, 20, step) if start <= frame < somebody.track.stop]
        assert len(points(thin, index)) == len(kept)
        if kept:
            assert thin.header["people"][index]["first"] * step == kept[0]
        assert np.array_equal(points(thin, index), points(whole, index)[[k - start for k in kept]], equal_nan=True)

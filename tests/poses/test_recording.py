import json
import pickle
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from kinelift.poses import (
    H36M17,
    Action,
    ActionWindows,
    Person,
    Poses3D,
    Recording,
    Track2D,
    VideoFacts,
    World,
    skeleton,
)
from kinelift.poses.camera import Camera, Distortion
from kinelift.poses.containers import PER_JOINT
from kinelift.poses.errors import DataError, OutputError
from kinelift.poses.recording import FORMAT, load, save
from kinelift.poses.rounding import rounded_poses, rounded_track
from tests.poses.scenes import person, recording, track, video

LAYOUTS = ("coco17", "h36m17", "body25", "kinect15")


def same(a: Any, b: Any) -> bool:
    """Equal in type and content; arrays to the bit, NaN and negative zero included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, Camera):  # one focal length is two that are equal
        return np.array_equal(a.parameters, b.parameters) and same(a.rotations, b.rotations)
    if is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def as_kept(original: Recording) -> Recording:
    """A recording with its numbers rounded as they are kept."""
    people = (
        replace(p, track=rounded_track(p.track), poses=p.poses and rounded_poses(p.poses)) for p in original.people
    )
    return replace(original, people=tuple(people))


FRAMES = 3
LEVEL = np.diag([1.0, -1.0, -1.0])
"""The rotation of a level camera."""
texts = st.text(st.characters(exclude_categories=["Cs"]))


def coordinates(*shape: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float64, shape, elements=st.floats(-1e6, 1e6) | st.just(np.nan))


@st.composite
def people(draw: st.DrawFn, number: int, video: VideoFacts) -> Person:
    start, layout = draw(st.integers(0, FRAMES - 1)), skeleton(draw(st.sampled_from(LAYOUTS)))
    length, joints = draw(st.integers(1, FRAMES - start)), len(layout)
    seen = Track2D(
        draw(coordinates(length, joints, 2)), draw(arrays(np.float64, (length, joints), elements=st.floats(0, 1))),
        video.times[start : start + length], draw(arrays(np.bool_, (length, joints))), start,
        (video.width, video.height), layout,
    )  # fmt: skip
    root, each = draw(st.none() | coordinates(length, 3)), (length, 17)
    contact = draw(st.none() | arrays(np.bool_, each))
    states = draw(st.none() | arrays(np.int8, each, elements=st.integers(0, 2)))
    error = draw(st.none() | arrays(np.float64, each, elements=st.floats(0, 1e6) | st.just(np.nan)))
    lifted = Poses3D(draw(coordinates(length, 17, 3)), seen.times, root, H36M17, contact, states, error)
    bounds = sorted(draw(st.lists(st.floats(0, 1e6), max_size=3)))
    tops = st.lists(st.tuples(texts, st.floats(0, 1)), max_size=3).map(lambda top: sorted(top, key=lambda t: -t[1]))
    spans = [Action(*span, draw(texts), draw(st.floats(0, 1)), tuple(draw(tops))) for span in pairwise(bounds)]
    labels = tuple(draw(st.lists(texts, max_size=3)))
    rows = draw(arrays(np.float64, (len(bounds), len(labels)), elements=st.floats(0, 1)))
    windows = ActionWindows(labels, np.array(sorted(set(bounds)), float), rows[: len(set(bounds))])
    parts = (lifted, tuple(spans), windows)
    return Person(number, seen, *(draw(st.none() | st.just(part)) for part in parts))


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    numbers = draw(st.lists(st.integers(1, 99), unique=True, max_size=3))
    times = sorted(draw(st.lists(st.floats(0, 1e6), min_size=FRAMES, max_size=FRAMES, unique=True)))
    facts = VideoFacts(draw(texts), draw(st.integers(1, 9999)), draw(st.integers(1, 9999)), np.array(times))
    made_with = draw(st.dictionaries(texts, texts | st.integers(-99, 99) | st.lists(st.none() | texts), max_size=2))
    focal = st.floats(1e-3, 1e6)
    lens = st.none() | st.builds(Distortion, st.floats(0.1, 1), st.floats(-1, 1))
    camera = st.builds(Camera, focal | st.tuples(focal, focal), st.tuples(st.floats(-9, 9), st.floats(-9, 9)), lens)
    everybody = tuple(draw(people(number, facts)) for number in numbers)
    world = st.builds(World, st.just(LEVEL), arrays(np.float64, 3, elements=st.floats(-1e6, 1e6)))
    return Recording(facts, everybody, made_with, draw(st.none() | camera), draw(st.none() | world))


# beartype, which checks the containers as they are drawn, samples with the random module.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@given(recordings())
def test_comes_back_rounded_and_then_to_the_bit(tmp_path_factory: pytest.TempPathFactory, original: Recording) -> None:
    path = tmp_path_factory.getbasetemp() / "hypothesis.npz"
    save(path, original)
    kept = load(path)
    assert same(kept, as_kept(original))
    save(path, kept)
    assert same(load(path), kept)


def test_rounding_costs_less_than_a_tenth_of_a_pixel_and_of_a_millimetre(tmp_path: Path) -> None:
    some = person(1)
    wide = replace(some, track=replace(some.track, points=60 * some.track.points, size=(3840, 2160)))
    save(tmp_path / "r.npz", Recording(video(width=3840, height=2160), (wide,)))
    (read,) = load(tmp_path / "r.npz").people
    assert wide.poses and read.poses and wide.poses.root is not None and read.poses.root is not None
    assert {array.dtype for array in (read.track.points, read.track.scores, read.poses.points)} == {np.dtype("float32")}
    assert np.nanmax(np.linalg.norm(read.track.points - wide.track.points, axis=-1)) <= 0.1
    assert np.nanmax(np.linalg.norm(read.poses.points - wide.poses.points, axis=-1)) <= 0.0001
    assert np.nanmax(np.linalg.norm(read.poses.root - wide.poses.root, axis=-1)) <= 0.0001


def test_what_has_not_been_computed_stays_none(tmp_path: Path) -> None:
    bare = Person(1, track())
    save(tmp_path / "r.npz", recording(bare, replace(bare, id=2, actions=())))
    first, second = load(tmp_path / "r.npz").people
    assert first.poses is None and first.actions is None and second.actions == ()


def test_actions_of_earlier_recordings_have_no_top(tmp_path: Path) -> None:
    top = (("walk", 0.8), ("unknown", 0.1))
    somebody = replace(person(1), actions=(Action(0.0, 1.0, "walk", 0.8, top),))
    save(tmp_path / "r.npz", recording(somebody))
    assert load(tmp_path / "r.npz").people[0].actions == somebody.actions
    with np.load(tmp_path / "r.npz") as file:
        parts = dict(file)
    header = json.loads(str(parts["header"]))
    assert header["people"][0]["actions"][0].pop("top") == [["walk", 0.8], ["unknown", 0.1]]
    np.savez(tmp_path / "r.npz", **parts | {"header": np.array(json.dumps(header))})
    assert load(tmp_path / "r.npz").people[0].actions == (Action(0.0, 1.0, "walk", 0.8),)


@pytest.mark.parametrize(("top", "message"), [
    ((("walk", 1.5),), r"person1/actions\[0\].top\[0\] has probability 1.5, expected 0 to 1"),
    ((("walk", 0.5), ("run", -0.1)), r"person1/actions\[0\].top\[1\] has probability -0.1"),
    ((("walk", 0.2), ("run", 0.3)), r"person1/actions\[0\].top is not in descending order"),
])  # fmt: skip
def test_top_labels_are_checked(tmp_path: Path, top: tuple[tuple[str, float], ...], message: str) -> None:
    save(tmp_path / "r.npz", recording(replace(person(1), actions=(Action(0.0, 1.0, "walk", 0.5, top),))))
    with pytest.raises(DataError, match=message):
        load(tmp_path / "r.npz")


@pytest.mark.parametrize(("name", "value", "message"), [
    ("probabilities", np.array([[0.5, 1.5]]), r"person1/windows/probabilities has a probability that is"),
    ("probabilities", np.array([[0.5]]), r"person1/windows/probabilities has shape \(1, 1\), expected \(1, 2\)"),
    ("times", np.array([np.nan]), r"person1/windows/times does not increase"),
    ("labels", np.array("walk"), r"person1/windows/labels"),
    ("labels", None, r"person1/windows has only some of its arrays"),
])  # fmt: skip
def test_windows_are_checked(tmp_path: Path, name: str, value: np.ndarray | None, message: str) -> None:
    windows = ActionWindows(("walk", "unknown"), np.array([0.5]), np.array([[0.9, 0.1]]))
    save(tmp_path / "r.npz", recording(replace(person(1), windows=windows)))
    with np.load(tmp_path / "r.npz") as file:
        parts = dict(file)
    parts.pop(f"person1/windows/{name}")
    np.savez(tmp_path / "r.npz", **parts, **({} if value is None else {f"person1/windows/{name}": value}))
    with pytest.raises(DataError, match=message):
        load(tmp_path / "r.npz")


def test_one_person_can_be_read_with_numpy_alone(tmp_path: Path) -> None:
    somebody = person(7, start=3, frames=5)
    save(tmp_path / "r.npz", recording(somebody))
    with np.load(tmp_path / "r.npz", allow_pickle=False) as file:
        assert same(file["person7/track/points"], rounded_track(somebody.track).points)
        assert json.loads(str(file["header"]))["people"][0]["poses"] == {"skeleton": "h36m17"}


def test_saving_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    save(tmp_path / "r.npz", recording(person(1)))
    assert [p.name for p in tmp_path.iterdir()] == ["r.npz"]


def test_a_failed_save_keeps_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "r.npz", recording(person(1)))
    earlier = (tmp_path / "r.npz").read_bytes()

    def interrupted(file: Any, arrays: Any) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("kinelift.poses.recording.write_archive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path / "r.npz", recording(person(2)))
    assert [p.name for p in tmp_path.iterdir()] == ["r.npz"]
    assert (tmp_path / "r.npz").read_bytes() == earlier


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"r\.npz cannot be written"):
        save(tmp_path / "file" / "r.npz", recording())


def test_two_people_with_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="same id"):
        save(tmp_path / "r.npz", recording(person(1), person(1)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [float("nan"), np.arange(3), {1, 2}])
def test_what_is_no_json_is_refused_before_writing(value: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be written as JSON"):
        save(tmp_path / "r.npz", replace(recording(), made_with={"version": value}))
    assert not list(tmp_path.iterdir())


class Mischief:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("executed"),)


def test_pickles_are_not_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plain.npz").write_bytes(pickle.dumps(Mischief()))
    np.savez("inside.npz", header=np.array(Mischief(), dtype=object), times=np.zeros(1))
    for name in ("plain.npz", "inside.npz"):
        with pytest.raises(DataError, match=name):
            load(Path(name))
    assert not Path("executed").exists()


def test_what_is_not_a_recording_is_told(tmp_path: Path, subtests: pytest.Subtests) -> None:
    save(tmp_path / "whole.npz", recording(person(1)))
    whole = (tmp_path / "whole.npz").read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    contents = {"empty": b"", "text": b"hello", "cut": whole[: len(whole) // 2], "flipped": bytes(flipped)}
    for name, content in contents.items():
        with subtests.test(name):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(DataError, match=rf"{name} (is not an npz file|cannot be used: person1\S+ is damaged)"):
                load(tmp_path / name)
    np.savez(tmp_path / "other.npz", times=np.zeros(3))
    with pytest.raises(DataError, match=r"other\.npz has no header, so it is not a recording"):
        load(tmp_path / "other.npz")
    with pytest.raises(DataError, match=r"no recording .*missing\.npz"):
        load(tmp_path / "missing.npz")
    with pytest.raises(DataError, match="no recording"):
        load(tmp_path)


def tampered(path: Path, header: dict[str, Any] | None = None, **changed: Any) -> Path:
    """A good recording with parts of its header or arrays replaced (None removes an array)."""
    save(path, recording(person(1)))
    with np.load(path) as file:
        parts = dict(file) | changed
    parts["header"] = np.array(json.dumps(json.loads(str(parts["header"])) | (header or {})))
    np.savez(path, **{name: part for name, part in parts.items() if part is not None})
    return path


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_every_format_is_read(number: int) -> None:
    found, whole = load(Path(__file__).parent / f"recording-format-{number}.npz"), person(1, frames=8)
    assert whole.poses is not None
    assert [(one.id, one.track.start, len(one.track)) for one in found.people] == [(1, 0, 8), (4, 3, 5)]
    assert same(
        found.people[0], whole if number > 2 else replace(whole, poses=replace(whole.poses, **dict.fromkeys(PER_JOINT)))
    )
    assert found.people[1].poses is None and found.people[1].actions is None


def test_the_world_is_read_and_was_not_in_earlier_formats() -> None:
    worlds = [load(Path(__file__).parent / f"recording-format-{number}.npz").world for number in (1, 2, 3)]
    assert worlds[:2] == [None, None] and same(worlds[2], World(LEVEL, np.array([0.0, 1.5, 0.0])))


def test_the_camera_is_numbers_and_was_words_in_format_1() -> None:
    first, second = (load(Path(__file__).parent / f"recording-format-{number}.npz") for number in (1, 2))
    assert first.made_with["focal"] == "61.5 px" and first.camera == Camera(61.5, (32.0, 24.0))
    assert second.camera == Camera((61.5, 62.0), (32.0, 24.0), Distortion(0.1))
    assert second.made_with["version"] == "0.1.0" and second.made_with["notes"] == ["a note"]


def test_parts_that_do_not_fit_are_told(tmp_path: Path, subtests: pytest.Subtests) -> None:
    def somebody(layout: str) -> dict[str, Any]:
        layout_of = {"start": 0, "size": [64, 48], "skeleton": layout}
        return {"people": [{"id": 1, "track": layout_of, "poses": None, "actions": None}]}

    cases: dict[str, dict[str, Any]] = {
        f"format {FORMAT + 1}": {"header": {"format": FORMAT + 1}},
        "octopus": {"header": somebody("octopus")},
        r"person1/track/points has shape \(20, 17, 2\)": {"header": somebody("kinect15")},
        "has no person1/track/points": {"person1/track/points": None},
        "person1/poses/points holds int64": {"person1/poses/points": np.zeros((20, 17, 3), dtype=int)},
        "person1/track/filled holds float64": {"person1/track/filled": np.zeros((20, 17))},
        "person1/poses/seen holds int64": {"person1/poses/seen": np.zeros((20, 17), dtype=int)},
        "person1/poses/seen has a state that is not one of 0, 1, 2": {
            "person1/poses/seen": np.full((20, 17), 3, np.int8)
        },
        "person1/poses/error has an error that is not": {"person1/poses/error": np.full((20, 17), -0.1)},
        r"person1/poses/contact has shape \(20, 16\)": {"person1/poses/contact": np.zeros((20, 16), dtype=bool)},
        "world has only one of its arrays": {"world/rotation": np.eye(3)},
        "world/rotation is not a rotation": {"world/rotation": -np.eye(3), "world/position": np.zeros(3)},
        "world/position is not within": {"world/rotation": np.eye(3), "world/position": np.full(3, np.nan)},
        "header.people is 3, expected a list": {"header": {"people": 3}},
        "header.video.width is missing": {"header": {"video": {"name": "x"}}},
    }
    for message, changes in cases.items():
        with subtests.test(message), pytest.raises(DataError, match=message):
            load(tampered(tmp_path / "r.npz", changes.pop("header", None), **changes))


def test_how_the_camera_turns_is_stored(tmp_path: Path) -> None:
    rotations = Rotation.from_euler("Y", np.linspace(-20, 20, 20)[:, None], degrees=True).as_matrix()
    turning = replace(recording(person(1)), camera=Camera(900.0, (32.0, 24.0), rotations=rotations))
    save(tmp_path / "r.npz", turning)
    assert same(load(tmp_path / "r.npz"), as_kept(turning))


@pytest.mark.parametrize("wrong", [np.ones((20, 3, 3)), np.full((20, 3, 3), np.nan), np.tile(np.eye(3), (19, 1, 1))])
def test_rotations_of_a_recording_are_checked(tmp_path: Path, wrong: np.ndarray) -> None:
    save(tmp_path / "r.npz", replace(recording(person(1)), camera=Camera(900.0, (32.0, 24.0))))
    with np.load(tmp_path / "r.npz") as good:
        np.savez(tmp_path / "bad.npz", **good, camera_rotations=wrong)
    with pytest.raises(DataError, match=r"bad\.npz cannot be used: camera"):
        load(tmp_path / "bad.npz")

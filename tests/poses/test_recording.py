import json
import pickle
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kinelift.poses import H36M17, Action, Person, Poses3D, Recording, Track2D, VideoFacts, skeleton
from kinelift.poses.errors import DataError, OutputError
from kinelift.poses.recording import FORMAT, load, save
from tests.poses.scenes import person, recording, track

LAYOUTS = ("coco17", "h36m17", "body25", "kinect15")


def same(a: Any, b: Any) -> bool:
    """Equal in type and content; arrays to the bit, NaN and negative zero included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def floats(*shape: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float64, shape, elements=st.floats(width=64))


@st.composite
def people(draw: st.DrawFn, number: int) -> Person:
    length, layout = draw(st.integers(0, 3)), skeleton(draw(st.sampled_from(LAYOUTS)))
    joints = len(layout)
    seen = Track2D(
        draw(floats(length, joints, 2)), draw(floats(length, joints)), draw(floats(length)),
        draw(arrays(np.bool_, (length, joints))), draw(st.integers(0, 2**40)), (1080, 1920), layout,
    )  # fmt: skip
    root = draw(st.none() | floats(length, 3))
    lifted = Poses3D(draw(floats(length, 17, 3)), seen.times, root, H36M17)
    unit = st.floats(0, 1)
    action = st.builds(Action, st.floats(0, 1e6), st.floats(0, 1e6), st.text(), unit)
    actions = draw(st.none() | st.lists(action, max_size=3).map(tuple))
    return Person(number, seen, draw(st.none() | st.just(lifted)), actions)


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    numbers = draw(st.lists(st.integers(1, 99), unique=True, max_size=3))
    facts = VideoFacts(draw(st.text()), draw(st.integers(1, 9999)), draw(st.integers(1, 9999)), draw(floats(3)))
    made_with = draw(st.dictionaries(st.text(), st.text(), max_size=2))
    return Recording(facts, tuple(draw(people(number)) for number in numbers), made_with)


# beartype, which checks the containers as they are drawn, samples with the random module.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@given(recordings())
def test_comes_back_to_the_bit(tmp_path_factory: pytest.TempPathFactory, original: Recording) -> None:
    path = tmp_path_factory.getbasetemp() / "hypothesis.npz"
    save(path, original)
    assert same(load(path), original)


def test_what_has_not_been_computed_stays_none(tmp_path: Path) -> None:
    bare = Person(1, track())
    save(tmp_path / "r.npz", recording(bare, replace(bare, id=2, actions=())))
    first, second = load(tmp_path / "r.npz").people
    assert first.poses is None and first.actions is None and second.actions == ()


def test_one_person_can_be_read_with_numpy_alone(tmp_path: Path) -> None:
    somebody = person(7, start=3, frames=5)
    save(tmp_path / "r.npz", recording(somebody))
    with np.load(tmp_path / "r.npz", allow_pickle=False) as file:
        assert same(file["person7/track/points"], somebody.track.points)
        assert json.loads(str(file["header"]))["people"][0]["poses"] == {"skeleton": "h36m17"}


def test_saving_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    save(tmp_path / "r.npz", recording(person(1)))
    assert [p.name for p in tmp_path.iterdir()] == ["r.npz"]


def test_a_failed_save_keeps_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "r.npz", recording(person(1)))
    earlier = (tmp_path / "r.npz").read_bytes()

    def interrupted(file: Any, **arrays: Any) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("kinelift.poses.recording.np.savez_compressed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path / "r.npz", recording(person(2)))
    assert [p.name for p in tmp_path.iterdir()] == ["r.npz"]
    assert (tmp_path / "r.npz").read_bytes() == earlier


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"r\.npz cannot be written"):
        save(tmp_path / "file" / "r.npz", recording())


def test_two_people_with_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one id"):
        save(tmp_path / "r.npz", recording(person(1), person(1)))
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
            with pytest.raises(DataError, match=f"{name} is not a recording"):
                load(tmp_path / name)
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


def test_parts_that_do_not_fit_are_told(tmp_path: Path, subtests: pytest.Subtests) -> None:
    def somebody(layout: str) -> dict[str, Any]:
        layout_of = {"start": 0, "size": [64, 48], "skeleton": layout}
        return {"people": [{"id": 1, "track": layout_of, "poses": None, "actions": None}]}

    cases: dict[str, dict[str, Any]] = {
        f"format {FORMAT + 1}": {"header": {"format": FORMAT + 1}},
        "octopus": {"header": somebody("octopus")},
        r"points has shape \(20, 17, 2\)": {"header": somebody("kinect15")},
        "damaged .*person1/track/points": {"person1/track/points": None},
        "int64 values": {"person1/poses/points": np.zeros((20, 17, 3), dtype=int)},
        "float64 values": {"person1/track/filled": np.zeros((20, 17))},
        "is not a recording": {"header": {"people": 3}},
        "it is damaged": {"header": {"video": {"name": "x"}}},
    }
    for message, changes in cases.items():
        with subtests.test(message), pytest.raises(DataError, match=message):
            load(tampered(tmp_path / "r.npz", changes.pop("header", None), **changes))

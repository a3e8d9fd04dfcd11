"""Whatever happens to a file: what comes of it is keypoints, or an error that names it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.poses import COCO17
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints import Keypoints, read
from kinelift.poses.skeleton import BODY25, HALPE26
from tests.poses.keypoints.files import (
    alphapose,
    annotations,
    crowd,
    write_detectron,
    write_openpose,
    write_positions,
    write_results,
)  # fmt: skip


def openpose(folder: Path) -> Path:
    write_openpose(folder, crowd(BODY25, (2,)))
    return folder / "walk_000000000000_keypoints.json"


def results(folder: Path) -> Path:
    return write_results(folder / "results.json", crowd(COCO17), bbox=[1, 2, 30, 40])


def of_alphapose(folder: Path) -> Path:
    (folder / "alphapose.json").write_text(json.dumps(alphapose(crowd(HALPE26))))
    return folder / "alphapose.json"


def annotated(folder: Path) -> Path:
    (folder / "annotations.json").write_text(json.dumps(annotations(crowd(COCO17))))
    return folder / "annotations.json"


def detectron(folder: Path) -> Path:
    return write_detectron(folder / "detectron.npz", crowd(COCO17))


def positions(folder: Path) -> Path:
    return write_positions(folder / "positions.npz", {"a": np.full((3, 17, 2), 50.0)})


Maker = Callable[[Path], Path]
JSON = [openpose, results, of_alphapose, annotated]
anything: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        3,
        2.5,
        1e308,
        float("nan"),
        float("-inf"),
        "",
        "17",
        "person",
        [],
        [[]],
        {},
        {"a": 1},
        [1, 2, 3],
    ]
)


def survives(path: Path) -> None:
    """It reads as something consistent, or is refused by name."""
    named = path.parent if path.name.endswith("_keypoints.json") else path
    try:
        found = read(named)
    except DataError as error:
        assert str(named) in str(error)
        return
    check_sound(found)


def check_sound(found: Keypoints) -> None:
    for people in found.frames.values():
        seen = people.scores > 0
        assert np.isfinite(people.points[seen]).all() and np.isnan(people.points[~seen]).all()
        assert np.isfinite(people.boxes).all() and (people.boxes[:, 2:] > people.boxes[:, :2]).all()
        assert ((people.scores >= 0) & (people.scores <= 1)).all() and seen.any(-1).all()
        assert ((people.confidence >= 0) & (people.confidence <= 1)).all()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[Maker, Path]:
    """Every kind of file in a folder of its own, and a copy of it beside."""
    paths = {make: make(tmp_path_factory.mktemp(make.__name__)) for make in [*JSON, detectron, positions]}
    for path in paths.values():
        survives(path)
        path.with_suffix(".whole").write_bytes(path.read_bytes())
    return paths


@pytest.mark.parametrize("make", [*JSON, detectron, positions])
@settings(max_examples=25)
@given(share=st.floats(0, 0.999), byte=st.none() | st.integers(0, 255))
def test_bytes(made: dict[Maker, Path], make: Maker, share: float, byte: int | None) -> None:
    """Cut off, or with another byte."""
    path, whole = made[make], made[make].with_suffix(".whole").read_bytes()
    at = int(share * len(whole))
    path.write_bytes(whole[:at] if byte is None else whole[:at] + bytes([byte]) + whole[at + 1 :])
    survives(path)
    if byte is None:
        with pytest.raises(DataError):
            read(path.parent if make is openpose else path)


@pytest.mark.parametrize("make", JSON)
@settings(max_examples=50)
@given(data=st.data())
def test_values(made: dict[Maker, Path], make: Maker, data: st.DataObject) -> None:
    """Something else somewhere, or nothing."""
    path, whole = made[make], made[make].with_suffix(".whole").read_bytes()
    facts = json.loads(whole)
    parent, key = pick(facts, data.draw)
    if data.draw(st.booleans()):
        parent[key] = data.draw(anything)
    else:
        del parent[key]
    path.write_text(json.dumps(facts))
    survives(path)


def pick(found: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[Any, Any]:
    """A place in a document: what it is in, and its key."""
    while True:
        keys = list(found) if isinstance(found, dict) else list(range(min(len(found), 6)))
        key = draw(st.sampled_from(keys))
        if not isinstance(found[key], dict | list) or not found[key] or draw(st.integers(0, 3)) == 0:
            return found, key
        found = found[key]


@pytest.mark.parametrize("make", [detectron, positions])
@settings(max_examples=30)
@given(data=st.data())
def test_objects(made: dict[Maker, Path], make: Maker, data: st.DataObject) -> None:
    """Something else in an archive."""
    path, whole = made[make], made[make].with_suffix(".whole").read_bytes()
    path.write_bytes(whole)
    with np.load(path, allow_pickle=True) as file:
        facts = {key: file[key].item() if file[key].shape == () else list(file[key]) for key in file.files}
    parent, key = pick(facts, data.draw)
    parent[key] = data.draw(anything | st.sampled_from([np.zeros((2, 4, 17)), np.zeros(5), np.array("a")]))
    arrays = {}
    for name, value in facts.items():
        arrays[name] = np.empty((), dtype=object)
        arrays[name][()] = value
    np.savez(path, **arrays)
    survives(path)

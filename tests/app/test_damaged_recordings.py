"""A damaged recording is refused with a ``DataError`` that names the file and the field, or it can be used."""

import copy
import io
import json
import re
import tracemalloc
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinelift.app.export.actions_json import write_timeline
from kinelift.app.export.formats import Format, export
from kinelift.app.render import Renderer
from kinelift.app.spec import made_with
from kinelift.poses import Frame, Recording, World
from kinelift.poses.camera import Camera
from kinelift.poses.errors import DataError, OutputError
from kinelift.poses.keypoints import read
from kinelift.poses.recording import load, save
from kinelift.recognition.data import clipfile
from tests.poses.scenes import person, video

FRAMES = 6
MOST = 200 * 2**20
"""Bytes that reading any of these files may take: they have some kilobytes."""
FIELDS = (
    r"(header|its header|times|camera|world|video|people|person\d+|format)\b|recording format|not an npz|no recording"
)
anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-2, 9), st.just(10**30), st.floats(), st.text(),
    st.sampled_from(["\ud800", "a\nb", "$x$", "\0", "coco17", "h36m17", "body25", "coco17-pair", "⛹" * 300]),
    st.just([]), st.just({}), st.lists(st.integers(-1, 3), max_size=3), st.just([[]] * 3), st.just({"id": 1}),
)  # fmt: skip
numbers = st.sampled_from([np.nan, np.inf, -np.inf, -1.0, 0.0, 2.0, 1e5, 9e8, 1e300, -1e300, 5e-324])
quick = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
Parts = dict[str, Any]


def parts_of(folder: Path) -> Parts:
    """The header of a good recording as a JSON value, and its arrays."""
    focal = Camera.from_focal(61.5, (64, 48))
    people = person(1, frames=FRAMES), person(4, start=2, frames=FRAMES - 2)
    world = World(np.diag([1.0, -1.0, -1.0]), np.array([0.0, 1.5, 0.0]))
    save(folder / "good.npz", Recording(video(FRAMES), people, made_with({"lifter": "default"}), focal, world))
    with np.load(folder / "good.npz") as file:
        return {**file, "header": json.loads(str(file["header"]))}


def write(path: Path, parts: Parts) -> Path:
    header = np.array(json.dumps(parts["header"])) if "header" in parts else None
    arrays = {name: part for name, part in parts.items() if name != "header"}
    np.savez_compressed(path, **arrays, **({} if header is None else {"header": header}))
    return path


QUICK = [to for to in Format if to not in (Format.ANGLES, Format.TIMELINE, Format.VIEWER)]
"""The formats without a figure or a page, which take too long for every example."""


def survives(path: Path) -> bool:
    """Whether it can be loaded; then it can also be drawn, exported and learnt from."""
    tracemalloc.start()
    try:
        found = load(path)
    except DataError as error:
        assert path.name in str(error) and re.search(FIELDS, str(error)), f"unclear: {error}"
        return False
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < MOST
    for to in QUICK:
        try:
            export(path.with_name(to.file), found, to)
        except DataError as error:  # no poses, or not of a body with a rig
            assert to not in (Format.JSON, Format.CSV, Format.NPZ, Format.TIMELINE), error
        except OutputError as error:
            assert to is Format.C3D and "kinelift[c3d]" in str(error)
    write_timeline(path.with_name("actions.json"), found)
    image = np.zeros((min(found.video.height, 4096), min(found.video.width, 4096), 3), np.uint8)
    renderer = Renderer(found)
    for frame in (0, 2, FRAMES - 1):
        time = float(found.video.times[min(frame, len(found.video.times) - 1)])
        renderer.draw(Frame(frame, Fraction(time), image))
    for reads in (lambda: read(path), lambda: clipfile.load(path, "1")):
        try:
            reads()
        except DataError as error:
            assert path.name in str(error)
    return True


@pytest.fixture
def good(tmp_path: Path) -> Parts:
    parts = parts_of(tmp_path)
    assert survives(write(tmp_path / "r.npz", parts))
    return parts


def pick(found: Any, draw: Any) -> tuple[Any, Any]:
    """A place in a JSON value: what it is in, and its key."""
    while True:
        key = draw(st.sampled_from(sorted(found) if isinstance(found, dict) else range(len(found))))
        if not isinstance(found[key], dict | list) or not found[key] or draw(st.integers(0, 3)) == 0:
            return found, key
        found = found[key]


@quick
@given(data=st.data())
def test_header(good: Parts, tmp_path: Path, data: st.DataObject) -> None:
    parts = copy.deepcopy(good)
    parent, key = pick(parts["header"], data.draw)
    if data.draw(st.integers(0, 4)):
        parent[key] = data.draw(anything)
    else:
        del parent[key]
    survives(write(tmp_path / "r.npz", parts))


@quick
@given(data=st.data())
def test_values(good: Parts, tmp_path: Path, data: st.DataObject) -> None:
    parts = copy.deepcopy(good)
    array = parts[data.draw(st.sampled_from(sorted(parts.keys() - {"header"})))]
    values = st.integers(-128, 127) if array.dtype == np.int8 else numbers
    array.flat[data.draw(st.integers(0, array.size - 1))] = data.draw(values)
    survives(write(tmp_path / "r.npz", parts))


@quick
@given(data=st.data())
def test_types_and_shapes(good: Parts, tmp_path: Path, data: st.DataObject) -> None:
    parts = copy.deepcopy(good)
    name = data.draw(st.sampled_from(sorted(parts.keys() - {"header"})))
    kinds = ["f2", "f4", ">f8", "f16", "i8", "u1", "?", "c16", "U8", "S8", "O", "M8[s]", "i8,f8"]
    changes = [
        lambda a: a[1:], lambda a: a[:0], lambda a: a[:-1], lambda a: a[..., :1], lambda a: a[None], lambda a: a.T,
        lambda a: a.ravel()[0], lambda a: np.concatenate([a, a]), lambda a: a[::-1], lambda a: np.asfortranarray(a),
        lambda a: a.ravel(), None, *(lambda a, kind=kind: np.nan_to_num(a).astype(kind) for kind in kinds),
    ]  # fmt: skip
    change = data.draw(st.sampled_from(changes))
    if change is None:
        del parts[name]
    else:
        parts[name] = change(parts[name])
    survives(write(tmp_path / "r.npz", parts))


@quick
@given(share=st.floats(0, 0.999), byte=st.none() | st.integers(0, 255))
def test_bytes(good: Parts, tmp_path: Path, share: float, byte: int | None) -> None:
    """Cut off, or with another byte."""
    path = write(tmp_path / "r.npz", good)
    whole = path.read_bytes()
    at = int(share * len(whole))
    path.write_bytes(whole[:at] if byte is None else whole[:at] + bytes([byte]) + whole[at + 1 :])
    assert not survives(path) or byte is not None


def member(shape: tuple[int, ...], content: bytes, kind: str = "<f8") -> bytes:
    """An npy file that states ``shape``, whatever it holds."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
    return file.getvalue() + content


@pytest.mark.parametrize(("name", "content"), [
    ("times", member((10**15,), b"")),
    ("times", member((10**15, 10**15), b"")),
    ("times", member((2**29,), bytes(2**27))),
    ("person1/track/points", member((FRAMES, 17, 2), bytes(8 * 17 * 2))),
    ("person1/track/points", member((FRAMES, 2**40, 2), bytes(8))),
    ("person1/poses/points", member((0, 2**62, 3), b"")),
    ("person1/poses/root", member((FRAMES, 3), b"", "|O")),
    ("camera", member((-11,), bytes(88))),
    ("header", member((), bytes(4 * 2**24), f"<U{2**24}")),
    ("header", member((), b"[\0\0\0" * 2**20, f"<U{2**20}")),
    ("header", member((), b"", "|O") + b"cbuiltins\neval\n(S'1'\ntR."),
    ("header", member((2,), bytes(8), "<U1")),
    ("header", b"no npy"),
])  # fmt: skip
@pytest.mark.parametrize("way", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_that_claim_much(good: Parts, tmp_path: Path, name: str, content: bytes, way: int) -> None:
    path = write(tmp_path / "r.npz", good)
    with zipfile.ZipFile(path) as file:
        members = {info.filename: file.read(info) for info in file.infolist()}
    with zipfile.ZipFile(path, "w", way, compresslevel=1) as file:
        for key, value in (members | {f"{name}.npy": content}).items():
            file.writestr(key, value)
    assert not survives(path)


def test_a_bomb_of_many_members_is_refused_unread(good: Parts, tmp_path: Path) -> None:
    parts = copy.deepcopy(good)
    track = {f"track/{name}": good[f"person1/track/{name}"] for name in ("points", "scores", "times", "filled")}
    parts["header"]["people"] = [
        {**parts["header"]["people"][0], "id": number, "poses": None} for number in range(100, 120)
    ]
    for number in range(100, 120):
        parts |= {f"person{number}/{name}": array for name, array in track.items()}
        parts[f"person{number}/track/points"] = np.zeros((2**14, 17, 2))
    with pytest.raises(DataError, match=r"r\.npz.* person100/track/points and the other arrays claim 85 MB"):
        load(write(tmp_path / "r.npz", parts))
    assert not survives(tmp_path / "r.npz")

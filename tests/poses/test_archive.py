import io
import os
import pickle
import tracemalloc
import zipfile
from collections import OrderedDict, deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.poses.archive import read_all_arrays, read_archive, read_arrays
from kinelift.poses.errors import DataError
from kinelift.poses.unpickling import unpickle

CONTENT = {
    "S1": {"Walk 1": [np.arange(12, dtype=np.float32).reshape(2, 3, 2), np.zeros((0, 3, 2))]},
    "odd": (None, True, -3, 2.5, "text", b"bytes", np.float64(0.25), np.int16(7), np.array(["a", "bc"])),
    "order": [np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(4, dtype=">i4")],
}


def packed(path: Path, content: Any, protocol: int = 4, key: str = "positions_2d") -> Path:
    """An npz as ``np.savez`` writes it, with the pickle protocol of one's choice."""
    array = np.empty((), dtype=object)
    array[()] = content
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, np.lib.format.header_data_from_array_1_0(array))
    pickle.dump(array, member, protocol=protocol)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{key}.npy", member.getvalue())
    return path


class Hostile:
    """Makes a folder when it is unpickled as usual."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_come_as_they_were_saved(protocol: int, tmp_path: Path) -> None:
    found = read_archive(packed(tmp_path / "data.npz", CONTENT, protocol), "positions_2d")["positions_2d"]
    np.testing.assert_equal(found, CONTENT)
    assert found["S1"]["Walk 1"][0].dtype == np.float32
    assert found["order"][1].dtype == ">i4"
    assert type(found["odd"][1]) is bool


def test_other_names_for_the_same_arrays(tmp_path: Path) -> None:
    path = packed(tmp_path / "data.npz", CONTENT, 0)
    with zipfile.ZipFile(path) as archive:
        member = archive.read("positions_2d.npy")
    with zipfile.ZipFile(path, "w") as archive:  # as numpy 1 wrote it
        archive.writestr("positions_2d.npy", member.replace(b"numpy._core", b"numpy.core"))
    np.testing.assert_equal(read_archive(path, "positions_2d")["positions_2d"], CONTENT)


def test_object_arrays_within_object_arrays(tmp_path: Path) -> None:
    ragged = np.empty((1, 2), dtype=object)
    ragged[0, 0], ragged[0, 1] = np.zeros((2, 2)), [np.ones(3)]
    found = read_archive(packed(tmp_path / "data.npz", {"a": ragged, "b": ragged}), "positions_2d")["positions_2d"]
    assert found["a"] is found["b"]
    assert found["a"].shape == (1, 2)
    np.testing.assert_equal(found["a"][0, 1], [np.ones(3)])


def test_plain_arrays_need_no_pickle(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", a=np.arange(6.0).reshape(2, 3).T, b=np.array("name"))
    found = read_archive(tmp_path / "data.npz", "a", "b")
    np.testing.assert_array_equal(found["a"], np.arange(6.0).reshape(2, 3).T)
    assert found["b"] == "name"


def nested(one: Hostile) -> np.ndarray:
    array = np.empty(2, dtype=object)
    array[0], array[1] = np.zeros(3), {"deeper": [one]}
    return array


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: {"S1": [one]}, nested])
def test_what_a_pickle_would_run_is_refused_and_not_run(wrap: Any, tmp_path: Path) -> None:
    made = tmp_path / "made"
    path = packed(tmp_path / "data.npz", wrap(Hostile(made)))
    with pytest.raises(DataError, match=r"data\.npz: positions_2d would run posix\.mkdir"):
        read_archive(path, "positions_2d")
    assert not made.exists()
    with np.load(path, allow_pickle=True) as usual:
        usual["positions_2d"]
    assert made.exists(), "the test itself is harmless, so it proves nothing"


@pytest.mark.parametrize("program", [
    b"cbuiltins\neval\n(S'1'\ntR.",
    b"cnumpy\nload\n(S'/etc/passwd'\ntR.",
    b"cnumpy.core.multiarray\nfromfile\n(S'/etc/passwd'\ntR.",
    b"cfunctools\npartial\n.",
    b"(S'x'\nios\nsystem\n.",
])  # fmt: skip
def test_any_other_name_is_refused(program: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="would run"):
        read_archive(raw(tmp_path / "data.npz", program), "a")


@pytest.mark.parametrize("program", [
    b"cnumpy\ndtype\n(S'O'\ntR)b.",
    b"cnumpy\ndtype\n(S'i4,O'\ntR.",
    b"cnumpy\nndarray\n}S'_stand_in'\nI1\nsb.",
    b"]q\x00h\x00a.",
    b"\x8f.",
    b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\x00\x00.",
    b"cnumpy.core.multiarray\n_reconstruct\n(tR(I1\n(L1000000000000L\ntcnumpy\ndtype\n(S'f8'\ntRI00\nS''\ntb.",
    b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'O'\ntRS'12345678'\ntR.",
    b"cnumpy\ndtype\n.",
    b"",
])  # fmt: skip
def test_malformed_pickles_are_refused(program: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.npz: a "):
        read_archive(raw(tmp_path / "data.npz", program), "a")


def test_what_holds_itself_is_refused(tmp_path: Path) -> None:
    content: list[Any] = []
    content.append({"again": content})
    with pytest.raises(DataError, match="nested more than 16 levels"):
        read_archive(packed(tmp_path / "data.npz", content), "positions_2d")


def test_other_types_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds a set"):
        read_archive(packed(tmp_path / "data.npz", {"a": {1, 2}}), "positions_2d")
    with pytest.raises(DataError, match=r"collections\.deque"):
        read_archive(packed(tmp_path / "data.npz", deque()), "positions_2d")
    np.savez(tmp_path / "data.npz", a=np.zeros(2, dtype="datetime64[s]"))
    with pytest.raises(DataError, match="a holds values of type datetime64"):
        read_archive(tmp_path / "data.npz", "a")


def test_missing_files_and_keys_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.npz does not exist"):
        read_archive(tmp_path / "data.npz", "a")
    with pytest.raises(DataError, match=r"has no metadata\. It has: positions_2d"):
        read_archive(packed(tmp_path / "data.npz", {}), "positions_2d", "metadata")
    with pytest.raises(DataError, match="not an npz"):
        read_archive(tmp_path, "a")


def test_sizes_beyond_reason_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, a=np.zeros(3))
    whole = bytearray(path.read_bytes())
    entry = whole.rindex(b"PK\x01\x02")
    whole[entry + 24 : entry + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    path.write_bytes(whole)
    with pytest.raises(DataError, match="a claims 4 GB"):
        read_archive(path, "a")
    with zipfile.ZipFile(path, "w") as archive:
        member = io.BytesIO()
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
        np.lib.format.write_array_header_1_0(member, header)
        archive.writestr("a.npy", member.getvalue())
    with pytest.raises(DataError, match="0 bytes for an array"):
        read_archive(path, "a")


@settings(max_examples=60)
@given(share=st.floats(0, 0.999), flip=st.none() | st.integers(1, 255))
def test_damage_is_a_typed_error(share: float, flip: int | None, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = packed(tmp_path_factory.getbasetemp() / "damaged.npz", CONTENT)
    whole = bytearray(path.read_bytes())
    at = int(share * len(whole))
    if flip is None:
        path.write_bytes(whole[:at])
        with pytest.raises(DataError, match=r"damaged\.npz"):
            read_archive(path, "positions_2d")
        return
    whole[at] ^= flip
    path.write_bytes(whole)
    try:
        found = read_archive(path, "positions_2d")["positions_2d"]
    except DataError as error:
        assert "damaged.npz" in str(error)
    else:  # a byte that nobody reads
        np.testing.assert_equal(found, CONTENT)


def raw(path: Path, program: bytes) -> Path:
    """An npz whose object array ``a`` is this pickle."""
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "|O", "fortran_order": False, "shape": ()})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", member.getvalue() + program)
    return path


def test_a_pickle_of_ordered_dictionaries_is_read_as_plain_ones() -> None:
    stream = io.BytesIO(pickle.dumps(OrderedDict(model=OrderedDict(weight=np.eye(2, dtype=np.float32)))))
    found = unpickle(stream)
    assert type(found) is dict and type(found["model"]) is dict
    np.testing.assert_array_equal(found["model"]["weight"], np.eye(2))


def test_an_array_that_a_file_holds_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    np.savez(path, a=np.zeros(3))
    with zipfile.ZipFile(path) as archive:
        member = archive.read("a.npy")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a.npy", member)
    for read in (read_archive, read_arrays):
        with pytest.raises(DataError, match="holds the array a twice"):
            read(path, "a")


def test_an_array_that_is_asked_for_often_is_read_once(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "data.npz", a=np.zeros(6 * 2**20))
    assert list(read_arrays(tmp_path / "data.npz", *["a"] * 500)) == ["a"]


def test_a_bomb_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "data.npz", a=np.zeros(10**7), b=np.zeros(10**6))
    tracemalloc.start()
    with pytest.raises(DataError, match="more than a file of this size can hold"):
        read_all_arrays(tmp_path / "data.npz")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_arrays_take_their_own_size_in_memory(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(500, 200, 10))
    np.savez_compressed(tmp_path / "data.npz", a=values, b=np.asfortranarray(values), c=np.array("é"), d=np.zeros(0))
    tracemalloc.start()
    found = read_all_arrays(tmp_path / "data.npz")
    assert tracemalloc.get_traced_memory()[1] < 2.6 * values.nbytes
    tracemalloc.stop()
    np.testing.assert_array_equal(found["a"], values)
    np.testing.assert_array_equal(found["b"], values)
    assert (found["c"], found["d"].shape) == ("é", (0,))
    found["a"][0] = 1  # it may be changed

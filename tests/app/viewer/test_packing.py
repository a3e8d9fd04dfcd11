import gzip
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from kinelift.app.viewer.packing import UNKNOWN, Packing, whole


def unpacked(text: str, reference: dict[str, Any]) -> np.ndarray:
    """What ``clip.js`` does, in Python."""
    kind, shape, content = np.dtype(reference["type"]), reference["shape"], gzip.decompress(b64decode(text))
    count = int(np.prod(shape))
    planes = np.frombuffer(content, np.uint8, count * kind.itemsize, reference["offset"]).reshape(kind.itemsize, count)
    values = np.ascontiguousarray(planes.T).view(kind).reshape(shape)
    return values if kind.kind == "f" else np.cumsum(values, axis=-1, dtype=kind)


@given(st.data(), st.lists(st.sampled_from(["int8", "int16", "int32", "float64"]), min_size=1, max_size=4))
def test_arrays_come_back_bit_for_bit(data: st.DataObject, kinds: list[str]) -> None:
    shapes = array_shapes(min_dims=1, max_dims=3, max_side=6)
    originals = [data.draw(arrays(np.dtype(kind), shapes)) for kind in kinds]
    packing = Packing()
    references = [packing.add(array) for array in originals]
    for original, reference in zip(originals, references, strict=True):
        back = unpacked(packing.text(), reference)
        assert back.dtype == original.dtype and np.array_equal(back, original, equal_nan=original.dtype.kind == "f")


def test_the_same_arrays_give_the_same_text() -> None:
    def packed() -> str:
        packing = Packing()
        packing.add(np.arange(12, dtype=np.int32).reshape(3, 4))
        return packing.text()

    assert packed() == packed()


def test_movement_takes_a_quarter_of_its_numbers() -> None:
    steps = np.random.default_rng(0).normal(0, 8, (63, 3000))  # a joint moves by some millimetres per frame
    packing = Packing()
    packing.add(whole(np.cumsum(steps, axis=1), "int32"))
    assert len(packing.text()) < steps.size * 12 / 4 / 1.5


@pytest.mark.parametrize("kind", ["int16", "int32"])
def test_whole_numbers_are_rounded_and_what_does_not_fit_is_unknown(kind: str) -> None:
    most = np.iinfo(kind).max
    values = np.array([0.4, -0.6, np.nan, float(most), most + 1.0, -most - 1.0, -most - 5.0])
    assert whole(values, kind).tolist() == [0, -1, UNKNOWN[kind], most, UNKNOWN[kind], UNKNOWN[kind], UNKNOWN[kind]]
    assert whole(values, kind).dtype == np.dtype(kind)

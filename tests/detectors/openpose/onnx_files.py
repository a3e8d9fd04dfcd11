"""Small ONNX networks, written without the onnx package: a file is a protocol buffer, and few of its fields are needed.

Numbers of fields and types are those of onnx.proto: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

FLOAT, UINT8, INT64 = 1, 2, 7
STRIDE = 8
_INT, _INTS = 2, 7
_IR_VERSION, _OPSET = 8, 13


def write_cells(
    path: Path,
    weights: np.ndarray,
    *,
    names: Sequence[str] = ("maps",),
    splits: Sequence[slice] = (slice(None),),
    first: tuple[bool, bool] = (True, True),
    size: tuple[int | str, int | str] = ("height", "width"),
    dtype: int = FLOAT,
) -> Path:
    """A network whose maps are the means of 8 × 8 pixels, the three channels weighted by ``weights`` (C, 3).

    ``splits``: which maps each output has; ``first``: whether channels come first in the input and in the outputs.
    """
    nodes, now = [], "image"
    sides = list(size)
    if dtype != FLOAT:
        nodes.append(_node("Cast", [now], "cast", _attribute("to", FLOAT)))
        now = "cast"
    if not first[0]:
        nodes.append(_node("Transpose", [now], "turned", _attribute("perm", [0, 3, 1, 2])))
        now = "turned"
    kernels = np.tile(weights[:, :, None, None] / STRIDE**2, (1, 1, STRIDE, STRIDE)).astype(np.float32)
    tensors = []
    for name, split in zip(names, splits, strict=True):
        tensors.append(_tensor(f"{name}.weight", kernels[split]))
        out = name if first[1] else f"{name}.turned"
        nodes.append(_node("Conv", [now, f"{name}.weight"], out, _attribute("strides", [STRIDE, STRIDE])))
        if not first[1]:
            nodes.append(_node("Transpose", [out], name, _attribute("perm", [0, 2, 3, 1])))
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, "cells")
    graph += b"".join(_field(5, tensor) for tensor in tensors)
    graph += _field(11, _value("image", dtype, [1, 3, *sides] if first[0] else [1, *sides, 3]))
    graph += b"".join(_field(12, _value(name, FLOAT, list("nabc"))) for name in names)
    path.write_bytes(_field(1, _IR_VERSION) + _field(7, graph) + _field(8, _field(2, _OPSET)))
    return path


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def _node(operator: str, inputs: Sequence[str], output: str, attribute: bytes) -> bytes:
    return b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(4, operator) + _field(5, attribute)


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _field(1, name) + _field(3, value) + _field(20, _INT)
    return _field(1, name) + b"".join(_field(8, one) for one in value) + _field(20, _INTS)


def _tensor(name: str, array: np.ndarray) -> bytes:
    sides = b"".join(_field(1, side) for side in array.shape)
    return sides + _field(2, FLOAT) + _field(8, name) + _field(9, array.tobytes())


def _value(name: str, dtype: int, shape: Sequence[int | str]) -> bytes:
    sides = b"".join(_field(1, _field(1 if isinstance(side, int) else 2, side)) for side in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, dtype) + _field(2, sides)))

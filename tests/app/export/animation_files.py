"""Small readers of BVH and GLB, written from their specifications, to see what a file says without our own code."""

import json
import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation


class Bvh(NamedTuple):
    """Places of the joints of a BVH file in each frame, by name; End Sites as "PARENT end"."""

    frame_time: float
    places: dict[str, np.ndarray]


def read_bvh(path: Path) -> Bvh:
    words = iter(path.read_text().split())
    nodes: list[tuple[str, int, np.ndarray, list[str]]] = []
    stack: list[int] = []
    assert next(words) == "HIERARCHY"
    for word in words:
        if word in ("ROOT", "JOINT"):
            nodes.append((next(words), stack[-1] if stack else -1, np.zeros(3), []))
        elif word == "End":
            assert next(words) == "Site"
            nodes.append((f"{nodes[stack[-1]][0]} end", stack[-1], np.zeros(3), []))
        elif word == "{":
            stack.append(len(nodes) - 1)
        elif word == "}":
            stack.pop()
        elif word == "OFFSET":
            nodes[stack[-1]][2][:] = [float(next(words)) for _ in range(3)]
        elif word == "CHANNELS":
            nodes[stack[-1]][3].extend([next(words) for _ in range(int(next(words)))])
        elif word == "MOTION":
            break
    assert next(words) == "Frames:"
    frames = int(next(words))
    assert (next(words), next(words)) == ("Frame", "Time:")
    frame_time = float(next(words))
    values = np.array([float(word) for word in words]).reshape(frames, -1)
    return Bvh(frame_time, _places(nodes, values))


def _places(nodes: list[tuple[str, int, np.ndarray, list[str]]], values: np.ndarray) -> dict[str, np.ndarray]:
    column, turns, places = 0, [], []
    for _, parent, offset, channels in nodes:
        place, turn = np.tile(offset, (len(values), 1)), Rotation.identity(len(values))
        for channel in channels:
            axis = "XYZ".index(channel[0])
            if channel.endswith("position"):
                place[:, axis] += values[:, column]
            else:
                turn = turn * Rotation.from_rotvec(np.radians(values[:, column])[:, None] * np.eye(3)[axis])
            column += 1
        places.append(place if parent < 0 else places[parent] + turns[parent].apply(place))
        turns.append(turn if parent < 0 else turns[parent] * turn)
    assert column == values.shape[1]
    return {name: place for (name, *_), place in zip(nodes, places, strict=True)}


class Glb:
    """The document and the numbers of a GLB file."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        magic, version, length = struct.unpack_from("<III", data)
        assert (magic, version, length) == (0x46546C67, 2, len(data))
        size, kind = struct.unpack_from("<II", data, 12)
        assert kind == 0x4E4F534A
        self.document: dict[str, Any] = json.loads(data[20 : 20 + size])
        self.binary = data[20 + size + 8 :]

    def array(self, accessor: int) -> np.ndarray:
        entry = self.document["accessors"][accessor]
        view = self.document["bufferViews"][entry["bufferView"]]
        kind = {5126: "<f4", 5123: "<u2", 5121: "<u1"}[entry["componentType"]]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[entry["type"]]
        flat = np.frombuffer(self.binary, kind, entry["count"] * width, view["byteOffset"])
        return flat.reshape(-1, width)

    def channels(self, node: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """The times and values that move a node, by what they change."""
        animation, out = self.document["animations"][0], {}
        for channel in animation["channels"]:
            if channel["target"]["node"] == node:
                sampler = animation["samplers"][channel["sampler"]]
                out[channel["target"]["path"]] = (self.array(sampler["input"])[:, 0], self.array(sampler["output"]))
        return out

    def places(self, root: int) -> dict[str, np.ndarray]:
        """The places of a node and all below it at the times of its animation, by name; names must differ."""
        frames = len(self.channels(root)["translation"][0])
        out: dict[str, np.ndarray] = {}
        self._place(root, np.zeros((frames, 3)), Rotation.identity(frames), out)
        return out

    def _place(self, index: int, origin: np.ndarray, turn: Rotation, out: dict[str, np.ndarray]) -> None:
        node, moved = self.document["nodes"][index], self.channels(index)
        shift = (
            moved["translation"][1]
            if "translation" in moved
            else np.tile(node.get("translation", [0, 0, 0]), (len(origin), 1))
        )
        place = origin + turn.apply(shift)
        if "rotation" in moved:
            turn = turn * Rotation.from_quat(moved["rotation"][1])
        out[node["name"]] = place
        for child in node.get("children", []):
            self._place(child, place, turn, out)

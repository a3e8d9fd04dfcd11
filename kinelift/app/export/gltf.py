"""Binary glTF 2.0: one buffer, the accessors into it, and the container. Source: Khronos, glTF 2.0 Specification."""

import json
import struct
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Shaped

ARRAY_BUFFER, ELEMENT_BUFFER = 34962, 34963
_COMPONENTS = {np.dtype(np.float32): 5126, np.dtype(np.uint16): 5123, np.dtype(np.uint8): 5121}
_MAGIC, _VERSION, _JSON, _BINARY = 0x46546C67, 2, 0x4E4F534A, 0x004E4942
Kind = Literal["SCALAR", "VEC3", "VEC4", "MAT4"]


@dataclass
class Buffer:
    """The numbers of a file, and the accessors that say where they are."""

    data: bytearray = field(default_factory=bytearray)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self, values: Shaped[np.ndarray, "N ..."], kind: Kind, target: int | None = None, bounds: bool = False
    ) -> int:
        """Append values and return the number of their accessor.

        Args:
            values: float32, uint16 or uint8, one element per row.
            kind: What an element is.
            target: What a graphics card uses them as, if they belong to a mesh.
            bounds: Whether to state the least and the greatest element, as places and times need.
        """
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": values.nbytes}
        self.views.append(view if target is None else {**view, "target": target})
        self.data += np.ascontiguousarray(values).tobytes()
        self.data += bytes(-len(self.data) % 4)
        accessor = {
            "bufferView": len(self.views) - 1, "componentType": _COMPONENTS[values.dtype],
            "count": len(values), "type": kind,
        }  # fmt: skip
        if bounds:
            rows = values.reshape(len(values), -1)
            accessor |= {"min": rows.min(0).tolist(), "max": rows.max(0).tolist()}
        self.accessors.append(accessor)
        return len(self.accessors) - 1

    def pack(self, document: dict[str, Any]) -> bytes:
        """The whole file, for a document without buffers and accessors."""
        whole = {
            **document, "accessors": self.accessors, "bufferViews": self.views,
            "buffers": [{"byteLength": len(self.data)}],
        }  # fmt: skip
        text = json.dumps(whole, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<II", len(text), _JSON) + text + struct.pack("<II", len(self.data), _BINARY) + self.data
        return struct.pack("<III", _MAGIC, _VERSION, 12 + len(chunks)) + chunks

"""GLB (binary glTF 2.0): everybody in one animated scene, each as a skeleton with a simple body."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from kinelift.app.export.body_mesh import Mesh, body_mesh
from kinelift.app.export.bvh import Names, name_of
from kinelift.app.export.gltf import ARRAY_BUFFER, ELEMENT_BUFFER, Buffer
from kinelift.app.export.people_files import bone_residual, header
from kinelift.app.export.placing import Placed, motion_of, place
from kinelift.app.export.sidecar import guesses, sidecar_path, write_sidecar
from kinelift.app.export.timing import Clock
from kinelift.app.render.style import person_colour
from kinelift.poses import Recording
from kinelift.poses.kinematics import Motion
from kinelift.poses.output import replacing

_GENERATOR = "Kinelift"


def write_glb(path: Path, recording: Recording, names: Names = "plain") -> None:
    """Write everybody as one animated scene, and what is guessed in it as ``NAME.glb.json``.

    Each person is a skeleton with a simple body in the person's colour. Y is up, lengths are metres, rest poses are
    T-poses that face +Z. Frames have the exact times of the video, so no rate is needed. While a person is not in the
    picture, the skeleton has size 0. ``--names mixamo`` names the joints as Mixamo does.

    Raises:
        DataError: Nobody has 3D poses.
        OutputError: The file cannot be written.
    """
    scene, file, people = place(recording), _File(names), []
    clock = Clock(recording.video.frame_rate, recording.video.times, False)
    for person in scene.people:
        motion = motion_of(person)
        file.add(person, motion, recording.video.times)
        people.append({"id": person.id, **bone_residual(person, motion), "guessed": guesses(person, clock)})
    with replacing(path) as part:
        part.write_bytes(file.pack())
    facts = {**header(recording, scene.coordinates, clock), "file": path.name, "people": people}
    write_sidecar(sidecar_path(path), facts)


class _File:
    """The parts of a glTF document, to which people are added."""

    def __init__(self, names: Names) -> None:
        self.names, self.buffer = names, Buffer()
        self.nodes: list[dict[str, Any]] = []
        self.roots: list[int] = []
        self.meshes: list[dict[str, Any]] = []
        self.materials: list[dict[str, Any]] = []
        self.skins: list[dict[str, Any]] = []
        self.channels: list[dict[str, Any]] = []
        self.samplers: list[dict[str, Any]] = []

    def add(self, person: Placed, motion: Motion, times: Float[np.ndarray, " F"]) -> None:
        """Add one person with a body; ``times`` are those of the whole video."""
        owner, mesh = len(self.nodes), body_mesh(motion.rig)
        first = owner + 1
        self.nodes.append({"name": f"person {person.id}", "children": [first]})
        for index, node in enumerate(motion.rig.nodes):
            place = motion.rig.places[0] if index == 0 else motion.rig.offsets[index]
            entry = {"name": name_of(node, self.names), "translation": place.tolist()}
            children = [first + child for child in motion.rig.children(index)]
            self.nodes.append({**entry, "children": children} if children else entry)
        body = {"name": f"person {person.id} body", "mesh": len(self.meshes), "skin": len(self.skins)}
        self.nodes.append(body)
        self.roots += [owner, len(self.nodes) - 1]
        self._add_mesh(person.id, mesh)
        self._add_skin(motion, first)
        self._animate(motion, first)
        self._show(first, motion.times, times)

    def pack(self) -> bytes:
        """The whole file."""
        return self.buffer.pack({
            "asset": {"version": "2.0", "generator": _GENERATOR},
            "scene": 0, "scenes": [{"nodes": self.roots}], "nodes": self.nodes, "meshes": self.meshes,
            "materials": self.materials, "skins": self.skins,
            "animations": [{"name": "motion", "channels": self.channels, "samplers": self.samplers}],
        })  # fmt: skip

    def _add_mesh(self, person: int, mesh: Mesh) -> None:
        add, corners = self.buffer.add, len(mesh.points)
        weights, joints = np.zeros((corners, 4), np.float32), np.zeros((corners, 4), np.uint8)
        weights[:, 0], joints[:, 0] = 1, mesh.nodes
        attributes = {
            "POSITION": add(mesh.points.astype(np.float32), "VEC3", ARRAY_BUFFER, bounds=True),
            "NORMAL": add(mesh.normals.astype(np.float32), "VEC3", ARRAY_BUFFER),
            "JOINTS_0": add(joints, "VEC4", ARRAY_BUFFER),
            "WEIGHTS_0": add(weights, "VEC4", ARRAY_BUFFER),
        }
        triangles = add(mesh.triangles.reshape(-1).astype(np.uint16), "SCALAR", ELEMENT_BUFFER)
        primitive = {"attributes": attributes, "indices": triangles, "material": len(self.materials)}
        self.meshes.append({"name": f"person {person} body", "primitives": [primitive]})
        colour = [*_linear(person_colour(person)), 1.0]
        surface = {"baseColorFactor": colour, "metallicFactor": 0.0, "roughnessFactor": 0.8}
        self.materials.append({"name": f"person {person}", "pbrMetallicRoughness": surface})

    def _add_skin(self, motion: Motion, first: int) -> None:
        """Matrices from the axes of the scene to those of each node at rest, column by column."""
        matrices = np.tile(np.eye(4, dtype=np.float32), (len(motion.rig), 1, 1))
        matrices[:, 3, :3] = -motion.rig.places
        joints = list(range(first, first + len(motion.rig)))
        inverse = self.buffer.add(matrices.reshape(-1, 16), "MAT4")
        self.skins.append({"joints": joints, "skeleton": first, "inverseBindMatrices": inverse})

    def _animate(self, motion: Motion, first: int) -> None:
        times = self.buffer.add(motion.times.astype(np.float32), "SCALAR", bounds=True)
        root = self.buffer.add(motion.root.astype(np.float32), "VEC3")
        self._channel(first, "translation", times, root)
        for index, node in enumerate(motion.rig.nodes):
            if node.aim is not None or index == 0:
                turns = self.buffer.add(motion.rotations[:, index].astype(np.float32), "VEC4")
                self._channel(first + index, "rotation", times, turns)

    def _show(self, root: int, present: Float[np.ndarray, " T"], times: Float[np.ndarray, " F"]) -> None:
        """Give a person size 0 before the first frame and after the last one."""
        after = times[times > present[-1] + 1e-9]
        keys = [(times[0], 0.0)] if times[0] < present[0] - 1e-9 else []
        keys += [(present[0], 1.0), *[(time, 0.0) for time in after[:1]]]
        if len(keys) > 1:
            moments = self.buffer.add(np.array([time for time, _ in keys], np.float32), "SCALAR", bounds=True)
            sizes = np.array([[size] * 3 for _, size in keys], np.float32)
            self._channel(root, "scale", moments, self.buffer.add(sizes, "VEC3"), "STEP")

    def _channel(self, node: int, path: str, times: int, values: int, interpolation: str = "LINEAR") -> None:
        self.channels.append({"sampler": len(self.samplers), "target": {"node": node, "path": path}})
        self.samplers.append({"input": times, "output": values, "interpolation": interpolation})


def _linear(colour: tuple[int, int, int]) -> list[float]:
    """Linear components of an sRGB colour."""
    parts = np.array(colour) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return [round(float(part), 4) for part in linear]

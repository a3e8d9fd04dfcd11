"""Run by a Python that has bpy: import a file into Blender, and store where its bones are.

    python blender.py FILE RESULT.npz FRAME ...

Frames count from 0. Heads and tails of the bones of each armature are stored in Blender's axes (Z up, metres).
"""

import sys
from pathlib import Path

import bpy
import numpy as np

GLTF_RATE = 30
"""Frames per second of the scene into which glTF is imported: its times become frames."""


def load(path: Path) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if path.suffix == ".bvh":
        bpy.ops.import_anim.bvh(filepath=str(path), frame_start=0, update_scene_fps=True, update_scene_duration=True)
    else:
        bpy.context.scene.render.fps = GLTF_RATE
        bpy.ops.import_scene.gltf(filepath=str(path))


def main(path: Path, result: Path, frames: list[int]) -> None:
    load(path)
    scene, arrays = bpy.context.scene, {}
    for armature in [one for one in scene.objects if one.type == "ARMATURE"]:
        arrays[f"{armature.name}/bones"] = np.array([bone.name for bone in armature.pose.bones])
        ends = []
        for frame in frames:
            scene.frame_set(frame)
            matrix = armature.matrix_world
            ends.append([[*(matrix @ bone.head), *(matrix @ bone.tail)] for bone in armature.pose.bones])
        arrays[f"{armature.name}/ends"] = np.array(ends).reshape(len(frames), -1, 2, 3)
    arrays["fps"] = np.array(scene.render.fps / scene.render.fps_base)
    arrays["frames"] = np.array([scene.frame_start, scene.frame_end])
    np.savez(result, **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), [int(frame) for frame in sys.argv[3:]])

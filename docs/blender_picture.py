"""Run by a Python that has ``bpy``: render one moment of an exported scene in Blender (docs/how-to/animate.md).

    python docs/blender_picture.py poses3d.glb SECONDS PICTURE.png

Blender's own renderer draws the imported bodies on a floor at height 0.
"""

import sys
from math import cos, radians, sin
from pathlib import Path

import bpy
from mathutils import Vector

RATE = 30
"""Frames per second of the scene: the times of glTF become frames."""
SIZE = 900, 500
HEADING = radians(35)
"""From straight ahead to where the camera stands."""
MARGIN = 0.08
"""How much farther away the camera stands than it must."""
SAMPLES = 24


def main(path: Path, seconds: float, picture: Path) -> None:
    """Import, light, look and render."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = RATE
    bpy.ops.import_scene.gltf(filepath=str(path.resolve()), disable_bone_shape=True)
    scene.frame_set(round(seconds * RATE))
    low, high = extent()
    add_floor((low + high) / 2)
    add_sun()
    add_camera(low, high)
    render(picture.resolve())


def extent() -> tuple[Vector, Vector]:
    """The corners of the box around all bodies at the present frame, metres, Z up."""
    seen = bpy.context.evaluated_depsgraph_get()
    corners = []
    for one in bpy.context.scene.objects:
        if one.type == "MESH" and not one.hide_render:
            shape = one.evaluated_get(seen)
            corners += [shape.matrix_world @ Vector(corner) for corner in shape.bound_box]
    return tuple(Vector(limit(axis) for axis in zip(*corners, strict=True)) for limit in (min, max))


def add_floor(middle: Vector) -> None:
    """Add a large plane at height 0."""
    bpy.ops.mesh.primitive_plane_add(size=60, location=(middle.x, middle.y, 0))
    material = bpy.data.materials.new("floor")
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.2, 0.22, 0.25, 1)
    bpy.context.object.data.materials.append(material)


def add_sun() -> None:
    """Add a sun and a bright sky."""
    bpy.ops.object.light_add(type="SUN", rotation=(radians(40), radians(15), radians(20)))
    bpy.context.object.data.energy = 2.5
    world = bpy.data.worlds.new("sky")
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.75, 0.82, 0.9, 1)
    bpy.context.scene.world = world


def add_camera(low: Vector, high: Vector) -> None:
    """Add a camera that sees the whole box from a little above."""
    scene = bpy.context.scene
    away = Vector((sin(HEADING), -cos(HEADING), 0.25))
    bpy.ops.object.camera_add(rotation=away.to_track_quat("Z", "Y").to_euler())
    camera = scene.camera = bpy.context.object
    corners = [value for x in (low.x, high.x) for y in (low.y, high.y) for z in (low.z, high.z) for value in (x, y, z)]
    bpy.context.view_layer.update()
    camera.location, _ = camera.camera_fit_coords(bpy.context.evaluated_depsgraph_get(), corners)
    camera.location += MARGIN * away.normalized() * (camera.location - (low + high) / 2).length


def render(picture: Path) -> None:
    """Render with Cycles on the processor."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples = "CPU", SAMPLES
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.filepath = str(picture)
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))

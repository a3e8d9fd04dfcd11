"""The 3D panel: everybody on one floor, seen by a fixed camera from the side and above."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, UInt8

from kinelift.app.render import drawing
from kinelift.app.render.scene import Actor, build_scene
from kinelift.app.render.style import (
    BACKGROUND,
    FLOOR,
    OUTLINE,
    SHADOW,
    SIDE_COLOURS,
    Strokes,
    blend,
    person_colour,
)
from kinelift.app.render.view_camera import ViewCamera, fit_camera
from kinelift.poses import Frame, Recording

BODY_HEIGHTS = 4.0
"""Strokes have the widths that suit a panel of this many body heights."""
GRID_SPACING = 0.5
"""Distance between the lines of the floor grid (metres)."""
GUESS_FADING = 0.5
"""Share of the background in the colour of bones and heads that are guesses."""
FLOOR_MARGIN = 1.0
"""Floor around everybody (metres)."""
MAX_GRID_CELLS = 40
"""Maximum number of cells of the floor grid in each direction."""


@dataclass(frozen=True, eq=False)
class View3DPanel:
    """Draws the 3D poses of a recording.

    Args:
        recording: What to draw.
        size: Width and height of the panel in pixels.
    """

    recording: Recording
    size: tuple[int, int]

    def draw(self, frame: Frame) -> UInt8[np.ndarray, "H W 3"]:
        """Draw everybody who has a pose in a frame, from far to near."""
        image = self._background.copy()
        present = [(actor, pose) for actor in self._actors if (pose := actor.at(frame.index)) is not None]
        for actor, pose in present:
            self._draw_shadow(image, actor, pose)
        for actor, pose in sorted(present, key=lambda item: -np.nanmean(self._camera.project(item[1])[1])):
            self._draw_body(image, actor, pose, actor.guessed[frame.index - actor.start])
        return image

    @cached_property
    def _actors(self) -> tuple[Actor, ...]:
        return build_scene(self.recording)

    @cached_property
    def _all_joints(self) -> Float[np.ndarray, "N 3"]:
        return np.concatenate([np.zeros((0, 3)), *(actor.joints.reshape(-1, 3) for actor in self._actors)])

    @cached_property
    def _camera(self) -> ViewCamera:
        return fit_camera(self._all_joints, self.size)

    @cached_property
    def _strokes(self) -> Strokes:
        """Strokes in proportion to the bodies on the panel."""
        shown = [actor.joints[np.isfinite(actor.joints).any(axis=(1, 2))] for actor in self._actors]
        rows = [self._camera.project(joints)[0][..., 1] for joints in shown if len(joints)]
        heights = [np.nanmax(row, axis=1) - np.nanmin(row, axis=1) for row in rows]
        height = float(np.median(np.concatenate(heights))) if heights else 0.0
        return Strokes.of(round(min(BODY_HEIGHTS * height, self.size[1])))

    @cached_property
    def _background(self) -> UInt8[np.ndarray, "H W 3"]:
        """Background and floor, drawn once. Lines fade with distance."""
        image = np.empty((self.size[1], self.size[0], 3), dtype=np.uint8)
        shade = np.linspace(1.25, 0.75, self.size[1])[:, None, None]
        image[:] = np.clip(np.array(BACKGROUND) * shade, 0, 255).astype(np.uint8)
        starts, ends = (self._camera.project(points) for points in _floor_grid(self._all_joints))
        far, near = max(starts[1].max(), ends[1].max()), min(starts[1].min(), ends[1].min())
        for start, end, depth in zip(starts[0], ends[0], (starts[1] + ends[1]) / 2, strict=True):
            fade = (depth - near) / max(far - near, 1e-6)
            drawing.line(image, start, end, blend(FLOOR, BACKGROUND, 0.8 * float(np.clip(fade, 0, 1))), 1)
        return image

    def _draw_shadow(self, image: np.ndarray, actor: Actor, pose: Float[np.ndarray, "J 3"]) -> None:
        pixels, _ = self._camera.project(pose * [1.0, 0.0, 1.0])
        for a, b in _known_bones(actor, pose):
            drawing.line(image, pixels[a], pixels[b], SHADOW, self._strokes.outline)

    def _draw_body(
        self, image: np.ndarray, actor: Actor, pose: Float[np.ndarray, "J 3"], guessed: Bool[np.ndarray, " J"]
    ) -> None:
        """Draw bones from far to near, near ones thicker and brighter, then the head in the person's colour.

        Bones with a guessed end are faint and dashed; those with an unknown end are left out.
        """
        pixels, depth = self._camera.project(pose)
        depth_range = max(float(np.nanmax(depth) - np.nanmin(depth)), 0.3)
        mean_depth = float(np.nanmean(depth))
        skeleton = actor.skeleton
        for a, b in sorted(_known_bones(actor, pose), key=lambda bone: -(depth[bone[0]] + depth[bone[1]])):
            farness = float(np.clip(0.5 + ((depth[a] + depth[b]) / 2 - mean_depth) / depth_range, 0, 1))
            width = max(1, round(self._strokes.line * (1.9 - 0.9 * farness)))
            colour = blend(SIDE_COLOURS[skeleton.side(b)], BACKGROUND, 0.5 * farness)
            if guessed[a] or guessed[b]:
                faint = blend(colour, BACKGROUND, GUESS_FADING)
                drawing.dashed_line(image, pixels[a], pixels[b], faint, max(1, width // 2))
                continue
            drawing.line(image, pixels[a], pixels[b], OUTLINE, width + self._strokes.outline - self._strokes.line)
            drawing.line(image, pixels[a], pixels[b], colour, width)
            drawing.disc(image, pixels[b], 0.6 * width, colour)
        self._draw_head(image, actor, pixels, bool(guessed[skeleton.index("head")]))

    def _draw_head(self, image: np.ndarray, actor: Actor, pixels: Float[np.ndarray, "J 2"], guessed: bool) -> None:
        """Draw the head, if it is known, and the label above it or else above the highest joint."""
        head, colour = pixels[actor.skeleton.index("head")], person_colour(actor.id)
        if np.isfinite(head).all():
            drawing.disc(image, head, 1.8 * self._strokes.joint, OUTLINE)
            shown = blend(colour, BACKGROUND, GUESS_FADING) if guessed else colour
            drawing.disc(image, head, 1.3 * self._strokes.joint, shown)
        else:
            head = pixels[np.nanargmin(pixels[:, 1])]
        anchor = head - [0.0, 4.0 * self._strokes.joint]
        drawing.label(image, str(actor.id), anchor, colour, 0.8 * Strokes.of(self.size[1]).text)


def _known_bones(actor: Actor, pose: Float[np.ndarray, "J 3"]) -> list[tuple[int, int]]:
    """The bones with two known ends."""
    known = np.isfinite(pose).all(axis=1)
    return [(a, b) for a, b in actor.skeleton.bones if known[a] and known[b]]


def _floor_grid(points: Float[np.ndarray, "N 3"]) -> tuple[Float[np.ndarray, "L 3"], Float[np.ndarray, "L 3"]]:
    """Starts and ends of the grid lines of a floor below all points."""
    valid = points[np.isfinite(points).all(1)][:, [0, 2]]
    low, high = np.percentile(valid, [1, 99], axis=0) if len(valid) else (np.full(2, -1.5), np.full(2, 1.5))
    start = np.floor((low - FLOOR_MARGIN) / GRID_SPACING).astype(int)
    stop = np.minimum(np.ceil((high + FLOOR_MARGIN) / GRID_SPACING).astype(int), start + MAX_GRID_CELLS)
    xs, zs = (np.arange(a, b + 1) * GRID_SPACING for a, b in zip(start, stop, strict=True))
    along_z = [((x, 0.0, zs[0]), (x, 0.0, zs[-1])) for x in xs]
    along_x = [((xs[0], 0.0, z), (xs[-1], 0.0, z)) for z in zs]
    lines = np.array(along_z + along_x)
    return lines[:, 0], lines[:, 1]

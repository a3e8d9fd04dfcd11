"""The 3D panel: everybody on one floor, seen from a fixed place to the side and above."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, UInt8

from kinelift.app.render import ink
from kinelift.app.render.scene import Actor, build
from kinelift.app.render.style import BACKGROUND, FLOOR, OUTLINE, SHADOW, SIDES, Strokes, accent, toward
from kinelift.app.render.viewpoint import Viewpoint, framing
from kinelift.poses import Frame, Recording

BODY = 4.0
"""Line widths are those of a panel this many bodies high."""
TILE = 0.5
"""Metres between the lines of the floor."""
AROUND = 1.0
"""Metres of floor around everybody."""
WIDEST = 40
"""Tiles that the floor has at most in each direction."""


@dataclass(frozen=True, eq=False)
class StagePanel:
    """Draws the 3D poses of a recording on a panel of ``size`` (width, height)."""

    recording: Recording
    size: tuple[int, int]

    def draw(self, frame: Frame) -> UInt8[np.ndarray, "H W 3"]:
        """The stage with everybody who was lifted in that frame, far ones first."""
        picture = self._empty.copy()
        present = [(a, pose) for a in self._actors if (pose := a.at(frame.index)) is not None]
        for actor, pose in present:
            self._cast_shadow(picture, actor, pose)
        for actor, pose in sorted(present, key=lambda p: -self._view.project(p[1])[1].mean()):
            self._draw_body(picture, actor, pose)
        return picture

    @cached_property
    def _actors(self) -> tuple[Actor, ...]:
        return build(self.recording)

    @cached_property
    def _everything(self) -> Float[np.ndarray, "N 3"]:
        return np.concatenate([np.zeros((0, 3)), *(a.joints.reshape(-1, 3) for a in self._actors)])

    @cached_property
    def _view(self) -> Viewpoint:
        return framing(self._everything, self.size)

    @cached_property
    def _strokes(self) -> Strokes:
        """Widths that suit the size of the bodies on the panel."""
        tall = [np.ptp(self._view.project(a.joints)[0][..., 1], axis=1) for a in self._actors]
        height = float(np.nanmedian(np.concatenate(tall))) if self._actors else 0.0
        return Strokes.of(round(min(BODY * height, self.size[1])))

    @cached_property
    def _empty(self) -> UInt8[np.ndarray, "H W 3"]:
        """Background and floor, drawn once. Lines fade with their distance."""
        picture = np.empty((self.size[1], self.size[0], 3), dtype=np.uint8)
        shade = np.linspace(1.25, 0.75, self.size[1])[:, None, None]
        picture[:] = np.clip(np.array(BACKGROUND) * shade, 0, 255).astype(np.uint8)
        starts, ends = (self._view.project(p) for p in _floor(self._everything))
        far, near = max(starts[1].max(), ends[1].max()), min(starts[1].min(), ends[1].min())
        for a, b, depth in zip(starts[0], ends[0], (starts[1] + ends[1]) / 2, strict=True):
            fade = (depth - near) / max(far - near, 1e-6)
            ink.line(picture, a, b, toward(FLOOR, BACKGROUND, 0.8 * float(np.clip(fade, 0, 1))), 1)
        return picture

    def _cast_shadow(self, picture: np.ndarray, actor: Actor, pose: Float[np.ndarray, "J 3"]) -> None:
        flat, _ = self._view.project(pose * [1.0, 0.0, 1.0])
        for a, b in actor.skeleton.bones:
            ink.line(picture, flat[a], flat[b], SHADOW, self._strokes.outline)

    def _draw_body(self, picture: np.ndarray, actor: Actor, pose: Float[np.ndarray, "J 3"]) -> None:
        """Bones from far to near; near ones are thicker and brighter. A disc of the person's colour marks the head."""
        flat, depth = self._view.project(pose)
        spread = max(float(np.ptp(depth)), 0.3)
        middle = float(depth.mean())
        skeleton = actor.skeleton
        for a, b in sorted(skeleton.bones, key=lambda bone: -(depth[bone[0]] + depth[bone[1]])):
            behind = float(np.clip(0.5 + ((depth[a] + depth[b]) / 2 - middle) / spread, 0, 1))
            width = max(1, round(self._strokes.line * (1.9 - 0.9 * behind)))
            colour = toward(SIDES[skeleton.side(b)], BACKGROUND, 0.5 * behind)
            ink.line(picture, flat[a], flat[b], OUTLINE, width + self._strokes.outline - self._strokes.line)
            ink.line(picture, flat[a], flat[b], colour, width)
            ink.disc(picture, flat[b], 0.6 * width, colour)
        head = flat[skeleton.index("head")]
        ink.disc(picture, head, 1.8 * self._strokes.joint, OUTLINE)
        ink.disc(picture, head, 1.3 * self._strokes.joint, accent(actor.id))
        above = head - [0.0, 4.0 * self._strokes.joint]
        ink.label(picture, str(actor.id), above, accent(actor.id), 0.8 * Strokes.of(self.size[1]).text)


def _floor(points: Float[np.ndarray, "N 3"]) -> tuple[Float[np.ndarray, "L 3"], Float[np.ndarray, "L 3"]]:
    """Starts and ends of the grid's lines, under everybody."""
    known = points[np.isfinite(points).all(1)][:, [0, 2]]
    low, high = np.percentile(known, [1, 99], axis=0) if len(known) else (np.full(2, -1.5), np.full(2, 1.5))
    first = np.floor((low - AROUND) / TILE).astype(int)
    last = np.minimum(np.ceil((high + AROUND) / TILE).astype(int), first + WIDEST)
    xs, zs = (np.arange(a, b + 1) * TILE for a, b in zip(first, last, strict=True))
    along = [((x, 0.0, zs[0]), (x, 0.0, zs[-1])) for x in xs]
    across = [((xs[0], 0.0, z), (xs[-1], 0.0, z)) for z in zs]
    lines = np.array(along + across)
    return lines[:, 0], lines[:, 1]

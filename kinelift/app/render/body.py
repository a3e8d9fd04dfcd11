"""Draws a body of the 3D view: limbs as thick as a person's, in the person's colour; bones have that of their side."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Bool, Float

from kinelift.app.render import drawing
from kinelift.app.render.style import BACKGROUND, OUTLINE, RGB, SHADOW, SIDE_COLOURS, blend, person_colour
from kinelift.app.render.view_camera import ViewCamera
from kinelift.poses import Skeleton

THICKNESS = {"knee": 0.13, "ankle": 0.10, "elbow": 0.09, "wrist": 0.075, "head": 0.17, "neck": 0.09}
"""Thickness (metres) of the limb that ends at a joint."""
USUAL_THICKNESS = 0.07
SKULL = (0.45, 0.62)
"""The part of the way from the neck to the top of the head whose rounded line is the head."""
TRUNK = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
"""The joints between which the trunk is filled."""
TRUNK_BONES = ("spine", "thorax", "shoulder", "hip")
"""Joints whose bones are not drawn where there is a trunk."""
ROUNDING = 0.1
"""Thickness (metres) of the trunk's edge."""
BONE = 0.3
"""Thickness of a bone as a share of its limb's."""
EDGE = 0.02
"""Thickness (metres) of the dark edge around limbs, both sides together."""
GUESS_FADING = 0.5
"""Share of the background in the colour of guesses."""
_DARKEST, _SHADES = 0.4, 8
"""Share of the background in the colour of the farthest limb, and the number of steps to it."""


@dataclass(frozen=True)
class _Limb:
    """A bone of a skeleton, from joint ``a`` to ``b``, and how it is drawn; ``thickness`` in metres."""

    a: int
    b: int
    side: str
    thickness: float
    in_trunk: bool
    is_head: bool


@dataclass(frozen=True, eq=False)
class Body:
    """A pose on the panel.

    Args:
        person: The person's id.
        skeleton: The joints.
        pixels: Joints on the panel; NaN if unknown or not shown.
        depth: Their distances, metres; NaN like the pixels.
        reach: The least, the mean and the largest of them.
        scale: Pixels of a metre at the body.
        shadow: The joints' places on the floor, on the panel.
        guessed: Whether a joint is a guess.
    """

    person: int
    skeleton: Skeleton
    pixels: Float[np.ndarray, "J 2"]
    depth: Float[np.ndarray, " J"]
    reach: tuple[float, float, float]
    scale: float
    shadow: Float[np.ndarray, "J 2"]
    guessed: Bool[np.ndarray, " J"]

    @staticmethod
    def of(
        person: int,
        skeleton: Skeleton,
        pose: Float[np.ndarray, "J 3"],
        guessed: Bool[np.ndarray, " J"],
        camera: ViewCamera,
    ) -> "Body | None":
        """Project a pose (metres, world); None if no joint of it is shown."""
        pixels, depth = camera.project(np.concatenate([pose, pose * [1.0, 0.0, 1.0]]))
        joints = len(skeleton)
        shown = depth[:joints][np.isfinite(depth[:joints])]
        if not len(shown):
            return None
        scale = camera.pixels(1.0, float(shown.mean()))
        reach = float(shown.min()), float(shown.mean()), float(shown.max())
        return Body(person, skeleton, pixels[:joints], depth[:joints], reach, scale, pixels[joints:], guessed)

    @property
    def distance(self) -> float:
        """Mean distance of the joints, metres."""
        return self.reach[1]

    def draw_shadow(self, image: drawing.Image) -> None:
        """Draw the shadow of a light straight above."""
        known = self._known & np.isfinite(self.shadow).all(axis=1)
        bones = [bone for bone in self.skeleton.bones if known[bone[0]] and known[bone[1]]]
        ends = drawing.fixed(self.shadow)[np.reshape(bones, (-1, 2)).astype(int)]
        drawing.lines(image, ends, SHADOW, self._in_pixels(USUAL_THICKNESS))

    def draw(self, image: drawing.Image) -> None:
        """Draw limbs and trunk from far to near, near ones brighter.

        Limbs with a guessed end are faint and dashed; those with an unknown end are left out.
        """
        known, depth, trunk = self._known, self.depth, self._trunk
        shown = [one for one in _limbs(self.skeleton) if known[one.a] and known[one.b]]
        parts: list[tuple[float, _Limb | None]]
        parts = [(float(depth[one.a] + depth[one.b]) / 2, one) for one in shown if not (trunk and one.in_trunk)]
        if trunk:
            parts.append((float(depth[list(trunk)].mean()), None))
        nearest, middle, farthest = self.reach
        span = max(farthest - nearest, 0.3)
        for distance, limb in sorted(parts, key=lambda part: -part[0]):
            farness = min(max(0.5 + (distance - middle) / span, 0.0), 1.0)
            fading = _DARKEST * round(_SHADES * farness) / _SHADES
            if limb is None:
                self._draw_trunk(image, trunk, fading)
            elif self.guessed[limb.a] or self.guessed[limb.b]:
                self._draw_guess(image, limb)
            else:
                self._draw_limb(image, limb, fading)

    def top(self) -> Float[np.ndarray, " 2"]:
        """Where a label belongs on the panel: over the head, above the highest joint."""
        highest = int(np.nanargmin(self.pixels[:, 1]))
        head = self.pixels[self.skeleton.index("head")] if "head" in self.skeleton.joints else self.pixels[highest]
        across = head if np.isfinite(head).all() else self.pixels[highest]
        place: Float[np.ndarray, " 2"] = np.array([across[0], self.pixels[highest, 1]])
        return place

    @cached_property
    def _known(self) -> Bool[np.ndarray, " J"]:
        return np.asarray(np.isfinite(self.depth))

    @cached_property
    def _fixed(self) -> drawing.Fixed:
        return drawing.fixed(self.pixels)

    @cached_property
    def _trunk(self) -> tuple[int, ...]:
        """The joints of the trunk; none if one is missing, unknown or guessed."""
        corners = _trunk(self.skeleton)
        return corners if all(self._known[one] and not self.guessed[one] for one in corners) else ()

    def _draw_trunk(self, image: drawing.Image, corners: tuple[int, ...], fading: float) -> None:
        around, edge = drawing.hull(self._fixed[list(corners)]), self._in_pixels(ROUNDING)
        drawing.outline(image, around, OUTLINE, edge + self._in_pixels(EDGE))
        drawing.outline(image, around, self._colour(fading), edge)
        drawing.polygon(image, around, self._colour(fading))

    def _draw_limb(self, image: drawing.Image, limb: _Limb, fading: float) -> None:
        start, end, thickness = self._fixed[limb.a], self._fixed[limb.b], self._in_pixels(limb.thickness)
        if limb.is_head:
            start, end = ((start + (end - start) * share).astype(np.int32) for share in SKULL)
        drawing.line(image, start, end, OUTLINE, thickness + self._in_pixels(EDGE))
        drawing.line(image, start, end, self._colour(fading), thickness)
        if limb.side != "middle":
            drawing.line(image, start, end, blend(SIDE_COLOURS[limb.side], BACKGROUND, fading / 2), self._bone(limb))

    def _draw_guess(self, image: drawing.Image, limb: _Limb) -> None:
        start, end = self._fixed[limb.a], self._fixed[limb.b]
        drawing.dashed_line(image, start, end, self._colour(GUESS_FADING), self._bone(limb))

    def _colour(self, fading: float) -> RGB:
        return blend(person_colour(self.person), BACKGROUND, fading)

    def _in_pixels(self, metres: float) -> int:
        return max(2, round(self.scale * metres))

    def _bone(self, limb: _Limb) -> int:
        return max(1, round(BONE * limb.thickness * self.scale))


@lru_cache(maxsize=64)
def _limbs(skeleton: Skeleton) -> tuple[_Limb, ...]:
    limbs = []
    for a, b in skeleton.bones:
        part = skeleton.joints[b].removeprefix("left_").removeprefix("right_")
        thickness = THICKNESS.get(part, USUAL_THICKNESS)
        limbs.append(_Limb(a, b, skeleton.side(b), thickness, part in TRUNK_BONES, part == "head"))
    return tuple(limbs)


@lru_cache(maxsize=64)
def _trunk(skeleton: Skeleton) -> tuple[int, ...]:
    """The joints of the trunk; none if one is missing."""
    return tuple(map(skeleton.index, TRUNK)) if set(TRUNK) <= set(skeleton.joints) else ()

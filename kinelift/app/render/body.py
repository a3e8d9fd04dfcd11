"""Draws a body of the 3D view: limbs as thick as a person's, in the person's colour; bones have that of their side."""

from dataclasses import dataclass

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
GUESS_FADING = 0.5
"""Share of the background in the colour of guesses."""
_DARKEST = 0.4
"""Share of the background in the colour of the farthest limb."""


@dataclass(frozen=True, eq=False)
class Body:
    """A pose on the panel.

    Args:
        person: The person's id.
        skeleton: The joints.
        pixels: Joints on the panel; NaN if unknown or not shown.
        depth: Their distances, metres; NaN like the pixels.
        shadow: The joints' places on the floor, on the panel.
        guessed: Whether a joint is a guess.
        scale: Pixels of a metre at the body.
    """

    person: int
    skeleton: Skeleton
    pixels: Float[np.ndarray, "J 2"]
    depth: Float[np.ndarray, " J"]
    shadow: Float[np.ndarray, "J 2"]
    guessed: Bool[np.ndarray, " J"]
    scale: float

    @staticmethod
    def of(
        person: int,
        skeleton: Skeleton,
        pose: Float[np.ndarray, "J 3"],
        guessed: Bool[np.ndarray, " J"],
        camera: ViewCamera,
    ) -> "Body | None":
        """Project a pose (metres, world); None if no joint of it is shown."""
        pixels, depth = camera.project(pose)
        if not np.isfinite(depth).any():
            return None
        scale = camera.pixels(1.0, float(np.nanmean(depth)))
        return Body(person, skeleton, pixels, depth, camera.project(pose * [1.0, 0.0, 1.0])[0], guessed, scale)

    @property
    def distance(self) -> float:
        """Mean distance of the joints, metres."""
        return float(np.nanmean(self.depth))

    def draw_shadow(self, image: drawing.Image) -> None:
        """Draw the shadow of a light straight above."""
        known = np.isfinite(self.shadow).all(axis=1) & np.isfinite(self.depth)
        for a, b in self.skeleton.bones:
            if known[a] and known[b]:
                drawing.line(image, self.shadow[a], self.shadow[b], SHADOW, self._thickness(b))

    def draw(self, image: drawing.Image) -> None:
        """Draw limbs and trunk from far to near, near ones brighter.

        Limbs with a guessed end are faint and dashed; those with an unknown end are left out.
        """
        known, trunk = np.isfinite(self.depth), self._trunk()
        parts: list[tuple[int, ...]] = [bone for bone in self.skeleton.bones if known[list(bone)].all()]
        if trunk:
            parts = [trunk, *(bone for bone in parts if self._part(bone[1]) not in TRUNK_BONES)]
        depths = [float(self.depth[list(part)].mean()) for part in parts]
        reach = max(float(np.nanmax(self.depth) - np.nanmin(self.depth)), 0.3)
        for depth, part in sorted(zip(depths, parts, strict=True), reverse=True):
            fading = _DARKEST * float(np.clip(0.5 + (depth - self.distance) / reach, 0, 1))
            if part == trunk:
                self._draw_trunk(image, part, fading)
            elif self.guessed[list(part)].any():
                self._draw_guess(image, part[0], part[1])
            else:
                self._draw_limb(image, part[0], part[1], fading)

    def top(self) -> Float[np.ndarray, " 2"]:
        """Where a label belongs on the panel: over the head, above the highest joint."""
        highest = int(np.nanargmin(self.pixels[:, 1]))
        head = self.pixels[self.skeleton.index("head")] if "head" in self.skeleton.joints else self.pixels[highest]
        across = head if np.isfinite(head).all() else self.pixels[highest]
        return np.array([across[0], self.pixels[highest, 1]])

    def _trunk(self) -> tuple[int, ...]:
        """The joints of the trunk; none if one is missing, unknown or guessed."""
        if not set(TRUNK) <= set(self.skeleton.joints):
            return ()
        corners = tuple(self.skeleton.index(joint) for joint in TRUNK)
        sure = np.isfinite(self.depth) & ~self.guessed
        return corners if sure[list(corners)].all() else ()

    def _draw_trunk(self, image: drawing.Image, corners: tuple[int, ...], fading: float) -> None:
        outline, edge = max(2, round(0.02 * self.scale)), max(2, round(ROUNDING * self.scale))
        around = drawing.hull(self.pixels[list(corners)])
        drawing.outline(image, around, OUTLINE, edge + outline)
        drawing.outline(image, around, blend(self._colour, BACKGROUND, fading), edge)
        drawing.polygon(image, around, blend(self._colour, BACKGROUND, fading))

    def _draw_limb(self, image: drawing.Image, a: int, b: int, fading: float) -> None:
        start, end, thickness = self.pixels[a], self.pixels[b], self._thickness(b)
        if self.skeleton.joints[b] == "head":
            start, end = (start + (end - start) * share for share in SKULL)
        drawing.line(image, start, end, OUTLINE, thickness + max(2, round(0.02 * self.scale)))
        drawing.line(image, start, end, blend(self._colour, BACKGROUND, fading), thickness)
        side = self.skeleton.side(b)
        if side != "middle":
            drawing.line(image, start, end, blend(SIDE_COLOURS[side], BACKGROUND, fading / 2), self._bone(b))

    def _draw_guess(self, image: drawing.Image, a: int, b: int) -> None:
        colour = blend(self._colour, BACKGROUND, GUESS_FADING)
        drawing.dashed_line(image, self.pixels[a], self.pixels[b], colour, self._bone(b))

    @property
    def _colour(self) -> RGB:
        return person_colour(self.person)

    def _part(self, joint: int) -> str:
        """The name of a joint without its side."""
        return self.skeleton.joints[joint].removeprefix("left_").removeprefix("right_")

    def _thickness(self, joint: int) -> int:
        return max(2, round(self.scale * THICKNESS.get(self._part(joint), USUAL_THICKNESS)))

    def _bone(self, joint: int) -> int:
        return max(1, round(BONE * self._thickness(joint)))

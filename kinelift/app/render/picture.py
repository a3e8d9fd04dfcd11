"""The picture panel: 2D skeletons, ids and actions on the video's own frames."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from kinelift.app.render import ink
from kinelift.app.render.style import OUTLINE, SIDES, Strokes, accent, toward
from kinelift.poses import Frame, Person, Recording

FAINT = 0.25
"""Joints of lower scores are not drawn unless they were filled in between better ones."""


@dataclass(frozen=True, eq=False)
class PicturePanel:
    """Draws everybody on a frame scaled to ``size`` (width, height)."""

    recording: Recording
    size: tuple[int, int]

    def draw(self, frame: Frame) -> UInt8[np.ndarray, "H W 3"]:
        """The frame with everybody who is tracked in it."""
        scale = np.array(self.size) / (frame.image.shape[1], frame.image.shape[0])
        picture = _resized(frame.image, self.size)
        present = [p for p in self.recording.people if p.track.start <= frame.index < p.track.stop]
        for person in present:
            _draw_person(picture, person, frame, scale)
        for person in present:
            _draw_label(picture, person, frame, scale)
        return picture


def _resized(image: UInt8[np.ndarray, "H W 3"], size: tuple[int, int]) -> UInt8[np.ndarray, "h w 3"]:
    """A copy of ``size``. Averaging areas looks better but costs five times as much: for strong shrinking only."""
    if image.shape[1::-1] == size:
        return image.copy()
    way = cv2.INTER_LINEAR if size[0] > 0.5 * image.shape[1] else cv2.INTER_AREA
    return cv2.resize(image, size, interpolation=way).astype(np.uint8, copy=False)


def _draw_person(picture: np.ndarray, person: Person, frame: Frame, scale: np.ndarray) -> None:
    track, t = person.track, frame.index - person.track.start
    points, strokes = track.points[t] * scale, Strokes.of(picture.shape[0])
    filled = track.filled[t]
    shown = np.isfinite(points).all(1) & ((track.scores[t] >= FAINT) | filled)
    bones = [(a, b) for a, b in track.skeleton.links if shown[a] and shown[b]]
    for a, b in bones:
        ink.line(picture, points[a], points[b], OUTLINE, strokes.outline)
    for a, b in bones:
        colour = SIDES[_side(person, a, b)]
        dim = 0.55 if filled[a] or filled[b] else 0.0
        ink.line(picture, points[a], points[b], toward(colour, OUTLINE, dim), strokes.line)
    for j in np.flatnonzero(shown).tolist():
        colour = toward(SIDES[track.skeleton.side(j)], OUTLINE, 0.55 if filled[j] else 0.0)
        ink.disc(picture, points[j], strokes.joint, colour)


def _side(person: Person, a: int, b: int) -> str:
    """A bone takes the side of its ends if they agree; what joins left and right is in the middle."""
    sides = {person.track.skeleton.side(a), person.track.skeleton.side(b)} - {"middle"}
    return sides.pop() if len(sides) == 1 else "middle"


def _draw_label(picture: np.ndarray, person: Person, frame: Frame, scale: np.ndarray) -> None:
    points = person.track.points[frame.index - person.track.start] * scale
    if not np.isfinite(points).all(1).any():
        return
    strokes = Strokes.of(picture.shape[0])
    left, top = np.nanmin(points, 0)
    right = np.nanmax(points[:, 0])
    anchor = ((left + right) / 2, top - 3 * strokes.joint)
    ink.label(picture, caption(person, float(frame.time)), anchor, accent(person.id), strokes.text)


def caption(person: Person, time: float) -> str:
    """Id, and the action under way with its probability."""
    action = person.action_at(time)
    if action is None or action.label == "unknown":
        return f"{person.id}"
    return f"{person.id}  {action.label} {100 * action.probability:.0f} %"

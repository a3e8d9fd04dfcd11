"""The overlay panel: 2D skeletons, ids and actions drawn on the frames of the video."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import UInt8

from kinelift.app.render import drawing, text
from kinelift.app.render.style import OUTLINE, SIDE_COLOURS, Strokes, blend, person_colour
from kinelift.poses import Action, Frame, Person, Recording, Skeleton

MIN_SCORE = 0.25
"""Detected joints with lower scores are not drawn. Interpolated joints always are."""
_INTERPOLATED_DIMMING = 0.55


@dataclass(frozen=True, eq=False)
class OverlayPanel:
    """Draws everybody on the video's frames.

    Args:
        recording: What to draw.
        size: Width and height of the panel in pixels; frames are scaled to it.
    """

    recording: Recording
    size: tuple[int, int]

    def paint(self, frame: Frame, image: UInt8[np.ndarray, "H W 3"]) -> None:
        """Draw the frame, and everybody who is tracked in it."""
        scale = np.array(self.size) / (frame.image.shape[1], frame.image.shape[0])
        _resize(frame.image, image)
        present = [p for p in self.recording.people if p.track.start <= frame.index < p.track.stop]
        for person in present:
            _draw_person(image, person, frame, scale)
        for person in present:
            _draw_label(image, person, frame, scale)


def _resize(source: UInt8[np.ndarray, "H W 3"], image: UInt8[np.ndarray, "h w 3"]) -> None:
    """Copy a picture into one of another size.

    Area averaging looks better but is five times slower: it is used for strong shrinking only.
    """
    if image.shape == source.shape:
        np.copyto(image, source)
        return
    interpolation = cv2.INTER_LINEAR if image.shape[1] > 0.5 * source.shape[1] else cv2.INTER_AREA
    cv2.resize(source, image.shape[1::-1], dst=image, interpolation=interpolation)


def _draw_person(image: np.ndarray, person: Person, frame: Frame, scale: np.ndarray) -> None:
    track, t = person.track, frame.index - person.track.start
    points, strokes = track.points[t] * scale, Strokes.of(image.shape[0])
    interpolated = track.filled[t]
    visible = np.isfinite(points).all(1) & ((track.scores[t] >= MIN_SCORE) | interpolated)
    bones = [(a, b) for a, b in track.skeleton.links if visible[a] and visible[b]]
    place = drawing.fixed(points)
    drawing.lines(image, place[np.reshape(bones, (-1, 2)).astype(int)], OUTLINE, strokes.outline)
    for a, b in bones:
        colour = SIDE_COLOURS[_side(track.skeleton, a, b)]
        dimming = _INTERPOLATED_DIMMING if interpolated[a] or interpolated[b] else 0.0
        drawing.line(image, place[a], place[b], blend(colour, OUTLINE, dimming), strokes.line)
    for j in np.flatnonzero(visible).tolist():
        dimming = _INTERPOLATED_DIMMING if interpolated[j] else 0.0
        colour = blend(SIDE_COLOURS[_side(track.skeleton, j, j)], OUTLINE, dimming)
        drawing.disc(image, place[j], strokes.joint, colour)


@lru_cache(maxsize=1024)
def _side(skeleton: Skeleton, a: int, b: int) -> str:
    """The side of a bone: that of its ends if they agree; a bone that joins left and right is in the middle."""
    sides = {skeleton.side(a), skeleton.side(b)} - {"middle"}
    return sides.pop() if len(sides) == 1 else "middle"


def _draw_label(image: np.ndarray, person: Person, frame: Frame, scale: np.ndarray) -> None:
    points = person.track.points[frame.index - person.track.start] * scale
    if not np.isfinite(points).all(1).any():
        return
    strokes = Strokes.of(image.shape[0])
    left, top = np.nanmin(points, 0)
    right = np.nanmax(points[:, 0])
    anchor = ((left + right) / 2, top - 3 * strokes.joint)
    text.label(image, caption(person, float(frame.time)), anchor, person_colour(person.id), strokes.text)


def caption(person: Person, time: float) -> str:
    """The label of a person: id, and the current action with its probability.

    Args:
        person: The person.
        time: Time in the video (s).
    """
    return described(person.id, person.action_at(time))


def described(person: int, action: Action | None) -> str:
    """A person's id, and an action with its probability."""
    if action is None or action.label == "unknown":
        return f"{person}"
    return f"{person}  {action.label} {100 * action.probability:.0f} %"

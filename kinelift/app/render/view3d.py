"""The 3D panel: people on one floor, seen from the side and above by a camera that follows those who matter."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import UInt8

from kinelift.app.render import legend, text
from kinelift.app.render.body import Body
from kinelift.app.render.floor import draw_floor
from kinelift.app.render.framing import CameraPath, follow
from kinelift.app.render.overlay import caption
from kinelift.app.render.scene import Actor, build_scene
from kinelift.app.render.style import BACKGROUND, Strokes, person_colour
from kinelift.app.render.view_camera import ViewCamera
from kinelift.poses import Frame, Person, Recording


@dataclass(frozen=True, eq=False)
class View3DPanel:
    """Draws the 3D poses of a recording.

    Args:
        recording: What to draw.
        size: Width and height of the panel in pixels.
    """

    recording: Recording
    size: tuple[int, int]

    def paint(self, frame: Frame, image: UInt8[np.ndarray, "H W 3"]) -> None:
        """Draw everybody who has a pose in a frame, from far to near."""
        np.copyto(image, _background(self.size))
        camera = self._path.at(frame.index)
        draw_floor(image, camera)
        bodies = sorted(self._bodies(frame.index, camera), key=lambda body: -body.distance)
        for body in bodies:
            body.draw_shadow(image)
        for body in bodies:
            body.draw(image)
        for body in bodies:
            self._draw_label(image, body, float(frame.time))
        self._draw_legend(image, frame)

    @cached_property
    def _actors(self) -> tuple[Actor, ...]:
        return build_scene(self.recording)

    @cached_property
    def _people(self) -> dict[int, Person]:
        return {person.id: person for person in self.recording.people}

    @cached_property
    def _path(self) -> CameraPath:
        return follow(self._actors, self.recording.video.times, self.size)

    @cached_property
    def _legend(self) -> UInt8[np.ndarray, "h W 3"]:
        guesses = any(actor.guessed.any() for actor in self._actors)
        return legend.legend(self.size[0], self._text_height, guesses)

    @property
    def _text_height(self) -> float:
        return Strokes.of(self.size[1]).text

    def _bodies(self, frame: int, camera: ViewCamera) -> Sequence[Body]:
        shown = []
        for actor in self._actors:
            pose = actor.at(frame)
            if pose is None:
                continue
            body = Body.of(actor.id, actor.skeleton, pose, actor.guessed[frame - actor.start], camera)
            if body is not None:
                shown.append(body)
        return shown

    def _draw_label(self, image: np.ndarray, body: Body, time: float) -> None:
        """Write who somebody is, and what they do, above the highest joint."""
        anchor = body.top() - [0.0, 0.5 * self._text_height + 0.1 * body.scale]
        if (anchor >= 0).all() and (anchor < self.size).all():
            words = caption(self._people[body.person], time)
            text.label(image, words, anchor, person_colour(body.person), self._text_height)

    def _draw_legend(self, image: np.ndarray, frame: Frame) -> None:
        strip = self._legend[: self.size[1]]
        image[self.size[1] - len(strip) :] = strip
        height = 1.2 * self._text_height
        text.write(image, legend.clock(frame.time), height, 1.6 * height, height)


@lru_cache(maxsize=4)
def _background(size: tuple[int, int]) -> UInt8[np.ndarray, "H W 3"]:
    """What is behind everything, the same for all panels of a size: nobody may draw on it."""
    image = np.empty((size[1], size[0], 3), dtype=np.uint8)
    shade = np.linspace(1.25, 0.75, size[1])[:, None, None]
    image[:] = np.clip(np.array(BACKGROUND) * shade, 0, 255).astype(np.uint8)
    return image

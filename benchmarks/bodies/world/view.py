"""Pictures of people in the world from the side: stick figures over the floor at several times."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.bodies.side_view import COLOURS
from benchmarks.bodies.world.scene import Actor, Scene
from kinelift.poses.output import make_folder, replacing

TIMES = 8
"""Number of stick figures per person."""
PLANES = {"from the camera's place": 0, "from the side": 2}
"""The horizontal axis of each view: the world's x and z."""


def draw(scene: Scene, name: str, folder: Path) -> Path:
    """Write two side views of everybody to ``folder``; a dot is a joint in contact, and the grey line the floor."""
    figure = Figure(figsize=(16, 9), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 1)
    for ax, (title, axis) in zip(axes, PLANES.items(), strict=True):
        ax.axhline(0, color="grey", linewidth=1)
        for actor in scene.actors:
            if actor is not None:
                _person(ax, actor, axis)
        ax.set(aspect="equal", title=f"{name}, {title}", ylabel="m")
    path = make_folder(folder) / f"{name}.png"
    with replacing(path) as part:
        figure.savefig(part, format="png", dpi=90)
    return path


def _person(ax: Axes, actor: Actor, axis: int) -> None:
    """Stick figures at evenly spaced times, and the path of each foot."""
    for k in np.linspace(0, len(actor.joints) - 1, TIMES, dtype=int):
        flat = actor.joints[k][:, [axis, 1]]
        for parent, child in actor.skeleton.bones:
            ax.plot(*flat[[parent, child]].T, color=COLOURS[actor.skeleton.side(child)], linewidth=1.5)
        if actor.contact is not None:
            ax.plot(*flat[actor.contact[k]].T, "k.", markersize=6)
        ax.annotate(f"{actor.start + k}", flat[actor.skeleton.index("head")], fontsize=7)
    for foot in ("left", "right"):
        path = actor.joints[:, actor.part(foot, "toe")][:, [axis, 1]]
        ax.plot(*path.T, color=COLOURS[foot], linewidth=0.5)

"""Draw the people of a recording from the front and the side, which shows flexion and lean, as a PNG.

    python -m benchmarks.bodies.side_view RECORDING -o FILE.png [--frames 70 90 110]

For each frame and person, the upper picture is the camera's view and the lower one the view from the camera's right,
with the camera on the left. Left limbs are blue, right ones red. Axes are the camera's, in metres. The title gives the
flexion of knees and elbows in degrees.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tyro.conf import Positional, arg

from benchmarks.bodies.body_angles import flexion
from kinelift.poses import Person, Poses3D, Skeleton
from kinelift.poses.errors import DataError
from kinelift.poses.output import replacing
from kinelift.poses.recording import load

COLOURS = {"left": "tab:blue", "right": "tab:red", "middle": "black"}
COLUMNS = 6
"""Number of frames to draw by default."""
HALF = 1.1
"""Distance from the hip to the edge of a picture, m."""


def main(
    recording: Annotated[Positional[Path], arg(metavar="RECORDING")],
    out: Annotated[Path, arg(aliases=["-o"], metavar="FILE")] = Path("side.png"),
    frames: tuple[int, ...] = (),
) -> None:
    """Draw the figure.

    Args:
        recording: The recording.npz that ``kinelift run`` wrote.
        out: The PNG to write.
        frames: Frame numbers to draw; by default a few, evenly spaced.
    """
    made = load(recording)
    chosen = frames or np.linspace(0, len(made.video.times) - 1, COLUMNS + 2, dtype=int)[1:-1].tolist()
    drawn = drawing(made.people, chosen)
    with replacing(out) as part:
        drawn.savefig(part, format="png", dpi=100)


def drawing(people: Sequence[Person], frames: Sequence[int]) -> Figure:
    """The figure, with two rows per person and one column per frame.

    Raises:
        DataError: The recording has no 3D poses.
    """
    lifted = [(who, who.poses) for who in people if who.poses is not None]
    if not lifted:
        raise DataError("This recording has no 3D poses. Make one with: kinelift run VIDEO")
    figure = Figure(figsize=(2.6 * len(frames), 5.4 * len(lifted)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2 * len(lifted), len(frames), squeeze=False)
    for row, (who, poses) in enumerate(lifted):
        for column, frame in enumerate(frames):
            pair = list(axes[2 * row : 2 * row + 2, column])
            _column(pair, poses, frame - who.track.start, f"person {who.id}, frame {frame}")
    return figure


def _column(pair: Sequence[Axes], poses: Poses3D, k: int, title: str) -> None:
    """Draw front and side of one frame; empty if the person is not in it."""
    for ax, name in zip(pair, ("front", "side"), strict=True):
        ax.set(xlim=(-HALF, HALF), ylim=(-HALF, HALF), aspect="equal", ylabel=name)
        ax.tick_params(labelsize=6)
    pair[0].set_title(title, fontsize=8)
    if not (0 <= k < len(poses)) or not np.isfinite(poses.points[k]).all():
        return
    points = poses.points[k]
    _skeleton(pair[0], points[:, [0, 1]] * [1, -1], poses.skeleton)
    _skeleton(pair[1], points[:, [2, 1]] * [1, -1], poses.skeleton)
    knees, elbows = (flexion(points, hinge, poses.skeleton).round().astype(int) for hinge in ("knee", "elbow"))
    pair[1].set_title(f"knees {knees[0]}° {knees[1]}°, elbows {elbows[0]}° {elbows[1]}°", fontsize=7)


def _skeleton(ax: Axes, flat: Float[np.ndarray, "J 2"], skeleton: Skeleton) -> None:
    for parent, child in skeleton.bones:
        ax.plot(*flat[[parent, child]].T, color=COLOURS[skeleton.side(child)], linewidth=2)


if __name__ == "__main__":
    tyro.cli(main)

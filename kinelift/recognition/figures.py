"""Writing of figures."""

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kinelift.poses.output import make_folder, replacing


def write_png(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG, in one move; its folder is made.

    Raises:
        OutputError: The file or its folder cannot be written.
    """
    make_folder(path.parent)
    with replacing(path) as part, part.open("wb") as file:
        FigureCanvasAgg(figure).print_png(file)

"""The command ``kinelift``, also available as ``python -m kinelift``."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module

from kinelift.terminal.boundary import run_guarded
from kinelift.terminal.standard_output import writing_standard_output

ANALYSIS = ("run", "detect", "live", "render", "export", "info")
GROUPS = ("weights", "lifting", "recognition")
USAGE = "usage: kinelift [-h] [--version] COMMAND ..."
HELP = f"""{USAGE}

Turn videos of people into 3D poses, actions, and a video with the skeletons drawn.

analysis:
  run          Analyse videos: poses, actions, and the video with skeletons drawn
  detect       Detect and track people only, and write their 2D keypoints
  live         Follow people in front of a camera, in a window
  render       Redraw a recording on its video
  export       Convert a recording: BVH, GLB, TRC, MOT, C3D, angles, JSON, CSV, NPZ, a page, a figure
  info         Print a video's size, frame rate, duration and codecs

networks:
  weights      Manage weights: list, fetch, verify, record, import
  lifting      Train and evaluate lifters: prepare, convert, train, specialists, evaluate, relift
  recognition  Train and evaluate action classifiers: convert, search, train, evaluate, encode

options:
  -h, --help   Show this help, or with a command the help of that command
  --version    Print the version

examples:
  kinelift run dance.mp4                               # writes out/dance/overlay.mp4 and more
  kinelift export out/dance/recording.npz --to json    # writes out/dance/poses3d.json

See "kinelift COMMAND --help" for the options of a command.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command and its arguments; by default those in ``sys.argv``.

    Returns:
        The exit status.
    """
    return run_guarded(partial(_run, list(sys.argv[1:] if arguments is None else arguments)))


def run_deprecated(group: str) -> int:
    """Run the deprecated form ``python -m GROUP`` as the command that replaced it, after printing a warning.

    Args:
        group: "app", or a group of commands.

    Returns:
        The exit status.
    """
    command = [] if group == "app" else [group]
    if int(os.environ.get("RANK", "0")) == 0:
        current = " ".join(["kinelift", *command])
        warning = f"python -m {group} is deprecated and will be removed in the next release; use: {current}"
        print(warning, file=sys.stderr)  # noqa: T201
    return main([*command, *sys.argv[1:]])


def _run(arguments: list[str]) -> int | None:
    match arguments:
        case [("-h" | "--help"), *_]:
            return _print(HELP)
        case ["--version", *_]:
            from kinelift import __version__

            return _print(f"kinelift {__version__}\n")
        case [command, *_] if command in ANALYSIS:
            return _run_from("kinelift.app.cli", arguments)
        case [group, *rest] if group in GROUPS:
            return _run_from(f"kinelift.{group}.commands", rest)
        case [other, *_]:
            from kinelift.terminal.reporter import visible

            return _usage_error(f"{USAGE}\nerror: Unknown command: {visible(other)}. See: kinelift --help\n")
        case _:
            return _usage_error(HELP)


def _run_from(module: str, arguments: list[str]) -> int | None:
    """Run a command from a module, imported only now to keep ``kinelift --help`` fast."""
    status: int | None = import_module(module).main(arguments)
    return status


def _print(text: str) -> int:
    with writing_standard_output():
        print(text, end="")  # noqa: T201
    return 0


def _usage_error(text: str) -> int:
    print(text, end="", file=sys.stderr)  # noqa: T201
    return 2


if __name__ == "__main__":
    sys.exit(main())

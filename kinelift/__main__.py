"""``kinelift COMMAND``, also as ``python -m kinelift``: finds the commands that are asked for, and runs one."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module

from kinelift.terminal.boundary import guarded, writing_standard_output

ANALYSIS = ("run", "detect", "render", "export", "info")
GROUPS = ("weights", "lifting", "recognition")
USAGE = "usage: kinelift [-h] [--version] COMMAND ..."
HELP = f"""{USAGE}

A video goes in; a rendered 3D-skeleton video, the poses as data, and a timeline of actions come out.

your videos:
  run          Analyse videos: poses, actions, and the video with skeletons drawn
  detect       Write where people's joints are in the picture, without 3D
  render       Draw a recording on its video again
  export       Write a recording for other programs
  info         Show what a video file is

networks:
  weights      list, fetch, verify, record, import
  lifting      prepare, convert, train, specialists, evaluate, relift
  recognition  convert, search, train, evaluate, encode

examples:
  kinelift run dance.mp4                                   # writes out/dance/overlay.mp4 and more
  kinelift export out/dance/recording.npz --to json        # writes out/dance/poses3d.json

kinelift COMMAND --help shows what a command takes.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; ``arguments`` are those of the process if not given. Returns the exit status."""
    return guarded(partial(_run, list(sys.argv[1:] if arguments is None else arguments)))


def moved(group: str) -> int:
    """Run ``python -m GROUP`` (or ``app``) as the command it is now, and say so once."""
    command = [] if group == "app" else [group]
    if int(os.environ.get("RANK", "0")) == 0:
        now = " ".join(["kinelift", *command])
        print(f"python -m {group} is now: {now}; this form goes with the next release.", file=sys.stderr)  # noqa: T201
    return main([*command, *sys.argv[1:]])


def _run(arguments: list[str]) -> int | None:
    match arguments:
        case [("-h" | "--help"), *_]:
            return _print(HELP)
        case ["--version", *_]:
            from kinelift import __version__

            return _print(f"kinelift {__version__}\n")
        case [command, *_] if command in ANALYSIS:
            status: int | None = import_module("kinelift.app.cli").main(arguments)
            return status
        case [group, *rest] if group in GROUPS:
            ended: int | None = import_module(f"kinelift.{group}.commands").main(rest)
            return ended
        case [other, *_]:
            from kinelift.terminal.reporter import visible

            return _refuse(f"{USAGE}\nerror: There is no command {visible(other)}. See: kinelift --help\n")
        case _:
            return _refuse(HELP)


def _print(text: str) -> int:
    with writing_standard_output():
        print(text, end="")  # noqa: T201
    return 0


def _refuse(text: str) -> int:
    print(text, end="", file=sys.stderr)  # noqa: T201
    return 2


if __name__ == "__main__":
    sys.exit(main())

"""``kinelift run | detect | render | export | info``, also as ``python -m app``."""

import sys
from collections.abc import Callable, Sequence

import tyro

from kinelift.app import cli
from kinelift.app.interrupt import INTERRUPTED, NOBODY_READS, mute, unwinding
from kinelift.app.reporter import Reporter
from kinelift.poses.errors import KineliftError


def main(args: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status: 1 for what the user can mend, 130 for Ctrl-C; tyro leaves with 2."""
    commands: dict[str, Callable[..., int]] = {
        "run": cli.run,
        "detect": cli.detect,
        "render": cli.render,
        "export": cli.export,
        "info": cli.info,
    }
    try:
        with unwinding():
            return tyro.extras.subcommand_cli_from_dict(
                commands, prog="kinelift", args=args, config=(tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone)
            )
    except KineliftError as error:
        Reporter().error(error)
        return 1
    except KeyboardInterrupt:
        Reporter().error("Interrupted. Results that were complete are kept.")
        return INTERRUPTED
    except BrokenPipeError:
        mute()
        return NOBODY_READS


if __name__ == "__main__":
    sys.exit(main())

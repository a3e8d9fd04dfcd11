"""Commands are typed functions: their signatures are the options, their docstrings the help."""

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tyro

from kinelift.terminal.boundary import writing_standard_output
from kinelift.terminal.reporter import visible

Command = Callable[..., int | None]


def optional(metavar: str, *aliases: str) -> Any:
    """Annotates an option that may be left out: the help says what happens then, not ``(default: None)``."""
    return tyro.conf.arg(metavar=metavar, aliases=aliases or None, help_behavior_hint="")


def run_command(
    commands: Mapping[str, Command], prog: str, description: str, arguments: Sequence[str], *markers: Any
) -> int | None:
    """Run the command that ``arguments`` begin with, and return what it returns.

    Leaves with ``SystemExit``: status 2 and the reason on standard error for wrong usage, 0 after ``--help``.
    """
    deferred = {name: _deferred(command) for name, command in commands.items()}
    parse = functools.partial(
        tyro.extras.subcommand_cli_from_dict, deferred, prog=prog, description=description, config=markers
    )
    shown = [visible(argument) for argument in arguments]
    with writing_standard_output():
        if shown != list(arguments):
            parse(args=shown)  # what is wrong is told by names that can be shown
        call: Callable[[], int | None] = parse(args=list(arguments))
    return call()


def _deferred(command: Command) -> Callable[..., Callable[[], int | None]]:
    """``command`` for the parser: called, it gives what to call later. Its help is plain text."""

    @functools.wraps(command)
    def later(*args: Any, **options: Any) -> Callable[[], int | None]:
        return functools.partial(command, *args, **options)

    later.__doc__ = _plain(inspect.getdoc(command) or "")
    return later


def _plain(docstring: str) -> str:
    """Without the marks of reStructuredText, and with lines joined that were broken for the source's sake.

    Only the summary, the paragraphs and ``Args`` are kept: the rest (Raises, Returns) is for Python.
    """
    text = re.split(r"^(?:Returns|Raises|Yields):\n", docstring.replace("``", ""), flags=re.MULTILINE)[0]
    return re.sub(r"(?<!\n)\n(?: {8})?(?=\S)(?!Args:)", " ", text)

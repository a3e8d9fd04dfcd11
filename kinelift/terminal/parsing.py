"""Commands are typed functions: their signatures are the options, their docstrings the help."""

import ast
import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from itertools import pairwise
from typing import Annotated, Any, get_type_hints

import tyro
from tyro.constructors import ConstructorRegistry, StructConstructorSpec, StructFieldSpec, StructTypeInfo

from kinelift.terminal.boundary import writing_standard_output
from kinelift.terminal.reporter import visible

Command = Callable[..., int | None]


def run_command(
    commands: Mapping[str, Command], prog: str, description: str, arguments: Sequence[str], *markers: Any
) -> int | None:
    """Run the command that ``arguments`` begin with, and return what it returns.

    Args:
        commands: Functions by the names that users type.
        prog: What users type before that name.
        description: What the commands have in common, for the help.
        arguments: The words after ``prog``.
        markers: Of ``tyro.conf``, for all commands.

    Raises:
        SystemExit: With status 2 and the reason on standard error for wrong usage, with 0 after ``--help``.
    """
    deferred = {name: _deferred(command) for name, command in commands.items()}
    registry = ConstructorRegistry()
    registry.struct_rule(_settings)
    parse = functools.partial(
        tyro.extras.subcommand_cli_from_dict,
        deferred,
        prog=prog,
        description=description,
        config=markers,
        registry=registry,
    )
    shown = [visible(argument) for argument in arguments]
    with writing_standard_output():
        if shown != list(arguments):
            parse(args=shown)  # what is wrong is told by names that can be shown
        call: Callable[[], int | None] = parse(args=list(arguments))
    return call()


def _deferred(command: Command) -> Callable[..., Callable[[], int | None]]:
    """``command`` for the parser: called, it gives what to call later. Its help is plain text."""

    def later(*args: Any, **options: Any) -> Callable[[], int | None]:
        return functools.partial(command, *args, **options)

    help_text = _plain(inspect.getdoc(command))
    signature, hints = inspect.signature(command), get_type_hints(command, include_extras=True)
    for name, hint in hints.items():
        if is_dataclass(hint) and f"\n    {name}: " not in help_text:
            hints[name] = Annotated[hint, tyro.conf.arg(help=_plain(hint.__doc__))]
    parameters = {name: _tidied(hints[name], each.default) for name, each in signature.parameters.items()}
    chosen = [each.replace(annotation=parameters[name]) for name, each in signature.parameters.items()]
    vars(later).update(__signature__=signature.replace(parameters=chosen))
    later.__annotations__ = parameters
    vars(later).pop("__wrapped__", None)  # of a decorator that checks shapes: tyro would look behind it
    later.__doc__ = help_text
    return later


def _settings(info: StructTypeInfo) -> StructConstructorSpec | None:
    """A dataclass whose fields are options; the docstrings below them, or ``Args`` of its own one, are their help."""
    kind = info.type
    if not (isinstance(kind, type) and is_dataclass(kind)) or kind.__module__.startswith("tyro."):
        return None
    hints, helps = get_type_hints(kind, include_extras=True), _field_docstrings(kind)
    found = []
    for each in fields(kind):
        default = getattr(info.default, each.name) if isinstance(info.default, kind) else each.default
        if default is MISSING:
            default = each.default_factory() if each.default_factory is not MISSING else tyro.MISSING
        text = helps.get(each.name) or (_plain(each.type.__doc__) if is_dataclass(each.type) else None)
        found.append(StructFieldSpec(each.name, _tidied(hints[each.name], default), default, text))
    return StructConstructorSpec(kind, tuple(found))


def _tidied(annotation: Any, default: object) -> Any:
    """``annotation`` of an option; where nothing is the default, the help does not call it ``(default: None)``."""
    unset = default is None or default in ((), {}, "")
    markers = [tyro.conf.DisallowNone] if default is None else []
    hints = [getattr(each, "help_behavior_hint", None) for each in getattr(annotation, "__metadata__", ())]
    if unset and not any(hint is not None for hint in hints):
        markers.append(tyro.conf.arg(help_behavior_hint=""))
    for marker in markers:
        annotation = Annotated[annotation, marker]
    return annotation


def _field_docstrings(kind: type) -> dict[str, str]:
    """Field → the string that stands below it in the source, of ``kind`` and of the dataclasses it derives from."""
    found: dict[str, str] = {}
    for base in filter(is_dataclass, reversed(kind.__mro__)):
        found |= dict(re.findall(r"^    (\w+): (.*)$", _plain(base.__doc__), re.MULTILINE))
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(definition, ast.ClassDef)
        for statement, below in pairwise(definition.body):
            match statement, below:
                case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                    found[name] = _plain(text)
    return found


def _plain(docstring: str | None) -> str:
    """Without the marks of reStructuredText and what is for Python only, and with lines joined to paragraphs."""
    text = inspect.cleandoc(docstring or "").replace("``", "")
    text = re.split(r"^(?:Returns|Raises|Yields):\n", text, flags=re.MULTILINE)[0]
    text = re.sub(r"(?<!\n)\n(?: {8})?(?=\S)(?!(?:Args|Attributes):)", " ", text)
    return re.sub(r"(?:^|\s+)Raises [^.]*\.(?=\s|$)", "", text).strip()

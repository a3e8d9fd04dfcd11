"""Builds command-line interfaces from typed functions: signatures become options, and docstrings become help."""

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

from kinelift.poses.overwriting import check_arguments
from kinelift.terminal.reporter import visible
from kinelift.terminal.standard_output import writing_standard_output

Command = Callable[..., int | None]


def run_command(
    commands: Mapping[str, Command], prog: str, description: str, arguments: Sequence[str], *markers: Any
) -> int | None:
    """Run the command named by the first argument.

    Args:
        commands: The functions, keyed by the names that users type.
        prog: What users type before that name.
        description: Description of the commands as a group, for the help.
        arguments: The arguments after ``prog``.
        markers: Markers of ``tyro.conf`` for all commands.

    Returns:
        What the function returns: its exit status.

    Raises:
        SystemExit: With status 2 for wrong usage, with the reason on standard error; with status 0 after ``--help``.
    """
    deferred = {name: _deferred(command) for name, command in commands.items()}
    for name, command in deferred.items():
        if name not in arguments[:1]:  # at most listed in the help
            command.__doc__ = (command.__doc__ or "").partition("\n")[0]
    registry = ConstructorRegistry()
    registry.struct_rule(_struct_spec)
    parse = functools.partial(
        tyro.extras.subcommand_cli_from_dict,
        deferred,
        prog=prog,
        description=description,
        config=markers,
        registry=registry,
    )
    printable = [visible(argument) for argument in arguments]
    with writing_standard_output():
        if printable != list(arguments):
            parse(args=printable)  # any usage error then quotes printable names
        call: Callable[[], int | None] = parse(args=list(arguments))
    return call()


def _deferred(command: Command) -> Callable[..., Callable[[], int | None]]:
    """A copy of ``command`` for the parser: calling it binds the arguments without running the command.

    What it returns checks that no output would replace an input, then runs the command.
    """
    signature, hints = inspect.signature(command), get_type_hints(command, include_extras=True)

    def bind(*args: Any, **options: Any) -> Callable[[], int | None]:
        def call() -> int | None:
            check_arguments(signature.bind(*args, **options).arguments)
            return command(*args, **options)

        return call

    help_text = _plain_text(inspect.getdoc(command))
    for name, hint in hints.items():
        if is_dataclass(hint) and f"\n    {name}: " not in help_text:
            hints[name] = Annotated[hint, tyro.conf.arg(help=_plain_text(hint.__doc__))]
    annotations = {
        name: _without_empty_default(hints[name], parameter.default) for name, parameter in signature.parameters.items()
    }
    parameters = [parameter.replace(annotation=annotations[name]) for name, parameter in signature.parameters.items()]
    vars(bind).update(__signature__=signature.replace(parameters=parameters))
    bind.__annotations__ = annotations
    vars(bind).pop("__wrapped__", None)  # set by a decorator that checks shapes; tyro would inspect what it wraps
    bind.__doc__ = help_text
    return bind


def _struct_spec(info: StructTypeInfo) -> StructConstructorSpec | None:
    """Turn the fields of a dataclass into options. Their help is the docstring below them, or the class's ``Args``."""
    cls = info.type
    if not (isinstance(cls, type) and is_dataclass(cls)) or cls.__module__.startswith("tyro."):
        return None
    hints, docstrings = get_type_hints(cls, include_extras=True), _field_docstrings(cls)
    specs = []
    for field in fields(cls):
        default = getattr(info.default, field.name) if isinstance(info.default, cls) else field.default
        if default is MISSING:
            default = field.default_factory() if field.default_factory is not MISSING else tyro.MISSING
        text = docstrings.get(field.name) or (_plain_text(field.type.__doc__) if is_dataclass(field.type) else None)
        specs.append(StructFieldSpec(field.name, _without_empty_default(hints[field.name], default), default, text))
    return StructConstructorSpec(cls, tuple(specs))


def _without_empty_default(annotation: Any, default: object) -> Any:
    """The annotation of an option, without ``(default: None)`` and the like in its help."""
    unset = default is None or default in ((), {}, "")
    markers = [tyro.conf.DisallowNone] if default is None else []
    hints = [getattr(each, "help_behavior_hint", None) for each in getattr(annotation, "__metadata__", ())]
    if unset and not any(hint is not None for hint in hints):
        markers.append(tyro.conf.arg(help_behavior_hint=""))
    for marker in markers:
        annotation = Annotated[annotation, marker]
    return annotation


def _field_docstrings(cls: type) -> dict[str, str]:
    """The docstrings of a dataclass's fields by name, with those of its bases."""
    docstrings: dict[str, str] = {}
    for base in filter(is_dataclass, reversed(cls.__mro__)):
        docstrings |= dict(re.findall(r"^    (\w+): (.*)$", _plain_text(base.__doc__), re.MULTILINE))
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(definition, ast.ClassDef)
        for statement, following in pairwise(definition.body):
            match statement, following:
                case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                    docstrings[name] = _plain_text(text)
    return docstrings


def _plain_text(docstring: str | None) -> str:
    """A docstring as help: no markup, no Returns or Raises, and lines joined into paragraphs."""
    text = inspect.cleandoc(docstring or "").replace("``", "")
    text = re.split(r"^(?:Returns|Raises|Yields):\n", text, flags=re.MULTILINE)[0]
    text = re.sub(r"(?<!\n)\n(?: {8})?(?=\S)(?!(?:Args|Attributes):)", " ", text)
    return re.sub(r"(?:^|\s+)Raises [^.]*\.(?=\s|$)", "", text).strip()

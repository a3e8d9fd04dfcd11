"""The command line's flags for detection: those of ``Detection`` itself, and every option of every listed detector."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, get_type_hints

from tyro.conf import OmitArgPrefixes, arg

from kinelift.app.settings import Detection
from kinelift.detectors import kinds
from kinelift.detectors.options import flag


class DetectionBuilder:
    """How people are detected in the frames."""  # the title of the group of flags in the help

    def __init__(self) -> None:
        parameters = [_detector(), *_shared(), *_options()]
        self.__signature__ = inspect.Signature(parameters)
        self.__annotations__ = {one.name: one.annotation for one in parameters}

    def __call__(self, **values: Any) -> Detection:
        """Sort the flags into those of ``Detection`` and the detector's own; a flag that was not given is None."""
        common = {one.name for one in fields(Detection)}
        options = {name: value for name, value in values.items() if name not in common and value is not None}
        return Detection(options=options, **{name: value for name, value in values.items() if name in common})


DetectionFlags = Annotated[Detection, OmitArgPrefixes, arg(constructor_factory=DetectionBuilder)]
"""A ``Detection`` as a parameter of a command. Each command line builds its flags from the list of detectors."""


def _detector() -> inspect.Parameter:
    """``--detector``, whose choices are the listed detectors."""
    selected = [f"{one.name} with {flag(one.chosen_by)}" for one in kinds.KINDS if one.chosen_by]
    fitting = ", ".join(one.name for one in kinds.KINDS if one.automatic_on)
    about = (
        f"What detects people. auto takes {', '.join(selected)}, else the first of {fitting} that suits this machine."
    )
    names = (kinds.AUTO, *(one.name for one in kinds.KINDS))
    return _parameter("detector", Literal[names], about, kinds.AUTO)


def _shared() -> Iterator[inspect.Parameter]:
    """The fields of ``Detection`` that are not for one detector."""
    hints = get_type_hints(Detection)
    for one in fields(Detection):
        if one.metadata:
            yield _parameter(one.name, hints[one.name], one.metadata["about"], one.default, one.metadata["metavar"])


def _options() -> Iterator[inspect.Parameter]:
    """One flag for each option; detectors that have an option of the same name share its flag."""
    owners: dict[str, dict[str, Field[Any]]] = {}
    for kind in kinds.KINDS:
        for one in fields(kind.options):
            owners.setdefault(one.name, {})[kind.name] = one
    for name, sharing in owners.items():
        types = [get_type_hints(kind.options)[name] for kind in kinds.KINDS if kind.name in sharing]
        metavar = next(iter(sharing.values())).metadata["metavar"]
        yield _parameter(name, reduce(or_, types) | None, _about(sharing), None, metavar, _defaults(sharing))


def _about(sharing: Mapping[str, Field[Any]]) -> str:
    """What the detectors say about an option that they share."""
    texts = {one.metadata["about"] for one in sharing.values()}
    if len(texts) == 1:
        return texts.pop()
    return " ".join(f"{kind}: {one.metadata['about']}" for kind, one in sharing.items())


def _defaults(sharing: Mapping[str, Field[Any]]) -> str:
    """Whose option it is, with each default that there is: (detectron2, movenet: 512)."""
    known = {kind: one.default for kind, one in sharing.items()}
    return f"({', '.join(kind if one in (None, MISSING) else f'{kind}: {one}' for kind, one in known.items())})"


def _parameter(
    name: str, hint: Any, about: str, default: Any, metavar: str | None = None, behavior: str | None = None
) -> inspect.Parameter:
    annotation = Annotated[hint, arg(help=about, metavar=metavar, help_behavior_hint=behavior)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

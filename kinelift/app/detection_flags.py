"""The detection flags of the command line, built from ``Detection`` and the options of all listed detectors."""

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
    """Detection of people in the frames."""  # the title of the group of flags in the help

    def __init__(self) -> None:
        parameters = [_detector_flag(), *_common_flags(), *_detector_options()]
        self.__signature__ = inspect.Signature(parameters)
        self.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}

    def __call__(self, **values: Any) -> Detection:
        """Build a ``Detection``. Values that are not its fields are options of the detector; None was not given."""
        common = {field.name for field in fields(Detection)}
        options = {name: value for name, value in values.items() if name not in common and value is not None}
        return Detection(options=options, **{name: value for name, value in values.items() if name in common})


DetectionFlags = Annotated[Detection, OmitArgPrefixes, arg(constructor_factory=DetectionBuilder)]
"""A ``Detection`` as a parameter of a command. Each command line builds its flags from the list of detectors."""


def _detector_flag() -> inspect.Parameter:
    """``--detector``, whose choices are the listed detectors."""
    selected = [f"{kind.name} with {flag(kind.chosen_by)}" for kind in kinds.KINDS if kind.chosen_by]
    automatic = ", ".join(kind.name for kind in kinds.KINDS if kind.automatic_on)
    help_text = (
        f"The detector. auto takes {', '.join(selected)}, otherwise the first of {automatic} that runs on this machine."
    )
    names = (kinds.AUTO, *(kind.name for kind in kinds.KINDS))
    return _parameter("detector", Literal[names], help_text, kinds.AUTO)


def _common_flags() -> Iterator[inspect.Parameter]:
    """The fields of ``Detection`` that apply to every detector."""
    hints = get_type_hints(Detection)
    for field in fields(Detection):
        if field.metadata:
            about, metavar = field.metadata["about"], field.metadata["metavar"]
            yield _parameter(field.name, hints[field.name], about, field.default, metavar)


def _detector_options() -> Iterator[inspect.Parameter]:
    """One flag for each option; detectors with an option of the same name share its flag."""
    owners: dict[str, dict[str, Field[Any]]] = {}
    for kind in kinds.KINDS:
        for field in fields(kind.options):
            owners.setdefault(field.name, {})[kind.name] = field
    for name, sharing in owners.items():
        types = [get_type_hints(kind.options)[name] for kind in kinds.KINDS if kind.name in sharing]
        metavar = next(iter(sharing.values())).metadata["metavar"]
        yield _parameter(name, reduce(or_, types) | None, _shared_help(sharing), None, metavar, _defaults(sharing))


def _shared_help(sharing: Mapping[str, Field[Any]]) -> str:
    """The help of an option that several detectors have."""
    texts: set[str] = {field.metadata["about"] for field in sharing.values()}
    if len(texts) == 1:
        return texts.pop()
    return " ".join(f"{kind}: {field.metadata['about']}" for kind, field in sharing.items())


def _defaults(sharing: Mapping[str, Field[Any]]) -> str:
    """The detectors that have an option, with their defaults: (detectron2, movenet: 512)."""
    known = {kind: field.default for kind, field in sharing.items()}
    return f"({', '.join(kind if value in (None, MISSING) else f'{kind}: {value}' for kind, value in known.items())})"


def _parameter(
    name: str, hint: Any, help_text: str, default: Any, metavar: str | None = None, behavior: str | None = None
) -> inspect.Parameter:
    annotation = Annotated[hint, arg(help=help_text, metavar=metavar, help_behavior_hint=behavior)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

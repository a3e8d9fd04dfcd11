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
from kinelift.detectors.protocol import DetectorKind

Kinds = tuple[DetectorKind[Any], ...]


class DetectionBuilder:
    """Detection of people in the frames."""  # the title of the group of flags in the help

    def __init__(self) -> None:
        parameters = self._parameters()
        self.__signature__ = inspect.Signature(parameters)
        self.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}

    def _parameters(self) -> list[inspect.Parameter]:
        return [_detector_flag(kinds.KINDS), *_common_flags(), *_detector_options(kinds.KINDS)]

    def __call__(self, **values: Any) -> Detection:
        """Build a ``Detection``. Values that are not its fields are options of the detector; None was not given."""
        common = {field.name for field in fields(Detection)}
        options = {name: value for name, value in values.items() if name not in common and value is not None}
        return Detection(options=options, **{name: value for name, value in values.items() if name in common})


class LiveDetectionBuilder(DetectionBuilder):
    """Detection of people in the frames."""  # the title of the group of flags in the help

    usual_redetect = 3
    """A camera does not wait: in between, the refinement follows people in a quarter of the time."""

    def _parameters(self) -> list[inspect.Parameter]:
        """The flags of detectors that look at pictures, without what takes a whole track."""
        live = tuple(kind for kind in kinds.KINDS if kind.refinement is not None)
        common = {flag.name: flag for flag in _common_flags() if flag.name in ("refine", "redetect")}
        redetect = common.pop("redetect")
        about = f"{_about('redetect')} (default: {self.usual_redetect}, or 1 with --refine none)"
        optional = _parameter(redetect.name, int | None, about, None, "N", "")
        return [_detector_flag(live), *common.values(), optional, *_detector_options(live)]

    def __call__(self, **values: Any) -> Detection:
        """Build a ``Detection``; see ``DetectionBuilder``."""
        if values.get("redetect") is None:
            values["redetect"] = 1 if values["refine"] == "none" else self.usual_redetect
        return super().__call__(**values)


DetectionFlags = Annotated[Detection, OmitArgPrefixes, arg(constructor_factory=DetectionBuilder)]
"""A ``Detection`` as a parameter of a command. Each command line builds its flags from the list of detectors."""
LiveDetectionFlags = Annotated[Detection, OmitArgPrefixes, arg(constructor_factory=LiveDetectionBuilder)]
"""The same for a command that looks at each frame once."""


def _detector_flag(listed: Kinds) -> inspect.Parameter:
    """``--detector``, whose choices are the listed detectors."""
    selected = [f"{kind.name} with {flag(kind.chosen_by)}" for kind in listed if kind.chosen_by]
    automatic = ", ".join(kind.name for kind in listed if kind.automatic_on)
    taken = f"{', '.join(selected)}, otherwise " if selected else ""
    help_text = f"The detector. auto takes {taken}the first of {automatic} that runs on this machine."
    names = (kinds.AUTO, *(kind.name for kind in listed))
    return _parameter("detector", Literal[names], help_text, kinds.AUTO)


def _common_flags() -> Iterator[inspect.Parameter]:
    """The fields of ``Detection`` that apply to every detector."""
    hints = get_type_hints(Detection)
    for field in fields(Detection):
        if field.metadata:
            about, metavar = field.metadata["about"], field.metadata["metavar"]
            yield _parameter(field.name, hints[field.name], about, field.default, metavar)


def _about(name: str) -> str:
    """The help of a field of ``Detection``."""
    (field,) = (field for field in fields(Detection) if field.name == name)
    about: str = field.metadata["about"]
    return about


def _detector_options(listed: Kinds) -> Iterator[inspect.Parameter]:
    """One flag for each option; detectors with an option of the same name share its flag."""
    owners: dict[str, dict[str, Field[Any]]] = {}
    for kind in listed:
        for field in fields(kind.options):
            owners.setdefault(field.name, {})[kind.name] = field
    for name, sharing in owners.items():
        types = [get_type_hints(kind.options)[name] for kind in listed if kind.name in sharing]
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

"""The result of an architecture search, with everything needed to repeat it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from kinelift.models.enas.architecture import AnyGenotype, genotype_from_mapping
from kinelift.models.enas.controller import ControllerConfig
from kinelift.recognition.search.reinforce import ReinforceSettings
from kinelift.recognition.search.search_settings import SearchSettings


@dataclass(frozen=True)
class Candidate:
    """An architecture and its accuracy on the validation images, with shared weights."""

    genotype: AnyGenotype
    accuracy: float


@dataclass(frozen=True)
class SearchResult:
    """Result of a search.

    Attributes:
        settings: Of the search.
        candidates: Architectures sampled from the controller, best first.
        random: As many uniformly random architectures, best first.
        history: One record per epoch.
        run: Inputs of the search (``weights.run.Run.facts``); empty if not recorded.
    """

    settings: SearchSettings
    candidates: tuple[Candidate, ...]
    random: tuple[Candidate, ...]
    history: tuple[Mapping[str, float], ...]
    run: Mapping[str, Any] = field(default_factory=dict)

    @property
    def best(self) -> Candidate:
        """The best architecture of the controller."""
        return self.candidates[0]

    @property
    def best_random(self) -> Candidate:
        """The best random architecture: the baseline of a search."""
        return self.random[0]

    def to_json(self) -> str:
        """JSON text; ``from_json`` is the inverse."""
        return json.dumps(asdict(self), indent=1)

    @staticmethod
    def from_json(text: str) -> "SearchResult":
        """Read what ``to_json`` wrote."""
        values = json.loads(text)
        settings = dict(values["settings"])
        settings["controller"] = ControllerConfig(**settings["controller"])
        settings["grid"] = tuple(settings["grid"])
        settings["reinforce"] = ReinforceSettings(**settings["reinforce"])
        candidates, random = (
            tuple(Candidate(genotype_from_mapping(each["genotype"]), each["accuracy"]) for each in values[name])
            for name in ("candidates", "random")
        )
        return SearchResult(
            SearchSettings(**settings), candidates, random, tuple(values["history"]), values.get("run", {})
        )

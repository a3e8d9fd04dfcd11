"""What an architecture search found, with everything that is needed to repeat it."""

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
    """What a search found: its ``candidates`` and as many uniformly random ones, each best first, and how it went.

    ``run``: from what it was found (``weights.run.Run.facts``), where that was recorded.
    """

    settings: SearchSettings
    candidates: tuple[Candidate, ...]
    random: tuple[Candidate, ...]
    history: tuple[Mapping[str, float], ...]
    run: Mapping[str, Any] = field(default_factory=dict)

    @property
    def best(self) -> Candidate:
        """The best of the controller's."""
        return self.candidates[0]

    @property
    def best_random(self) -> Candidate:
        """The best of the random ones: what a search must beat."""
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

"""Any searched architecture as data, whichever space it is from, and the network that it stands for."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from kinelift.models.action_net import ActionNet, ActionNetConfig
from kinelift.models.enas.genotype import Genotype
from kinelift.models.enas.macro import MacroGenotype, MacroNet, MacroNetConfig

AnyGenotype: TypeAlias = Genotype | MacroGenotype
AnyConfig: TypeAlias = ActionNetConfig | MacroNetConfig
AnyNet: TypeAlias = ActionNet | MacroNet


def genotype(values: Mapping[str, Any]) -> AnyGenotype:
    """Read the mapping that ``dataclasses.asdict`` makes of a genotype of either space.

    Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else.
    """
    return MacroGenotype.from_mapping(values) if "layers" in values else Genotype.from_mapping(values)


def configured(classes: int, genotype: AnyGenotype, **sizes: Any) -> AnyConfig:
    """A config with this genotype; ``sizes`` are fields that both configs have."""
    if isinstance(genotype, MacroGenotype):
        return MacroNetConfig(classes, genotype, **sizes)
    return ActionNetConfig(classes, genotype, **sizes)


def config(values: Mapping[str, Any]) -> AnyConfig:
    """Read the mapping that ``dataclasses.asdict`` makes of a config, also after a round trip through JSON.

    Raises what ``genotype`` raises.
    """
    kind = MacroNetConfig if "layers" in values["genotype"] else ActionNetConfig
    rows, columns = values.get("grid", (1, 1))
    return kind(**{**values, "genotype": genotype(values["genotype"]), "grid": (rows, columns)})


def network(config: AnyConfig) -> AnyNet:
    """The network with fresh weights."""
    return MacroNet(config) if isinstance(config, MacroNetConfig) else ActionNet(config)

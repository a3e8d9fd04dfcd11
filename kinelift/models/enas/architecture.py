"""Genotypes, configs and networks of either search space, for code that handles both alike."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from kinelift.models.enas.action_net import ActionNet, ActionNetConfig
from kinelift.models.enas.genotype import Genotype
from kinelift.models.enas.macro import MacroGenotype, MacroNet, MacroNetConfig

AnyGenotype: TypeAlias = Genotype | MacroGenotype
AnyConfig: TypeAlias = ActionNetConfig | MacroNetConfig
AnyNet: TypeAlias = ActionNet | MacroNet


def genotype_from_mapping(values: Mapping[str, Any]) -> AnyGenotype:
    """Rebuild a genotype of either space from what ``dataclasses.asdict`` made of it.

    Raises:
        KeyError: A field is missing.
        TypeError: A field has another type.
        ValueError: The genotype is not valid.
    """
    return MacroGenotype.from_mapping(values) if "layers" in values else Genotype.from_mapping(values)


def make_config(classes: int, genotype: AnyGenotype, **sizes: Any) -> AnyConfig:
    """Make the config of a genotype; ``sizes`` are fields that both kinds of config have."""
    if isinstance(genotype, MacroGenotype):
        return MacroNetConfig(classes, genotype, **sizes)
    return ActionNetConfig(classes, genotype, **sizes)


def config_class(genotype: Mapping[str, Any]) -> type[AnyConfig]:
    """The class of the config that a stored genotype belongs to."""
    return MacroNetConfig if "layers" in genotype else ActionNetConfig


def build_network(config: AnyConfig) -> AnyNet:
    """Build the network of a config with newly initialised weights."""
    return MacroNet(config) if isinstance(config, MacroNetConfig) else ActionNet(config)

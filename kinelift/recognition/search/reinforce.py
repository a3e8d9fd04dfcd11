"""REINFORCE: a controller learns from the rewards of the architectures that it sampled (Williams 1992)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from kinelift.models.enas.controller import Controller, Samples


@dataclass(frozen=True)
class ReinforceSettings:
    """Settings of the controller's training."""

    learning_rate: float = 3.5e-4
    """Of Adam."""
    baseline_decay: float = 0.99
    """Weight of earlier rewards in the baseline."""
    entropy: float = 1e-4
    """Reward for one nat of entropy."""


class Reinforce:
    """Raises the probability of architectures with rewards above the baseline, a moving average of earlier rewards."""

    def __init__(self, controller: Controller, settings: ReinforceSettings) -> None:
        self.controller, self.settings = controller, settings
        self.optimizer = torch.optim.Adam(controller.parameters(), lr=settings.learning_rate)
        self.baseline: float | None = None

    def learn(self, samples: Samples, rewards: Float[Tensor, " N"]) -> None:
        """Take one step.

        Args:
            samples: Just drawn from the controller.
            rewards: Of ``samples``.
        """
        mean, decay = rewards.mean().item(), self.settings.baseline_decay
        self.baseline = mean if self.baseline is None else decay * self.baseline + (1 - decay) * mean
        gain = (rewards - self.baseline) * samples.log_probability + self.settings.entropy * samples.entropy
        self.optimizer.zero_grad(set_to_none=True)
        (-gain.mean()).backward()
        self.optimizer.step()

    def state(self) -> dict[str, Any]:
        """Everything that ``restore`` needs."""
        state = {"controller": self.controller.state_dict(), "optimizer": self.optimizer.state_dict()}
        return {**state, "baseline": self.baseline}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue where ``state`` was taken."""
        self.controller.load_state_dict(state["controller"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.baseline = state["baseline"]

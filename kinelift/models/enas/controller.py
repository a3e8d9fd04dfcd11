"""The ENAS controller: a recurrent network that samples one decision after another (Pham H. et al., ICML 2018)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from kinelift.models.enas.space import Decision

Choose = Callable[[int, Float[Tensor, "N K"]], Int[Tensor, " N"]]
"""(index of the decision, probabilities of its choices) → the choices made."""


@dataclass(frozen=True)
class ControllerConfig:
    """``hidden`` units; logits x become ``bound`` · tanh(x / ``temperature``), so no choice gets probability 1."""

    hidden: int = 100
    temperature: float = 5.0
    bound: float = 2.5


@dataclass(frozen=True, eq=False)
class Samples:
    """N sampled architectures of D decisions each.

    Attributes:
        choices: The choice made at each decision.
        log_probability: Log-probability of the architecture.
        entropy: Sum of the entropies of the decisions, each given those before it, in nats.
    """

    choices: Int[Tensor, "N D"]
    log_probability: Float[Tensor, " N"]
    entropy: Float[Tensor, " N"]


class Controller(nn.Module):
    """An LSTM from the previous choice to the logits of the next decision.

    Decisions of one kind share the embedding of their choices; every decision has an output layer of its own
    (docs/explanation/architecture-search.md explains why).

    Args:
        decisions: The decisions, in order.
        config: Sizes and bounds.
        generator: Source of the initial weights, uniform in ±0.1, which make all choices about equally likely.
    """

    def __init__(self, decisions: Sequence[Decision], config: ControllerConfig, generator: Generator) -> None:
        super().__init__()
        self.decisions, self.config = tuple(decisions), config
        choices = {d.kind: max(e.choices for e in decisions if e.kind == d.kind) for d in decisions}
        self.start = nn.Parameter(torch.empty(1, config.hidden))
        self.recurrent = nn.LSTMCell(config.hidden, config.hidden)
        self.embeddings = nn.ModuleDict({kind: nn.Embedding(n, config.hidden) for kind, n in choices.items()})
        self.logits = nn.ModuleList(nn.Linear(config.hidden, decision.choices) for decision in decisions)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.1, 0.1, generator=generator)

    def sample(self, count: int, generator: Generator) -> Samples:
        """Sample ``count`` architectures. Their log-probability and entropy are differentiable."""
        return self._decide(count, lambda _, p: torch.multinomial(p, 1, generator=generator).squeeze(1))

    def score(self, choices: Int[Tensor, "N D"]) -> Samples:
        """Compute the log-probability and entropy of given architectures."""
        return self._decide(len(choices), lambda number, _: choices[:, number])

    @torch.no_grad()
    def likeliest(self) -> list[int]:
        """Take the most probable choice at every decision."""
        choices: list[int] = self._decide(1, lambda _, p: p.argmax(dim=1)).choices[0].tolist()
        return choices

    def _decide(self, count: int, choose: Choose) -> Samples:
        inputs, memory = self.start.expand(count, -1), None
        """Make all decisions, one after another."""
        choices, log_probabilities, entropy = [], [], []
        for number, decision in enumerate(self.decisions):
            memory = self.recurrent(inputs, memory)
            logs = self._bounded(self.logits[number](memory[0])).log_softmax(dim=1)
            probabilities = logs.exp()
            choice = choose(number, probabilities.detach())
            choices.append(choice)
            log_probabilities.append(logs.gather(1, choice[:, None]).squeeze(1))
            entropy.append(-(probabilities * logs).sum(dim=1))
            inputs = self.embeddings[decision.kind](choice)
        sums = (torch.stack(terms).sum(dim=0) for terms in (log_probabilities, entropy))
        return Samples(torch.stack(choices, dim=1), *sums)

    def _bounded(self, logits: Float[Tensor, "N K"]) -> Float[Tensor, "N K"]:
        return self.config.bound * torch.tanh(logits / self.config.temperature)

"""The ENAS controller: a recurrent network that makes one decision after another (Pham H. et al., ICML 2018)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

from kinelift.models.enas.space import Decision

Choose = Callable[[int, Float[Tensor, "N K"]], Int[Tensor, " N"]]
"""Number of the decision, probabilities of its choices → the choices made."""


@dataclass(frozen=True)
class ControllerConfig:
    """``hidden`` units; logits x become ``bound`` · tanh(x / ``temperature``), so that no choice is ever certain."""

    hidden: int = 100
    temperature: float = 5.0
    bound: float = 2.5


@dataclass(frozen=True, eq=False)
class Samples:
    """N architectures: a choice for each of D decisions, the logarithm of their probability, and the entropy in nats.

    The entropy is that of every decision given those before it, summed.
    """

    choices: Int[Tensor, "N D"]
    log_probability: Float[Tensor, " N"]
    entropy: Float[Tensor, " N"]


class Controller(nn.Module):
    """An LSTM; its input is what was decided last, its output the logits of the next decision.

    Decisions of one kind share the embedding of their choices; every decision has logits of its own
    (docs/explanation/architecture-search.md says why). All weights start uniform in ±0.1, drawn from ``generator``: at
    first every choice is about equally likely.
    """

    def __init__(self, decisions: Sequence[Decision], config: ControllerConfig, generator: Generator) -> None:
        super().__init__()
        self.decisions, self.config = tuple(decisions), config
        most = {d.kind: max(e.choices for e in decisions if e.kind == d.kind) for d in decisions}
        self.start = nn.Parameter(torch.empty(1, config.hidden))
        self.recurrent = nn.LSTMCell(config.hidden, config.hidden)
        self.embeddings = nn.ModuleDict({kind: nn.Embedding(n, config.hidden) for kind, n in most.items()})
        self.logits = nn.ModuleList(nn.Linear(config.hidden, decision.choices) for decision in decisions)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.1, 0.1, generator=generator)

    def sample(self, count: int, generator: Generator) -> Samples:
        """Draw ``count`` architectures. Gradients flow through their log-probability and entropy."""
        return self._walk(count, lambda _, shares: torch.multinomial(shares, 1, generator=generator).squeeze(1))

    def score(self, choices: Int[Tensor, "N D"]) -> Samples:
        """Log-probability and entropy of architectures made elsewhere."""
        return self._walk(len(choices), lambda number, _: choices[:, number])

    @torch.no_grad()
    def likeliest(self) -> list[int]:
        """The choices of the architecture that takes the likeliest choice at every decision."""
        return self._walk(1, lambda _, shares: shares.argmax(dim=1)).choices[0].tolist()

    def _walk(self, count: int, choose: Choose) -> Samples:
        inputs, memory = self.start.expand(count, -1), None
        choices, chosen, entropy = [], [], []
        for number, decision in enumerate(self.decisions):
            memory = self.recurrent(inputs, memory)
            logarithms = self._bounded(self.logits[number](memory[0])).log_softmax(dim=1)
            shares = logarithms.exp()
            choice = choose(number, shares.detach())
            choices.append(choice)
            chosen.append(logarithms.gather(1, choice[:, None]).squeeze(1))
            entropy.append(-(shares * logarithms).sum(dim=1))
            inputs = self.embeddings[decision.kind](choice)
        return Samples(torch.stack(choices, dim=1), torch.stack(chosen).sum(dim=0), torch.stack(entropy).sum(dim=0))

    def _bounded(self, logits: Float[Tensor, "N K"]) -> Float[Tensor, "N K"]:
        return self.config.bound * torch.tanh(logits / self.config.temperature)

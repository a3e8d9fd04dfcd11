"""Random draws in the shapes that the synthesis needs. Every function takes the generator to draw from."""

import math

import torch
from jaxtyping import Float
from torch import Generator, Tensor


def uniform(shape: tuple[int, ...], low: float, high: float, generator: Generator) -> Tensor:
    """Uniform in [low, high)."""
    return low + (high - low) * torch.rand(shape, generator=generator, device=generator.device)


def normal(shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Standard normal."""
    return torch.randn(shape, generator=generator, device=generator.device)


def chance(shape: tuple[int, ...], probability: float, generator: Generator) -> Tensor:
    """True with ``probability``, independently."""
    return torch.rand(shape, generator=generator, device=generator.device) < probability


def about(axis: str, angle: Float[Tensor, "*B"]) -> Float[Tensor, "*B 3 3"]:
    """Rotation matrices (acting on column vectors) by ``angle`` radians about the x, y or z axis."""
    k = "xyz".index(axis)
    i, j = (k + 1) % 3, (k + 2) % 3
    out = torch.zeros(*angle.shape, 3, 3, dtype=angle.dtype, device=angle.device)
    out[..., k, k] = 1
    out[..., i, i] = out[..., j, j] = angle.cos()
    out[..., j, i] = angle.sin()
    out[..., i, j] = -out[..., j, i]
    return out


def rotation(count: int, generator: Generator) -> Float[Tensor, "B 3 3"]:
    """Rotations spread evenly over all orientations."""
    q = torch.nn.functional.normalize(normal((count, 4), generator), dim=-1)
    w, v = q[:, 0, None, None], q[:, 1:]
    zero = torch.zeros_like(v[:, 0])
    cross = torch.stack(
        [zero, -v[:, 2], v[:, 1], v[:, 2], zero, -v[:, 0], -v[:, 1], v[:, 0], zero], -1
    ).reshape(-1, 3, 3)  # fmt: skip
    eye = torch.eye(3, device=v.device)
    return (2 * w.square() - 1) * eye + 2 * v[:, :, None] * v[:, None, :] + 2 * w * cross


def episode(batch: int, joints: int, times: Float[Tensor, " R"], mean: float, generator: Generator) -> Tensor:
    """(B, R, J) bool: one stretch of time for each joint, its length exponential (``mean`` seconds)."""
    centre = uniform((batch, 1, joints), float(times[0]), float(times[-1]), generator)
    half = -mean / 2 * torch.log1p(-uniform((batch, 1, joints), 0, 1 - 1e-6, generator))
    half = half.clamp_min(1 / 60)
    return (times[None, :, None] - centre).abs() <= half


FULL_TURN = 2 * math.pi

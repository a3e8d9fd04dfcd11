"""Random draws for the synthesis, each from a given generator."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor


def uniform(shape: tuple[int, ...], low: float, high: float, generator: Generator) -> Tensor:
    """Draw uniformly from [low, high)."""
    return low + (high - low) * torch.rand(shape, generator=generator, device=generator.device)


def normal(shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Draw from the standard normal distribution."""
    return torch.randn(shape, generator=generator, device=generator.device)


def bernoulli(shape: tuple[int, ...], probability: float, generator: Generator) -> Tensor:
    """Draw booleans that are independently true with ``probability``."""
    return torch.rand(shape, generator=generator, device=generator.device) < probability


def rotation_about(axis: str, angle: Float[Tensor, "*B"]) -> Float[Tensor, "*B 3 3"]:
    """Build rotation matrices, which act on column vectors, by ``angle`` radians about the x, y or z axis."""
    k = "xyz".index(axis)
    i, j = (k + 1) % 3, (k + 2) % 3
    out = torch.zeros(*angle.shape, 3, 3, dtype=angle.dtype, device=angle.device)
    out[..., k, k] = 1
    out[..., i, i] = out[..., j, j] = angle.cos()
    out[..., j, i] = angle.sin()
    out[..., i, j] = -out[..., j, i]
    return out


def uniform_rotations(count: int, generator: Generator) -> Float[Tensor, "B 3 3"]:
    """Draw rotation matrices uniformly over all orientations."""
    q = torch.nn.functional.normalize(normal((count, 4), generator), dim=-1)
    w, v = q[:, 0, None, None], q[:, 1:]
    zero = torch.zeros_like(v[:, 0])
    cross = torch.stack(
        [zero, -v[:, 2], v[:, 1], v[:, 2], zero, -v[:, 0], -v[:, 1], v[:, 0], zero], -1
    ).reshape(-1, 3, 3)  # fmt: skip
    eye = torch.eye(3, device=v.device)
    return (2 * w.square() - 1) * eye + 2 * v[:, :, None] * v[:, None, :] + 2 * w * cross


def interval(
    batch: int, joints: int, times: Float[Tensor, " R"], mean: float, generator: Generator
) -> Bool[Tensor, "B R J"]:
    """Draw one random interval of time per joint.

    Args:
        batch: Number of samples.
        joints: Number of joints.
        times: Times of the frames in seconds.
        mean: Mean of the exponentially distributed duration, in seconds.
        generator: Source of randomness.

    Returns:
        Whether each frame lies in the interval.
    """
    centre = uniform((batch, 1, joints), float(times[0]), float(times[-1]), generator)
    half = -mean / 2 * torch.log1p(-uniform((batch, 1, joints), 0, 1 - 1e-6, generator))
    half = half.clamp_min(1 / 60)
    return (times[None, :, None] - centre).abs() <= half


FULL_TURN = 2 * math.pi

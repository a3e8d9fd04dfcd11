"""A temporal network prepared for fast inference on long sequences: the same function with fewer multiplications.

Batch normalisation is folded into the convolutions, frames are stored as rows, convolutions of width 3 need 6 products
per 4 frames instead of 12, and the last block computes only the requested frames.
"""

from copy import deepcopy
from math import ceil, sqrt

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import linear, pad
from torch.nn.utils.fusion import fuse_conv_bn_eval

from kinelift.models.temporal import TemporalNet


class FusedTemporalNet:
    """Inference-only form of a ``TemporalNet``; its outputs are equal up to rounding (relative error about 1e-6).

    Args:
        net: The network whose weights are copied. Later changes to it have no effect.

    Raises:
        ValueError: ``net`` has the dense layout.
    """

    def __init__(self, net: TemporalNet) -> None:
        if net.config.layout != "dilated":
            raise ValueError(f"A {net.config.layout} network has no fused form. Run the network itself.")
        self.config = config = net.config
        self._stem = _DirectConv(*_fold_batch_norm(net.expand_conv, net.expand_bn), dilation=1)
        self._blocks: list[_Block] = []
        for i, (width, dilation) in enumerate(config.kernels[1:]):
            wide, narrow = (_fold_batch_norm(net.layers_conv[j], net.layers_bn[j]) for j in (2 * i, 2 * i + 1))
            last = i == len(config.widths) - 2
            first = _DirectConv(*wide, dilation) if last or width != 3 else _WinogradConv(*wide, dilation)
            self._blocks.append(_Block(first, _DirectConv(*narrow, dilation=1), config.residual_tap(width) * dilation))
        assert net.shrink.bias is not None
        self._shrink = _Linear(_flatten_taps(net.shrink.weight.detach().clone()), net.shrink.bias.detach().clone())

    @torch.inference_mode()
    def __call__(self, keypoints: Float[Tensor, "B T J F"], indices: Int[Tensor, " M"]) -> Float[Tensor, "B M K 3"]:
        """Compute the poses at ``indices`` of the T − receptive field + 1 outputs of every sequence."""
        x = self._stem(keypoints.flatten(2))
        for block in self._blocks[:-1]:
            x = block(x)
        x = self._blocks[-1].at(x, indices) if self._blocks else x[:, indices]
        poses: Tensor = self._shrink(x).unflatten(2, (self.config.joints_out, 3))
        return poses


class _Linear:
    """A linear layer over any number of leading axes, optionally followed by ReLU.

    On a CPU it calls oneDNN, as frozen ``torch.compile`` code does. On one thread that is up to twice as fast as
    ``linear``, which uses another library for single precision.
    """

    def __init__(self, weight: Float[Tensor, "D C"], bias: Float[Tensor, " D"] | None, relu: bool = False) -> None:
        self.bias, self.relu = bias, relu
        single = weight.dtype == torch.float32
        self.packed = single and weight.device.type == "cpu" and torch.backends.mkldnn.is_available()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight, None) if self.packed else weight

    def __call__(self, x: Float[Tensor, "*N C"]) -> Float[Tensor, "*N D"]:
        if self.packed:
            activation = "relu" if self.relu else "none"
            fused: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, activation, [], "")
            return fused
        product = linear(x, self.weight, self.bias)
        return product.relu_() if self.relu else product


class _DirectConv:
    """Convolution, bias and ReLU as one matrix product over the concatenated taps of a frame."""

    def __init__(self, weight: Float[Tensor, "D C w"], bias: Float[Tensor, " D"], dilation: int) -> None:
        self.dilation, self.width = dilation, weight.shape[2]
        self.product = _Linear(_flatten_taps(weight), bias, relu=True)

    def __call__(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B S D"]:
        """Compute every frame whose taps all exist."""
        count = x.shape[1] - (self.width - 1) * self.dilation
        taps = [x[:, k * self.dilation : k * self.dilation + count] for k in range(self.width)]
        return self.product(torch.cat(taps, -1) if self.width > 1 else x)

    def at(self, x: Float[Tensor, "B T C"], indices: Int[Tensor, " M"]) -> Float[Tensor, "B M D"]:
        """Compute only the frames at ``indices``."""
        inputs = indices[:, None] + self.dilation * torch.arange(self.width, device=x.device)
        return self.product(x[:, inputs].flatten(2))


class _WinogradConv:
    """Width-3 convolution with bias and ReLU, four frames at a time (Winograd F(4, 3); Lavin and Gray 2016).

    Inputs and kernel are treated as polynomials. The products of their values at 0, ±A, ±B and ∞ determine all four
    outputs.
    """

    # The usual points ±1 and ±2 give larger rounding errors.
    A, B = sqrt(0.5), sqrt(2)

    def __init__(self, weight: Float[Tensor, "D C 3"], bias: Float[Tensor, " D"], dilation: int) -> None:
        self.bias, self.dilation = bias, dilation
        a, b = self.A**2, self.B**2
        low, middle, high = weight.double().unbind(2)
        points = [(0.0, a * b), *((p, 2 * a * (a - b)) for p in (self.A, -self.A))]
        points += ((p, 2 * b * (b - a)) for p in (self.B, -self.B))
        kernels = [(low + p * middle + p * p * high) / scale for p, scale in points]
        self.products = [_Linear(kernel.to(weight.dtype).contiguous(), None) for kernel in (*kernels, high)]

    def __call__(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B S D"]:
        """Compute every frame whose taps all exist."""
        count = x.shape[1] - 2 * self.dilation
        groups = ceil(count / (4 * self.dilation))
        padded = pad(x, (0, 0, 0, (4 * groups + 2) * self.dilation - x.shape[1])).unflatten(1, (-1, self.dilation))
        values = self._evaluate([padded[:, k : k + 4 * groups - 3 : 4] for k in range(6)])
        products = [product(value) for product, value in zip(self.products, values, strict=True)]
        return self._interpolate(products).flatten(1, 3)[:, :count].relu_()

    def _evaluate(self, x: list[Float[Tensor, "B I d C"]]) -> list[Float[Tensor, "B I d C"]]:
        """Evaluate, at the six points, the polynomials whose coefficients are six frames one dilation apart."""
        a, b = self.A**2, self.B**2
        even, odd = torch.sub(x[4], x[2], alpha=a), torch.sub(x[3], x[1], alpha=a)
        zero = torch.sub(even, torch.sub(x[2], x[0], alpha=a), alpha=b)
        infinity = torch.sub(x[5], x[3], alpha=a).sub_(odd, alpha=b)
        outer = [torch.add(even, odd, alpha=p) for p in (self.B, -self.B)]
        even, odd = torch.sub(x[4], x[2], alpha=b), torch.sub(x[3], x[1], alpha=b)
        inner = [torch.add(even, odd, alpha=p) for p in (self.A, -self.A)]
        return [zero, *inner, *outer, infinity]

    def _interpolate(self, products: list[Float[Tensor, "B I d D"]]) -> Float[Tensor, "B I 4 d D"]:
        """Recover the four output frames from their polynomial's values, and add the bias."""
        zero, plus, minus, far_plus, far_minus, infinity = products
        inner, slope, outer, far_slope = plus + minus, plus - minus, far_plus + far_minus, far_plus - far_minus
        outputs = zero.new_empty(*zero.shape[:2], 4, *zero.shape[2:])
        torch.add(zero.add_(inner).add_(outer), self.bias, out=outputs[:, :, 0])
        torch.add(torch.add(self.bias, slope, alpha=self.A), far_slope, alpha=self.B, out=outputs[:, :, 1])
        torch.add(torch.add(self.bias, inner, alpha=self.A**2), outer, alpha=self.B**2, out=outputs[:, :, 2])
        infinity.add_(slope, alpha=self.A**3).add_(self.bias)
        torch.add(infinity, far_slope, alpha=self.B**3, out=outputs[:, :, 3])
        return outputs


class _Block:
    """Two layers and a residual connection, which starts ``residual_offset`` frames after the first input."""

    def __init__(self, wide: _DirectConv | _WinogradConv, narrow: _DirectConv, residual_offset: int) -> None:
        self.wide, self.narrow, self.residual_offset = wide, narrow, residual_offset

    def __call__(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B S C"]:
        """Compute every frame whose taps all exist."""
        out = self.narrow(self.wide(x))
        return out.add_(x[:, self.residual_offset : self.residual_offset + out.shape[1]])

    def at(self, x: Float[Tensor, "B T C"], indices: Int[Tensor, " M"]) -> Float[Tensor, "B M C"]:
        """Compute only the frames at ``indices``."""
        assert isinstance(self.wide, _DirectConv)
        return self.narrow(self.wide.at(x, indices)).add_(x[:, indices + self.residual_offset])


def _fold_batch_norm(conv: nn.Module, norm: nn.Module) -> tuple[Float[Tensor, "D C w"], Float[Tensor, " D"]]:
    assert isinstance(conv, nn.Conv1d)
    assert isinstance(norm, nn.BatchNorm1d)
    fused = fuse_conv_bn_eval(deepcopy(conv).eval(), deepcopy(norm).eval())
    assert fused.bias is not None
    return fused.weight.detach(), fused.bias.detach()


def _flatten_taps(weight: Float[Tensor, "D C w"]) -> Float[Tensor, "D w*C"]:
    """Reorder a kernel to match concatenated taps, oldest first."""
    return weight.transpose(1, 2).flatten(1)

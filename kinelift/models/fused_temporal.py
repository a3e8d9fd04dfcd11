"""A trained temporal net made ready to answer whole sequences fast: the same function with fewer products.

Batch normalisation is folded into the convolutions, frames lie in rows, convolutions of width 3 take 6 products for 4
frames instead of 12, and the last block answers only the frames that are wanted.
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
    """What the net in evaluation mode answers, up to rounding (about 1e-6 of the size of its answers).

    The weights are taken over as they are when this is made. Raises ``ValueError`` for the dense layout.
    """

    def __init__(self, net: TemporalNet) -> None:
        if net.config.layout != "dilated":
            raise ValueError(f"A {net.config.layout} net has no fused form; run it as it is.")
        self.config = config = net.config
        self._stem = _Direct(*_folded(net.expand_conv, net.expand_bn), dilation=1)
        self._blocks: list[_Block] = []
        for i, (width, dilation) in enumerate(config.kernels[1:]):
            wide, narrow = (_folded(net.layers_conv[j], net.layers_bn[j]) for j in (2 * i, 2 * i + 1))
            last = i == len(config.widths) - 2
            first = _Direct(*wide, dilation) if last or width != 3 else _FourAtOnce(*wide, dilation)
            self._blocks.append(_Block(first, _Direct(*narrow, dilation=1), config.tap(width) * dilation))
        assert net.shrink.bias is not None
        self._shrink = _Product(_rows(net.shrink.weight.detach().clone()), net.shrink.bias.detach().clone())

    @torch.inference_mode()
    def __call__(self, keypoints: Float[Tensor, "B T J F"], wanted: Int[Tensor, " M"]) -> Float[Tensor, "B M K 3"]:
        """Of the T − receptive field + 1 answers of every sequence, those with the ``wanted`` numbers."""
        x = self._stem(keypoints.flatten(2))
        for block in self._blocks[:-1]:
            x = block(x)
        x = self._blocks[-1].at(x, wanted) if self._blocks else x[:, wanted]
        return self._shrink(x).unflatten(2, (self.config.joints_out, 3))


class _Product:
    """``linear``, for any number of leading axes, and ReLU if it is asked for.

    On a CPU by oneDNN, as code that ``torch.compile`` freezes does it: up to twice as fast on one thread as ``linear``,
    which uses another library for single precision.
    """

    def __init__(self, weight: Float[Tensor, "D C"], bias: Float[Tensor, " D"] | None, relu: bool = False) -> None:
        self.bias, self.relu = bias, relu
        single = weight.dtype == torch.float32
        self.packed = single and weight.device.type == "cpu" and torch.backends.mkldnn.is_available()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight, None) if self.packed else weight

    def __call__(self, x: Float[Tensor, "*N C"]) -> Float[Tensor, "*N D"]:
        if self.packed:
            return torch.ops.mkldnn._linear_pointwise(
                x, self.weight, self.bias, "relu" if self.relu else "none", [], ""
            )
        product = linear(x, self.weight, self.bias)
        return product.relu_() if self.relu else product


class _Direct:
    """Convolution, bias and ReLU: one product with a frame's inputs laid side by side."""

    def __init__(self, weight: Float[Tensor, "D C w"], bias: Float[Tensor, " D"], dilation: int) -> None:
        self.dilation, self.width = dilation, weight.shape[2]
        self.product = _Product(_rows(weight), bias, relu=True)

    def __call__(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B S D"]:
        """For every frame that has all of its inputs."""
        count = x.shape[1] - (self.width - 1) * self.dilation
        taps = [x[:, k * self.dilation : k * self.dilation + count] for k in range(self.width)]
        return self.product(torch.cat(taps, -1) if self.width > 1 else x)

    def at(self, x: Float[Tensor, "B T C"], wanted: Int[Tensor, " M"]) -> Float[Tensor, "B M D"]:
        """For some of these frames."""
        inputs = wanted[:, None] + self.dilation * torch.arange(self.width, device=x.device)
        return self.product(x[:, inputs].flatten(2))


class _FourAtOnce:
    """A convolution of width 3 with bias and ReLU, four frames at a time (Winograd; Lavin and Gray 2016, F(4, 3)).

    Inputs and kernel are polynomials; the products of their values at 0, ±A, ±B and ∞ determine all four answers.
    """

    # With ±1 and ±2, which are usual, rounding errors are larger.
    A, B = sqrt(0.5), sqrt(2)

    def __init__(self, weight: Float[Tensor, "D C 3"], bias: Float[Tensor, " D"], dilation: int) -> None:
        self.bias, self.dilation = bias, dilation
        a, b = self.A**2, self.B**2
        low, middle, high = weight.double().unbind(2)
        points = [(0.0, a * b), *((p, 2 * a * (a - b)) for p in (self.A, -self.A))]
        points += ((p, 2 * b * (b - a)) for p in (self.B, -self.B))
        kernels = [(low + p * middle + p * p * high) / scale for p, scale in points]
        self.products = [_Product(kernel.to(weight.dtype).contiguous(), None) for kernel in (*kernels, high)]

    def __call__(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B S D"]:
        """For every frame that has all of its inputs."""
        count = x.shape[1] - 2 * self.dilation
        fours = ceil(count / (4 * self.dilation))
        padded = pad(x, (0, 0, 0, (4 * fours + 2) * self.dilation - x.shape[1])).unflatten(1, (-1, self.dilation))
        values = self._values([padded[:, k : k + 4 * fours - 3 : 4] for k in range(6)])
        products = [product(value) for product, value in zip(self.products, values, strict=True)]
        return self._answers(products).flatten(1, 3)[:, :count].relu_()

    def _values(self, x: list[Float[Tensor, "B I d C"]]) -> list[Float[Tensor, "B I d C"]]:
        """Values, at the six points, of the polynomials whose coefficients are six frames, a dilation apart."""
        a, b = self.A**2, self.B**2
        even, odd = torch.sub(x[4], x[2], alpha=a), torch.sub(x[3], x[1], alpha=a)
        zero = torch.sub(even, torch.sub(x[2], x[0], alpha=a), alpha=b)
        infinity = torch.sub(x[5], x[3], alpha=a).sub_(odd, alpha=b)
        outer = [torch.add(even, odd, alpha=p) for p in (self.B, -self.B)]
        even, odd = torch.sub(x[4], x[2], alpha=b), torch.sub(x[3], x[1], alpha=b)
        inner = [torch.add(even, odd, alpha=p) for p in (self.A, -self.A)]
        return [zero, *inner, *outer, infinity]

    def _answers(self, products: list[Float[Tensor, "B I d D"]]) -> Float[Tensor, "B I 4 d D"]:
        """The four answers' coefficients, from the values of their polynomial, with the bias."""
        zero, plus, minus, far_plus, far_minus, infinity = products
        inner, slope, outer, far_slope = plus + minus, plus - minus, far_plus + far_minus, far_plus - far_minus
        answers = zero.new_empty(*zero.shape[:2], 4, *zero.shape[2:])
        torch.add(zero.add_(inner).add_(outer), self.bias, out=answers[:, :, 0])
        torch.add(torch.add(self.bias, slope, alpha=self.A), far_slope, alpha=self.B, out=answers[:, :, 1])
        torch.add(torch.add(self.bias, inner, alpha=self.A**2), outer, alpha=self.B**2, out=answers[:, :, 2])
        infinity.add_(slope, alpha=self.A**3).add_(self.bias)
        torch.add(infinity, far_slope, alpha=self.B**3, out=answers[:, :, 3])
        return answers


class _Block:
    """Two layers and what goes past them: the frame ``before`` rows after the first input."""

    def __init__(self, wide: _Direct | _FourAtOnce, narrow: _Direct, before: int) -> None:
        self.wide, self.narrow, self.before = wide, narrow, before

    def __call__(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B S C"]:
        """For every frame that has all of its inputs."""
        out = self.narrow(self.wide(x))
        return out.add_(x[:, self.before : self.before + out.shape[1]])

    def at(self, x: Float[Tensor, "B T C"], wanted: Int[Tensor, " M"]) -> Float[Tensor, "B M C"]:
        """For some of these frames."""
        assert isinstance(self.wide, _Direct)
        return self.narrow(self.wide.at(x, wanted)).add_(x[:, wanted + self.before])


def _folded(conv: nn.Module, norm: nn.Module) -> tuple[Float[Tensor, "D C w"], Float[Tensor, " D"]]:
    assert isinstance(conv, nn.Conv1d)
    assert isinstance(norm, nn.BatchNorm1d)
    fused = fuse_conv_bn_eval(deepcopy(conv).eval(), deepcopy(norm).eval())
    assert fused.bias is not None
    return fused.weight.detach(), fused.bias.detach()


def _rows(weight: Float[Tensor, "D C w"]) -> Float[Tensor, "D w*C"]:
    """Weights in the order of inputs laid side by side, the oldest first."""
    return weight.transpose(1, 2).flatten(1)

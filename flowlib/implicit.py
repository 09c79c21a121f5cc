"""Gradients of an autoregressive sample: by the implicit function theorem, not through its D steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.autograd.forward_ad import unpack_dual
from torch.func import functional_call

from flowlib.blocks import in_blocks
from flowlib.made import MADE
from flowlib.masked import under_torch_func
from flowlib.tensors import may_hold

if TYPE_CHECKING:
    from flowlib.autoregressive import Autoregressive

Pair = tuple[Tensor, Tensor]


class ImplicitSample(torch.autograd.Function):
    r"""x and log_det as :meth:`Autoregressive.generate` gives them, with gradients from one pass.

    x solves x = F(z, x; θ), one pass of the network.  The gradient with respect to x, with what comes
    back through F, solves

    .. math:: \lambda = g + \Bigl(\frac{\partial F}{\partial x}\Bigr)^{\!\top} \lambda

    and the gradients with respect to z and θ are those of the one pass with λ in the place of g.  The
    Jacobian is strictly triangular: iterating this settles after D times at most, and mostly after a
    handful.  Where it does not, and where derivatives of the gradient are wanted, autograd goes
    through the steps.

    Source: Bai et al. 2019, `arXiv:1909.01377 <https://arxiv.org/abs/1909.01377>`_, theorem 1.

    Example:
        >>> from flowlib import MaskedAutoregressive
        >>> layer, z = MaskedAutoregressive(3), torch.randn(5, 3, requires_grad=True)
        >>> x, _ = ImplicitSample.apply(layer, None, z, *layer.parameters())
        >>> torch.autograd.grad(x.sum(), z)[0].unique()  # a new layer is the identity
        tensor([1.])
    """

    @staticmethod
    def forward(ctx, layer: Autoregressive, c: Tensor | None, z: Tensor, *parameters: Tensor):
        ctx.layer = layer
        ctx.names = [f"layer.{name}" for name, _ in layer.named_parameters()]
        x, log_det = layer.generate(z, c)
        ctx.save_for_backward(x, c, z, *parameters)
        return x, log_det

    @staticmethod
    def backward(ctx, of_x: Tensor, of_log_det: Tensor) -> tuple[Tensor | None, ...]:
        x, *given = ctx.saved_tensors  # and c, z, the parameters
        again = torch.is_grad_enabled()  # a derivative of this gradient is wanted
        if not again:
            x, *given = (t if t is None else t.detach().requires_grad_() for t in (x, *given))
        c, z, *parameters = given
        named = dict(zip(ctx.names, parameters))

        def call(work: Callable[..., Pair], *inputs: Tensor | None) -> Pair:
            return functional_call(_Call(ctx.layer, work), named, inputs)

        with torch.enable_grad():
            outputs = call(_one_pass, z, c, x)
            weights = None if again else _settled(outputs, x, of_x, of_log_det)
            if weights is None:
                outputs = call(lambda layer, *inputs: layer.generate(*inputs), z, c)  # by steps
                weights = of_x, of_log_det
            wanted = [t for t, needed in zip(given, ctx.needs_input_grad[1:]) if needed]
            found = torch.autograd.grad(
                outputs, wanted, weights, create_graph=again, allow_unused=True
            )
        rest = iter(found)
        return None, *(next(rest) if needed else None for needed in ctx.needs_input_grad[1:])


class _Call(nn.Module):
    """A function of a layer as a module's forward, so that it can be called with given parameters."""

    def __init__(self, layer: Autoregressive, work: Callable[..., Pair]):
        super().__init__()
        self.layer, self.work = layer, work

    def forward(self, *inputs: Tensor | None) -> Pair:
        return self.work(self.layer, *inputs)


def _one_pass(layer: Autoregressive, z: Tensor, c: Tensor | None, x: Tensor) -> Pair:
    """F(z, x; θ) and its log_det."""
    y, logs = layer.transformer.forward(z, layer.condition(x, c))
    return y, logs.to(z.dtype).sum(-1)


def _settled(outputs: Pair, x: Tensor, of_x: Tensor, of_log_det: Tensor) -> Pair | None:
    """λ, and the gradient with respect to log_det; None where λ takes longer than steps would."""
    now = of_x
    for _ in range(x.shape[-1] // 4):
        (back,) = torch.autograd.grad(outputs, x, (now, of_log_det), retain_graph=True)
        before, now = now, of_x + back
        if torch.equal(now, before):
            return now, of_log_det
    return None


def is_implicit(layer: Autoregressive, z: Tensor, c: Tensor | None) -> bool:
    """Whether a sample of this layer gets its gradients from one pass.

    Only where the sample itself comes from passes: elsewhere steps are as fast.  Not inside
    torch.func, a trace or ``torch.compile``, nor with forward-mode derivatives or dropout, and only
    where all that the pass depends on is known: z, c and the layer's parameters.

    Example:
        >>> from flowlib import MaskedAutoregressive
        >>> [is_implicit(MaskedAutoregressive(n), torch.randn(5, n), None) for n in (2, 64)]
        [False, True]
    """
    made = layer.network
    if not torch.is_grad_enabled() or under_torch_func() or torch.compiler.is_compiling():
        return False
    if type(made) is not MADE or (made.dropout and made.training):
        return False
    # the number of points by prod, which a trace may leave open; Size.numel would fix it
    if not in_blocks(layer.dim, math.prod(z.shape[:-1])) or may_hold(z.isnan()):
        return False
    given = [t for t in (z, c, *layer.parameters()) if t is not None]
    weights = [t for each in made.layers for t in (each.weight, each.bias) if t.requires_grad]
    known = {id(t) for t in given}
    return (
        any(t.requires_grad for t in given)
        and all(id(t) in known for t in weights)
        and all(unpack_dual(t).tangent is None for t in given)
    )

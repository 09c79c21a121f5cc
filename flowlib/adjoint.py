"""Gradients of a continuous flow by a second equation, backwards in time: nothing of the way is kept."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import vjp

from flowlib.solvers import Slopes, State

Solve = Callable[[Slopes, State, float, float], State]  # slopes, state, start, end
Along = Callable[..., tuple[Tensor, Tensor]]  # τ, z and the parameters -> velocity and trace


class Adjoint(torch.autograd.Function):
    r"""Where z arrives and the integral of the trace; their gradients solve an equation of their own.

    .. math:: \frac{da}{d\tau} = -\frac{\partial}{\partial z}
        \bigl(a^\top \nu + b \operatorname{tr} J\bigr), \qquad
        \frac{dg}{d\tau} = -\frac{\partial}{\partial \theta}
        \bigl(a^\top \nu + b \operatorname{tr} J\bigr)

    with a and b the gradients with respect to x and to log_det, and g those with respect to the
    parameters θ, from time 1 to 0.  The path z is solved for once more on the way, so the memory does
    not grow with the number of steps, and the gradient is as exact as the solver.

    Source: Chen et al. 2018, `arXiv:1806.07366 <https://arxiv.org/abs/1806.07366>`_, algorithm 1.

    Example:
        >>> from flowlib.solvers import runge_kutta
        >>> solve = lambda slopes, state, start, end: runge_kutta(slopes, state, 20, start, end)
        >>> grow = lambda tau, z, rate: (rate * z, rate)
        >>> rate = torch.tensor(1.0, requires_grad=True)
        >>> z, _ = Adjoint.apply(solve, grow, 0.0, 1.0, torch.tensor(1.0), rate)
        >>> torch.autograd.grad(z, rate)[0]  # of e to the rate
        tensor(2.7183)
    """

    @staticmethod
    def forward(ctx, solve: Solve, along: Along, start: float, end: float, z: Tensor, *parameters):
        ctx.solve, ctx.along, ctx.start, ctx.end = solve, along, start, end
        state = z, z.new_zeros(z.shape[:-1])
        x, log_det = solve(lambda tau, s: along(tau, s[0], *parameters), state, start, end)
        ctx.save_for_backward(x, *parameters)
        return x, log_det

    @staticmethod
    def backward(ctx, a: Tensor, b: Tensor):
        x, *parameters = ctx.saved_tensors

        def slopes(tau: Tensor, state: State) -> State:
            z, a, *_ = state
            (v, _), back = vjp(lambda z, *p: ctx.along(tau, z, *p), z, *parameters)[:2]
            return v, *(-gradient for gradient in back((a, b)))

        state = x, a, *(torch.zeros_like(p) for p in parameters)
        _, of_z, *of_parameters = ctx.solve(slopes, state, ctx.end, ctx.start)
        return None, None, None, None, of_z, *of_parameters

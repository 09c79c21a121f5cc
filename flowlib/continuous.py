"""Continuous flows: a point moves with a velocity, and the volume with the velocity's trace."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call, vjp, vmap

from flowlib.adjoint import Adjoint
from flowlib.base import Bijection
from flowlib.context import broadcast_rows, check_context
from flowlib.solvers import Slopes, State, dormand_prince, runge_kutta
from flowlib.tensors import check_vectors


class ContinuousFlow(Bijection):
    r"""The map that a velocity makes of z between the times 0 and 1.

    .. math:: \frac{d z_\tau}{d\tau} = \nu(z_\tau, \tau), \quad z_0 = z, \quad z_1 = x, \qquad
        \text{log\_det} = \int_0^1 \operatorname{tr} \frac{\partial \nu}{\partial z}(z_\tau, \tau)\, d\tau

    Both directions solve the equation, ``inverse`` from time 1 to 0.  By default the solver chooses
    its steps so that a round trip and the log-determinant keep within ten times ``tolerance`` for a
    velocity as smooth as a network with smooth activations; it then looks at values, so that a batch
    cannot be traced or mapped.  With ``steps`` it takes that many equal steps of fourth order, which
    can be; what they are worth depends on the velocity.  :meth:`push` moves points without the trace.

    Args:
        dim: the dimension D.
        velocity: a module, called as ``velocity(z, tau)``, or ``velocity(z, tau, c)`` where there is a
            context, with z of shape (*, D), τ of shape () or (*) and c of shape (*, C); returns
            (*, D).  Each row must depend on its own row only.
        tolerance: of the solver that chooses its steps.
        steps: how many equal steps; None for the other solver.
        estimate: draw one vector of signs ε for each solution, and take ε·Jε for the trace: one
            product with the Jacobian instead of D.  The log-determinant is then right on average, and
            ``log_prob`` another number at each call.
        most: how often the velocity may be evaluated where the solver chooses its steps.
        adjoint: take gradients by solving the equation backwards (:class:`~flowlib.adjoint.Adjoint`)
            instead of through the solver's steps: less memory, more time, no second derivatives.
        context: C, the width of the vector c that the velocity takes as third argument.

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: a wrong shape; a tolerance that the dtype cannot keep; a velocity of another shape.
        FloatingPointError: a velocity that is not finite, or takes more than ``most`` evaluations.

    Source: Chen et al. 2018, `arXiv:1806.07366 <https://arxiv.org/abs/1806.07366>`_, theorem 1; the
        estimate is Grathwohl et al. 2019, `arXiv:1810.01367 <https://arxiv.org/abs/1810.01367>`_,
        equation 8.

    Example:
        >>> flow = ContinuousFlow(2, Velocity(2))
        >>> x, log_det = flow(torch.zeros(5, 2))  # a new velocity is zero: the identity
        >>> x.abs().max().item(), log_det.shape
        (0.0, torch.Size([5]))
    """

    def __init__(
        self,
        dim: int,
        velocity: nn.Module,
        tolerance: float = 1e-5,
        steps: int | None = None,
        estimate: bool = False,
        most: int = 10_000,
        adjoint: bool = False,
        context: int = 0,
    ):
        super().__init__()
        if steps is not None and steps < 1:
            raise ValueError(f"ContinuousFlow expected at least one step; got {steps}")
        self.dim, self.velocity, self.context = dim, velocity, context
        self.tolerance, self.steps, self.most = tolerance, steps, most
        self.estimate, self.adjoint = estimate, adjoint

    def forward(self, z: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self._map(z, c, 0.0, 1.0)

    def inverse(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self._map(x, c, 1.0, 0.0)

    def push(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        point, given, known = self._rows(z, c)

        def slopes(tau: Tensor, state: State) -> State:
            return (_velocity_at(self.velocity, state[0], tau, *given),)

        (x,) = self._solve(slopes, (point,), 0.0, 1.0)
        return torch.where(known, x, torch.nan)

    def _rows(self, value: Tensor, c: Tensor | None) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
        """Finite points, what the velocity is given besides, and which rows (*, 1) were finite."""
        self.check(value, c)
        if c is None:
            known = value.isfinite().all(-1, keepdim=True)  # a NaN stays in its row
            return torch.where(known, value, 0.0), (), known
        value, c = broadcast_rows(value, c)
        known = torch.cat([value, c], -1).isfinite().all(-1, keepdim=True)
        return torch.where(known, value, 0.0), (torch.where(known, c, 0.0),), known

    def _map(
        self, value: Tensor, c: Tensor | None, start: float, end: float
    ) -> tuple[Tensor, Tensor]:
        point, given, known = self._rows(value, c)
        signs = torch.randint_like(point, 2) * 2 - 1 if self.estimate else None
        if self.adjoint:
            held = dict(self.velocity.named_parameters())

            def along(tau: Tensor, z: Tensor, *tensors: Tensor) -> tuple[Tensor, Tensor]:
                c, parameters = tensors[: len(given)], tensors[len(given) :]

                def velocity(z: Tensor, tau: Tensor) -> Tensor:
                    named = dict(zip(held, parameters, strict=True))
                    return functional_call(self.velocity, named, (z, tau, *c))

                return velocity_and_trace(velocity, z, tau, signs)

            end_point, log_det = Adjoint.apply(
                self._solve, along, start, end, point, *given, *held.values()
            )
        else:

            def slopes(tau: Tensor, state: State) -> State:
                return velocity_and_trace(
                    lambda z, tau: self.velocity(z, tau, *given), state[0], tau, signs
                )

            state = point, point.new_zeros(point.shape[:-1])
            end_point, log_det = self._solve(slopes, state, start, end)
        nan = torch.nan
        return torch.where(known, end_point, nan), torch.where(known[..., 0], log_det, nan)

    def _solve(self, slopes: Slopes, state: State, start: float, end: float) -> State:
        if self.steps is None:
            return dormand_prince(slopes, state, self.tolerance, self.most, start, end)
        return runge_kutta(slopes, state, self.steps, start, end)


def velocity_and_trace(
    velocity: Callable[[Tensor, Tensor], Tensor],
    z: Tensor,
    tau: Tensor,
    signs: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    r"""A velocity (*, D) and the trace of its Jacobian (*), exact, or estimated from signs (*, D).

    .. math:: \operatorname{tr} J = \sum_d (e_d^\top J)_d = \mathbb E[\varepsilon^\top J \varepsilon]

    The velocity is computed once, and the products with J go backwards from it.

    Raises:
        ValueError: a velocity of another shape than z.

    Example:
        >>> grow = lambda z, tau: z * (1 + tau)
        >>> velocity_and_trace(grow, torch.ones(2), torch.zeros(()))
        (tensor([1., 1.]), tensor(2.))
    """

    v, back = vjp(lambda z: _velocity_at(velocity, z, tau), z)[:2]
    if signs is not None:
        (along,) = back(signs)
        return v, (along * signs).sum(-1)
    dim = z.shape[-1]
    axes = torch.eye(dim, dtype=z.dtype, device=z.device)
    axes = axes.reshape(dim, *[1] * (z.ndim - 1), dim).expand(dim, *z.shape)
    (rows,) = vmap(back)(axes)
    return v, rows.diagonal(dim1=0, dim2=-1).sum(-1)


def _velocity_at(velocity: Callable[..., Tensor], z: Tensor, tau: Tensor, *c: Tensor) -> Tensor:
    """The velocity (*, D); ValueError where it is of another shape than z."""
    v = velocity(z, tau, *c)
    if v.shape != z.shape:
        raise ValueError(f"expected a velocity of shape {tuple(z.shape)}; got {tuple(v.shape)}")
    return v


class Velocity(nn.Module):
    r"""A network for a velocity: linear layers with SiLU between them, of the place and the time.

    .. math:: \nu(z, \tau; c) = \text{network}(z_1, \dots, z_D, \tau, c_1, \dots, c_C)

    Smooth, because a solver takes small steps where a slope jumps.  The last layer starts at zero:
    nothing moves.

    Args:
        dim: the dimension D.
        hidden: the widths of the hidden layers.
        context: C, the width of the vector c; 0 where there is none.

    Shapes: z (*, D), τ () or (*) and c (*, C) -> (*, D).

    Raises:
        ValueError: a wrong shape; a context that is missing or does not fit.

    Source: SiLU is Elfwing, Uchibe and Doya 2018,
        `arXiv:1702.03118 <https://arxiv.org/abs/1702.03118>`_.

    Example:
        >>> velocity = Velocity(2, hidden=(64, 64))
        >>> velocity(torch.randn(5, 2), torch.rand(5)).shape
        torch.Size([5, 2])
    """

    def __init__(self, dim: int, hidden: tuple[int, ...] = (64, 64, 64), context: int = 0):
        super().__init__()
        self.dim, self.context = dim, context
        layers: list[nn.Module] = []
        inputs = dim + 1 + context
        for width in hidden:
            layers += [nn.Linear(inputs, width), nn.SiLU()]
            inputs = width
        last = nn.Linear(inputs, dim)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.network = nn.Sequential(*layers, last)

    def forward(self, z: Tensor, tau: Tensor, c: Tensor | None = None) -> Tensor:
        check_vectors("Velocity", z, self.dim)
        inputs = [z, tau.expand(z.shape[:-1])[..., None]]
        if c is not None or self.context:
            c = check_context("Velocity", c, self.context, z)
            inputs.append(c.expand(*z.shape[:-1], -1))
        return self.network(torch.cat(inputs, -1))

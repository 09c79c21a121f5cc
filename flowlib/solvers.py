"""Two solvers of dy/dτ = slopes(τ, y): Runge and Kutta's with fixed steps, and one that chooses its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

State = tuple[Tensor, ...]
Slopes = Callable[[Tensor, State], State]

# Dormand and Prince 1980: when each stage looks (C), from what (A), and the weights of the difference
# between the results of fifth and of fourth order (E).  The last row of A is the result itself.
C = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
A = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
E = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


def runge_kutta(
    slopes: Slopes, state: State, steps: int, start: float = 0.0, end: float = 1.0
) -> State:
    r"""The state at ``end``, by ``steps`` equal steps of fourth order, four evaluations each.

    .. math:: y_{k+1} = y_k + \tfrac h6 (s_1 + 2 s_2 + 2 s_3 + s_4)

    A loop of a known length, so that it can be traced, compiled and mapped.  The error falls as
    the fourth power of the step.

    Args:
        slopes: takes τ, a tensor of shape (), and the state; returns the derivative of each part.
        state: the tensors at ``start``, of any shapes.

    Source: Kutta 1901, in Hairer, Nørsett and Wanner 1993,
        `Solving Ordinary Differential Equations I <https://doi.org/10.1007/978-3-540-78862-1>`_,
        section II.1.

    Example:
        >>> (y,) = runge_kutta(lambda tau, y: y, (torch.ones(1, dtype=torch.float64),), steps=20)
        >>> abs(y.item() - math.e) < 1e-6
        True
    """
    h = (end - start) / steps
    for k in range(steps):
        tau = start + k * h
        s1 = slopes(_at(tau, state), state)
        s2 = slopes(_at(tau + h / 2, state), _moved(state, (h / 2,), (s1,)))
        s3 = slopes(_at(tau + h / 2, state), _moved(state, (h / 2,), (s2,)))
        s4 = slopes(_at(tau + h, state), _moved(state, (h,), (s3,)))
        state = _moved(state, (h / 6, h / 3, h / 3, h / 6), (s1, s2, s3, s4))
    return state


def dormand_prince(
    slopes: Slopes,
    state: State,
    tolerance: float,
    most: int,
    start: float = 0.0,
    end: float = 1.0,
) -> State:
    r"""The state at ``end``, by steps whose estimated error keeps within a tolerance.

    .. math:: \max \frac{\lvert \text{error of a step} \rvert}{1 + \lvert y \rvert} \le
        \text{tolerance} \cdot \lvert h \rvert

    The errors of all steps so add up to the tolerance, times what the equation makes of an error on
    the way.  The largest entry of the state decides on the step for all: a batch takes the steps of
    its most difficult row.  The choice of the steps is no part of the gradient.

    Args:
        slopes, state: as in :func:`runge_kutta`.
        most: evaluations of ``slopes`` at most.

    Raises:
        ValueError: a tolerance that the state's dtype cannot keep.
        FloatingPointError: slopes that are not finite, or too many evaluations.

    Source: Dormand and Prince 1980, `A family of embedded Runge-Kutta formulae
        <https://doi.org/10.1016/0771-050X(80)90013-3>`_, table 2.

    Example:
        >>> y = torch.ones(1, dtype=torch.float64)
        >>> (y,) = dormand_prince(lambda tau, y: y, (y,), tolerance=1e-9, most=1000)
        >>> abs(y.item() - math.e) < 1e-8
        True
    """
    least = 30 * max(torch.finfo(part.dtype).eps for part in state)
    if not tolerance >= least:
        raise ValueError(
            f"expected a tolerance of at least {least:.1g} for {state[0].dtype}; got {tolerance}"
        )
    if not any(part.numel() for part in state):
        return state
    span, sign = abs(end - start), math.copysign(1.0, end - start)
    tau, h, nothing = 0.0, min(0.1, span), tuple(torch.zeros_like(part) for part in state)
    first, used, error = slopes(_at(start, state), state), 1, 1.0
    while tau < span:
        lost = "a slope that is not finite" if not error < math.inf and h < 1e-9 else None
        lost = f"more than {most} evaluations" if used >= most else lost
        if lost:
            raise FloatingPointError(
                f"expected an equation that can be followed to a tolerance of {tolerance}; got "
                f"{lost}, at time {start + sign * tau:.4g}"
            )
        h = min(h, span - tau)
        stages, then = [first], state
        for c, row in zip(C[1:], A[1:], strict=True):
            then = _moved(state, [sign * h * a for a in row], stages)
            stages.append(slopes(_at(start + sign * (tau + c * h), state), then))
        used += len(stages) - 1
        error = _largest(_moved(nothing, E, stages), state, then) / tolerance
        if error <= 1:
            tau, state, first = tau + h, then, stages[-1]  # the last stage is the next first
        h *= min(max(0.9 * max(error, 1e-9) ** -0.25, 0.2), 5.0) if error < math.inf else 0.2
    return state


def _at(tau: float, state: State) -> Tensor:
    """A time as the slopes take it: a tensor () of the state's dtype and device."""
    return state[0].new_full((), tau)


def _moved(state: State, weights: Sequence[float], stages: Sequence[State]) -> State:
    """The state plus a weighted sum of slopes, part by part."""
    for weight, stage in zip(weights, stages, strict=True):
        if weight:
            parts = zip(state, stage, strict=True)
            state = tuple(torch.add(part, slope, alpha=weight) for part, slope in parts)
    return state


@torch.no_grad()
def _largest(errors: State, before: State, after: State) -> float:
    """The largest error beside 1 + abs(y), over all entries; NaN where one is."""
    shares = [
        (error / (1 + torch.maximum(y.abs(), then.abs()))).abs().max()
        for error, y, then in zip(errors, before, after, strict=True)
        if error.numel()
    ]
    return torch.stack(shares).max().item()

"""Fit anything that has a loss."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from tqdm import tqdm


def fit(
    loss: Callable[[], Tensor],
    parameters: Iterable[nn.Parameter],
    steps: int,
    lr: float = 1e-2,
    seed: int = 0,
) -> Tensor:
    r"""Minimise a loss with Adam, the learning rate falling to zero along half a cosine.

    .. math:: \eta_k = \tfrac12 \, \text{lr} \, \bigl(1 + \cos(\pi k / \text{steps})\bigr)

    The same seed gives the same result; the generator's state outside is left as it was.  A
    progress bar goes to stderr, unless the environment has ``CI``, ``FLOWLIB_BOOK`` or
    ``TQDM_DISABLE``.

    Args:
        loss: called once a step; returns a scalar tensor, such as a batch's mean in nats.
        parameters: what to train, such as ``flow.parameters()``.
        steps: how many.
        lr: the learning rate at the start.
        seed: of torch's generator while this runs.

    Returns:
        The loss at each step, before that step's update, shape (steps,).

    Raises:
        FloatingPointError: a loss that is not finite.  It names the step; the parameters are left
            as they were when the loss was last finite.
        ValueError: no parameters, or a loss that is not a scalar.

    Source: Kingma and Ba 2015; the cosine is Loshchilov and Hutter 2017, equation 5.

    Example:
        >>> x = nn.Parameter(torch.tensor(3.0))
        >>> losses = fit(lambda: (x - 1) ** 2, [x], steps=200, lr=0.1)
        >>> losses.shape, round(x.item(), 2)
        (torch.Size([200]), 1.0)
    """
    parameters = list(parameters)
    if not parameters:
        raise ValueError("fit expected parameters to train; got none")
    optimizer = torch.optim.Adam(parameters, lr, fused=True)  # a stack has many small parameters
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    losses, last_finite = [], None
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for step in (bar := tqdm(range(steps), disable=_quiet(), mininterval=0.5)):
            value = loss()
            if value.ndim:
                raise ValueError(f"fit expected a scalar loss; got shape {tuple(value.shape)}")
            losses.append(value.item())
            if not math.isfinite(losses[-1]):
                _restore(parameters, last_finite)
                raise FloatingPointError(
                    f"the loss is {losses[-1]} at step {step} of {steps}, after {losses[-4:-1]}; "
                    "the parameters are back where it was last finite"
                )
            last_finite = [p.detach().clone() for p in parameters]
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            bar.set_postfix_str(f"loss {losses[-1]:.3f}", refresh=False)
    return torch.tensor(losses)


@torch.no_grad()
def _restore(parameters: list[nn.Parameter], values: list[Tensor] | None) -> None:
    """Put the values back; None, at the first step, leaves the parameters as they are."""
    for parameter, value in zip(parameters, values or parameters, strict=True):
        parameter.copy_(value)


def _quiet() -> bool:
    return any(name in os.environ for name in ("CI", "FLOWLIB_BOOK", "TQDM_DISABLE"))

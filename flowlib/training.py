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
    warm_up: float = 0.0,
    clip: float = math.inf,
) -> Tensor:
    r"""Minimise a loss with Adam, the learning rate falling to zero along half a cosine.

    .. math:: \eta_k = \tfrac12 \, \text{lr} \, \bigl(1 + \cos(\pi k / \text{steps})\bigr)

    With a warm-up the rate first rises to lr along a line, and the cosine begins there.

    The same seed gives the same result; the generator's state outside is left as it was.  A
    progress bar goes to stderr, unless the environment has ``CI``, ``FLOWLIB_BOOK`` or
    ``TQDM_DISABLE``.

    Args:
        loss: called once a step; returns a scalar tensor, such as a batch's mean in nats.
        parameters: what to train, such as ``flow.parameters()``.
        steps: how many.
        lr: the learning rate, where it is highest.
        seed: of torch's generator while this runs.
        warm_up: the share of the steps over which the rate rises, in [0, 1).
        clip: the longest gradient, all parameters together; a longer one is cut to it.

    Returns:
        The loss at each step, before that step's update, shape (steps,).

    Raises:
        FloatingPointError: a loss that is not finite.  It names the step; the parameters are left
            as they were when the loss was last finite.
        ValueError: no parameters; a loss that is not a scalar; a warm-up or a clip out of range.

    Source: Kingma and Ba 2015; the cosine is Loshchilov and Hutter 2017, equation 5; the clip is
        Pascanu et al. 2013, section 3.2.

    Example:
        >>> x = nn.Parameter(torch.tensor(3.0))
        >>> losses = fit(lambda: (x - 1) ** 2, [x], steps=200, lr=0.1)
        >>> losses.shape, round(x.item(), 2)
        (torch.Size([200]), 1.0)
    """
    parameters = list(parameters)
    if not parameters:
        raise ValueError("fit expected parameters to train; got none")
    if not (0 <= warm_up < 1 and clip > 0):
        raise ValueError(
            f"fit expected a warm_up in [0, 1) and a clip > 0; got {warm_up} and {clip}"
        )
    optimizer = torch.optim.Adam(parameters, lr, fused=True)  # a stack has many small parameters
    schedule = _schedule(optimizer, steps, rise=round(warm_up * steps))
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
            if clip < math.inf:
                nn.utils.clip_grad_norm_(parameters, clip)
            optimizer.step()
            schedule.step()
            bar.set_postfix_str(f"loss {losses[-1]:.3f}", refresh=False)
    return torch.tensor(losses)


def _schedule(optimizer: torch.optim.Optimizer, steps: int, rise: int):
    """Up along a line for ``rise`` steps, then down along half a cosine."""
    fall = torch.optim.lr_scheduler.CosineAnnealingLR
    if not rise:
        return fall(optimizer, steps)
    up = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / (rise + 1), total_iters=rise)
    return torch.optim.lr_scheduler.SequentialLR(
        optimizer, [up, fall(optimizer, steps - rise)], [rise]
    )


@torch.no_grad()
def _restore(parameters: list[nn.Parameter], values: list[Tensor] | None) -> None:
    """Put the values back; None, at the first step, leaves the parameters as they are."""
    for parameter, value in zip(parameters, values or parameters, strict=True):
        parameter.copy_(value)


def _quiet() -> bool:
    return any(name in os.environ for name in ("CI", "FLOWLIB_BOOK", "TQDM_DISABLE"))

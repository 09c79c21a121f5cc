"""Fit anything that has a loss."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterable
from numbers import Integral

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
    callback: Callable[[int, float], object] | None = None,
) -> Tensor:
    r"""Minimise a loss with Adam, the learning rate falling to zero along half a cosine.

    .. math:: \eta_k = \tfrac12 \, \text{lr} \, \bigl(1 + \cos(\pi k / \text{steps})\bigr)

    With a warm-up the rate first rises to lr along a line, and the cosine begins there.

    The same seed gives the same result; the generator's state outside is left as it was.  Two calls
    with the same seed also draw the same batches: to continue a training on fresh ones, give the
    second call another seed.  Adam and its learning rate start anew in each call.

    Ctrl-C, or a notebook's stop button, ends the training early with a warning.  The losses so far
    are returned, and the parameters are those after the last whole step.

    A progress bar goes to stderr, unless the environment has ``CI``, ``FLOWLIB_BOOK`` or
    ``TQDM_DISABLE``.

    Args:
        loss: called once a step; returns a scalar tensor, such as a batch's mean in nats.
        parameters: what to train, such as ``flow.parameters()``.
        steps: how many, at least 1.
        lr: the learning rate, where it is highest.
        seed: of torch's generator while this runs.
        warm_up: the share of the steps over which the rate rises, in [0, 1).
        clip: the longest gradient, all parameters together; a longer one is cut to it.
        callback: called after each step with the step's number, from 0, and its loss.  Where it
            returns something true, the training ends.  Random numbers that it draws leave the
            batches as they are.

    Returns:
        The loss at each step, before that step's update, shape (steps,), or shorter if the training
        ended early.

    Raises:
        FloatingPointError: a loss that is not finite, or a last update that makes a parameter so.
            It names the step, or the layer of a flow where NaN arose; the parameters are left as
            they were when the loss was last finite.
        ValueError: no parameter that requires a gradient; a loss that is not a scalar; steps that
            are not an integer of 1 or more; a warm-up or a clip out of range, or a warm-up that
            leaves no step to the cosine.

    Source: Kingma and Ba 2015, `arXiv:1412.6980 <https://arxiv.org/abs/1412.6980>`_; the cosine is
        Loshchilov and Hutter 2017, `arXiv:1608.03983 <https://arxiv.org/abs/1608.03983>`_, equation
        5; the clip is Pascanu et al. 2013, `arXiv:1211.5063 <https://arxiv.org/abs/1211.5063>`_,
        section 3.2.

    Example:
        >>> x = nn.Parameter(torch.tensor(3.0))
        >>> losses = fit(lambda: (x - 1) ** 2, [x], steps=200, lr=0.1)
        >>> losses.shape, round(x.item(), 2)
        (torch.Size([200]), 1.0)
        >>> len(fit(lambda: (x + 1) ** 2, [x], steps=200, lr=0.1, callback=lambda _, loss: loss < 1))
        12
    """
    parameters = list(parameters)
    if not any(p.requires_grad for p in parameters):
        got = f"{len(parameters)} that require no gradient" if parameters else "none"
        raise ValueError(f"fit expected parameters to train; got {got}")
    if not (isinstance(steps, Integral) and steps >= 1):
        raise ValueError(f"fit expected an integer number of steps, at least 1; got {steps!r}")
    if not (0 <= warm_up < 1 and clip > 0):
        raise ValueError(
            f"fit expected a warm_up in [0, 1) and a clip > 0; got {warm_up} and {clip}"
        )
    rise = round(warm_up * steps)
    if rise >= steps:
        raise ValueError(
            f"fit expected a warm-up shorter than the training; got {rise} of {steps} steps"
        )
    trained = [p for p in parameters if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr, fused=True)  # a stack has many small parameters
    losses: list[float] = []
    begun, last_finite = -1, None  # the step whose update began last, and the parameters before it
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        try:
            for step in (bar := tqdm(range(steps), disable=_quiet(), mininterval=0.5)):
                try:
                    value = loss()
                except FloatingPointError:  # a flow's, which names the layer where NaN arose
                    _restore(parameters, last_finite)
                    raise
                if value.ndim:
                    raise ValueError(f"fit expected a scalar loss; got shape {tuple(value.shape)}")
                number = value.item()
                if not math.isfinite(number):
                    _restore(parameters, last_finite)
                    raise FloatingPointError(
                        f"the loss is {number} at step {step} of {steps}, after {losses[-3:]}; "
                        "the parameters are back where it was last finite"
                    )
                last_finite = [p.detach().clone() for p in parameters]
                begun = step
                optimizer.zero_grad()
                value.backward(inputs=trained)  # and no further, where a layer was computed
                if clip < math.inf:
                    nn.utils.clip_grad_norm_(parameters, clip)
                optimizer.param_groups[0]["lr"] = lr * one_cycle(step, steps, rise)
                optimizer.step()
                losses.append(number)
                bar.set_postfix_str(f"loss {number:.3f}", refresh=False)
                if callback or step == steps - 1:
                    _refuse_broken(parameters, last_finite, f"at step {step} of {steps}")
                if callback and _stops(callback, step, number):
                    break
        except KeyboardInterrupt:
            if begun == len(losses):  # in the midst of an update
                _restore(parameters, last_finite)
            elif last_finite:
                _refuse_broken(parameters, last_finite, f"at step {begun} of {steps}")
            warnings.warn(f"fit was interrupted after {len(losses)} of {steps} steps", stacklevel=2)
    return torch.tensor(losses)


def one_cycle(step: int, steps: int, rise: int = 0) -> float:
    r"""A learning rate, in units of its highest: up along a line, then down along half a cosine.

    .. math:: \eta_k = \frac{k + 1}{r + 1} \; (k < r), \qquad \eta_k = \tfrac12 \Bigl(1 + \cos
        \frac{\pi (k - r)}{\text{steps} - r}\Bigr) \; (k \ge r)

    Args:
        step: k, from 0.
        steps: of training, in all.
        rise: r, how many of them are on the line.

    Source: Loshchilov and Hutter 2017, `arXiv:1608.03983 <https://arxiv.org/abs/1608.03983>`_,
        equation 5, without the restarts.

    Example:
        >>> [round(one_cycle(step, steps=8, rise=4), 2) for step in range(8)]
        [0.2, 0.4, 0.6, 0.8, 1.0, 0.85, 0.5, 0.15]
    """
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))


@torch.no_grad()
def _restore(parameters: list[nn.Parameter], values: list[Tensor] | None) -> None:
    """Put the values back; None, at the first step, leaves the parameters as they are."""
    for parameter, value in zip(parameters, values or parameters, strict=True):
        parameter.copy_(value)


def _refuse_broken(parameters: list[nn.Parameter], before: list[Tensor], where: str) -> None:
    """Put the values from before an update back, and raise, where it made one that is not finite."""
    pairs = zip(parameters, before, strict=True)
    if any((~p.isfinite() & old.isfinite()).any() for p, old in pairs):
        _restore(parameters, before)
        raise FloatingPointError(
            f"the update {where} made a parameter that is not finite; the parameters are back "
            "where the loss was last finite"
        )


def _stops(callback: Callable[[int, float], object], step: int, loss: float) -> bool:
    with torch.random.fork_rng():
        return bool(callback(step, loss))


def _quiet() -> bool:
    return any(name in os.environ for name in ("CI", "FLOWLIB_BOOK", "TQDM_DISABLE"))

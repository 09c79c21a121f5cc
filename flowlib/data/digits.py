"""The 8 x 8 optical digits: a fixed split, the way from grey levels to R^64, and bits per dimension."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral
from typing import NamedTuple

import torch
from torch import Tensor

from flowlib.base import Bijection, Compose
from flowlib.elementwise import Affine
from flowlib.tensors import check_vectors, kind_of, may_hold
from flowlib.unit_interval import Sigmoid

LEVELS = 17
ALPHA = 0.01  # how much of the unit interval the logit leaves free at each end


class Digits(NamedTuple):
    """Images as they are stored, grey levels 0 to 16, shape (N, 64), float32; digits 0 to 9, (N,).

    A row is an image's pixels line by line: ``values[0].reshape(8, 8)`` is a picture.

    Example:
        >>> Digits(torch.zeros(5, 64), torch.arange(5)).labels
        tensor([0, 1, 2, 3, 4])
    """

    values: Tensor
    labels: Tensor


def optical_digits() -> tuple[Digits, Digits, Digits]:
    """The optical digits of scikit-learn in the book's fixed split: train, validation, test.

    1,297, 200 and 300 of the 1,797 images, in the order that ``numpy.random.default_rng(0)`` shuffles.

    Raises:
        ModuleNotFoundError: scikit-learn, which carries the images, is not installed.

    Source: Alpaydin and Kaynak 1998, the test part of their data.

    Example:
        >>> train, validation, test = optical_digits()
        >>> train.values.shape, int(train.values.min()), int(train.values.max())
        (torch.Size([1297, 64]), 0, 16)
    """
    import numpy as np

    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "optical_digits() needs scikit-learn: pip install scikit-learn"
        ) from error
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    values = torch.from_numpy(data.data[order]).float()
    labels = torch.from_numpy(data.target[order])
    sizes = (1297, 200, 300)
    train, validation, test = map(Digits, values.split(sizes), labels.split(sizes))
    return train, validation, test


def dequantise(values: Tensor) -> Tensor:
    r"""Add uniform noise to whole numbers, so that they have a density.

    .. math:: x = v + \eta, \qquad \eta_i \sim \mathcal U[0, 1)

    Args:
        values: v, a float tensor of whole numbers, shape (*).

    Shapes: (*) -> (*), in the dtype and on the device of v, float32 or float64; ``x.floor()`` is v
        again, also where v + η would round to v + 1.

    Raises:
        ValueError: values that are not whole, such as noisy ones, or not finite; an integer tensor.

    Source: Uria et al. 2013, `arXiv:1306.0186 <https://arxiv.org/abs/1306.0186>`_; Theis et al.
        2016, `arXiv:1511.01844 <https://arxiv.org/abs/1511.01844>`_.

    Example:
        >>> v = torch.tensor([0.0, 16.0])
        >>> dequantise(v).floor()
        tensor([ 0., 16.])
    """
    if not isinstance(values, Tensor) or not values.is_floating_point():
        raise ValueError(f"dequantise expected whole numbers as floats; got {kind_of(values)}")
    whole = (values == values.floor()) & values.isfinite()
    if not may_hold(whole):
        raise ValueError(
            f"dequantise expected whole numbers as floats; got {values[~whole][0].item():g}"
        )
    below = torch.nextafter(values + 1, values)
    return torch.minimum(values + torch.rand_like(values), below)


def to_grey(dim: int = 64) -> Bijection:
    r"""The last layer of a flow over dequantised grey levels: R^D -> the cube (0, 17)^D, nearly.

    .. math:: x = 17 \, \frac{\sigma(y) - \alpha}{1 - 2 \alpha}, \qquad
        y = \operatorname{logit}\bigl(\alpha + (1 - 2 \alpha) \, x / 17\bigr), \qquad \alpha = 0.01

    α keeps y within ±4.6 at the ends of the grey scale.  It costs a little: the flow's cube sticks
    out by 17 α / (1 - 2 α) = 0.17 grey levels on each side, and mass there is lost.

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: ``inverse`` of an x outside the wider cube.

    Source: Dinh et al. 2017, `arXiv:1605.08803 <https://arxiv.org/abs/1605.08803>`_, section 4.1,
        there with one α where the logit here has 2 α: the form of Papamakarios et al. 2017,
        `arXiv:1705.07057 <https://arxiv.org/abs/1705.07057>`_, symmetric in black and white.

    Example:
        >>> x, _ = to_grey(2)(torch.tensor([0.0, 30.0]))
        >>> x
        tensor([ 8.5000, 17.1735])
    """
    scale = LEVELS / (1 - 2 * ALPHA)
    return Compose(
        Sigmoid(),
        Affine(dim, torch.full((dim,), math.log(scale)), torch.full((dim,), -ALPHA * scale)),
    )


@torch.no_grad()
def bits_per_dim(
    log_prob: Callable[[Tensor], Tensor], values: Tensor, draws: int = 10, seed: int = 0
) -> Tensor:
    r"""What each image costs, in bits per pixel, under a density of its dequantised grey levels.

    .. math:: b(v) = -\frac{1}{D \ln 2} \, \mathbb E_\eta \log p(v + \eta)
        \;\ge\; -\frac1D \log_2 \int_{[0, 1)^D} p(v + \eta) \, d\eta

    The right side is the cost under the model of whole numbers that p makes: b is never too good.
    The same seed gives every density the same noise; the generator's state outside is left as it
    was.

    Args:
        log_prob: takes (draws, *, D), returns nats (draws, *), as ``flow.log_prob`` does.
        values: v, shape (*, D).
        draws: noise vectors η for each image, at least 1.
        seed: of the noise.

    Returns:
        b, shape (*), in the dtype of ``log_prob``; its mean is the figure to report.

    Raises:
        ValueError: values that are no vectors, or that :func:`dequantise` refuses; draws that are
            not an integer of 1 or more; a log_prob of another shape.

    Source: Theis et al. 2016, `arXiv:1511.01844 <https://arxiv.org/abs/1511.01844>`_.

    Example:
        >>> uniform = lambda x: torch.full(x.shape[:-1], -64 * math.log(17))
        >>> bits_per_dim(uniform, torch.zeros(3, 64))  # log2(17)
        tensor([4.0875, 4.0875, 4.0875])
    """
    if not (isinstance(draws, Integral) and draws >= 1):
        raise ValueError(f"bits_per_dim expected an integer of draws, at least 1; got {draws!r}")
    check_vectors("bits_per_dim", values, None)
    if not values.shape[-1]:
        raise ValueError("bits_per_dim expected pixels; got none")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        x = dequantise(values.expand(draws, *values.shape))
    nats = -log_prob(x)
    if nats.shape != x.shape[:-1]:
        raise ValueError(
            f"bits_per_dim expected log_prob to return shape {tuple(x.shape[:-1])}; "
            f"got {tuple(nats.shape)}"
        )
    return nats.mean(0) / (values.shape[-1] * math.log(2))

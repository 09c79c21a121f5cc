"""The oracle: what every flow must satisfy, computed without trusting any of its formulas."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.functional import jacobian

from flowlib.base import Bijection
from flowlib.tensors import dtype_of


def jacobian_log_det(bijection: Bijection, z: Tensor) -> Tensor:
    r"""The map's log-determinant, from its autograd Jacobian in float64, one point at a time.

    .. math:: \log \lvert \det \partial f(z) / \partial z \rvert

    Only the map is used, never its ``log_det``: the two must agree.  For the other direction give
    ``Inverse(bijection)`` and x.

    Args:
        bijection: any bijection; a float64 copy of it is used.
        z: points, shape (*, D).

    Returns:
        Nats, shape (*), float64; -inf where the map is flat.

    Example:
        >>> from flowlib import Planar
        >>> layer, z = Planar(3, u=torch.ones(3)), torch.randn(5, 3)
        >>> torch.allclose(layer(z)[1].double(), jacobian_log_det(layer, z), atol=1e-5)
        True
    """
    bijection = copy.deepcopy(bijection).double()
    points = z.detach().double().reshape(-1, z.shape[-1])
    log_dets = points.new_empty(len(points))
    for k, point in enumerate(points):
        log_dets[k] = torch.linalg.slogdet(jacobian(lambda p: bijection(p)[0], point)).logabsdet
    return log_dets.reshape(z.shape[:-1])


@torch.no_grad()
def round_trip_error(bijection: Bijection, z: Tensor) -> float:
    r"""How far a point comes back from where it started, in the dtype of ``z``.

    .. math:: \max \lvert f^{-1}(f(z)) - z \rvert

    For x -> z -> x give ``Inverse(bijection)`` and x.  A wrong ``log_det`` passes this check.

    Args:
        z: points, shape (*, D).  Of no points the error is 0.

    Example:
        >>> from flowlib import Planar
        >>> round_trip_error(Planar(2), torch.randn(100, 2)) < 1e-5
        True
    """
    errors = (bijection.inverse(bijection(z)[0])[0] - z).abs()
    return errors.max().item() if errors.numel() else 0.0


@torch.no_grad()
def total_mass(
    log_prob: Callable[[Tensor], Tensor],
    low: float | Sequence[float],
    high: float | Sequence[float],
    n: int = 400,
) -> float:
    r"""The integral of a density over a box, by the midpoint rule, summed in float64.

    .. math:: \int_{\text{low}}^{\text{high}} e^{\log p(x)} \, dx

    It is 1 for a density whose mass is within the box.  For a smooth density that vanishes at the
    box's edge the midpoint rule's error falls faster than any power of n.

    Args:
        log_prob: takes points (n**D, D), returns nats (n**D,).  A method of a module, as
            ``flow.log_prob`` is, gets points of the module's dtype and device; any other float64.
        low, high: the box's corners, a number for D = 1, else D numbers.
        n: cells along each axis.

    Example:
        >>> from flowlib import standard_normal
        >>> round(total_mass(standard_normal(2).log_prob, (-8, -8), (8, 8), n=100), 6)
        1.0
    """
    points = like_tensors_of(log_prob, cell_centres(low, high, n).flatten(0, -2))
    corners = torch.tensor([low, high], dtype=torch.float64).reshape(2, -1)
    volume = (corners[1] - corners[0]).prod()
    return (log_prob(points).double().exp().mean() * volume).item()


def like_tensors_of(function: Any, points: Tensor) -> Tensor:
    """Points in the dtype and on the device of the module whose method a function is, if it is one.

    Example:
        >>> from flowlib import Flow, standard_normal
        >>> flow = Flow(standard_normal(2)).double()
        >>> like_tensors_of(flow.log_prob, torch.zeros(2)).dtype
        torch.float64
    """
    module = getattr(function, "__self__", function)
    if not isinstance(module, nn.Module):
        return points
    tensors = (*module.parameters(), *module.buffers())
    device = next((tensor.device for tensor in tensors), points.device)
    return points.to(device, dtype_of(module) or points.dtype)


def cell_centres(
    low: float | Sequence[float], high: float | Sequence[float], n: int, dtype=torch.float64
) -> Tensor:
    """The centres of n equal cells along each axis of a box, shape (n, ..., n, D).

    Laid out like a picture in 2-D: rows run along the second coordinate, columns along the first.

    Args:
        low, high: the box's corners, a number for D = 1, else D numbers.

    Raises:
        ValueError: corners of different length, or out of order.

    Example:
        >>> cell_centres((0, 0), (1, 1), n=2)[0]  # the lower row
        tensor([[0.2500, 0.2500],
                [0.7500, 0.2500]], dtype=torch.float64)
    """
    lows = torch.as_tensor(low, dtype=torch.float64).reshape(-1)
    highs = torch.as_tensor(high, dtype=torch.float64).reshape(-1)
    if lows.shape != highs.shape or not bool((lows < highs).all()):
        raise ValueError(
            f"expected a box with low < high; got {lows.tolist()} and {highs.tolist()}"
        )
    middles = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    axes = [a + (b - a) * middles for a, b in zip(lows, highs, strict=True)]
    return torch.stack(torch.meshgrid(*axes[::-1], indexing="ij")[::-1], -1).to(dtype)

"""Flow matching: the loss, pairs whose lines cross less, conditions left out, and guidance."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def flow_matching_loss(
    velocity: Callable[..., Tensor], x: Tensor, z: Tensor, tau: Tensor, c: Tensor | None = None
) -> Tensor:
    r"""How far a velocity is from those of straight lines from noise to data, squared; shape ().

    .. math:: \text{mean}\, \lVert \nu((1 - \tau) z + \tau x, \tau; c) - (x - z) \rVert^2

    Over many pairs, its minimum is the velocity that carries the distribution of z to that of x,
    given c.

    Args:
        velocity: called as :class:`~flowlib.continuous.ContinuousFlow` calls it.
        x: data, shape (*, D).
        z: noise, of the same shape, drawn apart from x, or paired with it
            (:func:`pair_by_transport`).
        tau: times, uniform in [0, 1), shape (*).
        c: what each x is conditioned on, shape (*, C); for :class:`Guided`, through
            :func:`drop_rows`.

    Raises:
        ValueError: shapes that do not fit.

    Source: Lipman et al. 2023, `arXiv:2210.02747 <https://arxiv.org/abs/2210.02747>`_, equation 23
        with no noise left at the data's end.

    Example:
        >>> from flowlib import Velocity
        >>> x, z, tau = torch.ones(4, 2), torch.zeros(4, 2), torch.rand(4)
        >>> flow_matching_loss(Velocity(2), x, z, tau)  # a velocity of 0 where it should be (1, 1)
        tensor(2., grad_fn=<MeanBackward0>)
    """
    if x.shape != z.shape or tau.shape != x.shape[:-1]:
        raise ValueError(
            f"flow_matching_loss expected x and z of one shape (*, D) and tau of shape (*); got "
            f"{tuple(x.shape)}, {tuple(z.shape)} and {tuple(tau.shape)}"
        )
    line = x - z
    place = z + tau[..., None] * line
    miss = (velocity(place, tau) if c is None else velocity(place, tau, c)) - line
    return miss.square().sum(-1).mean()


def pair_by_transport(x: Tensor, z: Tensor) -> Tensor:
    r"""z in the order in which the lines from its rows to those of x are shortest: minibatch optimal transport.

    .. math:: \min_\pi \sum_i \lVert x_i - z_{\pi(i)} \rVert^2

    Shortest lines do not cross, and a flow that is trained on them needs fewer steps.  Labels keep
    their place beside x.  Exact for each batch, in some N³ operations; the flow of the minimum over
    batches is not that of the best transport, but comes closer the larger they are.

    Args:
        x: data, shape (N, D).
        z: noise, of the same shape.

    Raises:
        ValueError: other shapes.
        ModuleNotFoundError: scipy, which solves the assignment, is not installed.

    Source: Tong et al. 2024, `arXiv:2302.00482 <https://arxiv.org/abs/2302.00482>`_, section 3.2.

    Example:
        >>> pair_by_transport(torch.tensor([[5.0], [0.0]]), torch.tensor([[1.0], [2.0]]))
        tensor([[2.],
                [1.]])
    """
    if x.ndim != 2 or x.shape != z.shape:
        raise ValueError(
            f"pair_by_transport expected x and z of one shape (N, D); got {tuple(x.shape)} and "
            f"{tuple(z.shape)}"
        )
    try:
        from scipy.optimize import linear_sum_assignment
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("pair_by_transport() needs scipy: pip install scipy") from error
    lengths = torch.cdist(x.detach(), z.detach()).square()
    _, order = linear_sum_assignment(lengths.cpu().numpy())
    return z[torch.from_numpy(order).to(z.device)]


def drop_rows(c: Tensor, share: float) -> Tensor:
    r"""c with each row at zero in this share of the cases, (*, C) -> (*, C).

    So one network learns the velocity given c, and, at c = 0, that of all data together.

    Raises:
        ValueError: a share outside [0, 1].

    Source: Ho and Salimans 2022, `arXiv:2207.12598 <https://arxiv.org/abs/2207.12598>`_, algorithm 1.

    Example:
        >>> drop_rows(torch.ones(1000, 3), 0.2).mean() < 1
        tensor(True)
    """
    if not 0 <= share <= 1:
        raise ValueError(f"drop_rows expected a share from 0 to 1; got {share}")
    return torch.where(torch.rand_like(c[..., :1]) < share, 0.0, c)


class Guided(nn.Module):
    r"""The velocity of classifier-free guidance: beyond that given c, away from that of all data.

    .. math:: \nu_w(z, \tau; c) = \nu(z, \tau; 0) + w\, \bigl(\nu(z, \tau; c) - \nu(z, \tau; 0)\bigr)

    At w = 1 it is the velocity given c; a larger w gives samples that are cleaner and more alike.
    Both velocities are evaluated at once, on twice as many rows.

    Args:
        velocity: a module, called as ``velocity(z, tau, c)``, trained with some c left out
            (:func:`drop_rows`).
        weight: the weight w.

    Shapes: z (*, D), τ () or (*) and c (*, C) -> (*, D).

    Source: Ho and Salimans 2022, `arXiv:2207.12598 <https://arxiv.org/abs/2207.12598>`_, equation 6,
        whose w is this one less 1.

    Example:
        >>> from flowlib import ContinuousFlow, Flow, Velocity, standard_normal
        >>> velocity = Velocity(2, context=3)
        >>> layer = ContinuousFlow(2, Guided(velocity, 2.0), steps=4, context=3)
        >>> Flow(standard_normal(2), layer).sample((5,), torch.eye(3)).shape
        torch.Size([5, 3, 2])
    """

    def __init__(self, velocity: nn.Module, weight: float | Tensor):
        super().__init__()
        self.velocity, self.weight = velocity, weight

    def forward(self, z: Tensor, tau: Tensor, c: Tensor) -> Tensor:
        c = c.expand(*z.shape[:-1], -1)
        both = torch.stack([torch.zeros_like(c), c])
        of_all, of_c = self.velocity(z.expand(2, *z.shape), tau, both)
        return of_all + self.weight * (of_c - of_all)

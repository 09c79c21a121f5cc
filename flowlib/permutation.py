"""Put the coordinates in another order."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from flowlib.base import Bijection
from flowlib.tensors import fix


class Permutation(Bijection):
    r"""Put the coordinates in another order.

    .. math:: x_i = z_{\pi(i)}, \qquad \log\lvert\det J\rvert = 0

    Args:
        order: π(0), ..., π(D - 1), each of 0, ..., D - 1 once.

    Shapes: (*, D) -> (*, D) and (*).

    Raises:
        ValueError: an order that is no permutation; a wrong shape.

    Example:
        >>> Permutation([2, 0, 1])(torch.tensor([1.0, 2.0, 3.0]))
        (tensor([3., 1., 2.]), tensor(0.))
    """

    order: Tensor
    back: Tensor

    def __init__(self, order: Sequence[int] | Tensor):
        super().__init__()
        order = order.tolist() if isinstance(order, Tensor) else list(order)
        if sorted(order) != list(range(len(order))):
            raise ValueError(f"Permutation expected each of 0, ..., D - 1 once; got {order}")
        self.dim = len(order)
        fix(self, "order", order)
        fix(self, "back", sorted(range(self.dim), key=order.__getitem__), persistent=False)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.check(z)
        return z.index_select(-1, self.order), z.new_zeros(z.shape[:-1])

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.check(x)
        return x.index_select(-1, self.back), x.new_zeros(x.shape[:-1])

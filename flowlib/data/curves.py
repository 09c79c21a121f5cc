"""Densities along curves: two rings, a spiral, the outline of a word."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from flowlib.data.datasets import GaussianMixture


class Rings(GaussianMixture):
    """Two rings of radius 1 and 3, blurred by Gaussians of width 0.15; the outer has 3/4 of the mass.

    Example:
        >>> Rings().sample((5,)).shape
        torch.Size([5, 2])
    """

    def __init__(self):
        inner, outer = (torch.arange(n) * (2 * math.pi / n) for n in (32, 96))
        super().__init__(torch.cat([_at(inner, 1.0), _at(outer, 3.0)]), width=0.15)


class Spiral(GaussianMixture):
    """One and a half turns of a spiral, out to radius 3.5, blurred by Gaussians of width 0.15.

    Example:
        >>> Spiral().centres.norm(dim=-1).max()
        tensor(3.5000)
    """

    def __init__(self):
        share = torch.linspace(0.05, 1.0, 128).sqrt()  # equal steps along the curve, nearly
        super().__init__(_at(3 * math.pi * share, 3.5 * share[:, None]), width=0.15)


class Outline(GaussianMixture):
    """The outline of a word, 7 wide, blurred by Gaussians of width 0.08.

    Args:
        word: at least one letter that has an outline.

    Raises:
        ValueError: a word without an outline.

    Example:
        >>> Outline("Flow").centres.shape
        torch.Size([256, 2])
    """

    def __init__(self, word: str):
        from matplotlib.textpath import TextPath  # half as long to import as torch

        if not word.strip():
            raise ValueError(f"Outline expected a word with an outline; got {word!r}")
        lines = map(np.asarray, TextPath((0, 0), word, size=1).to_polygons())
        starts, ends = (np.concatenate(each) for each in zip(*((xy[:-1], xy[1:]) for xy in lines)))
        ways = ends - starts
        reached = np.hypot(*ways.T).cumsum()
        along = (np.arange(256) + 0.5) / 256 * reached[-1]
        piece = np.minimum(np.searchsorted(reached, along), len(reached) - 1)
        back = (reached[piece] - along) / np.hypot(*ways[piece].T)
        xy = torch.as_tensor(starts[piece] + (1 - back)[:, None] * ways[piece])
        middle, size = (xy.amax(0) + xy.amin(0)) / 2, xy.amax(0) - xy.amin(0)
        super().__init__(((xy - middle) * (7 / size.max())).float(), width=0.08)


def _at(angle: Tensor, radius) -> Tensor:
    return torch.stack([angle.cos(), angle.sin()], -1) * radius

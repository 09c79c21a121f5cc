"""The matplotlib pictures that chapters share, and what each colour means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch import Tensor

from flowlib.base import Bijection
from flowlib.checks import cell_centres, like_tensors_of

#: The colour of each role: base, data, truth, wrong and muted.
PALETTE = {
    "base": "#0E7BBE",  # z, the base side
    "data": "#C4500A",  # x, the data side
    "truth": "#045632",  # a reference, an exact value, a target
    "wrong": "#911878",  # what breaks
    "muted": "#767676",  # grids and guides
}
OPACITY = 0.8  # of marks on top of each other; js/marks.js has it too
#: The colours of a density, from white at zero to dark blue.
HEAT = LinearSegmentedColormap.from_list(
    "heat", ["#FFFFFF", "#CFE3F1", "#7FB2D9", "#2F74B5", "#123A6B"]
)
STYLE: Any = {
    "figure.facecolor": "white",  # an opaque card, readable on a light and on a dark page
    "savefig.facecolor": "white",
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": PALETTE["muted"],
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "legend.frameon": False,
}


def panels(
    *titles: str, xlabel: str = "x₁", ylabel: str = "x₂", size: tuple[float, float] = (3.6, 3.4)
) -> tuple[Figure, list[Axes]]:
    """Axes side by side, one a title, in the book's style; sets nothing global.

    Args:
        titles: one a panel; may be empty strings.
        xlabel, ylabel: of every panel.
        size: of one panel, width and height in inches.

    Example:
        >>> fig, (left, right) = panels("base", "data")
        >>> right.get_xlabel()
        'x₁'
    """
    with plt.rc_context(STYLE):
        width, height = size
        fig, axes = plt.subplots(
            1, len(titles), figsize=(width * len(titles), height), squeeze=False
        )
        for ax, title in zip(axes[0], titles, strict=True):
            ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
        interactive = plt.isinteractive()  # a notebook's backend turns it on with the first figure,
    plt.interactive(interactive)  # and the end of rc_context would turn it off again
    return fig, list(axes[0])


@torch.no_grad()
def draw_density(
    ax: Axes,
    log_prob: Callable[[Tensor], Tensor],
    low: Sequence[float] = (-4, -4),
    high: Sequence[float] = (4, 4),
    n: int = 200,
) -> None:
    """A heat map of exp(log_prob) over a box, from white at zero.

    Args:
        ax: where.
        log_prob: (N, 2) -> (N,), in nats; need not be normalised.  A method of a module, as
            ``flow.log_prob`` is, gets points of the module's dtype and device; any other float32.
        low, high: the box's corners.
        n: pixels a side.

    Example:
        >>> from flowlib import standard_normal
        >>> fig, (ax,) = panels("standard normal", xlabel="z₁", ylabel="z₂")
        >>> draw_density(ax, standard_normal(2).log_prob)
    """
    points = cell_centres(low, high, n, dtype=torch.float32).reshape(-1, 2)
    density = log_prob(like_tensors_of(log_prob, points)).exp().reshape(n, n).cpu()
    extent = (low[0], high[0], low[1], high[1])
    ax.imshow(
        density.numpy(), HEAT, vmin=0, origin="lower", extent=extent, interpolation="bilinear"
    )


def draw_points(ax: Axes, points: Tensor, role: str = "data", size: float = 3) -> None:
    """Samples (N, 2) as dots in the colour of their role.

    Example:
        >>> fig, (ax,) = panels("samples")
        >>> draw_points(ax, torch.randn(100, 2), role="base")
    """
    x, y = points.detach().cpu().numpy().T
    ax.scatter(x, y, s=size, color=PALETTE[role], alpha=OPACITY, linewidths=0)
    ax.set_aspect("equal")


@torch.no_grad()
def draw_grid(
    ax: Axes,
    bijection: Bijection,
    low: Sequence[float] = (-3, -3),
    high: Sequence[float] = (3, 3),
    lines: int = 19,
    role: str = "muted",
) -> None:
    """A square grid pushed through a bijection: ``lines`` lines each way, bent as it bends them.

    Example:
        >>> from flowlib import Planar
        >>> fig, (ax,) = panels("one planar layer")
        >>> draw_grid(ax, Planar(2))
    """
    across, along = torch.linspace(0, 1, lines), torch.linspace(0, 1, 200)
    rows = torch.stack(torch.meshgrid(along, across, indexing="xy"), -1)  # (lines, 200, 2)
    unit = torch.cat([rows, rows.flip(-1)])
    corner, opposite = torch.as_tensor(low).float(), torch.as_tensor(high).float()
    pushed, _ = bijection(like_tensors_of(bijection, corner + (opposite - corner) * unit))
    ax.add_collection(
        LineCollection(list(pushed.cpu().numpy()), colors=PALETTE[role], linewidths=0.7)
    )
    ax.autoscale_view()
    ax.set_aspect("equal")

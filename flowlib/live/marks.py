"""Marks: what a picture is made of.  This file has each of them, its function and its drawing.

A function of a mark returns a small dict of plain JSON, which names the *outputs* of ``fn`` that it
shows; ``@reads`` states what shape each must have.  Below it, ``@draws`` states how matplotlib draws it;
``js/marks.js`` draws the same in the page.  Colour is a role, never a colour: ``base`` (z), ``data``
(x), ``truth``, ``wrong`` or ``muted``.

An infinite coordinate or value is not drawn, and a curve has a gap there.  A NaN is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgba

from flowlib.live.numbers import plain
from flowlib.plotting import OPACITY, PALETTE

__all__ = [
    "bars",
    "curve",
    "grid",
    "heat",
    "matrix",
    "points",
    "segments",
]

HEAT = ["#CFE3F1", "#CFE3F1", "#7FB2D9", "#2F74B5", "#123A6B"]  # the first one transparent
SHADE = 0.18  # a shade's opacity; js/marks.js has these measures too
GRID, SEGMENT, CURVE, DASH = 1, 1.5, 2, (6, 4)  # pixels
BARS, BAR = 0.72, 0.92  # of the room for the bars at one place; of a bar's own part of that

# mark -> the outputs it reads -> their shape; a letter is any length, the same within a mark.
SHAPES: dict[str, dict[str, tuple[int | str, ...]]] = {}
DRAWINGS: dict[str, Callable] = {}  # mark -> function(ax, panel, mark, outputs)


def reads(**shapes: tuple[int | str, ...]):
    """The outputs that a mark names, and their shapes."""

    def register(mark):
        SHAPES[mark.__name__] = shapes
        return mark

    return register


def draws(mark: Callable):
    """How matplotlib draws a mark; a unit of length is a pixel of the page."""

    def register(drawing):
        DRAWINGS[mark.__name__] = drawing
        return drawing

    return register


@reads(value=("H", "W"))
def heat(value: str, low: float = 0.0, high: float | None = None, label: str | None = None):
    """A heat map of output ``value`` (H, W) over the whole axes; ``low`` is the page's background.

    Row i belongs to ``y = linspace(*y, H)[i]``, column j to ``x = linspace(*x, W)[j]``.  ``high`` is
    the strongest colour; None takes each frame's own maximum.
    """
    return {"kind": "heat", "value": value, "low": low, "high": high, "label": label}


@draws(heat)
def _heat(ax, panel, mark, outputs):
    rows, columns = outputs[mark["value"]].shape
    edges = []
    for (low, top), count in ((panel["x"], columns), (panel["y"], rows)):
        half = (top - low) / max(count - 1, 1) / 2
        edges += [low - half, top + half]  # a value is that at the middle of its pixel
    _image(ax, panel, mark, outputs, extent=edges, origin="lower", interpolation="bilinear")


@reads(value=("H", "W"))
def matrix(value: str, low: float = 0.0, high: float | None = None, label: str | None = None):
    """Output ``value`` (H, W) as cells, row 0 at the top, as a matrix is written: or as an image is.

    Colours are those of :func:`heat`.  The axes take their ranges from it: cell [i, j] is at
    x = j + 1, y = i + 1.  An axis with a label counts its rows or columns; without, it is bare.
    """
    return {"kind": "matrix", "value": value, "low": low, "high": high, "label": label}


@draws(matrix)
def _matrix(ax, panel, mark, outputs):
    edges = [*panel["x"], *panel["y"]]
    _image(ax, panel, mark, outputs, extent=edges, origin="upper", interpolation="nearest")


def _image(ax, panel, mark, outputs, **style):
    value = array(outputs[mark["value"]])
    high = np.max(value[np.isfinite(value)], initial=mark["low"])
    high = high if mark["high"] is None else mark["high"]
    colours = [to_rgba(colour, 0.0 if i == 0 else 1.0) for i, colour in enumerate(HEAT)]
    ax.imshow(
        np.where(np.isfinite(value), value, mark["low"]), aspect="auto", vmin=mark["low"],
        vmax=high if high > mark["low"] else mark["low"] + 1,
        cmap=LinearSegmentedColormap.from_list("live", colours), **style,
    )  # fmt: skip
    ax.set(xlim=panel["x"], ylim=panel["y"])


@reads(xy=("N", 2))
def points(xy: str, role: str = "data", size: float = 2.5, label: str | None = None):
    """Dots at output ``xy`` (N, 2), of radius ``size`` in pixels."""
    return {"kind": "points", "xy": xy, "role": known(role), "size": size, "label": label}


@draws(points)
def _points(ax, panel, mark, outputs):
    xy = array(outputs[mark["xy"]])
    ring = any(other["kind"] == "heat" for other in panel["marks"])
    style = {"markersize": 2 * mark["size"] + ring / 2, "alpha": OPACITY}
    style |= {"markeredgewidth": ring / 2, "markeredgecolor": "white"}
    ax.plot(*_finite(xy).T, "o", color=PALETTE[mark["role"]], **style)


@reads(mesh=("R", "C", 2))
def grid(mesh: str, role: str = "muted", label: str | None = None):
    """The rows and columns of output ``mesh`` (R, C, 2) as lines: a grid that a map has bent."""
    return {"kind": "grid", "mesh": mesh, "role": known(role), "label": label}


@draws(grid)
def _grid(ax, panel, mark, outputs):
    mesh = array(outputs[mark["mesh"]])
    lines = [*mesh, *mesh.swapaxes(0, 1)]
    _lines(ax, mark, [_finite(line) for line in lines], linewidth=GRID)


@reads(x=("N",), y=("N",))
def curve(
    x: str,
    y: str,
    role: str = "data",
    label: str | None = None,
    fill: bool | str = False,
    dashed: bool = False,
):
    """A line through outputs ``x`` (N,) and ``y`` (N,).

    ``fill=True`` shades down to y = 0; ``fill="inside"`` closes the line and shades the polygon.
    """
    if fill not in (False, True, "inside"):
        raise ValueError(f"curve expected fill False, True or 'inside'; got {fill!r}")
    style = {"role": known(role), "label": label, "fill": fill, "dashed": dashed}
    return {"kind": "curve", "x": x, "y": y, **style}


@draws(curve)
def _curve(ax, panel, mark, outputs):
    x, y = _finite(np.stack([array(outputs[mark["x"]]), array(outputs[mark["y"]])], -1)).T
    colour = PALETTE[mark["role"]]
    if mark["fill"] == "inside":
        ax.fill(x, y, color=colour, alpha=SHADE, linewidth=0)
        x, y = np.append(x, x[:1]), np.append(y, y[:1])
    elif mark["fill"]:
        ax.fill_between(x, 0, y, color=colour, alpha=SHADE, linewidth=0)
    ax.plot(x, y, color=colour, linewidth=CURVE, linestyle=dashes(mark))


def dashes(mark: dict) -> Literal["-"] | tuple[float, tuple[float, float]]:
    """Of a curve: none, or dash and gap, which matplotlib counts in widths of the line."""
    dash, gap = DASH
    return (0, (dash / CURVE, gap / CURVE)) if mark.get("dashed") else "-"


@reads(ab=("N", 2, 2))
def segments(ab: str, role: str = "muted", arrow: bool = False, label: str | None = None):
    """Straight pieces from ``ab[i, 0]`` to ``ab[i, 1]`` of output ``ab`` (N, 2, 2)."""
    return {"kind": "segments", "ab": ab, "role": known(role), "arrow": arrow, "label": label}


@draws(segments)
def _segments(ax, panel, mark, outputs):
    pieces = array(outputs[mark["ab"]])
    pieces = pieces[np.isfinite(pieces).all((1, 2))]
    if not mark["arrow"]:
        _lines(ax, mark, pieces, linewidth=SEGMENT)
        return
    style = {"color": PALETTE[mark["role"]], "alpha": OPACITY, "linewidth": SEGMENT}
    style |= {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9}
    for a, b in pieces:
        ax.annotate("", b, a, arrowprops=style, clip_on=True)


def _lines(ax, mark, lines, linewidth: float):
    colour = PALETTE[mark["role"]]
    drawn = LineCollection(lines, color=colour, alpha=OPACITY, linewidth=linewidth)
    ax.add_collection(drawn, autolim=False)


@reads(heights=("N",))
def bars(heights: str, labels: list[str] | None = None, role: str = "data", label=None):
    """A bar for each entry of output ``heights`` (N,), at x = 0, 1, ..., with names under them.

    Several bars marks in one axes are side by side.
    """
    labels = None if labels is None else [str(plain(text)) for text in labels]
    style = {"labels": labels, "role": known(role), "label": label}
    return {"kind": "bars", "heights": heights, **style}


@draws(bars)
def _bars(ax, panel, mark, outputs):
    together = [m for m in panel["marks"] if m["kind"] == "bars"]
    heights = array(outputs[mark["heights"]])
    width = BARS / len(together)
    offset = (together.index(mark) - (len(together) - 1) / 2) * width
    places = np.arange(len(heights))
    tall = np.where(np.isfinite(heights), heights, 0.0)
    ax.bar(places + offset, tall, width * BAR, color=PALETTE[mark["role"]], alpha=OPACITY)
    if mark["labels"]:
        ax.set_xticks(places, mark["labels"])
        ax.tick_params(axis="x", length=0, pad=7)


def known(role: str) -> str:
    if role not in PALETTE:
        raise ValueError(f"a mark expected a role of {', '.join(PALETTE)}; got {role!r}")
    return role


def array(output) -> np.ndarray:
    return np.asarray(output, dtype=np.float64)


def _finite(points: np.ndarray) -> np.ndarray:
    """Points with an infinite coordinate become gaps."""
    return np.where(np.isfinite(points).all(-1, keepdims=True), points, np.nan)

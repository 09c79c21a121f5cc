"""The same figure by matplotlib: the picture for print, PDF, and before the script has run.

One inch is 72 CSS pixels, so that every length below is a pixel of the page.  ``js/marks.js`` draws
the same marks with the same margins, ticks and colours.
"""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.textpath import TextPath
from matplotlib.transforms import ScaledTranslation

from flowlib.live.words import has_cells, number, panel_ticks, tick_text
from flowlib.plotting import OPACITY, PALETTE

WIDTH, GAP, TALLEST = 720, 24, 340
LEFT, RIGHT, TOP, BOTTOM = 40, 10, 24, 40  # around each plot, as in live.css
TITLE, LEGEND, READOUTS, ACROSS = 22, 22, 52, 4  # heights; how many readouts side by side
SHADE = 0.18  # a shade's opacity; marks.js has the measures of marks too
GRID, SEGMENT, CURVE, DASH = 1, 1.5, 2, (6, 4)  # pixels
BARS, BAR = 0.72, 0.92  # of the room for the bars at one place; of a bar's own part of that
INK, QUIET, LINE = "#222222", "#5A5A5A", "#8A8A8A"
HEAT = ["#CFE3F1", "#CFE3F1", "#7FB2D9", "#2F74B5", "#123A6B"]  # the first one transparent


def picture(spec: dict, outputs: dict) -> Figure:
    """The panels of ``spec`` showing ``outputs``, in rows of at most three."""
    panels = [panel for panel in spec["panels"] if panel["kind"] == "axes"]
    rows = [_row(panels[i : i + 3]) for i in range(0, len(panels), 3)]
    items = [item for panel in spec["panels"] for item in panel.get("items", [])]
    height = sum(row["height"] for row in rows) + READOUTS * -(-len(items) // ACROSS)

    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=100)
    top = height
    for row in rows:
        left = row["left"]
        for panel in row["panels"]:
            width = panel["aspect"] * row["plot"]
            bottom = top - row["head"] - TOP - row["plot"]
            box = (left + LEFT, bottom, width, row["plot"])
            _axes(figure, panel, box, outputs, top, height)
            left += LEFT + width + RIGHT + GAP
        top -= row["height"]
    for i, item in enumerate(items):
        value = number(float(outputs[item["name"]]), item["digits"])
        x = (LEFT + i % ACROSS * (WIDTH - LEFT) / ACROSS) / WIDTH
        y = top - READOUTS * (i // ACROSS)
        figure.text(x, (y - 8) / height, item["label"], size=9.5, color=QUIET, va="top")
        figure.text(x, (y - 25) / height, value, size=14, color=INK, va="top")
    return figure


def to_png(figure: Figure) -> tuple[bytes, int, int]:
    """The picture at two dots to the pixel, and its width and height in pixels."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=144, facecolor="white")
    return buffer.getvalue(), *(round(side) for side in figure.get_size_inches() * 72)


def _row(panels: list[dict]) -> dict:
    """Panels side by side, all of one height."""
    taken = len(panels) * (LEFT + RIGHT) + (len(panels) - 1) * GAP
    aspects = sum(panel["aspect"] for panel in panels)
    plot = min((WIDTH - taken) / aspects, TALLEST)
    titles, legends = any(p["title"] for p in panels), any(_labelled(p) for p in panels)
    head = TITLE * titles + LEGEND * legends
    return {
        "panels": panels,
        "plot": plot,
        "left": (WIDTH - taken - plot * aspects) / 2,
        "head": head,
        "height": head + TOP + plot + BOTTOM,
    }


def _labelled(panel: dict) -> list[dict]:
    return [mark for mark in panel["marks"] if mark["label"]]


def _axes(figure: Figure, panel: dict, box: tuple, outputs: dict, top: float, height: float):
    left, bottom, wide, tall = box
    head = bottom + tall + TOP
    ax = figure.add_axes((left / WIDTH, bottom / height, wide / WIDTH, tall / height))
    ax.set(xlim=panel["x"], ylim=panel["y"], facecolor="none")
    ax.spines[["top", "right"]].set_visible(has_cells(panel))
    ax.spines[:].set(color=LINE, linewidth=GRID)
    across, up = panel_ticks(panel, wide, tall)
    ax.set_xticks(across, tick_text(across))
    ax.set_yticks(up, tick_text(up))
    ax.tick_params(length=4, width=1, color=LINE, labelcolor=QUIET, labelsize=9.5, pad=3)
    _keep_inside(figure, ax, wide)

    def text(x, y, line, **style):
        figure.text(x / WIDTH, y / height, line, **{"size": 10, "color": INK, **style})

    text(left, head - TOP + 10, panel["ylabel"], va="baseline", color=QUIET)
    text(left + wide / 2, bottom - 23, panel["xlabel"], va="top", ha="center", color=QUIET)
    if labelled := _labelled(panel):
        handles = [_handle(mark) for mark in labelled]
        where = ((left + 0.5) / WIDTH, (head + 5) / height)
        style = {"fontsize": 9.5, "labelcolor": INK, "handlelength": 1.4, "handletextpad": 0.5}
        legend = figure.legend(
            handles=handles, loc="lower left", bbox_to_anchor=where, ncols=len(handles),
            frameon=False, borderpad=0, borderaxespad=0, columnspacing=1.4, **style,
        )  # fmt: skip
        legend.set_in_layout(False)
    text(left, top - 15, panel["title"], size=11, weight="bold", va="baseline")
    for mark in panel["marks"]:
        MARKS[mark["kind"]](ax, panel, mark, outputs)


def _keep_inside(figure: Figure, ax, wide: float):
    """No tick label is cut off: a long one at the left gets smaller, one at the right moves in."""

    def width(label) -> float:
        return 1.05 * TextPath((0, 0), label.get_text(), size=9.5).get_extents().x1  # as hinted

    longest = max(map(width, ax.get_yticklabels()), default=0)
    ax.tick_params(axis="y", labelsize=9.5 * min(1, (LEFT - 9) / max(longest, 1)))
    low, high = ax.get_xlim()
    for x, label in zip(ax.get_xticks(), ax.get_xticklabels()):
        end = (x - low) / (high - low) * wide + width(label) / 2
        move = ScaledTranslation(min(wide + RIGHT - 1 - end, 0) / 72, 0, figure.dpi_scale_trans)
        label.set_transform(label.get_transform() + move)


def _heat(ax, panel, mark, outputs):
    rows, columns = outputs[mark["value"]].shape
    edges = []
    for (low, top), count in ((panel["x"], columns), (panel["y"], rows)):
        half = (top - low) / max(count - 1, 1) / 2
        edges += [low - half, top + half]  # a value stands at the middle of its pixel
    _image(ax, panel, mark, outputs, extent=edges, origin="lower", interpolation="bilinear")


def _matrix(ax, panel, mark, outputs):
    edges = [*panel["x"], *panel["y"]]
    _image(ax, panel, mark, outputs, extent=edges, origin="upper", interpolation="nearest")


def _image(ax, panel, mark, outputs, **style):
    value = _array(outputs[mark["value"]])
    high = np.max(value[np.isfinite(value)], initial=mark["low"])
    high = high if mark["high"] is None else mark["high"]
    colours = [to_rgba(colour, 0.0 if i == 0 else 1.0) for i, colour in enumerate(HEAT)]
    ax.imshow(
        np.where(np.isfinite(value), value, mark["low"]), aspect="auto", vmin=mark["low"],
        vmax=high if high > mark["low"] else mark["low"] + 1,
        cmap=LinearSegmentedColormap.from_list("live", colours), **style,
    )  # fmt: skip
    ax.set(xlim=panel["x"], ylim=panel["y"])


def _points(ax, panel, mark, outputs):
    xy = _array(outputs[mark["xy"]])
    ring = any(other["kind"] == "heat" for other in panel["marks"])
    style = {"markersize": 2 * mark["size"] + ring / 2, "alpha": OPACITY}
    style |= {"markeredgewidth": ring / 2, "markeredgecolor": "white"}
    ax.plot(*_finite(xy).T, "o", color=PALETTE[mark["role"]], **style)


def _grid(ax, panel, mark, outputs):
    mesh = _array(outputs[mark["mesh"]])
    lines = [*mesh, *mesh.swapaxes(0, 1)]
    _lines(ax, mark, [_finite(line) for line in lines], linewidth=GRID)


def _curve(ax, panel, mark, outputs):
    x, y = _finite(np.stack([_array(outputs[mark["x"]]), _array(outputs[mark["y"]])], -1)).T
    colour = PALETTE[mark["role"]]
    if mark["fill"] == "inside":
        ax.fill(x, y, color=colour, alpha=SHADE, linewidth=0)
        x, y = np.append(x, x[:1]), np.append(y, y[:1])
    elif mark["fill"]:
        ax.fill_between(x, 0, y, color=colour, alpha=SHADE, linewidth=0)
    ax.plot(x, y, color=colour, linewidth=CURVE, linestyle=_style(mark))


def _segments(ax, panel, mark, outputs):
    pieces = _array(outputs[mark["ab"]])
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


def _bars(ax, panel, mark, outputs):
    together = [m for m in panel["marks"] if m["kind"] == "bars"]
    heights = _array(outputs[mark["heights"]])
    width = BARS / len(together)
    offset = (together.index(mark) - (len(together) - 1) / 2) * width
    places = np.arange(len(heights))
    tall = np.where(np.isfinite(heights), heights, 0.0)
    ax.bar(places + offset, tall, width * BAR, color=PALETTE[mark["role"]], alpha=OPACITY)
    if mark["labels"]:
        ax.set_xticks(places, mark["labels"])
        ax.tick_params(axis="x", length=0, pad=7)


MARKS = {
    "heat": _heat,
    "matrix": _matrix,
    "points": _points,
    "grid": _grid,
    "curve": _curve,
    "segments": _segments,
    "bars": _bars,
}


def _handle(mark: dict):
    """What stands for a mark in the legend."""
    if mark["kind"] in ("heat", "matrix"):
        return Patch(color=HEAT[3], label=mark["label"])
    colour = PALETTE[mark["role"]]
    if mark["kind"] == "bars":
        return Patch(color=colour, alpha=OPACITY, linewidth=0, label=mark["label"])
    if mark.get("fill"):
        return Patch(facecolor=to_rgba(colour, 0.4), edgecolor=colour, label=mark["label"])
    if mark["kind"] == "points":
        return Line2D(
            [], [], color=colour, marker="o", linestyle="", markersize=5, label=mark["label"]
        )
    return Line2D(
        [], [], color=colour, linewidth=CURVE, linestyle=_style(mark), label=mark["label"]
    )


def _style(mark: dict) -> Literal["-"] | tuple[float, tuple[float, float]]:
    """Of a curve: solid, or dashes and gaps, which matplotlib counts in widths of the line."""
    dash, gap = DASH
    return (0, (dash / CURVE, gap / CURVE)) if mark.get("dashed") else "-"


def _array(output) -> np.ndarray:
    return np.asarray(output, dtype=np.float64)


def _finite(points: np.ndarray) -> np.ndarray:
    """Points with an infinite coordinate become gaps."""
    return np.where(np.isfinite(points).all(-1, keepdims=True), points, np.nan)

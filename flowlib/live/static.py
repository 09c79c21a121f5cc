"""The same figure by matplotlib: the picture for print, PDF, and before the script has run.

One inch is 72 CSS pixels, so that every length below is a pixel of the page.  ``marks.py`` draws
the marks; ``js/marks.js`` draws the same with the same margins, ticks and colours.
"""

from __future__ import annotations

import io

from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.textpath import TextPath
from matplotlib.transforms import ScaledTranslation

from flowlib.live.guess import hidden, reads
from flowlib.live.hands import CROSS, HALO, RIM, RING, pairs, place
from flowlib.live.marks import CURVE, DRAWINGS, HEAT, dashes
from flowlib.live.words import has_cells, panel_ticks, readout, tick_text
from flowlib.plotting import OPACITY, PALETTE

WIDTH, GAP, TALLEST = 720, 24, 340
LEFT, RIGHT, TOP, BOTTOM = 40, 10, 24, 40  # around each plot, as in live.css
TITLE, LEGEND, READOUTS, ACROSS = 22, 22, 52, 4  # heights; how many readouts side by side
UNKNOWN = "?"  # a number that the reader is to guess first
INK, QUIET, LINE = "#222222", "#5A5A5A", "#8A8A8A"


def picture(spec: dict, values: dict, outputs: dict) -> Figure:
    """The panels of ``spec`` showing ``outputs`` of control ``values``, in rows of at most three."""
    panels = [panel for panel in spec["panels"] if panel["kind"] == "axes"]
    rows = [_row(panels[i : i + 3]) for i in range(0, len(panels), 3)]
    unseen = hidden(spec["panels"])
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
            seen = [mark for mark in panel["marks"] if not reads(mark) & unseen]
            ax = _axes(figure, panel, seen, box, outputs, top, height)
            _hands(ax, panel, values)
            left += LEFT + width + RIGHT + GAP
        top -= row["height"]
    for i, item in enumerate(items):
        unknown = item["name"] in unseen
        value = UNKNOWN if unknown else readout(item, float(outputs[item["name"]]))
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


def _axes(
    figure: Figure,
    panel: dict,
    seen: list[dict],
    box: tuple,
    outputs: dict,
    top: float,
    height: float,
):
    left, bottom, wide, tall = box
    head = bottom + tall + TOP
    ax = figure.add_axes((left / WIDTH, bottom / height, wide / WIDTH, tall / height))
    ax.set(xlim=panel["x"], ylim=panel["y"], facecolor="none")
    ax.spines[["top", "right"]].set_visible(has_cells(panel))
    ax.spines[:].set(color=LINE, linewidth=1)
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
    for mark in seen:
        DRAWINGS[mark["kind"]](ax, panel, mark, outputs)
    return ax


def _hands(ax, panel: dict, values: dict):
    """A ring where a reader takes hold, and through a probe a cross."""
    for pair in pairs(panel):
        x, y = place(pair, values)
        for colour, more in (("white", 2 * HALO), (INK, 0)):
            style = {"color": colour, "linewidth": CROSS + more, "zorder": 4}
            if pair == panel["probe"]:
                ax.axvline(x, **style)
                ax.axhline(y, **style)
            style |= {"markersize": 2 * RING, "markeredgewidth": RIM + more}
            ax.plot([x], [y], "o", markerfacecolor="none", clip_on=False, **style)


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


def _handle(mark: dict):
    """A mark's sign in the legend."""
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
        [], [], color=colour, linewidth=CURVE, linestyle=dashes(mark), label=mark["label"]
    )

"""Colours and pixels: a figure keeps to the screen, and to a system that forces its own colours."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
import torch
from PIL import Image

from contrast import channels, contrast
from flowlib.live import axes, bars, curve, grid, heat, live, points, readouts, segments
from flowlib.plotting import PALETTE
from pages import PLANE

GROUNDS = {"light": "#ffffff", "dark": "#000000"}  # of the systems that Chromium emulates
NOISE = """const { prototype } = CanvasRenderingContext2D;
prototype.getImageData = (x, y, width, height) => {
  const noise = new ImageData(width, height);
  crypto.getRandomValues(noise.data);
  return noise;
};
"""
MARGIN = (40, 24, 10, 40)  # left, top, right, bottom: as in axes.js
DENSE = 3  # pixels to one of CSS: even a thin line has its own colour somewhere
SIZE = {"width": 800, "height": 600}
CLOSE = 3  # of 255: as far as two ways of mixing a colour with the ground may round


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport=SIZE, device_scale_factor=DENSE)
    yield context.new_page()
    context.close()


def shapes(a):
    """A heat map, a bar of each role, and each kind of line and dot."""
    line = torch.linspace(-3.0, 3.0, 30)
    mesh = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)
    left, right = torch.meshgrid(torch.linspace(-2.8, -1.5, 4), line[::6], indexing="xy")
    dots = torch.stack([left, right], -1)
    return {
        "density": torch.exp(-((mesh - a) ** 2).sum(-1) / 2),
        **{role: torch.ones(1) for role in PALETTE},
        "mesh": dots,
        "xy": dots.reshape(-1, 2) + torch.tensor([2.0, 0.5]),
        "t": line,
        "wave": torch.sin(line),
        "hill": 1 + torch.exp(-((line - 1) ** 2)),
        "ab": torch.tensor([[[-2.5, -2.5], [2.5, -2.0]]]),
        "number": a,
    }


@pytest.fixture(scope="module")
def data():
    panels = [
        axes(heat("density", label="density"), **PLANE, alt="A density."),
        axes(
            *(bars(role, role=role, label=role) for role in PALETTE),
            y=(0, 1.2), ylabel="height", alt="Bars.",
        ),
        axes(
            grid("mesh", role="muted", label="grid"),
            points("xy", role="base", label="points"),
            curve("t", "wave", role="truth", label="curve"),
            curve("t", "hill", role="data", fill=True, label="area"),
            segments("ab", role="wrong", label="segments"),
            **PLANE, alt="Lines.",
        ),
        readouts(number="a number"),
    ]  # fmt: skip
    figure = live(shapes, *panels, name="shapes", caption="All.", a=(-1.0, 1.0, 0.0))
    return figure.book_data()


class Seen:
    """What is seen of a page: the pixels of any of its elements (rows, columns, channels)."""

    def __init__(self, page):
        screenshot = Image.open(io.BytesIO(page.screenshot(full_page=True)))
        self.pixels = np.array(screenshot.convert("RGB")).astype(int)

    def of(self, element):
        box = element.bounding_box()
        x, y, width, height = (round(DENSE * box[k]) for k in ("x", "y", "width", "height"))
        return self.pixels[y : y + height, x : x + width]


def strongest(seen, ground):
    """Of the colours in some pixels, that which stands out most from the ground, and how far."""
    codes = np.unique(seen.reshape(-1, 3) @ (1 << 16, 1 << 8, 1))  # rows of three sort slowly
    colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], -1)
    stands_out = contrast(colours, ground)
    return colours[stands_out.argmax()], stands_out.max()


@pytest.mark.parametrize("system", GROUNDS)
@pytest.mark.parametrize("theme", GROUNDS)
def test_where_the_system_forces_colours_all_is_seen_and_told_apart(
    show, page, data, theme, system
):
    """It is dark where the system is, whatever the theme of the page."""
    page.emulate_media(forced_colors="active", color_scheme=system)
    shown = show(data)
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    shown.settle()
    seen, ground = Seen(page), GROUNDS[system]
    for panel in shown.figure.locator(".live-panel").all():
        picture, signs = seen.of(panel.locator("canvas")), []
        assert (picture[1, -1] == channels(ground)).all()
        left, top, right, bottom = (DENSE * margin for margin in MARGIN)
        for axis in (picture[:, : left - DENSE], picture[DENSE - bottom :]):
            assert strongest(axis, ground)[1] >= 4.5  # ticks and their numbers
        inside = picture[top:-bottom, left + 2 * DENSE : -right]
        for key in panel.locator(".live-key").all():
            sign, stands_out = strongest(seen.of(key), ground)
            assert stands_out >= 3
            assert abs(inside - sign).max(-1).min() <= CLOSE, key.get_attribute("class")
            signs.append(sign)
        for one, other in itertools.combinations(signs, 2):
            assert abs(one - other).max() > 10 * CLOSE
    rail = seen.of(shown.figure.locator("input[type=range]"))
    for end in (rail[:, : 6 * DENSE], rail[:, -6 * DENSE :]):
        assert strongest(end, ground)[1] >= 3
    for words in (".live-legend li", ".live-readout", ".live-control", "button", "figcaption"):
        for element in shown.figure.locator(words).filter(visible=True).all():
            assert strongest(seen.of(element), ground)[1] >= 4.5, words


def test_a_figure_follows_the_pixels_of_another_screen(show, page, data):
    """As where a window moves to it: its size differs, but no length in the figure, in CSS pixels."""
    shown = show(data)
    page.add_style_tag(content="body { width: 700px; }")
    shown.settle()
    canvas = shown.figure.locator("canvas").first
    sizes = canvas.evaluate("({ clientWidth, clientHeight }) => [clientWidth, clientHeight]")
    session = page.context.new_cdp_session(page)
    for width, ratio in ((810, 1), (820, 2.5), (810, 1)):
        screen = {"width": width, "height": 600, "deviceScaleFactor": ratio, "mobile": False}
        session.send("Emulation.setDeviceMetricsOverride", screen)
        shown.settle()
        drawn = canvas.evaluate("({ width, height }) => [width, height]")
        assert drawn == pytest.approx([ratio * size for size in sizes], abs=1)


def test_a_browser_that_hides_what_is_drawn_keeps_the_colours(show, page, data):
    """Protection from fingerprinting gives noise to a script that reads a canvas back."""
    open_ = Seen(show(data).page).pixels
    page.add_init_script(NOISE)
    assert (Seen(show(data).page).pixels == open_).all()

"""What a frame does not do again."""

import torch

from flowlib.live import axes, live, matrix
from pages import figure

MEASURED = """() => {
    let times = 0;
    const { live } = document.querySelector("figure");
    for (const { canvas } of live.pictures) canvas.getBoundingClientRect = () => times++;
    live.model.set("a", 1.5);
    live.update();
    for (const { canvas } of live.pictures) delete canvas.getBoundingClientRect;
    return times;
}"""
WRITTEN = """() => {
    let times = 0;
    const { fillText } = CanvasRenderingContext2D.prototype, { live } = document.querySelector("figure");
    CanvasRenderingContext2D.prototype.fillText = function (...all) { times++; fillText.apply(this, all); };
    live.model.set("a", -1.5);
    live.update();
    CanvasRenderingContext2D.prototype.fillText = fillText;
    return times;
}"""
WIDTHS = "() => document.querySelector('figure').live.pictures.map(({ canvas }) => canvas.width)"


def test_a_frame_measures_no_canvas_and_a_narrow_window_makes_it_narrow(page, show):
    shown = show(figure().book_data())
    assert page.evaluate(MEASURED) == 0
    wide = page.evaluate(WIDTHS)
    page.set_viewport_size({"width": 390, "height": 700})
    shown.settle()
    assert max(page.evaluate(WIDTHS)) < min(wide)


def test_a_frame_writes_on_no_canvas_and_another_theme_writes_anew(page, show):
    """Writing makes the browser compute the style of the whole page, in the middle of the frame."""
    shown = show(figure().book_data())
    assert page.evaluate(WRITTEN) == 0
    light = shown.look()[0]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    shown.settle()
    assert page.evaluate(WRITTEN) == 0 and shown.look()[0] != light


def cells(a, size):
    rows = 2 if size == "2 x 3" else 4
    return {"m": torch.cat([a.expand(rows, 2), torch.ones(rows, 1)], 1)}


def test_an_image_of_another_size_is_drawn_whole(show):
    panel = axes(matrix("m"), alt="Cells.")
    made = live(cells, panel, name="cells", a=(0.0, 2.0, 2.0), size=["2 x 3", "4 x 3"])
    shown = show(made.book_data())
    first = shown.look()
    shown.set("size", "4 x 3")
    assert shown.look()[0] == first[0]  # all rows are equal: more of them look the same
    shown.set("a", 0.5)
    assert shown.look()[0] != first[0]

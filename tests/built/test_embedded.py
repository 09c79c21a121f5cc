"""Each figure's page of its own, which other pages frame: alive, quiet, and sound for every reader."""

from __future__ import annotations

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tools.book import FIGURED, HTML, NARROW, Visit

PAGES = {name: sorted((HTML / "embed" / name).glob("*.html")) for name in FIGURED}
FAULTS = """async () => {
    const { violations } = await axe.run({ resultTypes: ["violations"] });
    return violations.map(({ id, nodes }) => [id, nodes[0].html]);
}"""


@pytest.mark.parametrize("name", FIGURED)
def test_a_figure_alone_is_alive_and_sound(browser, address, name):
    """The page's first figure, on a phone in the dark."""
    figure, *_ = PAGES[name]
    with Visit(browser, address, color_scheme="dark", **NARROW) as visit:
        (alone,) = visit.open(f"embed/{name}/{figure.stem}")
        alone.wake()
        pictures = {picture for picture, _ in alone.sweep(alone.controls[0])}
        assert len(pictures) > 1
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
        visit.page.evaluate(AXE_SCRIPT)
        assert visit.page.evaluate(FAULTS) == []
        assert visit.foreign == [] and visit.complaints == []


def test_every_figure_has_one():
    for name, pages in PAGES.items():
        text = (HTML / f"{name}.html").read_text(encoding="utf-8")
        assert text.count('<figure class="live-figure"') == len(pages), name

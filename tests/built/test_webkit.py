"""The built book in WebKit, the engine of Safari: every figure is ready, and follows its first control."""

from __future__ import annotations

import pytest

import webkit
from alive import dead
from tools.book import FIGURED

pytestmark = pytest.mark.xdist_group("webkit")  # one process starts it


@pytest.fixture(scope="module")
def kit(absent):
    """One WebKit for all pages."""
    if not (paths := webkit.find()):
        absent("WebKit", "webkit2gtk-driver xvfb")
    browser = webkit.WebKit(*paths)
    yield browser
    browser.close()


@pytest.mark.parametrize("name", FIGURED)
def test_every_figure_is_ready_and_follows_its_first_control(kit, address, name):
    lifeless = []
    for figure in kit.open(f"{address}{name}.html"):
        figure.wake()
        # The same frame again: WebKit may paint the first one by a pixel otherwise.
        figure.act("Reset")
        lifeless += dead(figure, figure.controls[:1])
    assert lifeless == []
    assert kit.foreign == [], "requests to others"

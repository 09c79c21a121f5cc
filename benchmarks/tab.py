"""A live figure on a page of its own, in headless Chromium."""

from __future__ import annotations

from pathlib import Path

from tools.page import page_of


def open_tab(browser, folder: str, figure):
    """The page, once the figure is drawn."""
    file = Path(folder) / "figure.html"
    file.write_text(page_of(figure.book_data()), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 720, "height": 900})
    tab.goto(file.as_uri())
    tab.wait_for_selector('figure[data-state="ready"]')
    return tab

"""A page in a browser that Playwright cannot drive, with what tools/book.py's Figure uses of Playwright.

Playwright drives only a Firefox and a WebKit of its own, from a server that CI does not reach.  Debian's
speak WebDriver: firefox.py and webkit.py add how a function is called and how keys and clicks get there.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

from tools.book import ALIVE, Figure

KEYS = {  # https://www.w3.org/TR/webdriver/#keyboard-actions
    "Enter": "\ue007",
    "Space": " ",
    "End": "\ue010",
    "Home": "\ue011",
    "ArrowDown": "\ue015",
}
WAIT = """(argument) => new Promise((go) => {
    const look = () => ((%s)(argument) ? go() : setTimeout(look, 20));
    look();
})"""
REST = """async () => {
    await new Promise((go) => (window.requestIdleCallback ?? setTimeout)(() => go()));
    await document.fonts.ready;
}"""
MIDDLE = """(element) => {
    element.scrollIntoView({ block: "center", behavior: "instant" });
    const { x, y, width, height } = element.getBoundingClientRect();
    return [Math.round(x + width / 2), Math.round(y + height / 2)];
}"""
SECONDS = 60  # after which a browser that does not answer has failed


class Page(ABC):
    """The window of a browser."""

    @property
    def keyboard(self) -> Page:
        """As Playwright names what presses keys."""
        return self

    def press(self, key: str):
        actions = [{"type": end, "value": KEYS[key]} for end in ("keyDown", "keyUp")]
        self.perform({"type": "key", "id": "keyboard", "actions": actions})

    @abstractmethod
    def goto(self, url: str):
        """Loads an address."""

    @abstractmethod
    def evaluate(self, function: str, *arguments):
        """What a function of JavaScript returns, or what its promise resolves to."""

    @abstractmethod
    def perform(self, source: dict):
        """One source of WebDriver's actions: keys or a pointer."""

    @abstractmethod
    def close(self):
        """Ends the browser."""

    def wait_for_function(self, function: str, arg=None):
        self.evaluate(WAIT % function, arg)

    def open(self, url: str) -> list[Figure]:
        """Goes to a page of the book and waits until its figures are alive; returns them."""
        self.goto(url)
        self.wait_for_function(ALIVE)
        self.evaluate(REST)
        figures = self.evaluate("() => [...document.querySelectorAll('figure.live-figure')]")
        return [Figure(self, figure) for figure in figures]


class Element:
    """One of a page's elements, by the browser's reference to it."""

    def __init__(self, page: Page, reference: dict):
        self.page, self.reference = page, reference

    def evaluate(self, function: str, *arguments):
        return self.page.evaluate(function, self, *arguments)

    def get_attribute(self, name: str) -> str | None:
        return self.evaluate("(e, name) => e.getAttribute(name)", name)

    def text_content(self) -> str:
        return self.evaluate("(e) => e.textContent")

    def query_selector(self, selector: str) -> Element | None:
        return self.evaluate("(e, selector) => e.querySelector(selector)", selector)

    def query_selector_all(self, selector: str) -> list[Element]:
        return self.evaluate("(e, selector) => [...e.querySelectorAll(selector)]", selector)

    def click(self):
        x, y = self.evaluate(MIDDLE)
        move = {"type": "pointerMove", "x": x, "y": y}
        ends = [{"type": end, "button": 0} for end in ("pointerDown", "pointerUp")]
        self.page.perform({"type": "pointer", "id": "mouse", "actions": [move, *ends]})


def when(ready, process):
    """What ``ready`` returns as soon as that is something, from a process that is starting."""
    end = time.monotonic() + SECONDS
    while not (found := ready()):
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{process.args[0]} did not start")
        time.sleep(0.05)
    return found

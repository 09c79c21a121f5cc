"""A finger on a page, by Chromium's own touch events: with them it scrolls as a phone does."""

from __future__ import annotations

PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}

REST = 60  # milliseconds: a finger that rests before it lifts does not fling the page


class Finger:
    """It lands at a start, moves by steps, and lifts."""

    def __init__(self, page):
        self.page, self.session = page, page.context.new_cdp_session(page)

    def path(self, start: tuple[float, float], steps: list[tuple[float, float]], lifts=True):
        x, y = start
        self._send("touchStart", x, y)
        for across, along in steps:
            x, y = x + across, y + along
            self._send("touchMove", x, y)
        self.page.wait_for_timeout(REST)
        if lifts:
            self._send("touchEnd")

    def _send(self, kind: str, *point: float):
        points = [dict(zip("xy", point))] if point else []
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

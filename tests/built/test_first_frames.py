"""From its first frame a page is as dark as the reader wants it, however late its files come."""

from __future__ import annotations

import base64
import functools
import io
import threading
import time

import numpy as np
import pytest
from PIL import Image

from tools.book import HTML
from tools.serve import Handler, Server

GROUNDS = {"dark": (18, 18, 18), "light": (255, 255, 255)}
LATE = 2000  # milliseconds
SIZE = {"width": 900, "height": 700}


class Late(Handler):
    """Keeps files of some kinds until they may go."""

    kinds, go = (), threading.Event()

    def send_head(self):
        if self.path.partition("?")[0].endswith(self.kinds):
            self.go.wait()
        return super().send_head()


@pytest.fixture(scope="module")
def late():
    with Server(("127.0.0.1", 0), functools.partial(Late, directory=str(HTML))) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        Late.go.set()
        serving.shutdown()


FIRST = "() => performance.timeOrigin + performance.getEntriesByType('paint')[0].startTime"


def frames_of(page):
    """A list that grows by each frame that the page shows from now on, with the second it came."""
    session, frames = page.context.new_cdp_session(page), []

    def note(frame):
        picture = Image.open(io.BytesIO(base64.b64decode(frame["data"]))).convert("RGB")
        frames.append((frame["metadata"]["timestamp"], np.array(picture)))
        session.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    session.on("Page.screencastFrame", note)
    session.send("Page.startScreencast", {"format": "png"})
    return frames


def shown(frame):
    return tuple(np.median(frame[1], (0, 1)).astype(int))


@pytest.mark.parametrize("kinds", [(".js",), (".js", ".css")], ids=["scripts", "styles too"])
@pytest.mark.parametrize("system, chosen", [("dark", None), ("dark", "light"), ("light", "dark")])
def test_no_frame_has_another_ground_than_the_readers(browser, late, system, chosen, kinds):
    """On a first visit the system's, later that which the reader has chosen."""
    Late.kinds = kinds
    Late.go.clear()
    ground = GROUNDS[chosen or system]
    stored = [{"name": name, "value": chosen} for name in ("mode", "theme") if chosen]
    state = {"cookies": [], "origins": [{"origin": late, "localStorage": stored}]}
    context = browser.new_context(color_scheme=system, viewport=SIZE, storage_state=state)
    page = context.new_page()
    page.set_content(f"<style>html {{ background: rgb{ground} }}</style>")  # where the reader was
    frames = frames_of(page)
    while not frames or shown(frames[-1]) != ground:  # the blank page before may be the first
        page.wait_for_timeout(20)
    frames.clear()
    page.goto(f"{late}/coupling.html", wait_until="commit")
    page.wait_for_timeout(LATE)
    gone = time.time()
    Late.go.set()
    page.wait_for_load_state("load")
    page.wait_for_timeout(LATE // 4)
    # Before the page's first paint the ground is the browser's own, which is as dark as the system.
    begun = page.evaluate(FIRST) / 1000 if chosen else 0
    own = [frame for frame in frames if frame[0] >= begun]
    assert any(when > gone for when, _ in own)
    assert ".css" in kinds or any(when < gone for when, _ in own)
    assert {shown(frame) for frame in own} == {ground}
    assert page.locator("html").get_attribute("data-theme") == (chosen or system)
    for name in ("html", "body"):
        style = f"getComputedStyle(document.querySelector('{name}')).backgroundColor"
        assert page.evaluate(style) in (f"rgb{ground}", "rgba(0, 0, 0, 0)")
    context.close()

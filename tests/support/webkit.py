"""WebKit's MiniBrowser on a screen that nobody sees, over WebDriver: https://www.w3.org/TR/webdriver/."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import urllib.error
import urllib.request

from remote import SECONDS, Element, Page, when

PROGRAMS = ("WebKitWebDriver", "Xvfb")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the standard's key for a reference
CALL = """const go = arguments[arguments.length - 1];
Promise.resolve((%s)(...[...arguments].slice(0, -1))).then(
    (value) => go({ value: value ?? null }), (error) => go({ error: String(error) }));"""
OTHERS = """() => performance.getEntriesByType("resource").map((each) => each.name)
    .filter((name) => !/^(data|blob):/.test(name) && new URL(name).origin !== location.origin)"""


def find() -> list[str] | None:
    paths = [shutil.which(name) for name in PROGRAMS]
    return paths if all(paths) else None


class WebKit(Page):
    """A page in a window of its own."""

    def __init__(self, driver: str, xvfb: str):
        self.screen = subprocess.Popen(
            [xvfb, "-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "1400x1000x24"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        display = f":{self.screen.stdout.readline().strip()}"
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.driver = subprocess.Popen(
            [driver, f"--port={port}"],
            env={**os.environ, "DISPLAY": display, "GDK_BACKEND": "x11"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.address = f"http://127.0.0.1:{port}/session"
        session = when(self.begin, self.driver)
        self.address += f"/{session['sessionId']}"
        self.send("/window/rect", width=1200, height=900)

    def begin(self) -> dict | None:
        with contextlib.suppress(urllib.error.URLError):  # the driver does not listen yet
            limit = {"script": 1000 * SECONDS}
            return self.send("", capabilities={"alwaysMatch": {"timeouts": limit}})

    def send(self, command: str, **body):
        request = urllib.request.Request(self.address + command, json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{command}: {json.load(error)['value']['message']}") from None

    @property
    def foreign(self) -> list[str]:
        """Requests of the open page to others."""
        return self.evaluate(OTHERS)

    def goto(self, url: str):
        self.send("/url", url=url)

    def evaluate(self, function: str, *arguments):
        values = [each.reference if isinstance(each, Element) else each for each in arguments]
        answer = self.send("/execute/async", script=CALL % function, args=values)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return self.read(answer["value"])

    def read(self, value):
        if isinstance(value, list):
            return [self.read(each) for each in value]
        return Element(self, value) if isinstance(value, dict) and ELEMENT in value else value

    def perform(self, source: dict):
        self.send("/actions", actions=[source])

    def close(self):
        for process in (self.driver, self.screen):  # with its screen goes the window
            process.terminate()
            process.wait(SECONDS)

"""Firefox without a window, over WebDriver BiDi: https://www.w3.org/TR/webdriver-bidi/."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import websocket

from remote import SECONDS, Element, Page, when

NAMES = ("firefox-esr", "firefox")
PREFERENCES = {
    # no traffic of its own
    "app.normandy.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "media.cubeb.force_mock_context": True,  # a loudspeaker, where the machine has none
}
EVENTS = [
    "log.entryAdded",
    "network.beforeRequestSent",
    "network.fetchError",
    "network.responseCompleted",
]


def find() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


class Firefox(Page):
    """A page in a Firefox with a profile of its own; notes requests to others and complaints."""

    def __init__(self, path: str, own: str):
        self.own, self.foreign, self.complaints, self.count = own, [], [], 0
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        folder = Path(self.profile.name)
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items()]
        (folder / "user.js").write_text("\n".join(lines), encoding="utf-8")
        log = folder / "log.txt"
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [path, "--headless", "--no-remote", "--profile", folder, "--remote-debugging-port=0"],
                stdout=file, stderr=file,
            )  # fmt: skip
        listens = when(lambda: re.search(r"(ws://\S+)\n", log.read_text()), self.process)
        self.socket = websocket.create_connection(
            f"{listens[1]}/session", timeout=SECONDS, suppress_origin=True
        )
        self.send("session.new", capabilities={})
        self.send("session.subscribe", events=EVENTS)
        self.context = self.send("browsingContext.create", type="tab")["context"]

    def send(self, method: str, **params) -> dict:
        """A command's result; notes the events that come before it."""
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while (message := json.loads(self.socket.recv())).get("id") != self.count:
            if message["type"] == "event":  # not the answer to a command that was given up
                self.note(message["method"], message["params"])
        if message["type"] == "error":
            raise RuntimeError(f"{method}: {message['message']}")
        return message["result"]

    def note(self, event: str, params: dict):
        if event == "log.entryAdded":
            if params["level"] == "error":
                self.complaints.append(params["text"])
            return
        url = params["request"]["url"]
        if not url.startswith((self.own, "data:", "blob:")):
            self.foreign.append(url)
        elif event == "network.fetchError":
            self.complaints.append(f"{params['errorText']} {url}")
        elif event == "network.responseCompleted" and params["response"]["status"] >= 400:
            self.complaints.append(f"{params['response']['status']} {url}")

    def resize(self, width: int, height: int):
        size = {"width": width, "height": height}
        self.send("browsingContext.setViewport", context=self.context, viewport=size)

    def goto(self, url: str):
        self.send("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def evaluate(self, function: str, *arguments):
        answer = self.send(
            "script.callFunction",
            functionDeclaration=function,
            arguments=[written(each) for each in arguments],
            target={"context": self.context},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return self.read(answer["result"])

    def read(self, result: dict):
        kind, value = result["type"], result.get("value")
        if kind == "node":
            return Element(self, {"sharedId": result["sharedId"]})
        if kind == "array":
            return [self.read(each) for each in value]
        if kind == "object":
            return {name: self.read(each) for name, each in value}
        return value

    def perform(self, source: dict):
        self.send("input.performActions", context=self.context, actions=[source])

    def close(self):
        self.process.terminate()
        self.process.wait(SECONDS)
        self.socket.close()
        self.profile.cleanup()


def written(value) -> dict:
    """An element or a plain value, as BiDi writes it."""
    if isinstance(value, Element):
        return value.reference
    if value is None:
        return {"type": "null"}
    kinds = {str: "string", bool: "boolean", int: "number", float: "number"}
    return {"type": kinds[type(value)], "value": value}

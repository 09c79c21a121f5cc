"""Finds Chromium or Chrome and starts it headless, with no traffic of its own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

NAMES = (
    "chromium-headless-shell",  # Debian's: a page costs a third of what it costs in the whole browser
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
APPLICATIONS = (  # where macOS keeps them
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
PROGRAMS = (
    "ProgramFiles",
    "ProgramFiles(x86)",
    "LocalAppData",
)  # where Windows says its folders are
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = (
    "No browser found: install Chromium or Chrome (Debian and Ubuntu: sudo apt-get install chromium; "
    "macOS: brew install --cask google-chrome; Windows: winget install Google.Chrome), "
    "or set BROWSER_PATH to one."
)


def find() -> str:
    """The path of a browser.  Raises FileNotFoundError with a sentence on what to install."""
    if path := os.environ.get("BROWSER_PATH"):
        if Path(path).is_file():
            return path
        raise FileNotFoundError(f"BROWSER_PATH is {path}, and there is no such file.")
    folders = filter(None, map(os.environ.get, PROGRAMS))
    windows = [
        os.path.join(each, "Google", "Chrome", "Application", "chrome.exe") for each in folders
    ]
    for path in (*map(shutil.which, NAMES), *filter(os.path.isfile, (*APPLICATIONS, *windows))):
        if path:
            return path
    raise FileNotFoundError(MISSING)


def flags() -> list[str]:
    """How to start it.  The sandbox stays on except for root, whom Chromium refuses with it."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*QUIET, *(["--no-sandbox"] if root else [])]


def launch(playwright, *more: str):
    """A headless browser, with ``more`` flags."""
    return playwright.chromium.launch(executable_path=find(), args=[*flags(), *more])


if __name__ == "__main__":
    try:
        print(find())
    except FileNotFoundError as missing:
        sys.exit(str(missing))

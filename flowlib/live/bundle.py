"""The page's script and style.

``make js`` makes ``live.js`` from the ES modules under ``js/``: one script that defines ``live``, whose
``render`` draws in a notebook and whose ``hydrate`` brings a built page to life.
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def esm() -> str:
    """One ES module with a default export, for anywidget."""
    return f"{script()}export default live;\n"


def classic() -> str:
    """One classic script for a built page, which also works from ``file://``."""
    return f'(() => {{\n"use strict";\n{script()}live.hydrate();\n}})();\n'


def script() -> str:
    return (HERE / "live.js").read_text(encoding="utf-8")


def css() -> str:
    return (HERE / "live.css").read_text(encoding="utf-8")

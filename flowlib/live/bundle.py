"""The page's two scripts and its style.

``make js`` makes the scripts of the ES modules under ``js/``.  With ``live.js`` a figure is read, moved
and trained: it defines ``live``, whose ``render`` draws in a notebook and whose ``hydrate`` brings a
built page to life.  ``live-more.js`` has what only some figures have, such as sound and what is drawn,
and what saves a figure.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

HERE = Path(__file__).parent
MORE = "live-more.js"


def esm() -> str:
    """One ES module with a default export, for anywidget."""
    return f"{script()}{more()}export default live;\n"


def classic() -> str:
    """The first script of a built page; it finds the second beside it, also from ``file://``."""
    digest = hashlib.sha256(more().encode()).hexdigest()[:8]
    return _strict(f'{script()}live.hydrate("{MORE}?v={digest}");')


def whole() -> str:
    """Both in one, for a page that is one file."""
    return _strict(f"{script()}{more()}live.hydrate();")


def script() -> str:
    return (HERE / "live.js").read_text(encoding="utf-8")


def more() -> str:
    return (HERE / MORE).read_text(encoding="utf-8")


def css() -> str:
    return (HERE / "live.css").read_text(encoding="utf-8")


def _strict(script: str) -> str:
    return f'(() => {{\n"use strict";\n{script}\n}})();\n'

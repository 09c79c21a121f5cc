"""The page's script and style, joined from their source files; no build step, no framework.

The files under ``js/`` are ordinary ES modules.  Joining them takes two substitutions: imports of
each other go, and so do ``export`` keywords.
"""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
FILES = ("runtime.js", "marks.js", "figure.js")


def esm() -> str:
    """One ES module with a default export, for anywidget."""
    return f"{_joined()}\nexport default {{ render }};\n"


def classic() -> str:
    """One classic script for a built page, which also works from ``file://``."""
    return f'(() => {{\n"use strict";\n{_joined()}\nhydrate();\n}})();\n'


def css() -> str:
    return (HERE / "live.css").read_text(encoding="utf-8")


def _joined() -> str:
    source = "\n".join((HERE / "js" / name).read_text(encoding="utf-8") for name in FILES)
    source = re.sub(r"^import [^;]* from \"\./[^;]*;\n", "", source, flags=re.MULTILINE)
    return re.sub(r"^export (default [^;]*;\n)?", "", source, flags=re.MULTILINE)

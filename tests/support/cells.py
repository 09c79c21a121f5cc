"""The code cells of a page, run as the build runs them, and the figures that they make."""

from __future__ import annotations

import json
import re
from unittest.mock import patch

import flowlib.live
from tools.book import ROOT

FENCE = re.compile(
    r"^```\{code-cell\}[^\n]*\n(?:---\n.*?^---\n|(?::[^\n]*\n)*)(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def code_of(page: str) -> list[str]:
    """The source of each code cell, of a notebook or of a text page."""
    path = ROOT / "book" / f"{page}.ipynb"
    if path.exists():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return FENCE.findall(path.with_suffix(".md").read_text(encoding="utf-8"))


def run(page: str, leave_out: tuple[str, ...] = (), last: str = "") -> tuple[dict, dict]:
    """Run a page's cells in one namespace: what they define, and their live figures by name.

    Cells that contain a text in ``leave_out`` are skipped; ``last`` is a text in the last one run.
    """
    names, figures, make = {"__name__": page}, {}, flowlib.live.live

    def recorded(*arguments, **options):
        figures[options["name"]] = make(*arguments, **options)
        return figures[options["name"]]

    with patch.object(flowlib.live, "live", recorded):
        for code in code_of(page):
            if "%pip" not in code and not any(each in code for each in leave_out):
                exec(compile(code, f"{page}: {code[:40]!r}", "exec"), names)  # noqa: S102, the book's own cells
                if last and last in code:
                    break
    return names, figures

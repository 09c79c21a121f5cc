"""The cells of a page, run as the build runs them, and the live figures that they make."""

from __future__ import annotations

import ast
import json
import re
from typing import Any, NamedTuple

from flowlib.live.figure import LiveFigure
from flowlib.live.words import number
from tools.book import ROOT

FENCE = re.compile(
    r"^```\{code-cell\}[^\n]*\n(?:---\n.*?^---\n|(?::[^\n]*\n)*)(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Ran(NamedTuple):
    """What cells define, their live figures by name, and what the last of them ends on."""

    names: dict[str, Any]
    figures: dict[str, LiveFigure]
    shown: Any


def sources(page: str) -> dict[str, str]:
    """The text of each cell of a notebook by its name, or of each code cell of a text page."""
    path = ROOT / "book" / f"{page}.ipynb"
    if path.exists():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return {cell["id"]: "".join(cell["source"]) for cell in cells}
    found = FENCE.findall(path.with_suffix(".md").read_text(encoding="utf-8"))
    return {str(k): code for k, code in enumerate(found)}


def run(page: str, *cells: str, names: dict[str, Any] | None = None) -> Ran:
    """Run these cells of a page, in this order, on given ``names``; without any, all of a text page."""
    texts, ran = sources(page), Ran({} if names is None else names, {}, None)
    for cell in cells or texts:
        if "%pip" in texts[cell]:
            continue
        *body, last = ast.parse(texts[cell]).body
        ends_on_value = isinstance(last, ast.Expr)
        rest = ast.Module(body if ends_on_value else [*body, last], [])
        exec(compile(rest, f"{page}: {cell}", "exec"), ran.names)  # noqa: S102, the book's own cells
        if ends_on_value:
            shown = eval(compile(ast.Expression(last.value), f"{page}: {cell}", "eval"), ran.names)
            ran = ran._replace(shown=shown)
            if isinstance(shown, LiveFigure):
                ran.figures[shown.spec["name"]] = shown
    return ran


def caption(cell: str) -> str:
    """The caption in the source of a cell."""
    calls = [each for each in ast.walk(ast.parse(cell)) if isinstance(each, ast.keyword)]
    (found,) = (each.value for each in calls if each.arg == "caption")
    return ast.literal_eval(found)


def readings(fig: LiveFigure) -> dict[str, str]:
    """Each readout as the page shows it, by its name."""
    outputs = fig.evaluate()
    items = [item for panel in fig.spec["panels"] for item in panel.get("items", [])]
    return {each["name"]: number(outputs[each["name"]].item(), each["digits"]) for each in items}


def scalars(fig: LiveFigure) -> dict[str, float]:
    """Each output of a figure that is one number, by its name."""
    return {name: out.item() for name, out in fig.evaluate().items() if out.ndim == 0}

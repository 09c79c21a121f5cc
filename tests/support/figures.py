"""The live figures of a chapter, made by its own cells, for tests that read them."""

from __future__ import annotations

import ast
import json

from flowlib.live.words import number
from tools.book import ROOT


def sources(chapter: str) -> dict[str, str]:
    """The text of each cell, by its name."""
    notebook = json.loads((ROOT / "book" / f"{chapter}.ipynb").read_text(encoding="utf-8"))
    return {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}


def figure(chapter: str, *names: str):
    """The figure that the last of these cells ends on, after the others ran."""
    cells, code = sources(chapter), {}
    *before, last = names
    for name in before:
        exec(compile(cells[name], name, "exec"), code)  # noqa: S102
    *body, end = ast.parse(cells[last]).body
    exec(compile(ast.Module(body, []), last, "exec"), code)  # noqa: S102
    return eval(compile(ast.Expression(end.value), last, "eval"), code)


def readings(fig) -> dict[str, str]:
    """Each readout as the page shows it, by its name."""
    outputs = fig.evaluate()
    items = [item for panel in fig.spec["panels"] for item in panel.get("items", [])]
    return {each["name"]: number(outputs[each["name"]].item(), each["digits"]) for each in items}

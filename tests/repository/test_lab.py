"""A chapter in JupyterLab: its figures come up, and a control moves picture and Python trait.

The first chapter is run up to its first figure; `make lab` runs every chapter whole.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import lab
from tools.book import CHAPTERS, NOTEBOOKS, PICTURE, ROOT, TWO_FRAMES

WHOLE = bool(os.environ.get("WHOLE"))
FIRST = next(path for path in NOTEBOOKS if path.stem == CHAPTERS[0])
FIGURE = re.compile(r"^(\w+ = )?(live|train)\(", re.MULTILINE)
# JupyterLab first requests a picture as the text names it, then where it is, and drops the first.
THEIRS = "/lab/tree/assets/colab.svg"


@pytest.fixture(scope="module")
def visit(browser, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab") / "book"
    shutil.copytree(ROOT / "book" / "assets", folder / "assets")
    for path in NOTEBOOKS:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if not WHOLE:
            notebook["cells"] = up_to_the_first_figure(notebook["cells"])
        (folder / path.name).write_text(json.dumps(notebook), encoding="utf-8")
    with lab.open_lab(browser, folder) as (visit, _):
        yield visit


def source(cell: dict) -> str:
    return "".join(cell["source"])


def up_to_the_first_figure(cells: list[dict]) -> list[dict]:
    first = next(place for place, cell in enumerate(cells) if FIGURE.search(source(cell)))
    return cells[: first + 1]


def figures_of(path: Path) -> list[str]:
    """The names of a chapter's figures, in its order."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    shown = (source(cell) for cell in cells if FIGURE.search(source(cell)))
    return [re.search(r'\bname="([\w-]+)"', each)[1] for each in shown]


def move_a_control(page, figure):
    """Moves the figure's first control by the keyboard; its name, and its new text."""
    control = figure.query_selector("select, input[type=range]")
    control.focus()
    slider, before = control.get_attribute("type") == "range", control.input_value()
    for key in ("End", "Home") if slider else ("ArrowDown", "ArrowUp"):
        if control.input_value() == before:
            page.keyboard.press(key)
            page.evaluate(TWO_FRAMES)
    name = control.get_attribute("name")
    return name, figure.evaluate("(figure, name) => figure.live.model.get(name)", name)


def press(page, figure, name):
    next(b for b in figure.query_selector_all("button") if b.text_content() == name).press(" ")
    page.evaluate(TWO_FRAMES)


@pytest.mark.parametrize("path", NOTEBOOKS if WHOLE else [FIRST], ids=lambda path: path.stem)
def test_in_jupyterlab_a_control_moves_the_picture_and_the_trait(visit, path):
    visit.complaints.clear()
    notebook = lab.Notebook(visit.page, path.name)
    notebook.run()
    names = []
    for figure in notebook.figures():
        names.append(name := figure.evaluate("(figure) => figure.live.spec.name"))
        values, picture = notebook.values(name), figure.evaluate(PICTURE)
        control, value = move_a_control(visit.page, figure)
        assert value != values[control]
        assert notebook.values(name) == values | {control: value}, name
        if trains := figure.evaluate("(figure) => Boolean(figure.live.spec.train)"):
            press(visit.page, figure, "Step")  # where it trains, a control acts from then on
        assert figure.evaluate(PICTURE) != picture, name
        notebook.ask(f"figures[{name!r}].{control} = {values[control]!r}")  # and back, from Python
        if trains:
            press(visit.page, figure, "Reset")
        visit.page.wait_for_function(f"([f, was]) => ({PICTURE})(f) === was", arg=[figure, picture])
    assert names == figures_of(path)[: None if WHOLE else 1]
    notebook.close()
    assert visit.foreign == []
    assert [each for each in visit.complaints if not each.endswith(THEIRS)] == []


def test_a_server_that_hangs_when_it_is_asked_to_end_is_ended():
    hangs = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", hangs], stdout=subprocess.PIPE)
    process.stdout.readline()  # it ignores the signal from now on
    lab.stop(process, seconds=0.1)
    assert process.returncode is not None
    process.stdout.close()

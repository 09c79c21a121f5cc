"""The first cell of a chapter, in an environment like Colab's.

Colab's numpy, ipywidgets and anywidget; Python and torch are those that run the tests, since
torch itself would be gigabytes.  `make colab` has Colab's torch too, and runs every chapter whole.
"""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook

from tools.colab import NOTEBOOKS, VERSIONS, VIEW, Colab
from tools.scratch import copy_of_the_repository

INSTALLED = """
import json
from importlib.metadata import distributions
print(json.dumps({each.name: each.version for each in reversed([*distributions()])}))
"""
FIGURE = """
import torch
from flowlib.live import axes, curve, live

def line(slope):
    x = torch.linspace(-1, 1, 50)
    return {"x": x, "y": slope * x}

picture = axes(curve("x", "y"), x=(-1, 1), y=(-2, 2), alt="A straight line.")
fig = live(line, picture, name="line", slope=(-2.0, 2.0, 1.0))
fig
"""


class Session:
    """A kernel, cell after cell."""

    def __init__(self, client):
        self.client = client

    def run(self, source: str) -> list:
        """The outputs of one more cell; raises where it fails."""
        self.client.nb.cells.append(new_code_cell(source))
        last = len(self.client.nb.cells) - 1
        return self.client.execute_cell(self.client.nb.cells[last], last)["outputs"]

    def say(self, source: str) -> str:
        return "".join(each.get("text", "") for each in self.run(source)).strip()

    def move(self, model: str, **state):
        """What a page sends when a reader moves a control."""
        data = {"method": "update", "state": state, "buffer_paths": []}
        channel = self.client.kc.shell_channel
        channel.send(self.client.kc.session.msg("comm_msg", {"comm_id": model, "data": data}))


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("colab")
    made = Colab(folder, copy_of_the_repository(folder))
    theirs = [f"{name}=={version}" for name, version in VERSIONS.items()]
    made.install("--no-deps", *theirs, "ipython_genutils")  # which ipywidgets 7 imports
    made.borrow(Path(torch.__file__).parents[1])
    return made


@pytest.fixture(scope="module")
def session(colab):
    """After the first cell of a chapter, with what was installed before and after it."""
    cell = next(c for c in nbformat.read(NOTEBOOKS[0], 4).cells if c.cell_type == "code")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in colab.environment().items():
            patch.setenv(name, value)
        client = colab.client(new_notebook())
        with client.setup_kernel():
            session = Session(client)
            session.before = json.loads(session.say(INSTALLED))
            session.said = session.say(cell.source)
            session.after = json.loads(session.say(INSTALLED))
            yield session


def test_the_first_cell_installs_flowlib_and_touches_nothing_else(session):
    print(session.said, session.after)  # which versions these are, should it fail
    assert {name: session.before[name] for name in VERSIONS} == VERSIONS
    assert "flowlib" not in session.before
    installed = {name: session.after[name] for name in session.after.keys() - session.before.keys()}
    assert installed.keys() == {"flowlib"}
    assert {name: session.after[name] for name in session.before} == session.before


def test_flowlib_is_the_installed_one_with_its_weights(colab, session):
    assert Path(session.say("import flowlib; print(flowlib.__file__)")).is_relative_to(
        colab.packages
    )
    for name in ("teacher", "student", "whisper"):
        load = f"print(next(pretrained({name!r}).parameters()).isfinite().all().item())"
        assert session.say(f"from flowlib.voice.pretrained import pretrained\n{load}") == "True"


def test_a_figure_is_a_widget_whose_traits_go_both_ways(session):
    (shown,) = (each["data"] for each in session.run(FIGURE) if "data" in each)
    assert {VIEW, "image/png", "text/plain"} <= shown.keys()
    model = shown[VIEW]["model_id"]
    state = session.client.widget_state[model]
    assert (state["_model_module"], state["slope"]) == ("anywidget", 1.0)
    assert "render" in state["_esm"] and state["graphs"]
    session.run("fig.slope = 0.5")
    assert session.client.widget_state[model]["slope"] == 0.5
    session.move(model, slope=-1.5)
    assert session.say("print(fig.slope, fig.evaluate()['y'][-1].item())") == "-1.5 -1.5"

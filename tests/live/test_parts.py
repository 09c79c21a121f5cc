"""A figure whose graphs come in files of their own: each when it is chosen, and words if it does not."""

import base64
import json
import threading
from shutil import rmtree
from types import SimpleNamespace
from urllib.parse import quote

import numpy as np
import pytest
import torch

from flowlib.live import parts
from flowlib.live.builder import ConstantPool
from flowlib.live.sphinx import PART, embed, write_script
from flowlib.live.trainer import _constants
from pages import learner
from tools.serve import server


@pytest.fixture
def apart(monkeypatch):
    """The training figure of the other tests, in parts, and the addresses of its other graphs."""
    monkeypatch.setattr(parts, "LARGEST", 0)
    figure, others = parts.split(learner(steps=5000).book_data())
    files = {
        key: f"data:text/javascript,{quote(script(part))}"
        for part in others
        for key in part["graphs"]
    }
    return figure, files


def script(part):
    return PART.format(json.dumps(part))


def losses(shown, steps):
    return shown.figure.evaluate(
        """({ live: { training } }, steps) => {
          for (let k = 0; k < steps; k++) training.advance();
          return [...training.losses.slice(0, training.count)];
        }""",
        steps,
    )


def choose(shown, name, value, state):
    """Moves a checkbox, and waits until its graph is here, or is known to be missing."""
    shown.figure.evaluate(
        "(figure, [name, value]) => figure.live.change(name, value)", [name, value]
    )
    shown.page.wait_for_function(
        """([busy, state]) => {
          const { ariaBusy, dataset } = document.querySelector("figure");
          return ariaBusy === busy && dataset.state === state;
        }""",
        arg=["true" if state == "error" else "false", state],
    )


def test_a_small_figure_stays_whole():
    book = learner().book_data()
    assert parts.split(book) == (book, [])


def test_the_first_choice_comes_with_the_figure_and_others_in_files(apart):
    figure, files = apart
    assert sorted(figure["graphs"]) == ["show[]", "start[false]", "step[false]"]
    assert sorted(files) == ["start[true]", "step[true]"]


def test_the_states_of_one_flow_on_different_data_share_a_file(monkeypatch):
    """Its parameters are in there once."""
    monkeypatch.setattr(parts, "LARGEST", 0)
    pool = ConstantPool()
    flows = [torch.rand(1000), torch.rand(1000)]
    graphs = {
        f'start["{data}",{flow}]': _constants({"x": flows[flow], "centres": torch.rand(9)}, pool)
        for data in ("moons", "rings", "banana")
        for flow in (0, 1)
    }
    takes = {"start": ["data", "flow"]}
    controls = [
        {"name": "data", "kind": "choice", "value": "moons"},
        {"name": "flow", "kind": "choice", "value": 0},
    ]
    data = base64.b64encode(pool.tobytes()).decode()
    spec = {"controls": controls, "train": {"takes": takes}}
    _, others = parts.split({"spec": spec, "graphs": graphs, "data": data})
    assert [len(part["graphs"]) for part in others] == [3, 2]
    assert all(len(part["data"]) < 6000 for part in others)


def test_a_number_behind_an_empty_constant_stays_what_it_is():
    """In the row of all constants, the empty one begins where the other does."""
    pool = ConstantPool()
    graph = _constants({"none": torch.empty(0), "number": torch.tensor(-7.5)}, pool)
    part = parts._alone({"start": graph}, pool.tobytes())
    row, (_, (_, offset, _)) = base64.b64decode(part["data"]), part["graphs"]["start"]["consts"]
    assert np.frombuffer(row, "<f2", 1, 4 * offset) == -7.5


def test_a_choice_is_fetched_and_trains_as_torch_does(show, apart):
    figure, files = apart
    shown = show(figure | {"files": files})
    fig = learner(steps=5000)
    for low in (False, True):
        choose(shown, "low", low, "ready")
        choose(shown, "wide", low, "ready")
        fig.low, fig.wide = low, low
        fig.reset()
        fig.run(20)
        torch.testing.assert_close(
            torch.tensor(losses(shown, 20)), fig.losses[:20], rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("came", ["data:text/javascript,half", "data:text/javascript,0", "no.js"])
def test_a_file_that_does_not_come_is_said_and_what_was_trained_stays(show, apart, came):
    figure, files = apart
    shown = show(figure | {"files": files | {"step[true]": came}})
    before = losses(shown, 5)
    shown.press("Step")
    choose(shown, "wide", True, "error")
    assert shown.alert.startswith("The file of this choice did not arrive.")
    assert losses(shown, 1)[:5] == before
    choose(shown, "wide", False, "ready")
    assert len(losses(shown, 1)) == 7
    shown.errors.clear()  # the browser's own, of a script that is none


def test_a_figure_in_parts_is_light_in_a_frame_and_whole_in_a_download(tmp_path, monkeypatch, page):
    """The page makes the download where it is asked for, of the frame's page and the parts."""
    monkeypatch.setattr(parts, "LARGEST", 0)
    book = learner().book_data()
    builder = SimpleNamespace(
        outdir=tmp_path, imagedir="_images", imgpath="_images", current_docname="part/page"
    )
    builder.config = SimpleNamespace(html_baseurl="")
    light, others = parts.split({key: book[key] for key in ("spec", "graphs", "data")})
    light["files"] = {
        key: write_script(builder, PART, part) for part in others for key in part["graphs"]
    }
    place = embed({"name": "learner"}, builder, book | light)
    assert place == "embed/part/page/learner.html"

    def trains(address):
        page.goto(f"{address}#learner?wide=1")
        page.wait_for_function("document.querySelector('figure').dataset.frameMs")
        page.get_by_role("button", name="Step").click()
        page.wait_for_function("document.querySelector('figure').dataset.step === '1'")

    with server(tmp_path) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{serving.server_port}/{place}"
        trains(address)
        page.evaluate(
            "place => { document.querySelector('figure').dataset.embed = place; }", address
        )
        page.get_by_role("button", name="Save or embed").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Web page").click()
        rmtree(tmp_path / "_images")  # what a download does not have
        page.get_by_role("button", name="Web page").click()
        page.get_by_text("The page could not be made: a file did not arrive.").wait_for()
        serving.shutdown()
    download.value.save_as(tmp_path / "whole.html")
    trains((tmp_path / "whole.html").as_uri())


def test_an_address_is_seen_from_the_page_and_named_by_what_the_file_holds(tmp_path):
    builder = SimpleNamespace(outdir=tmp_path, imagedir="_images", imgpath="../_images")
    one, same, other = (write_script(builder, PART, {"x": x}) for x in (1, 1, "`${}"))
    assert one == same != other and other.startswith("../_images/live-")
    text = (tmp_path / other.removeprefix("../")).read_text(encoding="utf-8")
    assert text == 'document.currentScript.part = String.raw`{"x":"\\u0060\\u0024{}"}`;\n'

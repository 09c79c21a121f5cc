"""A figure in Python: its controls are traits, its outputs torch's, its mistakes in words."""

import base64
import json

import ipywidgets
import pytest
import torch

from flowlib.live import Noise, TraceError, axes, curve, live, readouts
from flowlib.live.figure import BOOK_MIME
from pages import everything, figure

LINE = axes(curve("x", "y"), x=(-1, 1), y=(-1, 1), alt="A line.")


def line(a):
    x = torch.linspace(-1.0, 1.0, 5)
    return {"x": x, "y": a * x, "a": a}


def test_evaluate_is_the_function_itself():
    fig = figure()
    fig.a, fig.k, fig.bent, fig.shape = -1.0, 3, False, "square"
    expected = everything(
        torch.tensor(-1.0), torch.tensor(3.0), False, "square", Noise(64, 2, seed=3).realisation(0)
    )
    outputs = fig.evaluate()
    assert outputs.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(outputs[name], value)


def test_one_graph_for_each_choice():
    fig = figure()
    assert list(fig.graphs) == [
        '[false,"round"]', '[false,"square"]', '[true,"round"]', '[true,"square"]',
    ]  # fmt: skip
    json.dumps(fig.spec), json.dumps(fig.graphs)


def test_controls_are_traits_that_link_and_observe():
    one, other = figure("one"), figure("other")
    link = ipywidgets.link((one, "a"), (other, "a"))
    slider = ipywidgets.IntSlider(min=0, max=6)
    ipywidgets.link((one, "k"), (slider, "value"))
    seen = []
    other.observe(lambda change: seen.append(change.new), "a")
    one.a = 1.25
    assert (other.a, seen) == (1.25, [1.25])
    slider.value = 5
    assert one.k == 5 and one.evaluate()["heights"].isfinite().all()
    link.unlink()


def test_all_controls_together_are_one_value_for_interactive_output():
    fig, seen = figure(), []
    ipywidgets.interactive_output(lambda state: seen.append(state["a"]), {"state": fig})
    fig.a = -0.75
    assert seen == [0.5, -0.75]
    assert fig.value == {"a": -0.75, "k": 2, "bent": True, "shape": "round"}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("a", 2.5, r"a expected a number from -2.0 to 2.0; got 2.5"),
        ("k", 1.5, r"k expected a whole number; got 1.5"),
        ("bent", "yes", r"bent expected True or False; got 'yes'"),
        ("shape", "oval", r"shape expected one of \['round', 'square'\]; got 'oval'"),
    ],
)
def test_a_value_out_of_range_is_refused_and_the_old_one_stays(name, value, message):
    fig = figure()
    before = getattr(fig, name)
    with pytest.raises(ValueError, match=message):
        setattr(fig, name, value)
    assert getattr(fig, name) == before


def test_new_noise_moves_what_depends_on_it():
    fig = figure()
    before = fig.evaluate()
    fig.seed = 1
    after = fig.evaluate()
    assert not before["x"].equal(after["x"]) and before["density"].equal(after["density"])


def test_in_a_notebook_it_is_a_widget_with_a_picture(monkeypatch):
    monkeypatch.delenv("FLOWLIB_BOOK", raising=False)
    fig = figure()
    data, _ = fig._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == fig.model_id
    assert base64.b64decode(data["image/png"])[:4] == b"\x89PNG"
    assert BOOK_MIME not in data and data["text/plain"] == "LiveFigure('everything')"


def test_in_the_book_it_is_data_and_opens_no_channel(monkeypatch):
    monkeypatch.setenv("FLOWLIB_BOOK", "1")
    fig = figure()
    data, _ = fig._repr_mimebundle_()
    assert fig.comm is None
    assert "application/vnd.jupyter.widget-view+json" not in data
    book = json.loads(json.dumps(data[BOOK_MIME]))
    assert book.keys() == {"spec", "graphs", "data", "png", "width", "height", "alt"}
    assert base64.b64decode(book["data"]) == fig.data and len(fig.data) % 4 == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: live(line, LINE, name="Line", a=(0.0, 1.0, 0.5)), "a name such as"),
        (lambda: live(line, name="line", a=(0.0, 1.0, 0.5)), "expected panels"),
        (lambda: live(line, LINE, name="line", a=(0.0, 1.0)), r"control a: expected \(min"),
        (lambda: live(line, LINE, name="line", data=(0.0, 1.0, 0.5)), "has a 'data' of its own"),
        (lambda: live(line, LINE, name="line", a=list(range(65))), "at most 64 combinations"),
        (
            lambda: live(line, readouts(b="b"), name="line", a=(0.0, 1.0, 0.5)),
            "expected an output 'b' of fn; got a, x, y",
        ),
        (
            lambda: live(line, readouts(x="x"), name="line", a=(0.0, 1.0, 0.5)),
            r"output 'x' of shape \(\), a 0-d tensor; got \(5,\)",
        ),
        (
            lambda: live(
                lambda a: {"a": torch.log(a)}, readouts(a="a"), name="l", a=(-2.0, 1.0, -1.0)
            ),
            "expected numbers in output 'a'; got 1 NaN at {'a': -1.0}",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_cannot_be_traced_is_refused():
    def decides(a):
        return {"a": a if a > 0 else -a}

    with pytest.raises(TraceError):
        live(decides, readouts(a="a"), name="decides", a=(-1.0, 1.0, 0.5))

"""Checkboxes and dropdowns that reach the function as numbers: one trace for all of their values."""

import pytest
import torch

from flowlib.live import Checkbox, Choice, axes, curve, live, train


def learner():
    """Descent of which a checkbox bends the loss, and a dropdown sets the rate."""
    k = torch.arange(20.0)

    def step(state, steep, rate):
        gradient, loss = torch.func.grad_and_value(lambda x: (1 + steep) * x**2)(state["x"])
        return loss, {"x": state["x"] - gradient / rate}

    def show(state, losses):
        return {"k": k, "losses": losses}

    return train(
        lambda: {"x": torch.tensor(3.0)},
        step,
        show,
        axes(curve("k", "losses"), x=(0, 20), y=(0, 20), alt="The loss."),
        steep=Checkbox(False, as_number=True),
        rate=Choice([8, 16, 64], value=16, as_number=True),
        name="descent",
        steps=20,
    )


def test_there_is_one_trace_and_the_page_trains_as_torch_does(show):
    fig = learner()
    assert sorted(fig.graphs) == ["show[]", "start[]", "step[]"]
    shown = show(fig.book_data())
    for name, value in (("rate", "64"), ("steep", True)):
        shown.press("Step")
        shown.set(name, value)
        assert "Started again, for another" in shown.figure.locator(".live-count").inner_text()
    shown.press("Step")
    shown.press("Step")
    fig.run(1)
    fig.steep, fig.rate = True, 64
    assert fig.count == 0
    fig.run(2)
    losses = shown.figure.evaluate("({ live }) => [...live.training.losses.slice(0, 3)]")
    torch.testing.assert_close(torch.tensor(losses), fig.losses[:3])


def test_a_text_is_the_place_that_it_has_among_the_options(show):
    tables = torch.tensor([[1.0, 2.0], [30.0, 40.0], [-5.0, 6.0]])

    def chosen(word, scale):
        return {"k": torch.arange(2.0), "y": scale * tables[word.long()]}

    words = ["one", "thirty", "minus five"]
    fig = live(
        chosen,
        axes(curve("k", "y"), x=(0, 1), y=(-9, 99), alt="Two numbers."),
        word=Choice(words, value="thirty", as_number=True),
        scale=(0.0, 2.0, 1.0),
        name="words",
    )
    assert list(fig.graphs) == ["[]"] and fig.evaluate()["y"].tolist() == [30, 40]
    shown = show(fig.book_data())
    for word, table in zip(words, tables.tolist()):
        shown.set("word", word)
        assert shown.figure.evaluate("({ live }) => [...live.outputs.y]") == table


def test_words_and_numbers_do_not_mix():
    with pytest.raises(ValueError, match=r"of one kind as numbers; got \['a', 2\]"):
        Choice(["a", 2], as_number=True)

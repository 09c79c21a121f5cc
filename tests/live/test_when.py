"""Brushes show where the drawing is used, and traces are counted where they are made."""

import pytest
import torch

from flowlib.live import Choice, Drawn, axes, live, points, train


def figure(when):
    def fn(source, rows):
        return {"x": rows if source == "yours" else torch.zeros(30, 2)}

    paper = axes(points("x"), x=(-4, 4), y=(-4, 4), drawing="ring", alt="The points that are used.")
    rows = Drawn(30, when=when)
    return live(fn, paper, name="when", source=Choice(["zeros", "yours"]), rows=rows)


def test_the_brushes_show_for_the_option_that_uses_them(show):
    shown = show(figure(("source", "yours")).book_data())
    spray = shown.figure.get_by_role("button", name="Spray")
    assert not spray.is_visible()
    shown.figure.get_by_role("combobox", name="source").select_option("yours")
    spray.click()
    paper = shown.figure.locator(".live-paper")
    assert paper.is_visible()
    shown.figure.get_by_role("combobox", name="source").select_option("zeros")
    assert not spray.is_visible() and not paper.is_visible()


@pytest.mark.parametrize("when", [("source", "mine"), ("sauce", "yours")])
def test_another_option_is_refused(when):
    with pytest.raises(ValueError, match=r"Drawn expected when=\(dropdown, option of it\); got"):
        figure(when)


def test_a_start_may_have_more_choices_than_there_may_be_traces():
    """It is copied, not traced; a step or a picture of so many is refused."""
    many = list(range(65))
    picture = axes(points("x"), x=(0, 1), y=(0, 1), alt="A point.")

    def show(state):
        return {"x": state["x"]}

    def start(which):
        return {"x": torch.full((1, 2), which / 65)}

    def step(state):
        return state["x"].sum(), state

    assert len(train(start, step, show, picture, name="many", which=many).graphs) == 67
    with pytest.raises(ValueError, match="at most 64 combinations .*; got 65"):
        train(
            start,
            lambda state, which: (state["x"].sum(), state),
            show,
            picture,
            name="more",
            which=many,
        )

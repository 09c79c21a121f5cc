"""The code and the parameters that a page gives away are those that Python makes and loads."""

import numpy as np
import pytest
import torch

from flowlib.live import code_of, load_parameters, offer_code
from pages import learner

TEXT = "flow = <<wide>>\nfit(flow, lr=10**<<power>>, seed=<<seed>>)"
WIDE = {False: "narrow(<<power>>)", True: "wide()"}


@pytest.fixture
def given():
    figure = learner(steps=5000)
    offer_code(figure, TEXT, wide=WIDE)
    return figure


def test_the_page_fills_the_code_as_python_does(show, given):
    shown = show(given.book_data())
    shown.press("Save or embed")
    code = shown.figure.get_by_role("textbox", name="This flow in Python")
    assert (
        code.input_value()
        == code_of(given)
        == TEXT.replace("<<wide>>", "narrow(-1)")
        .replace("<<power>>", "-1")
        .replace("<<seed>>", "0")
    )
    shown.figure.evaluate(
        "({ live }) => { live.change('wide', true); live.change('power', -2.5); live.change('seed', 3); }"
    )
    code.focus()
    given.wide, given.power, given.seed = True, -2.5, 3
    assert code.input_value() == code_of(given) == "flow = wide()\nfit(flow, lr=10**-2.5, seed=3)"


def test_the_parameters_of_the_page_are_those_that_python_trains(show, given):
    shown = show(given.book_data())
    shown.press("Save or embed")
    shown.press("Parameters")
    assert shown.figure.locator(".live-said").inner_text().startswith("Nothing is trained yet")
    shown.figure.evaluate("({ live }) => { for (let k = 0; k < 3; k++) live.training.advance(); }")
    with shown.page.expect_download() as download:
        shown.press("Parameters")
    assert download.value.suggested_filename == "learner.npz"
    given.run(3)
    row = load_parameters(download.value.path())
    torch.testing.assert_close(row, given.state["parameters"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("arrays", [{"weights": np.ones(3)}, {"parameters": np.ones((2, 2))}])
def test_another_file_is_refused(tmp_path, arrays):
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(ValueError, match=r"expected .*other\.npz to"):
        load_parameters(tmp_path / "other.npz")


def test_half_a_file_is_refused(tmp_path):
    np.savez(tmp_path / "whole.npz", parameters=np.ones(300, np.float32))
    whole = (tmp_path / "whole.npz").read_bytes()
    for part in (b"", whole[: len(whole) // 2]):
        (tmp_path / "half.npz").write_bytes(part)
        with pytest.raises(ValueError, match=r"expected .*half\.npz to"):
            load_parameters(tmp_path / "half.npz")


def test_an_option_without_code_is_refused():
    with pytest.raises(ValueError, match=r"each option of wide; not \[True\]"):
        offer_code(learner(), TEXT, wide={False: "narrow()"})

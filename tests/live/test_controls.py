"""Abbreviations become controls, and the error of a wrong one has what was expected and what came."""

import json

import numpy as np
import pytest
import torch

from flowlib.live import Checkbox, Choice, ControlError, Noise, Slider
from flowlib.live.controls import as_control, control_spec, default_label


def test_three_numbers_are_minimum_maximum_and_value():
    slider = as_control("u1", (-3.0, 3.0, 1.5))
    assert (slider.min, slider.max, slider.value) == (-3.0, 3.0, 1.5)


@pytest.mark.parametrize(
    ("numbers", "step"),
    [
        ((0, 12, 4), 1),
        ((-3.0, 3.0, 1.5), 0.02),
        ((0, 1, 0.5), 0.005),
        ((0.0, 100.0, 50.0), 0.5),
        ((0.0, 2.0, 1.001), 0.001),  # finer, so that the default can be reached again
    ],
)
def test_steps_are_round_and_land_on_the_value(numbers, step):
    slider = as_control("k", numbers)
    assert slider.step == step
    assert slider.whole == (step == 1)


NUMBERS = {  # a number or a bool of Python's own, as another library writes it
    "a scalar": np.float64,
    "a scalar of 32 bits": lambda value: np.asarray(value).astype(np.float32)[()],
    "a scalar of integers": lambda value: np.asarray(value).astype(np.int64)[()],
    "an array": lambda value: np.asarray(value),
    "a tensor": torch.tensor,
    "a tensor that wants a gradient": lambda value: torch.tensor(float(value), requires_grad=True),
    "a tensor of 16 bits": lambda value: torch.tensor(value, dtype=torch.bfloat16),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_of_numpy_and_torch_are_numbers(kind):
    write = NUMBERS[kind]
    whole = kind == "a scalar of integers"
    numbers = (-3, 6, 2) if whole else (-0.75, 6.0, 0.5)
    slider = as_control("a", tuple(write(value) for value in numbers))
    assert slider == Slider(*numbers) and slider.whole == whole
    assert json.loads(json.dumps(control_spec("a", slider)))["value"] == numbers[2]
    assert repr(slider.check(write(1))) == repr(slider.check(1))
    with pytest.raises(ControlError, match=r"expected a number from .* to 6(\.0)?; got 7"):
        slider.check(write(7))


def test_a_float_of_few_bits_is_the_decimal_that_was_written():
    given = (torch.tensor(-0.3), np.float32(0.7), np.array(0.1, np.float16))
    assert as_control("a", given) == Slider(-0.3, 0.7, 0.1)


@pytest.mark.parametrize("write", [lambda value: np.array(value)[()], np.array, torch.tensor])
def test_bools_and_options_of_numpy_and_torch(write):
    assert as_control("c", write(True)) == Checkbox(True)
    assert Checkbox(True).check(write(False)) is False
    assert as_control("n", [write(3), write(1)]) == Choice([3, 1], 3)
    assert Noise(write(4), 2, seed=write(3)) == Noise(4, 2, seed=3)


def test_the_other_abbreviations():
    assert as_control("c", True) == Checkbox(True)
    assert as_control("t", ["U1", "U2"]) == Choice(["U1", "U2"], "U1")
    given = Noise(3, 2, seed=7)
    assert as_control("eps", given) is given


def test_specs_are_plain_json_with_a_readable_label():
    spec = control_spec("u1", Slider(-3.0, 3.0, 0.5, play=True))
    assert json.loads(json.dumps(spec)) == {
        "name": "u1", "kind": "slider", "label": "u₁", "min": -3.0, "max": 3.0, "value": 0.5,
        "step": 0.02, "play": True,
    }  # fmt: skip
    spec = control_spec("eps", Noise(4, 2, seed=3, kind="uniform"))
    assert spec == {"name": "eps", "kind": "uniform", "shape": [4, 2], "seed": 3}
    assert control_spec("c", Checkbox(False, label="keep it"))["label"] == "keep it"


@pytest.mark.parametrize(
    ("name", "label"), [("u1", "u₁"), ("log_scale", "log scale"), ("b", "b"), ("step10", "step10")]
)
def test_labels(name, label):
    assert default_label(name) == label


@pytest.mark.parametrize(
    ("control", "value", "message"),
    [
        (Slider(-3.0, 3.0, 0.0), 4, "expected a number from -3.0 to 3.0; got 4"),
        (Slider(-3.0, 3.0, 0.0), float("nan"), "expected a number from -3.0 to 3.0; got nan"),
        (Slider(-3.0, 3.0, 0.0), "1", "expected a number from -3.0 to 3.0; got '1'"),
        (Slider(0, 12, 4), 2.5, "expected a whole number; got 2.5"),
        (Checkbox(True), 1, "expected True or False; got 1"),
        (Choice(["U1", "U2"]), "U3", "expected one of ['U1', 'U2']; got 'U3'"),
    ],
)
def test_a_value_it_cannot_take(control, value, message):
    with pytest.raises(ControlError) as error:
        control.check(value)
    assert str(error.value) == message


def test_whole_sliders_give_whole_numbers():
    assert type(Slider(0, 12, 4).check(5.0)) is int
    assert type(Slider(0.0, 12.0, 4.0).check(5)) is float


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ((0.0, 1.0), r"control a: expected \(min, max, value\)"),
        ((0.0, 1.0, 2.0), "control a: Slider expected min <= value <= max"),
        ((1.0, 1.0, 1.0), "min < max"),
        ((0.0, float("inf"), 1.0), "finite numbers"),
        ([], "control a: Choice expected strings or whole numbers"),
        ([0.5, 1.5], "strings or whole numbers"),
        (["a", "a"], "options that differ"),
        ("text", "or Slider, Checkbox, Choice, Noise or Drawn; got 'text'"),
    ],
)
def test_an_abbreviation_that_makes_no_sense(wrong, message):
    with pytest.raises(ValueError, match=message):
        as_control("a", wrong)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Noise(), "lengths above 0"),
        (lambda: Noise(0, 2), "lengths above 0"),
        (lambda: Noise(2, kind="cauchy"), "'normal' or 'uniform'"),
        (lambda: Noise(2, seed=-1), "whole seed"),
        (lambda: Slider(0.0, 1.0, 0.5, step=0.0), "step above 0"),
    ],
)
def test_a_control_that_makes_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_noise_differs_from_draw_to_draw_and_repeats():
    noise = Noise(64, 2, seed=1)
    assert noise.realisation(0).shape == (64, 2)
    assert noise.realisation(0).equal(noise.realisation(0))
    assert not noise.realisation(0).equal(noise.realisation(1))

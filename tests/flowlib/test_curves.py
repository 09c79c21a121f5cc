"""Densities along curves: their centres lie on the curve, close enough to each other to be level."""

import pytest
import torch

from flowlib import Outline, Rings, Spiral


def gaps(centres):
    return (centres[1:] - centres[:-1]).norm(dim=-1)


def test_the_centres_of_two_rings_are_evenly_on_them():
    density = Rings()
    radius = density.centres.norm(dim=-1)
    torch.testing.assert_close(
        radius, torch.tensor([1.0, 3.0]).repeat_interleave(torch.tensor([32, 96]))
    )
    assert gaps(density.centres[:32]).max() < 1.5 * density.width
    assert gaps(density.centres[32:]).max() < 1.5 * density.width


def test_a_spiral_ends_at_radius_three_and_a_half_and_has_even_steps():
    density = Spiral()
    torch.testing.assert_close(density.centres[-1], torch.tensor([-3.5, 0.0]), atol=1e-5, rtol=0)
    assert gaps(density.centres).max() < 1.5 * density.width


def test_an_outline_is_seven_wide_in_the_middle_and_evenly_spaced():
    density = Outline("Flow")
    low, high = density.centres.amin(0), density.centres.amax(0)
    assert (high - low)[0] == pytest.approx(7, abs=0.1)
    torch.testing.assert_close(low, -high, atol=0.1, rtol=0)
    assert gaps(density.centres).median() < 2.2 * density.width
    with pytest.raises(ValueError, match="a word with an outline; got ' '"):
        Outline(" ")

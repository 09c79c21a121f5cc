"""A flow in a file: its state, which torch writes and reads, and no code."""

import pytest
import torch
from torch.distributions import Independent, Uniform
from torch.testing import assert_close

from bijections import BIJECTIONS, UNIT_INTERVAL_IN, build, inputs
from flowlib import Flow, standard_normal


def a_flow(name, seed):
    uniform = Independent(Uniform(torch.zeros(3), torch.ones(3), validate_args=False), 1)
    base = uniform if name in UNIT_INTERVAL_IN else standard_normal(3)
    return Flow(base, build(name, 3, seed=seed)).double()


@pytest.mark.parametrize("name", BIJECTIONS)
def test_a_saved_state_gives_the_same_density_in_a_flow_built_by_the_same_code(name, tmp_path):
    flow, other = a_flow(name, seed=0), a_flow(name, seed=7)
    _, x = inputs(name, (5, 3))
    torch.save(flow.state_dict(), tmp_path / "flow.pt")
    other.load_state_dict(torch.load(tmp_path / "flow.pt", weights_only=True))
    assert_close(other.log_prob(x), flow.log_prob(x), rtol=0, atol=0)
    torch.manual_seed(0)
    expected = flow.sample((5,))
    torch.manual_seed(0)
    assert_close(other.sample((5,)), expected, rtol=0, atol=0)


def test_the_test_would_see_a_state_that_is_not_loaded():
    _, x = inputs("affine", (5, 3))
    different = [a_flow("affine", seed).log_prob(x) for seed in (0, 7)]
    assert (different[0] != different[1]).all()


def test_a_flow_of_another_shape_refuses_the_state(tmp_path):
    torch.save(a_flow("affine", 0).state_dict(), tmp_path / "flow.pt")
    state = torch.load(tmp_path / "flow.pt", weights_only=True)
    for other in (Flow(standard_normal(2), build("affine", 2)), a_flow("planar", 0)):
        with pytest.raises(RuntimeError, match="Error.s. in loading state_dict"):
            other.load_state_dict(state)

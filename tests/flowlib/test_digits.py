"""The digits' protocol: the split, the noise, the logit, and bits per dimension by hand."""

import math
import sys

import numpy as np
import pytest
import torch
from torch.distributions import Independent, Laplace, Normal
from torch.testing import assert_close

from flowlib import (
    Flow,
    Inverse,
    bits_per_dim,
    dequantise,
    jacobian_log_det,
    optical_digits,
    standard_normal,
    to_grey,
    total_mass,
)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def uniform(x):
    return torch.full(x.shape[:-1], -x.shape[-1] * math.log(17), dtype=x.dtype)


# -- the split


def test_the_split_is_the_protocols():
    from sklearn.datasets import load_digits

    data, splits = load_digits(), optical_digits()
    assert [len(s.labels) for s in splits] == [1297, 200, 300]
    firsts = [[360, 1773, 1482], [745, 52, 338], [680, 1420, 1396]]
    for split, first in zip(splits, firsts, strict=True):
        assert_close(split.values[:3], torch.from_numpy(data.data[first]).float(), rtol=0, atol=0)
        assert split.labels[:3].tolist() == data.target[first].tolist()


def test_the_three_parts_are_all_the_images_once():
    from sklearn.datasets import load_digits

    values = torch.cat([split.values for split in optical_digits()])
    labels = torch.cat([split.labels for split in optical_digits()])
    together = torch.cat([values, labels[:, None]], -1)
    data = load_digits()
    original = torch.from_numpy(data.data).float()
    original = torch.cat([original, torch.from_numpy(data.target)[:, None]], -1)
    assert sorted(together.tolist()) == sorted(original.tolist())
    assert values.unique().tolist() == list(range(17))


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ModuleNotFoundError, match="pip install scikit-learn"):
        optical_digits()


# -- the noise


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_noise_is_uniform_and_never_reaches_the_next_level(dtype, monkeypatch):
    v = torch.arange(17, dtype=dtype).repeat(20_000, 1)
    u = dequantise(v) - v
    assert (u >= 0).all() and (u < 1).all()
    assert_close(u.mean(), torch.tensor(0.5, dtype=dtype), rtol=0, atol=0.003)
    assert_close(u.var(), torch.tensor(1 / 12, dtype=dtype), rtol=0, atol=0.003)

    largest = 1 - torch.finfo(dtype).eps / 2
    monkeypatch.setattr(torch, "rand_like", lambda value: torch.full_like(value, largest))
    assert (v + largest).max() == 17, "which is the trap"
    assert (dequantise(v).floor() == v).all()


@pytest.mark.parametrize(
    ("values", "got"),
    [
        (torch.tensor([0.0, 0.5]), "0.5"),
        (torch.tensor([[1, 2]]), "torch.int64"),
        (torch.tensor([3.0, math.nan]), "nan"),
        (torch.tensor([3.0, -math.inf]), "-inf"),
        (torch.full((300, 300), 0.25), "0.25"),
        ([1.0, 2.0], "list"),
        (np.ones(2), "ndarray"),
    ],
)
def test_what_is_no_whole_number_is_refused_in_one_line(values, got):
    with pytest.raises(ValueError, match=f"^dequantise expected whole .* as floats; got {got}$"):
        dequantise(values)


# -- the logit


@pytest.fixture
def doubles():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_the_logit_is_the_protocols(doubles):
    x = torch.tensor([[0.0, 17.0, 8.5, 3.2]])
    y, log_det = to_grey(4).inverse(x)
    p = 0.01 + 0.98 * x / 17
    assert_close(y, torch.logit(p), rtol=0, atol=1e-12)
    by_hand = (torch.log(0.98 / 17 / p) - torch.log1p(-p)).sum(-1)
    assert_close(log_det, by_hand, rtol=0, atol=1e-12)
    assert y.abs().max() < 4.6


def test_training_leaves_the_logit_as_it_is():
    assert list(to_grey().parameters()) == []


def test_a_density_pushed_to_grey_levels_keeps_its_mass():
    flow = Flow(standard_normal(1), to_grey(1)).double()
    edge = 0.17 / 0.98
    assert total_mass(flow.log_prob, -edge, 17 + edge, n=4000) == pytest.approx(1, abs=1e-6)


def test_its_log_det_is_that_of_the_autograd_jacobian_at_the_ends_too():
    x = dequantise(torch.tensor([[0.0, 16.0, 8.0]], dtype=torch.float64))
    layer = to_grey(3).double()
    assert_close(layer.inverse(x)[1], jacobian_log_det(Inverse(layer), x))
    assert_close(layer(layer.inverse(x)[0])[0], x)


def test_an_x_outside_the_cube_is_refused():
    with pytest.raises(ValueError, match=r"expected values in \(0, 1\)"):
        to_grey(2).inverse(torch.tensor([1.0, 17.2]))


# -- bits per dimension


def test_the_uniform_model_costs_log2_of_17():
    values = torch.randint(17, (20, 64)).float()
    assert_close(bits_per_dim(uniform, values), torch.full((20,), math.log2(17)))


def test_a_histogram_costs_its_shannon_bits():
    """A density that is level within each grey level: the bound is then an equality."""
    p = torch.rand(17) + 0.1
    p = p / p.sum()
    values = torch.randint(17, (50, 8)).float()
    bits = bits_per_dim(lambda x: p[x.long()].log().sum(-1), values, draws=2)
    assert_close(bits, -p[values.long()].log2().mean(-1))


def test_a_gaussian_by_hand():
    """y = logit(0.01 + 0.98 x / 17) normal: each factor written out in plain Python."""
    values = torch.tensor([[0.0, 16.0, 5.0]], dtype=torch.float64)
    base = Independent(Normal(torch.tensor([-1.0, 0.0, 2.0]), torch.tensor([0.5, 1.0, 3.0])), 1)
    flow = Flow(base, to_grey(3)).double()
    noise = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)

    total = 0.0
    for v, u, mean, std in zip([0, 16, 5], noise.tolist(), [-1, 0, 2], [0.5, 1, 3], strict=True):
        p = 0.01 + 0.98 * (v + u) / 17
        y = math.log(p / (1 - p))
        log_normal = -0.5 * ((y - mean) / std) ** 2 - math.log(std * math.sqrt(2 * math.pi))
        total += log_normal + math.log(0.98 / 17 / (p * (1 - p)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "rand_like", lambda value: noise.expand_as(value))
        bits = bits_per_dim(flow.log_prob, values)
    assert bits.item() == pytest.approx(-total / (3 * math.log(2)), rel=1e-6)


def test_the_bits_are_never_too_few():
    """In one dimension the exact cost is the mass between v and v + 1, by quadrature."""
    flow = Flow(
        Independent(Laplace(torch.tensor([0.3]), torch.tensor([0.2])), 1), to_grey(1)
    ).double()
    values = torch.arange(17.0, dtype=torch.float64)[:, None]
    masses = torch.tensor([total_mass(flow.log_prob, v, v + 1) for v in range(17)]).double()
    bound = bits_per_dim(flow.log_prob, values, draws=4000)
    assert (bound > -masses.log2()).all()


def test_every_density_gets_the_same_noise_and_the_generator_is_left_alone():
    seen, values = [], torch.ones(2, 5, 8)
    before = torch.random.get_rng_state()
    for _ in range(2):
        bits = bits_per_dim(lambda x: seen.append(x) or uniform(x), values, draws=3)
    assert (torch.random.get_rng_state() == before).all()
    assert bits.shape == (2, 5) and seen[0].shape == (3, 2, 5, 8)
    assert (seen[0] == seen[1]).all()
    assert len(seen[0].unique()) > 200, "each draw, image and pixel has its own noise"
    bits_per_dim(lambda x: seen.append(x) or uniform(x), values, draws=3, seed=1)
    assert (seen[0] != seen[2]).any()


@pytest.mark.parametrize("shape", [(0, 64), (64,), (3, 64)])
def test_any_number_of_images(shape):
    assert bits_per_dim(uniform, torch.zeros(shape)).shape == shape[:-1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bits_have_the_dtype_of_the_values_and_go_where_they_are(dtype):
    values = torch.randint(17, (20, 64)).to(dtype)
    assert_close(bits_per_dim(uniform, values), torch.full((20,), math.log2(17), dtype=dtype))
    assert dequantise(values).dtype == dtype
    assert dequantise(values.to("meta")).device.type == "meta"
    assert bits_per_dim(lambda x: -x.sum(-1), values.to("meta")).device.type == "meta"


@pytest.mark.parametrize(
    ("values", "got"),
    [
        (torch.tensor(3.0), r"shape \(..., D\); got \(\)"),
        (torch.zeros(3, 0), "pixels; got none"),
        (torch.zeros(3, 2, dtype=torch.long), "a tensor of floats; got torch.int64"),
        ([0.0, 1.0], "a tensor of floats; got list"),
    ],
)
def test_bits_of_what_are_no_vectors_are_refused(values, got):
    with pytest.raises(ValueError, match=f"bits_per_dim expected {got}"):
        bits_per_dim(uniform, values)


@pytest.mark.parametrize("draws", [0, -1, 2.5])
def test_a_number_of_draws_that_is_none_is_refused(draws):
    with pytest.raises(ValueError, match=f"an integer of draws, at least 1; got {draws}"):
        bits_per_dim(uniform, torch.zeros(3, 64), draws)


def test_a_density_that_returns_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"return shape \(10, 3\); got \(10, 3, 64\)"):
        bits_per_dim(lambda x: -x, torch.zeros(3, 64))

"""FlowJAX and Pyro as contenders: the same flows by their own layers.

FlowJAX's functions are compiled by JAX at their first call, before the clock counts, and each call
waits for its result.  Pyro's autoregressive layers sample in one pass; inverted, they score in one,
which is MAF.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import equinox as eqx
import flowjax.distributions
import flowjax.flows
import jax
import optax
import paramax
import pyro.distributions
import pyro.nn
import torch
from pyro.distributions.transforms import AffineAutoregressive, AffineCoupling, Permute
from torch import Tensor, nn

from benchmarks.peers import LR, Contender


class Arrays:
    """The parameters of a JAX flow, as far as they are counted."""

    def __init__(self, arrays):
        self.arrays = arrays

    def parameters(self):
        return [torch.empty(array.shape) for array in self.arrays]


def in_jax(build: Callable, dim: int, layers: int, hidden: tuple[int, ...]) -> Contender:
    base = paramax.non_trainable(flowjax.distributions.Normal(jax.numpy.zeros(dim)))
    widths = {"nn_width": hidden[0], "nn_depth": len(hidden)}
    flow = build(jax.random.key(0), base_dist=base, flow_layers=layers, **widths)
    parameters, rest = eqx.partition(
        flow, eqx.is_inexact_array, is_leaf=lambda leaf: isinstance(leaf, paramax.NonTrainable)
    )
    optimiser, keys = optax.adam(LR), map(jax.random.key, count())

    @jax.jit
    def step(parameters, state, x):
        def loss(parameters):
            return -eqx.combine(parameters, rest).log_prob(x).mean()

        updates, state = optimiser.update(jax.grad(loss)(parameters), state)
        return optax.apply_updates(parameters, updates), state

    now = [parameters, optimiser.init(parameters)]

    def train(x: Tensor):
        now[:] = jax.block_until_ready(step(*now, jax.dlpack.from_dlpack(x)))

    score = jax.jit(lambda x: flow.log_prob(x))
    draw = jax.jit(lambda key, n: flow.sample(key, (n,)), static_argnums=1)
    return Contender(
        Arrays(jax.tree.leaves(parameters)),
        lambda x: score(jax.dlpack.from_dlpack(x)).block_until_ready(),
        lambda n: draw(next(keys), n).block_until_ready(),
        train,
    )


def flowjax_real_nvp(dim: int, layers: int, hidden: tuple[int, ...]) -> Contender:
    return in_jax(flowjax.flows.coupling_flow, dim, layers, hidden)


def flowjax_maf(dim: int, layers: int, hidden: tuple[int, ...]) -> Contender:
    return in_jax(flowjax.flows.masked_autoregressive_flow, dim, layers, hidden)


def in_pyro(dim: int, layers: list, turned: bool = False) -> Contender:
    """The layers, reversing the order of the variables in between; turned round or as they are."""
    flip = Permute(torch.arange(dim).flip(0))
    transforms = [each for layer in layers for each in (layer.inv if turned else layer, flip)]
    base = pyro.distributions.Normal(torch.zeros(dim), torch.ones(dim)).to_event(1)
    flow = pyro.distributions.TransformedDistribution(base, transforms)

    def log_prob(x):
        flow.clear_cache()
        return flow.log_prob(x)

    return Contender(nn.ModuleList(layers), log_prob, lambda n: flow.sample((n,)))


def pyro_real_nvp(dim: int, layers: int, hidden: tuple[int, ...]) -> Contender:
    half = dim // 2
    networks = [pyro.nn.DenseNN(half, list(hidden), [half, half]) for _ in range(layers)]
    return in_pyro(dim, [AffineCoupling(half, network) for network in networks])


def pyro_maf(dim: int, layers: int, hidden: tuple[int, ...]) -> Contender:
    order = torch.arange(dim)
    networks = [
        pyro.nn.AutoRegressiveNN(dim, list(hidden), permutation=order) for _ in range(layers)
    ]
    return in_pyro(dim, [AffineAutoregressive(network) for network in networks], turned=True)

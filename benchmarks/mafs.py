"""The same masked autoregressive flow by each library: as many layers, hidden widths and parameters."""

from __future__ import annotations

import nflows.transforms
import normflows
import zuko
from torch import nn

from benchmarks.other_peers import flowjax_maf, pyro_maf
from benchmarks.peers import Contender
from benchmarks.stacks import of_flowlib, of_nflows, of_normflows
from flowlib import MaskedAutoregressive


def at_random(dim: int, hidden: tuple[int, ...], order=None) -> MaskedAutoregressive:
    """A layer that starts at random, as the peers' do: the identity would settle in one pass."""
    layer = MaskedAutoregressive(dim, hidden, order)
    layer.network.layers[-1].reset_parameters()
    return layer


def flowlib_maf(dim: int, layers: int, hidden: tuple[int, ...]) -> Contender:
    orders = [range(dim)[:: (-1) ** k] for k in range(layers)]
    return of_flowlib([at_random(dim, hidden, order) for order in orders], dim)


def zuko_maf(dim: int, layers: int, hidden: tuple[int, ...]) -> Contender:
    flow = zuko.flows.MAF(dim, transforms=layers, hidden_features=hidden)
    return Contender(flow, lambda x: flow().log_prob(x), lambda n: flow().sample((n,)))


def nflows_maf(dim: int, layers: int, hidden: tuple[int, ...]) -> Contender:
    transforms = []
    for _ in range(layers):
        transforms += [
            nflows.transforms.ReversePermutation(dim),
            nflows.transforms.MaskedAffineAutoregressiveTransform(
                dim, hidden[0], num_blocks=len(hidden) - 1, use_residual_blocks=False
            ),
        ]
    return of_nflows(transforms, dim)


def normflows_maf(dim: int, layers: int, hidden: tuple[int, ...]) -> Contender:
    flows = []
    for _ in range(layers):
        layer = normflows.flows.MaskedAffineAutoregressive(
            dim, hidden[0], num_blocks=len(hidden) - 1, use_residual_blocks=False
        )
        # Unchanged, its network has no ReLU after the first layer, and it samples in one pass and
        # scores in D, which is IAF.  The ReLU makes it the same network; turned round, it is MAF.
        made = layer.autoregressive_net
        made.initial_layer = nn.Sequential(made.initial_layer, nn.ReLU())
        flows += [normflows.flows.Reverse(layer), normflows.flows.Permute(dim, mode="swap")]
    return of_normflows(flows, dim)


LIBRARIES = {
    "flowlib": flowlib_maf,
    "zuko": zuko_maf,
    "nflows": nflows_maf,
    "normflows": normflows_maf,
    "FlowJAX": flowjax_maf,
    "Pyro": pyro_maf,
}

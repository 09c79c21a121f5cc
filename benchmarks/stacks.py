"""The flow that each library makes of its own layers, over a standard normal that is not trained.

The layers go from base to data in flowlib and normflows, and from data to base in zuko and nflows.
"""

from __future__ import annotations

import nflows.distributions
import nflows.flows
import nflows.transforms
import normflows
import torch
import zuko

from benchmarks.peers import Contender
from flowlib import Flow, standard_normal


def of_flowlib(layers: list, dim: int) -> Contender:
    flow = Flow(standard_normal(dim), *layers)
    return Contender(flow, flow.log_prob, lambda n: flow.sample((n,)))


def of_zuko(layers: list, dim: int) -> Contender:
    base = zuko.lazy.UnconditionalDistribution(
        zuko.distributions.DiagNormal, torch.zeros(dim), torch.ones(dim), buffer=True
    )
    flow = zuko.lazy.Flow(layers, base)
    return Contender(flow, lambda x: flow().log_prob(x), lambda n: flow().sample((n,)))


def of_nflows(layers: list, dim: int) -> Contender:
    flow = nflows.flows.Flow(
        nflows.transforms.CompositeTransform(layers), nflows.distributions.StandardNormal([dim])
    )
    return Contender(flow, flow.log_prob, flow.sample)


def of_normflows(layers: list, dim: int) -> Contender:
    base = normflows.distributions.DiagGaussian(dim, trainable=False)
    flow = normflows.NormalizingFlow(base, layers)
    return Contender(flow, flow.log_prob, lambda n: flow.sample(n)[0])

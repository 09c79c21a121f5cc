"""Normalizing flows, one idea a file: the package that the book's chapters import."""

from typing import TYPE_CHECKING

from flowlib.autoregressive import Autoregressive, MaskedAutoregressive
from flowlib.base import Bijection, Compose, Inverse
from flowlib.checks import cell_centres, jacobian_log_det, round_trip_error, total_mass
from flowlib.continuous import ContinuousFlow, Velocity
from flowlib.coupling import AdditiveCoupling, AffineCoupling, Coupling, alternate
from flowlib.data.curves import Outline, Rings, Spiral
from flowlib.data.datasets import Banana, Checkerboard, EightGaussians, GaussianMixture, TwoMoons
from flowlib.data.digits import Digits, bits_per_dim, dequantise, optical_digits, to_grey
from flowlib.data.potentials import BOX, POTENTIALS, U1, U2, U3, U4, Boxed
from flowlib.distributions import standard_normal
from flowlib.elementwise import Affine, Linear, SinhArcsinh
from flowlib.flow import Flow, FlowDistribution
from flowlib.made import MADE
from flowlib.matching import Guided, drop_rows, flow_matching_loss, pair_by_transport
from flowlib.network import mlp
from flowlib.permutation import Permutation
from flowlib.planar import Planar
from flowlib.source import show_source
from flowlib.splines import SplineTransformer
from flowlib.training import fit
from flowlib.transformers import AffineTransformer, Transformer
from flowlib.unit_interval import InverseCDF, Sigmoid

if TYPE_CHECKING:
    from flowlib.plotting import HEAT, PALETTE, draw_density, draw_grid, draw_points, panels

__all__ = [
    "BOX",
    "HEAT",
    "MADE",
    "PALETTE",
    "POTENTIALS",
    "U1",
    "U2",
    "U3",
    "U4",
    "AdditiveCoupling",
    "Affine",
    "AffineCoupling",
    "AffineTransformer",
    "Autoregressive",
    "Banana",
    "Bijection",
    "Boxed",
    "Checkerboard",
    "Compose",
    "ContinuousFlow",
    "Coupling",
    "Digits",
    "EightGaussians",
    "Flow",
    "FlowDistribution",
    "GaussianMixture",
    "Guided",
    "Inverse",
    "InverseCDF",
    "Linear",
    "MaskedAutoregressive",
    "Outline",
    "Permutation",
    "Planar",
    "Rings",
    "Sigmoid",
    "SinhArcsinh",
    "Spiral",
    "SplineTransformer",
    "Transformer",
    "TwoMoons",
    "Velocity",
    "alternate",
    "bits_per_dim",
    "cell_centres",
    "dequantise",
    "draw_density",
    "draw_grid",
    "draw_points",
    "drop_rows",
    "fit",
    "flow_matching_loss",
    "jacobian_log_det",
    "mlp",
    "optical_digits",
    "pair_by_transport",
    "panels",
    "round_trip_error",
    "show_source",
    "standard_normal",
    "to_grey",
    "total_mass",
]


def __getattr__(name: str):
    """What draws, imported when it is used: matplotlib takes half as long as torch."""
    if name in __all__:
        from flowlib import plotting

        return getattr(plotting, name)
    raise AttributeError(f"flowlib has no {name!r}")


def __dir__() -> list[str]:
    return __all__

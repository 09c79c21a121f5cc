"""Normalizing flows, one idea a file: the package that the book's chapters import."""

from flowlib.base import (
    Bijection,
    Compose,
    Flow,
    FlowDistribution,
    Inverse,
    standard_normal,
)
from flowlib.checks import cell_centres, jacobian_log_det, round_trip_error, total_mass
from flowlib.elementwise import Affine, InverseCDF, Linear, Sigmoid, SinhArcsinh
from flowlib.planar import Planar

__all__ = [
    "Affine",
    "Bijection",
    "Compose",
    "Flow",
    "FlowDistribution",
    "Inverse",
    "InverseCDF",
    "Linear",
    "Planar",
    "Sigmoid",
    "SinhArcsinh",
    "cell_centres",
    "jacobian_log_det",
    "round_trip_error",
    "standard_normal",
    "total_mass",
]

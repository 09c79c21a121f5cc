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
from flowlib.planar import Planar

__all__ = [
    "Bijection",
    "Compose",
    "Flow",
    "FlowDistribution",
    "Inverse",
    "Planar",
    "cell_centres",
    "jacobian_log_det",
    "round_trip_error",
    "standard_normal",
    "total_mass",
]

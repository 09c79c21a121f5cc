"""Normalizing flows, one idea a file: the package that the book's chapters import."""

from flowlib.base import (
    Bijection,
    Compose,
    Flow,
    FlowDistribution,
    Inverse,
    standard_normal,
)

__all__ = ["Bijection", "Compose", "Flow", "FlowDistribution", "Inverse", "standard_normal"]

"""Every example in a docstring runs, and every public name has one."""

import doctest
import importlib
import inspect
import pkgutil

import pytest
import torch

import flowlib

MODULES = [m.name for m in pkgutil.iter_modules(flowlib.__path__, "flowlib.") if not m.ispkg]
CALLABLES = [name for name in flowlib.__all__ if callable(getattr(flowlib, name))]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_run(module, monkeypatch):
    monkeypatch.setenv("CI", "1")
    torch.manual_seed(0)
    names = {"torch": torch, "nn": torch.nn}
    failed, _ = doctest.testmod(importlib.import_module(module), extraglobs=names)
    assert failed == 0


@pytest.mark.parametrize("name", [n for n in CALLABLES if n != "HEAT"])
def test_a_public_name_has_a_docstring_with_an_example(name):
    text = inspect.getdoc(getattr(flowlib, name))
    assert text and text.splitlines()[0].endswith((".", "it.", ">")), "one line that says it"
    if name != "Bijection":
        assert ">>> " in text

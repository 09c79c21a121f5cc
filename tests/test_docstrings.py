"""Every example in a docstring runs, and every public name has one."""

import doctest
import importlib
import inspect
import pkgutil

import pytest
import torch

import flowlib
import flowlib.live

MODULES = [m.name for m in pkgutil.walk_packages(flowlib.__path__, "flowlib.") if not m.ispkg]
NAMES = [  # what a module of flowlib defines for others, and what flowlib.live offers
    *(
        f"{module}.{name}"
        for module in MODULES
        if not module.startswith("flowlib.live.")
        for name, thing in vars(importlib.import_module(module)).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == module
    ),
    *(f"flowlib.live.{name}" for name in flowlib.live.__all__),
]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_run(module, monkeypatch):
    monkeypatch.setenv("CI", "1")
    torch.manual_seed(0)
    names = {"torch": torch, "nn": torch.nn}
    failed, _ = doctest.testmod(importlib.import_module(module), extraglobs=names)
    assert failed == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_has_a_docstring_with_an_example(name):
    module, own = name.rsplit(".", 1)
    text = inspect.getdoc(getattr(importlib.import_module(module), own))
    assert text and text.splitlines()[0].endswith((".", "it.", ">")), "one line that says it"
    if own != "Bijection" and module != "flowlib.live":
        assert ">>> " in text

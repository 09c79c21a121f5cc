"""Every example in a docstring runs, and every public name has one."""

import doctest
import importlib
import inspect
import re

import pytest
import torch

from names import MODULES, NAMES


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
    assert text and text.splitlines()[0].endswith((".", "it.", ">")), "one line that ends"
    if own != "Bijection" and not module.startswith("flowlib.live"):
        assert ">>> " in text


BOOKS = ("Oppenheim and Schafer", "Boersma", "Alpaydin and Kaynak")  # on paper, or without a DOI


@pytest.mark.parametrize("module", MODULES)
def test_a_source_is_a_link(module):
    text = inspect.getsource(importlib.import_module(module))
    for source in re.findall(r"^ +Source: (?:.+\n)+?(?= *\n| *\"\"\"$)", text, re.MULTILINE):
        linked = re.search(r"<https://[^>]+>`_", source)
        assert linked or any(name in source for name in BOOKS), source


@pytest.mark.parametrize("module", MODULES)
def test_no_description_is_a_list_of_nothing(module):
    """A letter and a full stop alone begin a list in reStructuredText."""
    text = inspect.getsource(importlib.import_module(module))
    assert re.findall(r"^ +[\w, ]+: [A-Za-z]\.$", text, re.MULTILINE) == []

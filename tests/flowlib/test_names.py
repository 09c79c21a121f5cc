"""A name leads to one thing: no package offers something else under the name of its own module."""

import importlib
import pkgutil

import flowlib

PACKAGES = ["flowlib"]
PACKAGES += [m.name for m in pkgutil.walk_packages(flowlib.__path__, "flowlib.") if m.ispkg]


def shadowed(package) -> list[str]:
    """The modules of ``package`` that are not what their name finds in it, or are not to be."""
    own = [m.name for m in pkgutil.iter_modules(package.__path__)]
    modules = {name: importlib.import_module(f"{package.__name__}.{name}") for name in own}
    exported = getattr(package, "__all__", [])
    return [
        name
        for name, module in modules.items()
        if getattr(package, name) is not module or name in exported
    ]


def test_no_function_or_class_hides_its_module():
    assert "flowlib.live" in PACKAGES
    found = {name: shadowed(importlib.import_module(name)) for name in PACKAGES}
    assert {name: modules for name, modules in found.items() if modules} == {}


def test_a_hidden_module_is_found(tmp_path, monkeypatch):
    (tmp_path / "hiding").mkdir()
    (tmp_path / "hiding" / "train.py").write_text("def train(): pass\n", encoding="utf-8")
    (tmp_path / "hiding" / "plain.py").touch()
    (tmp_path / "hiding" / "__init__.py").write_text(
        "from hiding.train import train\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert shadowed(importlib.import_module("hiding")) == ["train"]

"""The modules of flowlib, and every name that they define for others."""

import importlib
import pkgutil

import flowlib
import flowlib.live
from flowlib.live import marks

MODULES = [m.name for m in pkgutil.walk_packages(flowlib.__path__, "flowlib.") if not m.ispkg]
NAMES = [  # what a module of flowlib defines for others, and what flowlib.live offers
    *(
        f"{module}.{name}"
        for module in MODULES
        if not module.startswith("flowlib.live.")
        for name, thing in vars(importlib.import_module(module)).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == module
    ),
    *(f"flowlib.live.{name}" for name in flowlib.live.__all__ if name not in marks.__all__),
    *(f"flowlib.live.marks.{name}" for name in marks.__all__),
]

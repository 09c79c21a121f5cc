"""An example that a reader copies runs: it begins with what it imports.

The examples in docstrings use the names of their module, and torch, as the tests run them.  The pages
on flowlib put the imports before them.
"""

import ast
import doctest
import sys
from types import ModuleType

import torch

ALWAYS = {"torch": torch, "nn": torch.nn}


def import_first(app, what, name, thing, options, lines):
    """Puts the imports before the first example of a docstring."""
    examples = doctest.DocTestParser().get_examples("\n".join(lines))
    if not examples:
        return
    while name not in sys.modules:
        name = name.rpartition(".")[0]
    known = {**vars(sys.modules[name]), **ALWAYS}
    used = [each for each in free_names("".join(e.source for e in examples)) if each in known]
    first = next(k for k, line in enumerate(lines) if line.lstrip().startswith(">>> "))
    indent = lines[first].partition(">>> ")[0]
    lines[first:first] = [f"{indent}>>> {each}" for each in imports(used, known, name)]


def free_names(code):
    """The names that code uses and does not define."""
    tree = list(ast.walk(ast.parse(code)))
    names = [each for each in tree if isinstance(each, ast.Name)]
    own = {each.id for each in names if not isinstance(each.ctx, ast.Load)}
    own |= {each.arg for each in tree if isinstance(each, ast.arg)}
    own |= {each.asname or each.name for each in tree if isinstance(each, ast.alias)}
    own |= {each.name for each in tree if isinstance(each, (ast.FunctionDef, ast.ClassDef))}
    return {each.id for each in names} - own


def imports(names, known, module):
    """The lines that import these names, each from where a reader would: the shortest way."""
    modules, sources = [], {}
    for name in sorted(names):
        value = known[name]
        home = value.__name__ if isinstance(value, ModuleType) else None
        if home == name:
            modules.append(f"import {name}")
        elif home and not home.endswith(f".{name}"):
            modules.append(f"import {home} as {name}")
        else:
            sources.setdefault(source(name, value, module), []).append(name)
    return modules + [f"from {each} import {', '.join(sources[each])}" for each in sorted(sources)]


def source(name, value, module):
    """The first package, from the outside, that has the value under its name."""
    for home in (
        getattr(value, "__module__", None) or module,
        getattr(value, "__name__", ""),
        module,
    ):
        parts = home.split(".")
        for k in range(1, len(parts) + 1):
            package = sys.modules.get(".".join(parts[:k]))
            if getattr(package, name, None) is value:
                return package.__name__
    return module

"""The pages on flowlib, made from its docstrings.

The docstrings are written for people who read the code: shapes such as (*, D) have no markup, and a
class is named without its module.  Here the shapes become code, and the names links.
"""

import inspect
import re
from importlib import import_module
from pathlib import Path

from sphinx import addnodes

ROOT = Path(__file__).parents[1]
SHAPE = re.compile(r"(?<![\w`])\([^()`]*\*[^()`]*\)(?!`)")
CODE = re.compile(r"\s*(>>>|\.\.\.) ")  # a line of an example
FIELD = re.compile(r"^(Shapes|Source): ", re.MULTILINE)


def configure(app, config):
    config.add_module_names = False
    config.autodoc_member_order = "bysource"
    config.autodoc_default_options = {"members": True, "no-value": True}
    config.autodoc_inherit_docstrings = False  # torch's on forward
    config.maximum_signature_line_length = 60  # a longer one has a line for each argument
    config.napoleon_use_param = config.napoleon_use_rtype = False  # "u, w, b:" is one entry
    config.napoleon_use_ivar = True
    config.toc_object_entries_show_parents = "hide"

    def source(domain, info):
        thing = import_module(info["module"])
        for name in info["fullname"].split("."):
            thing = getattr(thing, name, None)
        thing = inspect.unwrap(thing) if callable(thing) else thing
        if not (inspect.isfunction(thing) or inspect.isclass(thing)):
            return None  # a constant or a property
        path = Path(inspect.getsourcefile(thing)).relative_to(ROOT).as_posix()
        lines, first = inspect.getsourcelines(thing)
        theme = config.html_theme_options
        address = f"{theme['repository_url']}/blob/{theme['repository_branch']}"
        return f"{address}/{path}#L{first}-L{first + len(lines) - 1}"

    config.linkcode_resolve = source


def say_in_rst(app, what, name, thing, options, lines):
    """Shapes as code; ``Shapes:`` and ``Source:``, which begin a paragraph, as fields."""
    text = "\n".join(line if CODE.match(line) else SHAPE.sub(r"``\g<0>``", line) for line in lines)
    lines[:] = FIELD.sub(r":\1: ", text).split("\n")


def leave_out_aliases(app, what, name, thing, skip, options):
    """The fields of a named tuple, which its own docstring describes."""
    return True if (inspect.getdoc(thing) or "").startswith("Alias for field number") else None


def search_names_everywhere(app, doctree):
    """:class:`Flow` means that of another module where its own has none."""
    for reference in doctree.findall(addnodes.pending_xref):
        if reference.get("refdomain") == "py":
            reference["refspecific"] = True


def let_markdown_link_to_names(app, env):
    """[`Planar`](reference/layers.md#flowlib.planar.Planar) is a link, as to a heading."""
    for name, thing in env.domains["py"].objects.items():
        env.metadata[thing.docname].setdefault("myst_slugs", {})[name] = (0, thing.node_id, name)

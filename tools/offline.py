"""A Sphinx extension that serves MathJax from the book itself: a page asks nobody else for it.

The package sphinx-mathjax-offline carries the whole of MathJax 3.2.2, 24 MB; a page needs one
script and its fonts.
"""

import importlib.util
from pathlib import Path

from sphinx.util.fileutil import copy_asset

SCRIPT = "tex-chtml-full.js"  # with every TeX extension inside: nothing is loaded later
FONTS = "output/chtml/fonts/woff-v2"


def setup(app):
    app.connect("config-inited", use_own_mathjax)
    app.connect("builder-inited", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def use_own_mathjax(app, config):
    config.mathjax_path = f"mathjax/{SCRIPT}"


def copy_mathjax(app):
    if app.builder.format == "html":
        package = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent
        source, target = package / "static/mathjax", Path(app.outdir) / "_static/mathjax"
        copy_asset(source / SCRIPT, target)
        copy_asset(source / FONTS, target / FONTS)

"""A Sphinx extension for pages that need nobody's server, and hardly their own.

MathJax comes from the book itself: the package sphinx-mathjax-offline carries the whole of version
3.2.2, 24 MB, of which a page needs a few parts and its fonts.  It starts once the figures in sight
are drawn, part by part, and sets a few formulas at a time: all at once they would keep a browser
busy for a second or two.  The search works in a page opened as a file too, where it may not fetch
the pages that it found to quote from them.

Some things of the theme's are left out: a script of 1.5 MB that draws the icons, which are a font
already, once more; hints to load files early, which a page opened as a file may not follow; and the
index of the whole book for the search, on the pages where nobody searches.  No script of the
theme's keeps a page from being shown: each waits until the page is read.  One of them looks which
blocks of code are too wide; it looks at folded ones when they are opened, for to look is to lay out.
"""

import importlib.util
import json
import re
from pathlib import Path

from sphinx.util import logging
from sphinx.util.fileutil import copy_asset

from rewrite import rewrite

logger = logging.getLogger(__name__)

QUOTE = "DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY &&= location.protocol !== 'file:'"
LATER = """
addEventListener("load", () => {
  const after = (n, go) => (n ? requestAnimationFrame(() => after(n - 1, go)) : setTimeout(go));
  after(3, () => {
    for (const { src } of document.querySelectorAll('script[type="later"]')) {
      document.head.append(Object.assign(document.createElement("script"), { src }));
    }
  });
});
"""
PARTS = ["core", "input/tex", "output/chtml", "a11y/assistive-mml"]
IN_TURNS = """
Object.assign((window.MathJax ??= {}), {
  loader: { load: PARTS },
  startup: { typeset: false, async pageReady() {
    const formulas = [...document.querySelectorAll(".math")];
    while (formulas.length) {
      await MathJax.typesetPromise(formulas.splice(0, 6));
      await new Promise((go) => setTimeout(go));
    }
  } },
});
""".replace("PARTS", json.dumps(PARTS))
FILES = "output/chtml/fonts/tex.js", "output/chtml/fonts/woff-v2", "input/tex/extensions"
NOT_NEEDED = re.compile(r'<script[^>]*fontawesome[^>]*></script>|<link rel="preload"[^>]*>')
FOR_THE_SEARCH = re.compile(r'<script[^>]*(searchtools|language_data|searchindex)\.js"></script>')
OPTIONS = re.compile(r'<script src="[^"]*documentation_options\.js[^"]*"></script>')
BLOCKING = re.compile(
    r"<script (?=[^>]*src=)(?![^>]*(defer|searchtools|language_data|searchindex))"
)
LOOKS = "e.tabIndex=e.scrollWidth>e.clientWidth||e.scrollHeight>e.clientHeight?0:-1"
LOOKS_IF_OPEN = f'e.closest("details:not([open])")||({LOOKS})'
OPENED = 'addEventListener("toggle", () => dispatchEvent(new Event("resize")), true);'


def setup(app):
    app.connect("config-inited", use_own_mathjax)
    app.connect("builder-inited", copy_mathjax)
    app.connect("build-finished", leave_out_what_is_not_needed)
    app.connect("build-finished", look_at_what_is_open)
    app.add_js_file(None, body=QUOTE)
    app.add_js_file(None, body=LATER)
    app.add_js_file(None, body=OPENED)
    app.add_js_file(None, body=IN_TURNS, priority=600)  # after MathJax's own settings
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def use_own_mathjax(app, config):
    config.mathjax_path = "mathjax/startup.js"
    config.mathjax_options = {"type": "later"}


def copy_mathjax(app):
    if app.builder.format == "html":
        package = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent
        source, target = package / "static/mathjax", Path(app.outdir) / "_static/mathjax"
        for file in ("startup.js", *(f"{part}.js" for part in PARTS), *FILES):
            to = target / file
            copy_asset(source / file, to if (source / file).is_dir() else to.parent)


def leave_out_what_is_not_needed(app, exception):
    if app.builder.format == "html":
        options = Path(app.outdir, "_static", "documentation_options.js").read_text("utf-8")

        def lighter(name, text):
            text = NOT_NEEDED.sub("", text)
            text = OPTIONS.sub(lambda match: f"<script>{options}</script>", text)
            if name == "search.html":
                return text
            return BLOCKING.sub("<script defer ", FOR_THE_SEARCH.sub("", text))

        rewrite(app, lighter)


def look_at_what_is_open(app, exception):
    if app.builder.format == "html" and not exception:
        script = Path(app.outdir, "_static", "scripts", "pydata-sphinx-theme.js")
        text = script.read_text(encoding="utf-8")
        if LOOKS_IF_OPEN not in text:
            if LOOKS not in text:
                logger.warning("the theme's script has changed: see LOOKS in %s", __file__)
            script.write_text(text.replace(LOOKS, LOOKS_IF_OPEN), encoding="utf-8")

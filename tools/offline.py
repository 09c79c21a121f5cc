"""A Sphinx extension for pages that need nobody's server, and hardly their own.

The search works in a page opened as a file too, where it may not fetch the pages that it found to
quote from them.

Some things of the theme's are left out: a script of 1.5 MB that draws the icons, which are a font
already, once more; hints to load files early, which a page opened as a file may not follow; and the
index of the whole book for the search, on the pages where nobody searches.  No script of the
theme's keeps a page from being shown: each waits until the page is read.  One of them looks which
blocks of code are too wide; it looks at those that are folded or far when they are seen, for to look
is to lay out.
"""

import re
from pathlib import Path

from sphinx.util import logging

from rewrite import rewrite

logger = logging.getLogger(__name__)

QUOTE = "DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY &&= location.protocol !== 'file:'"
NOT_NEEDED = re.compile(r'<script[^>]*fontawesome[^>]*></script>|<link rel="preload"[^>]*>')
FOR_THE_SEARCH = re.compile(r'<script[^>]*(searchtools|language_data|searchindex)\.js"></script>')
OPTIONS = re.compile(r'<script src="[^"]*documentation_options\.js[^"]*"></script>')
BLOCKING = re.compile(
    r"<script (?=[^>]*src=)(?![^>]*(defer|searchtools|language_data|searchindex))"
)
LOOKS = "e.tabIndex=e.scrollWidth>e.clientWidth||e.scrollHeight>e.clientHeight?0:-1"
LOOKS_IF_SEEN = f"e.checkVisibility?.({{contentVisibilityAuto:!0}})===!1||({LOOKS})"
SEEN = """for (const shows of ["toggle", "contentvisibilityautostatechange"]) {
  addEventListener(shows, (event) => event.skipped || dispatchEvent(new Event("resize")), true);
}
"""


def setup(app):
    app.connect("build-finished", leave_out_what_is_not_needed)
    app.connect("build-finished", look_at_what_is_seen)
    app.add_js_file(None, body=QUOTE)
    app.add_js_file(None, body=SEEN)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


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


def look_at_what_is_seen(app, exception):
    if app.builder.format == "html" and not exception:
        script = Path(app.outdir, "_static", "scripts", "pydata-sphinx-theme.js")
        text = script.read_text(encoding="utf-8")
        if LOOKS_IF_SEEN not in text:
            if LOOKS not in text:
                logger.warning("the theme's script has changed: see LOOKS in %s", __file__)
            script.write_text(text.replace(LOOKS, LOOKS_IF_SEEN), encoding="utf-8")

"""A Sphinx extension that says on each page how large its pictures are, before they come.

So nothing moves when they do, and those after the first come when the page is there.  A picture
that stands in for a live figure comes when it is needed.
"""

import re
from functools import partial
from pathlib import Path

from PIL import Image

from rewrite import rewrite

PICTURE = re.compile(r'<img (?![^>]*width=)([^>]*src="([^"]*_images/[^"]+\.png)"[^>]*?) ?/?>')

ALL_COME = """
addEventListener("load", () => (window.requestIdleCallback ?? setTimeout)(() => {
  for (const image of document.querySelectorAll("img:not(.live-static)")) image.loading = "eager";
}));
"""


def setup(app):
    app.add_js_file(None, body=ALL_COME)
    app.connect("build-finished", measure)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def measure(app, exception):
    def settled(name, text):
        after = PICTURE.sub(partial(measured, Path(app.outdir)), text)
        return text if after == text else after.replace(' loading="lazy"', "", 1)

    rewrite(app, settled)


def measured(out, picture):
    attributes, source = picture.groups()
    with Image.open(out / "_images" / Path(source).name) as image:
        width, height = image.size
    return f'<img {attributes} width="{width}" height="{height}" loading="lazy">'

"""Each page states how large its pictures are, before they come.

So nothing moves when they do, and those after the first come when the page is there.  A picture
that replaces a live figure comes when it is needed.
"""

from functools import partial
from pathlib import Path

from PIL import Image

from extensions.theme import PICTURE

ALL_COME = """
addEventListener("load", () => (window.requestIdleCallback ?? setTimeout)(() => {
  for (const image of document.querySelectorAll("img:not(.live-static)")) image.loading = "eager";
}));
"""


def settled(text, images):
    """A page with the sizes of its pictures, files in the folder ``images``."""
    after = PICTURE.sub(partial(measured, images), text)
    return text if after == text else after.replace(' loading="lazy"', "", 1)


def measured(images, picture):
    attributes, source = picture.groups()
    with Image.open(images / Path(source).name) as image:
        width, height = image.size
    return f'<img {attributes} width="{width}" height="{height}" loading="lazy">'

"""A Sphinx extension that joins the styles of all pages to one file.

A browser paints nothing before the last of a page's styles is there, and the theme and its extensions
bring ten files of them: on a slow network that is most of a second.  The styles for print stay apart,
where they keep nobody waiting.
"""

import posixpath
import re
import zlib
from graphlib import TopologicalSorter
from pathlib import Path

from rewrite import rewrite

JOINED = "styles.css"
LINK = re.compile(
    r'<link (?=[^>]*rel="stylesheet")(?![^>]*media=)'
    r'[^>]*href="([^"{]*_static/)([\w./-]+\.css)[^"]*"[^>]*>\s*'
)
IMPORT = re.compile(r'@import "([^"]+)";')
OF_ONE_FILE = re.compile(r'@charset "UTF-8";|/\*# sourceMappingURL=\S+?\s*\*/')
ADDRESS = re.compile(r"url\((?![\"']?(?:data:|#))([\"']?)([^)\"']+)\1\)")


def setup(app):
    app.connect("build-finished", join, priority=800)  # after those that change a style
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def join(app, exception):
    if app.builder.format != "html" or exception:
        return
    static = Path(app.outdir, "_static")
    joined = static / JOINED
    linked = styles_of_pages(Path(app.outdir))
    if not any(linked):  # nothing was written that an earlier build had not
        return
    names = in_order([joined_before(joined), *linked])
    text = f"/* {' '.join(names)} */\n" + "\n".join(read(static, name) for name in names)
    joined.write_text(text, encoding="utf-8")
    version = f"{zlib.crc32(text.encode()):08x}"

    def link(name, page):
        first = LINK.search(page)
        if not first:
            return page
        start = first.start()
        one = f'<link rel="stylesheet" href="{first[1]}{JOINED}?v={version}" />\n'
        return page[:start] + one + LINK.sub("", page[start:])

    rewrite(app, link)
    for name in names:  # now that no page names them
        (static / name).unlink()


def joined_before(joined):
    """What an earlier build joined: it leaves the pages as they are whose text is the same."""
    if not joined.exists():
        return []
    with joined.open(encoding="utf-8") as file:
        return file.readline().split()[1:-1]


def styles_of_pages(out):
    """The names of the styles of each page, as in ``_static``."""
    pages = (page.read_text(encoding="utf-8") for page in out.rglob("*.html"))
    return [[name for _, name in LINK.findall(page) if name != JOINED] for page in pages]


def in_order(lists):
    """All names of the lists, each after those that stand before it in any of them."""
    order = TopologicalSorter()
    for names in lists:
        for i, name in enumerate(names):
            order.add(name, *names[:i])
    return list(order.static_order())


def read(static, name):
    """The text of a style with what it imports, its addresses as seen from ``_static``."""
    folder = posixpath.dirname(name)

    def path(address):
        return posixpath.normpath(posixpath.join(folder, address))

    text = OF_ONE_FILE.sub("", (static / name).read_text(encoding="utf-8"))
    text = ADDRESS.sub(lambda found: f"url({found[1]}{path(found[2])}{found[1]})", text)
    return IMPORT.sub(lambda found: read(static, path(found[1])), text)

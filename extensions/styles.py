"""The styles of all pages, joined to one file.

A browser paints nothing before the last of a page's styles is there, and the theme and its extensions
bring ten files of them: on a slow network that is most of a second.  The styles for print stay apart,
where they delay no page.
"""

import posixpath
import re
import zlib
from graphlib import TopologicalSorter

from extensions.theme import STYLE_LINK

JOINED = "styles.css"
IMPORT = re.compile(r'@import "([^"]+)";')
OF_ONE_FILE = re.compile(r'@charset "UTF-8";|/\*# sourceMappingURL=\S+?\s*\*/')
ADDRESS = re.compile(r"url\((?![\"']?(?:data:|#))([\"']?)([^)\"']+)\1\)")


def join(static, pages):
    """Writes the one file.

    ``pages`` has the text of each page, all of them, as one file serves all.  Returns these with the
    link to it, and the files that no page links to now.
    """
    joined = static / JOINED
    linked = [styles_of(text) for text in pages.values()]
    if not any(linked):  # nothing was written that an earlier build had not
        return pages, []
    names = in_order([joined_before(joined), *linked])
    styles = f"/* {' '.join(names)} */\n" + "\n".join(read(static, name) for name in names)
    joined.write_text(styles, encoding="utf-8")
    address = f"{JOINED}?v={zlib.crc32(styles.encode()):08x}"
    pages = {page: with_one_link(text, address) for page, text in pages.items()}
    return pages, [static / name for name in names]


def with_one_link(page, address):
    """The text of a page with a link to ``address`` where its first style was."""
    first = STYLE_LINK.search(page)
    if not first:
        return page
    start = first.start()
    one = f'<link rel="stylesheet" href="{first[1]}{address}" />\n'
    return page[:start] + one + STYLE_LINK.sub("", page[start:])


def joined_before(joined):
    """What an earlier build joined: it leaves the pages as they are whose text is the same."""
    if not joined.exists():
        return []
    with joined.open(encoding="utf-8") as file:
        return file.readline().split()[1:-1]


def styles_of(page):
    """The names of the styles that a page links to, as in ``_static``."""
    return [name for _, name in STYLE_LINK.findall(page) if name != JOINED]


def in_order(lists):
    """All names of the lists, each after those before it in any of them."""
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

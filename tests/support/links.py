"""What the pages of a built book point to, and what can be pointed to."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Links(HTMLParser):
    """What a page points to, and the places in it that can be pointed to."""

    def __init__(self, path: Path):
        super().__init__()
        self.targets, self.places, self.twice = [], set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for key, value in attributes:
            if key in ("href", "src") or (tag == "figure" and key == "data-src"):
                self.targets.append(value)
            if key == "id":
                self.twice += [value] if value in self.places else []
                self.places.add(value)


def broken_links(folder: Path) -> list[str]:
    """The links from its pages to a file that is not there, or to a place that the page has not."""
    pages = {
        path.resolve(): Links(path)
        for path in folder.rglob("*.html")
        if "_static" not in path.parts and path.name != "404.html"  # which begins at the address
    }
    broken = []
    for page, links in pages.items():
        for target in links.targets:
            url = urlsplit(target)
            if url.scheme or url.netloc:
                continue
            path = (page.parent / unquote(url.path)).resolve() if url.path else page
            place = unquote(url.fragment).split("?")[0]
            if not path.is_file() or (place and path in pages and place not in pages[path].places):
                broken.append(f"{page.name}: {target}")
    return broken

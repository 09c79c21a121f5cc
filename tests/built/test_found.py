"""What the world sees of the built book: cards, sitemap, a lost page, and how long a chapter takes."""

from __future__ import annotations

import re
import threading
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler
from urllib.parse import urlsplit
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import pytest

from tools.book import CHAPTERS, CONFIG, HTML, NARROW, PAGES, Visit
from tools.serve import Server

BASE = CONFIG["html"]["baseurl"]
PREFIX = urlsplit(BASE).path

WRITTEN = [name for name in PAGES if name != "genindex"]  # Sphinx makes that one of the others

in_every_page = pytest.mark.parametrize("name", WRITTEN)


class Head(HTMLParser):
    """What a page tells those who link to it about itself."""

    def __init__(self, name):
        super().__init__()
        self.said = {}
        self.feed((HTML / f"{name}.html").read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "meta":
            self.said[given.get("property") or given.get("name")] = given.get("content")
        elif tag == "link" and given.get("rel") in ("canonical", "icon"):
            self.said[given["rel"]] = given["href"]


@in_every_page
def test_a_link_to_a_page_unfolds_to_a_card(name):
    said = Head(name).said
    assert said["canonical"] == said["og:url"] == f"{BASE}{name}.html"
    assert said["og:site_name"] == CONFIG["title"]
    assert len(said["description"]) > 50 and "Colab" not in said["description"]
    assert said["twitter:card"] == "summary_large_image"
    card = plt.imread(HTML / said["og:image"].removeprefix(BASE))
    assert card.shape[:2] == (int(said["og:image:height"]), int(said["og:image:width"]))
    assert (HTML / name).parent.joinpath(said["icon"]).is_file()


def test_every_page_has_a_card_of_its_own():
    assert len({Head(name).said["og:image"] for name in WRITTEN}) == len(WRITTEN)


def test_the_sitemap_names_every_page():
    places = ElementTree.parse(HTML / "sitemap.xml").findall("{*}url/{*}loc")
    assert {place.text for place in places} == {f"{BASE}{name}.html" for name in PAGES}


class AsPublished(SimpleHTTPRequestHandler):
    """Serves the book below its path, and its page for lost readers for all that it has not."""

    def do_GET(self):
        file = HTML / urlsplit(self.path).path.removeprefix(PREFIX)
        found = self.path.startswith(PREFIX) and file.is_file()
        body = (file if found else HTML / "404.html").read_bytes()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", self.guess_type(file.name) if found else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """The test is quiet."""


def test_a_lost_reader_finds_back(browser):
    with Server(("127.0.0.1", 0), AsPublished) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        own = f"http://127.0.0.1:{server.server_port}{PREFIX}"
        lost = f"{own}no/such/page.html"
        with Visit(browser, own, **NARROW) as visit:
            visit.page.goto(lost, wait_until="load")
            assert visit.page.inner_text("article h1") == "There is no such page"
            assert [c for c in visit.complaints if lost not in c and "404 (" not in c] == []
            visit.page.click("article a:has-text('first page')")
            assert visit.page.url == f"{own}index.html"
            assert visit.foreign == []
        server.shutdown()


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_says_how_long_it_takes(name):
    page = (HTML / f"{name}.html").read_text(encoding="utf-8")
    (minutes, figures) = re.search(r"About (\d+) minutes to read, (\d+) live figure", page).groups()
    assert 15 <= int(minutes) <= 90
    assert int(figures) == page.count('<figure class="live-figure"')

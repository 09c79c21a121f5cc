"""The styles of a book's pages are one file, whatever is built again."""

import re

import pytest
from sphinx.testing.util import SphinxTestApp

CONF = """
extensions = ["extensions.book"]
mathjax3_config = {"tex": {"macros": {}}}
html_theme = "basic"
html_static_path = ["mine"]
html_css_files = ["deep/first.css", "second.css", ["paper.css", {"media": "print"}]]
"""
STYLES = {
    "deep/first.css": '@charset "UTF-8";\n@import "../base.css";\n.a { background: url(../a.png) }'
    "\n/*# sourceMappingURL=first.css.map*/",
    "base.css": ".base { background: url(data:image/png;base64,AA==) }",
    "second.css": ".a { color: red }",
    "paper.css": ".a { color: black }",
}
LINKS = re.compile(r'<link[^>]*rel="stylesheet"[^>]*href="([^"?]*)')


@pytest.fixture
def build(tmp_path):
    """Builds two pages, of which one is deeper; returns the folder of the book."""
    (tmp_path / "conf.py").write_text(CONF, encoding="utf-8")
    for name, text in STYLES.items():
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "mine" / "a.png").write_bytes(b"")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "page.rst").write_text("Page\n====\n", encoding="utf-8")

    def of(text):
        index, toc = tmp_path / "index.rst", f".. toctree::\n\n   sub/page\n\n{text}\n"
        written = f"Title\n=====\n\n{toc}"
        if not index.exists() or index.read_text(encoding="utf-8") != written:
            index.write_text(written, encoding="utf-8")
        app = SphinxTestApp("html", srcdir=tmp_path)
        app.build()
        app.cleanup()
        return tmp_path / "_build" / "html"

    return of


def styles(book):
    return (book / "_static" / "styles.css").read_text(encoding="utf-8")


def test_a_page_links_one_file_and_that_of_print(build):
    book = build("One.")
    for name, base in (("index", ""), ("sub/page", "../"), ("search", "")):
        page = (book / f"{name}.html").read_text(encoding="utf-8")
        expected = [f"{base}_static/styles.css", f"{base}_static/paper.css"]
        assert LINKS.findall(page) == expected


def test_the_file_has_every_style_in_the_order_of_the_pages(build):
    text = styles(build("One."))
    places = [text.index(f"\n{rule}") for rule in (".base {", ".a { background", ".a { color: red")]
    assert places == sorted(places)
    assert "sourceMappingURL" not in text  # a map is of one of them only
    assert "@charset" not in text and "@import" not in text and "color: black" not in text


def test_addresses_lead_where_they_led(build):
    assert re.findall(r"url\((a\.png|data:[^)]*)\)", styles(build("One."))) == [
        "data:image/png;base64,AA==",
        "a.png",
    ]


@pytest.mark.parametrize("text", ["One.", "Two."])
def test_the_next_build_joins_the_same(build, text):
    before = styles(build("One."))
    book = build(text)
    assert styles(book) == before
    pages = [(book / f"{name}.html").read_text(encoding="utf-8") for name in ("index", "sub/page")]
    versions = {re.search(r"styles\.css\?v=(\w+)", page)[1] for page in pages}
    assert len(versions) == 1


def test_a_style_that_changes_changes_the_address(build, tmp_path):
    first = (build("One.") / "sub" / "page.html").read_text(encoding="utf-8")
    (tmp_path / "mine" / "second.css").write_text(".a { color: blue }", encoding="utf-8")
    second = (build("Two.") / "sub" / "page.html").read_text(encoding="utf-8")
    assert first != second and LINKS.findall(first) == LINKS.findall(second)

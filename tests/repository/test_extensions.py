"""The one pass over the built pages: each is read and written once, and no failure is hidden."""

from collections import Counter
from pathlib import Path

import pytest
from sphinx.testing.util import SphinxTestApp

from extensions import download
from tools.book import CONFIG

CONF = """
extensions = ["extensions.book"]
mathjax3_config = {"tex": {"macros": {}}}
html_theme = "basic"
"""


@pytest.fixture
def app(tmp_path):
    (tmp_path / "conf.py").write_text(CONF, encoding="utf-8")
    (tmp_path / "index.rst").write_text("Title\n=====\n\n.. math:: x\n", encoding="utf-8")
    app = SphinxTestApp("html", srcdir=tmp_path)
    yield app
    app.cleanup()


def fail(*arguments):
    raise KeyError("what went wrong")


@pytest.mark.parametrize("event", ["env-before-read-docs", "doctree-read", "html-page-context"])
def test_what_stops_a_build_is_what_it_says(app, event):
    app.connect(event, fail)
    with pytest.raises(Exception, match="what went wrong"):
        app.build()


def test_a_page_is_read_and_written_once(app, monkeypatch):
    calls = Counter()

    def counted(method):
        def call(path, *arguments, **options):
            calls[method.__name__, path.name] += 1
            return method(path, *arguments, **options)

        return call

    monkeypatch.setattr(download, "pack", lambda *arguments: None)  # it puts a page into the zip
    for method in (Path.read_text, Path.write_text):
        monkeypatch.setattr(Path, method.__name__, counted(method))
    app.build()
    for name in ("index.html", "search.html", "genindex.html"):
        assert calls["read_text", name] == calls["write_text", name] == 1


def test_the_book_names_one_module_of_its_own():
    assert CONFIG["sphinx"]["local_extensions"] == {"extensions.book": "."}

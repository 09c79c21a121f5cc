"""Notebooks are executed again when what they show has changed, and pages are read again."""

import os

import nbformat.v4 as nbf
import pytest
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from sphinx.testing.util import SphinxTestApp

from extensions import cache
from tools.book import PAGES, ROOT

CONF = """
extensions = ["extensions.book"]
nb_execution_mode = "off"
mathjax3_config = {"tex": {"macros": {}}}
html_theme = "basic"
"""
SHOWN = ["flowlib/base.py", "flowlib/voice/weights/teacher.npz", "requirements.txt"]
QUOTES = 'Path("benchmarks") / "results" / "coupling.json"'


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Builds a book next to a repository; returns the pages that were read anew."""
    monkeypatch.setattr(cache, "ROOT", tmp_path / "repository")
    monkeypatch.setenv("FLOWLIB_BOOK", "1")
    (tmp_path / "conf.py").write_text(CONF, encoding="utf-8")
    (tmp_path / "index.md").write_text("# A page\n", encoding="utf-8")

    def build():
        pages = []
        app = SphinxTestApp("html", srcdir=tmp_path)
        app.connect("env-before-read-docs", lambda app, env, names: pages.extend(names))
        app.build()
        app.cleanup()
        return pages

    return build


def write(tmp_path, name, text):
    file = tmp_path / "repository" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("name", SHOWN)
def test_pages_are_read_again_when_what_they_show_changed(read, tmp_path, name):
    assert read() == ["index"]
    assert read() == []
    outdated = tmp_path / "_build" / ".jupyter_cache" / "outdated"
    outdated.mkdir(parents=True)
    write(tmp_path, name, "changed\n")
    assert read() == ["index"]
    assert not outdated.exists()


def test_a_new_figure_is_read_by_the_pages_that_quote_it(read, tmp_path):
    file = write(tmp_path, "benchmarks/results/coupling.json", "1")
    (tmp_path / "speed.md").write_text(f"# Speed\n\n{QUOTES}\n", encoding="utf-8")
    assert read() == ["index", "speed"]
    assert read() == []
    later = file.stat().st_mtime + 100
    os.utime(file, (later, later))
    assert read() == ["speed"]


def test_a_new_figure_drops_the_notebooks_that_quote_it(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "ROOT", tmp_path / "repository")
    for name in ("coupling", "seat"):
        write(tmp_path, f"benchmarks/results/{name}.json", "1")
    folder = cache.cache_of_notebooks(tmp_path)
    notebooks = {
        "quotes": QUOTES,
        "quotes another": QUOTES.replace("coupling", "seat"),
        "has the word": 'flow = "coupling"',
    }
    for name, source in notebooks.items():
        notebook = nbf.new_notebook(cells=[nbf.new_code_cell(source)])
        get_cache(folder).cache_notebook_bundle(CacheBundleIn(notebook, name), check_validity=False)

    def kept():
        assert cache.cache_of_notebooks(tmp_path) == folder
        return {record.uri for record in get_cache(folder).list_cache_records()}

    assert kept() == set(notebooks)
    write(tmp_path, "benchmarks/results/coupling.json", "2")
    assert kept() == {"quotes another", "has the word"}
    (tmp_path / "repository/benchmarks/results/seat.json").unlink()
    assert kept() == {"has the word"}


def test_the_pages_that_quote_figures():
    quoted = {}
    for page in (file for name in PAGES for file in (ROOT / "book").glob(f"{name}.[im]*")):
        text = page.read_text(encoding="utf-8")
        if files := cache.quoted(text):
            quoted[page.stem] = {file.stem for file in files}
        assert files or '"results"' not in text
    assert quoted == {
        "speed": {
            "coupling",
            "autoregressive",
            "splines",
            "continuous",
            "frame",
            "training",
            "lighthouse",
        },
        "teaching": {"seat"},
        "which-flow": {"reverse_kl"},
    }


@pytest.mark.parametrize("name", SHOWN)
def test_the_repository_has_what_is_looked_at(name):
    assert (cache.ROOT / name).is_file()

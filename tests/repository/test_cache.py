"""Notebooks are executed again when what they show has changed, and pages are read again."""

import pytest
from sphinx.testing.util import SphinxTestApp

from extensions import cache

CONF = """
extensions = ["myst_nb", "extensions"]
nb_execution_mode = "off"
mathjax3_config = {"tex": {"macros": {}}}
html_theme = "basic"
"""
SHOWN = [
    "flowlib/base.py",
    "flowlib/voice/weights/teacher.npz",
    "requirements.txt",
    "benchmarks/results/coupling.json",
]


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


@pytest.mark.parametrize("name", SHOWN)
def test_pages_are_read_again_when_what_they_show_changed(read, tmp_path, name):
    assert read() == ["index"]
    assert read() == []
    outdated = tmp_path / "_build" / ".jupyter_cache" / "outdated"
    outdated.mkdir(parents=True)
    file = tmp_path / "repository" / name
    file.parent.mkdir(parents=True)
    file.write_text("changed\n", encoding="utf-8")
    assert read() == ["index"]
    assert not outdated.exists()


@pytest.mark.parametrize("name", SHOWN)
def test_the_repository_has_what_is_looked_at(name):
    assert (cache.ROOT / name).is_file()

"""Pages are executed side by side, once each, and the build says so."""

import pytest
from sphinx.testing.util import SphinxTestApp

from extensions import execution
from tools.book import PAGES

CONF = """
extensions = ["extensions.book"]
nb_execution_mode = "cache"
nb_execution_show_tb = True
mathjax3_config = {"tex": {"macros": {}}}
html_theme = "basic"
"""
PAGE = """\
---
file_format: mystnb
kernelspec:
  name: python3
---
# A page, after ([Euler, 1748](https://example.org/euler))

```{{code-cell}} ipython3
{}
```
"""
MEET = """\
import time
from pathlib import Path

Path("{own}").touch()
end = time.monotonic() + 60
while not Path("{other}").exists() and time.monotonic() < end:
    time.sleep(0.05)
print("met" if Path("{other}").exists() else "alone")"""
SOURCES = """\
@book{euler, author = {Euler, Leonhard}, title = {Introductio}, year = 1748, url = {https://example.org/euler}}
"""
COUNT = """\
with open("runs", "a") as file:
    file.write("once ")
1 / 0"""


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Builds a book of the given cells, one a page, on two cores; returns the Sphinx application."""
    monkeypatch.setenv("FLOWLIB_BOOK", "1")
    monkeypatch.setattr(execution, "cores", lambda: 2)
    (tmp_path / "conf.py").write_text(CONF, encoding="utf-8")
    (tmp_path / "references.bib").write_text(SOURCES, encoding="utf-8")
    (tmp_path / "index.md").write_text("# First\n", encoding="utf-8")
    apps = []

    def built(**cells):
        for name, cell in cells.items():
            (tmp_path / f"{name}.md").write_text(PAGE.format(cell), encoding="utf-8")
        apps.append(SphinxTestApp("html", srcdir=tmp_path))
        apps[-1].build()
        return apps[-1]

    yield built
    for app in apps:
        app.cleanup()


def test_two_pages_wait_for_each_other_and_are_executed_once(build, tmp_path):
    app = build(a=MEET.format(own="a", other="b"), b=MEET.format(own="b", other="a"))
    for name in "ab":
        assert "met" in (app.outdir / f"{name}.html").read_text(encoding="utf-8")
        assert f"executing {name}" in app.status.getvalue()
    assert "1 of 2 pages" in app.status.getvalue() and "2 of 2 pages" in app.status.getvalue()
    (tmp_path / "index.md").write_text("# First, again\n", encoding="utf-8")
    assert "executing" not in build().status.getvalue()


def test_what_fails_is_reported_once_and_spares_the_others(build, tmp_path):
    app = build(a=COUNT, b="print('fine')")
    assert "a failed after" in app.status.getvalue() and "executed b" in app.status.getvalue()
    assert (tmp_path / "runs").read_text(encoding="utf-8") == "once "
    assert app.warning.getvalue().count("a.md: WARNING: Executing notebook failed") == 1
    assert "ZeroDivisionError" in app.warning.getvalue()
    assert "fine" in (app.outdir / "b.html").read_text(encoding="utf-8")


def test_the_pages_that_begin_first_are_pages():
    assert set(execution.LONG) <= set(PAGES)

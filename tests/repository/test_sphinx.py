"""From a notebook's output to a page: the mount point and its assets, and nothing of the book's."""

from __future__ import annotations

import base64
import json
import re
from html import unescape

import nbformat.v4 as nbf
import pytest
import torch
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import docutils_namespace

import flowlib.live.sphinx as extension
from flowlib.live import axes, curve, live
from flowlib.live.figure import BOOK_MIME

CAPTION = 'Predict & move: </script><b>"bold"</b>'


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A book of two pages, one of which has a figure; it is executed already."""
    monkeypatch.setenv("FLOWLIB_BOOK", "1")  # setup() sets it: this takes it back after the test
    x = torch.linspace(-1, 1, 5)
    line = axes(curve("x", "y"), x=(-1, 1), y=(-2, 2), alt='A "straight" line.')
    figure = live(
        lambda slope: {"x": x, "y": slope * x}, line, name="line", caption=CAPTION, slope=(-2, 2, 1)
    )
    bundle, _ = figure._repr_mimebundle_()
    cell = nbf.new_code_cell("figure", outputs=[nbf.new_output("display_data", bundle)])
    folder = tmp_path / "source"
    folder.mkdir()
    notebook = nbf.new_notebook(cells=[nbf.new_markdown_cell("# With"), cell])
    (folder / "index.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    (folder / "plain.md").write_text("---\norphan: true\n---\n# Without\n", encoding="utf-8")
    return folder


def build(source, builder="html"):
    """Builds the book; returns its output folder and the pages that were read anew."""
    out, read = source.parent / builder, []
    config = {"extensions": ["myst_nb", "flowlib.live.sphinx"], "nb_execution_mode": "off"}
    with docutils_namespace():
        app = Sphinx(source, None, out, source.parent / "trees", builder, config, status=None)
        app.connect("env-before-read-docs", lambda app, env, names: read.extend(names))
        app.build()
    assert app.statuscode == 0
    return out, read


def test_a_figure_becomes_a_mount_point(source):
    out, _ = build(source)
    page = (out / "index.html").read_text(encoding="utf-8")
    figure = re.search(
        r'<figure class="live-figure" id="line" data-state="static".*?</figure>', page, re.DOTALL
    )[0]
    image = re.search(r'<img class="live-static" src="([^"]*)" alt="([^"]*)"', figure)
    assert (out / image[1]).read_bytes().startswith(b"\x89PNG")
    assert 'A "straight" line.' in unescape(image[2])
    assert unescape(re.search("<figcaption>(.*?)</figcaption>", figure)[1]) == CAPTION
    script = (out / re.search(r'data-src="([^"]*)"', figure)[1]).read_text("utf-8")
    data = json.loads(re.search("String.raw`(.*?)`", script, re.DOTALL)[1])
    assert data["spec"]["caption"] == CAPTION
    assert set(data) == {"spec", "graphs", "data"}
    assert len(base64.b64decode(data["data"])) % 4 == 0
    alone = (out / re.search(r'data-embed="([^"]*)"', figure)[1]).read_text(encoding="utf-8")
    held = re.search('class="live-data">(.*?)</script>', alone, re.DOTALL)[1]
    assert json.loads(held) == data and not re.search(r'(src|href)="(?!data:)', alone)


def test_two_figures_of_one_name_fail_the_build_in_words(source):
    page = source / "index.ipynb"
    notebook = json.loads(page.read_text(encoding="utf-8"))
    notebook["cells"].append({**notebook["cells"][1], "id": "again"})
    page.write_text(json.dumps(notebook), encoding="utf-8")
    with pytest.raises(ExtensionError, match="index: expected .* different names; got line twice"):
        build(source)


def test_script_and_style_are_loaded_where_a_figure_is(source):
    out, _ = build(source)
    page = (out / "index.html").read_text(encoding="utf-8")
    assert re.search(r'<script defer="defer" src="_static/live.js\?v=\w+"></script>', page)
    assert re.search(r'href="_static/live.css\?v=\w+"', page)
    assert "live." not in (out / "plain.html").read_text(encoding="utf-8")


def test_other_builders_take_the_picture(source):
    out, _ = build(source, "latex")
    (tex,) = out.glob("*.tex")
    assert "includegraphics" in tex.read_text(encoding="utf-8")
    assert BOOK_MIME not in tex.read_text(encoding="utf-8")


@pytest.mark.parametrize("settings", [{}, {"nb_execution_cache_path": "theirs"}], ids=str)
def test_a_book_keeps_its_cache_and_its_settings(source, settings):
    caches = [source.parent / name / "executed" for name in (".jupyter_cache", "theirs")]
    for cache in caches:
        cache.mkdir(parents=True)

    def values(*extensions):
        config = {"extensions": ["myst_nb", *extensions], **settings}
        with docutils_namespace():
            app = Sphinx(source, None, source.parent / "html", source.parent, "html", config, None)
        return {setting.name: setting.value for setting in app.config}

    without, given = values(), values("flowlib.live.sphinx")
    changed = {name for name, value in given.items() if value != without.get(name)}
    assert changed == {"live_assets"}
    assert all(cache.exists() for cache in caches)


def test_pages_are_written_again_when_the_script_changed(source, monkeypatch):
    before = (build(source)[0] / "index.html").read_text(encoding="utf-8")
    monkeypatch.setattr(extension.bundle, "classic", lambda: "// another script\n")
    out, read = build(source)
    assert read == []
    assert (out / "index.html").read_text(encoding="utf-8") != before

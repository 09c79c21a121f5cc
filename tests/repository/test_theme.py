"""Each patch of what the theme and Sphinx write still meets what it patches.

A small book is built as the book is, with the pinned theme.  Its pages are looked at twice: as they
are before `extensions.book.finish`, and as they are after it.
"""

from __future__ import annotations

import base64
import inspect
import io
import json
import re

import nbformat.v4 as nbf
import pytest
import torch
from jupyter_book.sphinx import build_sphinx
from PIL import Image

import flowlib
from extensions import book as whole
from extensions import styles, theme
from flowlib.live import axes, curve, live
from tools.book import ROOT

TOC = """
format: jb-book
root: index
chapters:
  - file: chapter
    sections:
      - file: cells
"""
CHAPTER = """# A chapter

It is in a paper ([Rezende and Mohamed, 2015](https://arxiv.org/abs/1505.05770)).

```{bibliography}
:filter: docname in docnames
```"""
CELLS = """---
file_format: mystnb
kernelspec: {name: python3}
---
# A text with a cell

```{code-cell} python
1 + 1
```

|     | one |
| --- | --- |
| a   | 1   |

```{eval-rst}
.. autofunction:: flowlib.fit
```
"""


def notebook():
    """A chapter with what chapters have: a picture, a live figure and a folded solution."""
    png = io.BytesIO()
    Image.new("RGB", (30, 20)).save(png, "PNG")
    picture = {"image/png": base64.b64encode(png.getvalue()).decode()}
    x = torch.linspace(-1, 1, 5)
    line = axes(curve("x", "y"), x=(-1, 1), y=(-2, 2), alt="A straight line.")
    figure = live(lambda slope: {"x": x, "y": slope * x}, line, name="line", slope=(-2, 2, 1))
    shown = [
        nbf.new_output("display_data", each) for each in (picture, figure._repr_mimebundle_()[0])
    ]
    solution = nbf.new_code_cell("1 + 1", metadata={"tags": ["hide-cell"]})
    hidden = [
        nbf.new_code_cell(
            f"step_{k}", metadata={"tags": ["hide-input"]}, outputs=shown[:1] * (k > 1)
        )
        for k in range(5)
    ]
    cells = [
        nbf.new_markdown_cell(CHAPTER),
        nbf.new_code_cell("figure", outputs=shown),
        *hidden,
        nbf.new_markdown_cell("## Exercises"),
        solution,
    ]
    return nbf.new_notebook(cells=cells)


class Book:
    """The built pages and the theme's own files, and the buttons that the theme has put."""

    def __init__(self, folder):
        self.out, self.before, self.buttons = folder / "html", {}, {}

    def texts(self):
        names = ("*.html", theme.SCRIPT, theme.STYLE, styles.JOINED)
        files = [file for name in names for file in self.out.rglob(name)]
        return {file.relative_to(self.out).as_posix(): file.read_text("utf-8") for file in files}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("theme")
    source = folder / "source"
    source.mkdir()
    for name in ("assets", "references.bib"):
        (source / name).symlink_to(ROOT / "book" / name)
    (folder / "toc.yml").write_text(TOC, encoding="utf-8")
    (source / "index.md").write_text("# The book\n", encoding="utf-8")
    (source / "cells.md").write_text(CELLS, encoding="utf-8")
    book, finish, drop = Book(folder), whole.finish, theme.drop_the_rocket

    def look_and_finish(app, exception):
        book.before = book.texts()
        finish(app, exception)

    def look_and_drop(app, name, template, context, doctree):
        book.buttons[name] = [each.get("label") for each in context.get("header_buttons", [])]
        drop(app, name, template, context, doctree)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLOWLIB_BOOK", "1")
        (source / "chapter.ipynb").write_text(json.dumps(notebook()), encoding="utf-8")
        patch.setattr(whole, "finish", look_and_finish)
        patch.setattr(theme, "drop_the_rocket", look_and_drop)
        settings = {"external_toc_path": str(folder / "toc.yml"), "nb_execution_mode": "off"}
        settings["latex_individualpages"] = False  # jupyter-book reads it
        options = {"path_config": ROOT / "_config.yml", "confoverrides": settings}
        assert build_sphinx(source, book.out, noconfig=True, quiet=True, **options) == 0
    book.after = book.texts()
    return book


def found(pattern, texts):
    return [name for name, text in texts.items() if pattern.search(text)]


PATTERNS = {name: value for name, value in vars(theme).items() if isinstance(value, re.Pattern)}
REMOVED = [
    "CORNERED",
    "SIGNATURE",
    "ICON_SCRIPT",
    "HINT",
    "OPTIONS",
    "PICTURE",
    "ICON_FONT",
    "START",
]


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_what_the_theme_writes(book, name):
    assert found(PATTERNS[name], book.before)


@pytest.mark.parametrize("name", REMOVED)
def test_what_is_replaced_is_gone(book, name):
    assert found(PATTERNS[name], book.after) == []


@pytest.mark.parametrize("theirs", theme.MENDED)
def test_a_mended_string_is_what_the_theme_writes(book, theirs):
    assert any(theirs in text for text in book.before.values())
    assert not any(theirs in text for text in book.after.values())
    assert any(theme.MENDED[theirs] in text for text in book.after.values())


def test_what_stands_below_an_empty_corner_heads_its_row(book):
    assert '<tr class="row-even"><th scope="row"><p>a</p></th>' in book.after["cells.html"]


def test_each_parameter_of_a_long_signature_is_a_span(book):
    (signature,) = re.findall(r'<span class="sig-params">.*', book.after["cells.html"], re.DOTALL)
    parameters = inspect.signature(flowlib.fit).parameters
    assert signature.count('<span><em class="sig-param">') >= len(parameters)  # and a bare star


def test_scripts_of_the_search_are_on_the_page_that_searches_only(book):
    for name in ("chapter.html", "search.html"):
        scripts = theme.FOR_THE_SEARCH.findall(book.before[name])
        assert sorted(scripts) == ["language_data", "searchindex", "searchtools"]
    assert found(theme.FOR_THE_SEARCH, book.after) == ["search.html"]
    assert theme.FOR_THE_SEARCH.findall(book.after["search.html"]) == scripts


def test_the_ground_is_stated_before_anything_that_takes_time(book):
    for name in ("chapter.html", "search.html"):
        head = book.after[name].partition("</head>")[0]
        before, first, after = head.partition(theme.FIRST)
        assert first and not re.search("<link|<script|<style", before)
        assert "dataset.theme" not in after


def test_no_script_keeps_a_page_from_being_shown(book):
    assert theme.BLOCKING.search(book.after["chapter.html"]) is None
    assert "<script>const DOCUMENTATION_OPTIONS" in book.after["chapter.html"]


def test_the_search_has_the_setting_that_a_page_opened_as_a_file_turns_off(book):
    name = "SHOW_SEARCH_SUMMARY"
    assert name in theme.QUOTE and theme.QUOTE in book.after["search.html"]
    for file in ("documentation_options.js", "searchtools.js"):
        assert name in (book.out / "_static" / file).read_text(encoding="utf-8")


def test_the_script_of_the_theme_looks_when_the_window_changes(book):
    name = f"_static/{theme.SCRIPT}"
    before, after = book.before[name], book.after[name]
    assert before.count(theme.LOOKS) == 1
    assert 'window.addEventListener("resize"' in before.partition(theme.LOOKS)[2][:100]
    assert after == before.replace(theme.LOOKS, theme.LOOKS_IF_SEEN)


def test_the_rocket_stays_on_notebooks_only(book):
    assert "launch-buttons" in book.buttons["cells"] and "launch-buttons" in book.buttons["chapter"]
    rocket = "https://colab.research.google.com/github/"
    assert rocket in book.after["chapter.html"] and rocket not in book.after["cells.html"]


def test_a_style_for_all_pages_takes_the_place_of_the_themes(book):
    assert f"_static/{theme.STYLE}" not in book.after
    for name in ("chapter.html", "search.html"):
        assert len(theme.STYLE_LINK.findall(book.before[name])) > 5
        assert len(theme.STYLE_LINK.findall(book.after[name])) == 1


def test_a_picture_has_its_size(book):
    assert re.search(r'<img [^>]*_images/[^>]* width="30" height="20">', book.after["chapter.html"])


def test_a_chapter_says_how_long_it_takes_to_read(book):
    line = '</h1>\n<p class="reading-time">About 5 minutes to read, 1 live figure</p>'
    assert line in book.after["chapter.html"]


def test_a_folded_solution_has_its_name(book):
    exercises = book.after["chapter.html"].partition('<section id="exercises">')[2]
    assert "Show a solution" in exercises and "Show the code" not in exercises


def test_hidden_cells_in_a_row_are_one_fold(book):
    """Up to the first that shows something: the next begins a fold of its own."""
    page = book.after["chapter.html"]
    folds = re.findall(
        r"<details class=.admonition hide.*?</details>",
        page.partition('<section id="exercises">')[0],
        re.DOTALL,
    )
    assert [re.findall(r"step_\d", fold) for fold in folds] == [
        ["step_0", "step_1", "step_2"],
        ["step_3"],
        ["step_4"],
    ]
    assert page.count("Show the code") == 3


def test_a_citation_leads_to_the_list_of_sources(book):
    page = book.after["chapter.html"]
    text = page.partition('<div class="citation"')[0]
    (place,) = re.findall(r'href="#([\w-]+)"[^>]*>Rezende and Mohamed, 2015</a>', text)
    assert f'id="{place}"' in page
    assert "https://arxiv.org/abs/1505.05770" not in re.sub(r'title="[^"]*"', "", text)
    assert 'href="https://arxiv.org/abs/1505.05770"' in page

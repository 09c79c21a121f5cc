"""Formulas are set when a book is built, and those that cannot be are named."""

import pytest
from fontTools.ttLib import TTFont
from sphinx.testing.util import SphinxTestApp

CONF = """
extensions = ["extensions.book"]
html_math_renderer = "formulas"
mathjax3_config = {"tex": {"macros": {"R": "\\\\mathbb{R}"}}}
"""


@pytest.fixture
def built(tmp_path):
    """Builds a page of this text; returns the page and what the build warned of."""

    def build(text):
        (tmp_path / "conf.py").write_text(CONF, encoding="utf-8")
        (tmp_path / "index.rst").write_text(f"Title\n=====\n\n{text}\n", encoding="utf-8")
        app = SphinxTestApp("html", srcdir=tmp_path)
        app.build()
        warnings = app.warning.getvalue()
        app.cleanup()
        return (tmp_path / "_build/html/index.html").read_text(encoding="utf-8"), warnings

    return build


def test_a_page_has_its_formulas_their_styles_and_no_script_for_them(built):
    page, warnings = built(":math:`x \\in \\R`\n\n.. math::\n\n   a &= b \\\\\n   c &= d")
    assert warnings == ""
    assert page.count("<mjx-container") == page.count("</math>") == 2
    assert '<mi mathvariant="double-struck">R</mi>' in page and "<mtable" in page
    assert "mjx-c.mjx-c211D" in page and 'url("_static/mathjax/MathJax_AMS-Regular.woff")' in page
    assert "mathjax" not in "".join(line for line in page.splitlines() if "<script" in line)


def test_every_font_has_a_letter_also_that_of_no_height(built, tmp_path):
    """Firefox refuses a font that has none, and says so in the console."""
    page, _ = built(":math:`x`")
    fonts = {file.name: TTFont(file).getBestCmap() for file in tmp_path.rglob("mathjax/*.woff")}
    assert "MathJax_Zero.woff" in fonts and "MJXZERO" in page
    assert all(fonts.values())
    assert fonts["MathJax_Math-Italic.woff"].keys() == {ord("x")}


def test_a_formula_that_mathjax_cannot_read_is_a_warning(built):
    _, warnings = built(":math:`\\frac{1}`")
    assert "index.rst:4: WARNING: MathJax: Missing argument for \\frac: \\frac{1}" in warnings


def test_a_number_for_an_equation_is_a_warning(built):
    _, warnings = built(".. math:: x = 1\n   :label: one")
    assert "an equation with a number: formulas.py sets none" in warnings

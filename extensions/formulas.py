"""Formulas are set when the book is built, not each time that it is read.

MathJax 3.2.2, from the package sphinx-mathjax-offline, runs in V8.  A page gets its formulas as it
would have set them itself, with the MathML that is read aloud, and the styles of the letters that it
uses; a browser needs no script for them, only the fonts, which have only the letters of this book.
They are loaded ahead, because a reader may lose the network.  A formula that MathJax cannot read is a
warning of the build.  One that is wider than the page takes the focus, so that arrow keys can move it.
"""

import importlib.util
import json
import re
from collections import defaultdict
from pathlib import Path

from docutils import nodes
from py_mini_racer import MiniRacer
from sphinx.util import logging

from extensions.fonts import keep

logger = logging.getLogger(__name__)

MATHJAX = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static/mathjax"
PARTS = [
    "loader",
    "core",
    "adaptors/liteDOM",
    "input/tex",
    "input/tex/extensions/boldsymbol",
    "output/chtml",
    "output/chtml/fonts/tex",
    "a11y/assistive-mml",
]
FONTS = "output/chtml/fonts/woff-v2"
LETTERS = re.compile(r'(mjx-[^{}]*)\{[^{}]*content: "((?:\\.|[^"\\])+)"')
LETTER = re.compile(r"\\([\dA-F]+)|\\?(.)")
FACE = re.compile(r'@font-face[^{}]*\{font-family: ([\w-]+);src: url\("[^"]*/([^"/]+)"\)[^{}]*\}')
STRETCHED = {"MJXTEX", "MJXTEX-S1", "MJXTEX-S4"}  # the fonts of parts of long braces
LINES = re.compile(r"\s*\n\s*")
SET = """
const { adaptors, handlers, a11y, input, output, mathjax } = MathJax._;
const adaptor = adaptors.liteAdaptor.liteAdaptor();
a11y["assistive-mml"].AssistiveMmlHandler(handlers.html_ts.RegisterHTMLHandler(adaptor));
const packages = ["base", "ams", "boldsymbol", "newcommand", "configmacros"];
const InputJax = new input.tex_ts.TeX({ packages, macros: MACROS });
const font = new output.chtml.fonts.tex_ts.TeXFont({ fontURL: "FONTS" });
const OutputJax = new output.chtml_ts.CHTML({ font });
const book = mathjax.mathjax.document("", { InputJax, OutputJax });
var formula = (tex, display) => adaptor.outerHTML(book.convert(tex, { display }));
var styles = () => {
  const text = adaptor.textContent(OutputJax.styleSheet(book));
  OutputJax.clearCache();
  return text;
};
"""
FOCUS = """
addEventListener("DOMContentLoaded", () => {
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      for (const formula of target.querySelectorAll('mjx-container[display="true"]')) {
        if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
        else formula.removeAttribute("tabindex");
      }
    }
  });
  for (const each of document.querySelectorAll("div.math")) sizes.observe(each);
});
"""
FONTS_COME = """
addEventListener("load", () => (window.requestIdleCallback ?? setTimeout)(() => {
  for (const font of document.fonts) if (font.family.includes("MJX")) font.load().catch(() => {});
}));
"""


def begin(app):
    """Starts the engine with MathJax in it."""
    if app.builder.format == "html":
        app.builder.mathjax = engine = MiniRacer()
        engine.eval("globalThis.global = globalThis; globalThis.MathJax = {};")
        for part in PARTS:
            engine.eval((MATHJAX / f"{part}.js").read_text(encoding="utf-8") + ";0")
        engine.eval(SET.replace("MACROS", json.dumps(app.config.mathjax3_config["tex"]["macros"])))


def set_inline(translator, node):
    write(translator, node, "span", node.astext(), display=False)


def set_displayed(translator, node):
    if node["number"]:
        logger.warning("an equation with a number: formulas.py sets none", location=node)
    text = node.astext()
    if "\\\\" in text and not node["nowrap"]:
        text = rf"\begin{{split}}{text}\end{{split}}"
    write(translator, node, "div", text, display=True)


def write(translator, node, tag, tex, display):
    """Writes the element that Sphinx would write, around the formula as MathJax sets it."""
    formula = translator.builder.mathjax.call("formula", tex, display)
    if error := re.search(r'<mjx-merror[^>]*data-mjx-error="([^"]*)"', formula):
        logger.warning("MathJax: %s: %s", error[1], tex, location=node)
    translator.body += [
        translator.starttag(node, tag, "", CLASS="math notranslate nohighlight"),
        formula,
        f"</{tag}>",
    ]
    raise nodes.SkipNode


def add_styles(app, name, template, context, doctree):
    """Adds those of the formulas that were set since the last page: this page's."""
    body = context.get("body", "")
    if "<mjx-container" in body:
        fonts = context["pathto"]("_static/mathjax", resource=True)
        styles = LINES.sub("", app.builder.mathjax.call("styles").replace("FONTS", fonts))
        used = {"MJXZERO", "MJXTEX", *(f"MJX{name}" for name in re.findall(r"TEX-\w+", body))}
        if "<mjx-stretchy" in body:
            used |= STRETCHED
        styles = FACE.sub(lambda face: face[0] if face[1] in used else "", styles)
        context["metatags"] += f"<style>{styles}</style>"


def end(app, exception):
    """Stops the engine, whether or not the build has failed."""
    if app.builder.format == "html":
        app.builder.mathjax.close()


def write_fonts(static, pages):
    """Writes those that a page names, each with the letters that a page has of it."""
    files, letters = {}, defaultdict(set)
    for page in pages:
        head = page.partition("</head>")[0]
        files.update(FACE.findall(head))
        for selector, content in LETTERS.findall(head):
            named = {f"MJX{name}" for name in re.findall(r"TEX-\w+", selector)}
            shown = {int(number, 16) if number else ord(c) for number, c in LETTER.findall(content)}
            for font in STRETCHED if "stretchy" in selector else named or {"MJXTEX"}:
                letters[font] |= shown
    target = static / "mathjax"
    target.mkdir(parents=True, exist_ok=True)
    for name, file in files.items():
        keep(letters[name], MATHJAX / FONTS / file, target / file)

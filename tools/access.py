"""A Sphinx extension for readers who hear the page, or have no mouse: what the theme leaves undone.

The sources of a page are a list whose items say that they are; an empty corner of a table is no
heading, but what stands below it heads its row; a signature is no glossary; the sidebar is a landmark;
what is pressed has a name, that of the words on it; and a formula wider than the page takes the focus,
so that arrow keys can move it.
"""

import re

from rewrite import rewrite

MENDED = {
    'role="doc-biblioentry"': 'role="listitem"',
    '<th class="head"><p></p></th>': "<td></td>",
    'pst-js-only" title="Search" aria-label="Search"': 'pst-js-only" title="Search"',
    '<summary aria-label="Toggle hidden content">': "<summary>",
    '<summary><span class="toctree-toggle"': '<summary aria-label="Its pages"><span class="toctree-toggle"',
    '<div id="pst-primary-sidebar" class=': (
        '<div id="pst-primary-sidebar" role="complementary" aria-label="The book" class='
    ),
}
CORNERED = re.compile(r'<thead>\n<tr class="row-odd"><td></td>.*?</table>', re.DOTALL)
FIRST_CELL = re.compile(r'(<tr class="row-\w+">)<td>(.+?)</td>')
SIGNATURE = re.compile(r'<dl>\n((?:<dd><em class="sig-param">.*?</dd>\n)+)</dl>')
FORMULAS = """
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


def setup(app):
    app.add_js_file(None, body=FORMULAS)
    app.connect("build-finished", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mend(app, exception):
    rewrite(app, mended)


def mended(name, text):
    for theirs, better in MENDED.items():
        text = text.replace(theirs, better)
    text = CORNERED.sub(lambda table: FIRST_CELL.sub(r'\1<th scope="row">\2</th>', table[0]), text)
    return SIGNATURE.sub(spans, text)


def spans(parameters):
    """Sphinx writes each parameter as the answer of a glossary; book.css gives each its line."""
    lines = parameters[1].replace("<dd>", "<span>").replace("</dd>", "</span>")
    return f'<span class="sig-params">{lines}</span>'

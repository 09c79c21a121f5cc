"""What the theme and Sphinx write and no setting changes: every patch of it.

Each pattern is what the pinned versions write.  tests/repository/test_theme.py builds a page with
them, and fails where a pattern is no longer found.
"""

import re

# For readers who hear the page or have no mouse.  The sources of a page are a list whose items are
# marked as such; an empty corner of a table is no heading; what is pressed has the name that is
# written on it; and the sidebar is a landmark.
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
# A cell below an empty corner heads its row.
CORNERED = re.compile(
    r'<thead>\n<tr class="row-odd"><th class="head"><p></p></th>.*?</table>', re.DOTALL
)
FIRST_CELL = re.compile(r'(<tr class="row-\w+">)<td>(.+?)</td>')
# Sphinx writes each parameter as the answer of a glossary; book.css gives each its line.
SIGNATURE = re.compile(r'<dl>\n((?:<dd><em class="sig-param">.*?</dd>\n)+)</dl>')

# For pages that show at once.  The icons are a font, and a script of 1.5 MB draws them once more;
# a page opened as a file may not follow hints to load files early; the index of the whole book is for
# the page that searches.  Any other script waits until the page is read.
ICON_SCRIPT = re.compile(r"<script[^>]*fontawesome[^>]*></script>")
HINT = re.compile(r'<link rel="preload"[^>]*>')
FOR_THE_SEARCH = re.compile(r'<script[^>]*(searchtools|language_data|searchindex)\.js"></script>')
OPTIONS = re.compile(r'<script src="[^"]*documentation_options\.js[^"]*"></script>')
BLOCKING = re.compile(
    r"<script (?=[^>]*src=)(?![^>]*(defer|searchtools|language_data|searchindex))"
)

# For pages that are dark from their first frame on a dark system, and for who chose so: the theme's
# own script knows only what an earlier visit has stored, and its styles and its other script come
# later.  Without a script a page is light.
START = re.compile(
    r'data-theme="auto">(\s*<head>\s*<meta charset="utf-8" />)(.*?)'
    r'\s*<script data-cfasync="false">.*?dataset\.theme = .*?</script>',
    re.DOTALL,
)
FIRST = """
    <style>
      @media screen {
        html { color-scheme: light; background: #fff; }
        html[data-theme="dark"] { color-scheme: dark; background: #121212; }
      }
    </style>
    <script>
      (({ dataset }) => {
        try { dataset.mode = localStorage.getItem("mode") || "auto"; } catch { dataset.mode = "auto"; }
        const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
        dataset.theme = ["light", "dark"].includes(dataset.mode) ? dataset.mode : system;
      })(document.documentElement);
    </script>"""

# The search quotes from the pages that it found; a page opened as a file may not fetch them.
QUOTE = "DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY &&= location.protocol !== 'file:'"

# A script of the theme's looks which blocks of code are too wide.  Looking forces a layout, so it
# looks at those that are folded or far away only when they are seen.
SCRIPT = "scripts/pydata-sphinx-theme.js"
LOOKS = "e.tabIndex=e.scrollWidth>e.clientWidth||e.scrollHeight>e.clientHeight?0:-1"
LOOKS_IF_SEEN = f"e.checkVisibility?.({{contentVisibilityAuto:!0}})===!1||({LOOKS})"
SEEN = """for (const shows of ["toggle", "contentvisibilityautostatechange"]) {
  addEventListener(shows, (event) => event.skipped || dispatchEvent(new Event("resize")), true);
}
"""

# What sizes.py, icons.py and styles.py look for: pictures without a width, the rules and the fonts of
# the theme's icons, and styles that are not only for print.
PICTURE = re.compile(r'<img (?![^>]*width=)([^>]*src="([^"]*_images/[^"]+\.png)"[^>]*?) ?/?>')
STYLE = "styles/pydata-sphinx-theme.css"
ICON = re.compile(r'((?:\.fa-[\w-]+:{1,2}before,?)+)\{content:"[^"]+"\}')
ICON_FONT = re.compile(
    r'src:url\(([^)]+?)\.woff2\) format\("woff2"\),url\([^)]+\) format\("truetype"\)'
)
STYLE_LINK = re.compile(
    r'<link (?=[^>]*rel="stylesheet")(?![^>]*media=)'
    r'[^>]*href="([^"{]*_static/)([\w./-]+\.css)[^"]*"[^>]*>\s*'
)


def dressed(text):
    """A page that states its ground before anything that takes time."""
    return START.sub(lambda page: f'data-theme="light">{page[1]}{FIRST}{page[2]}', text)


def mended(text):
    """A page for those who hear it, or have no mouse."""
    text = CORNERED.sub(lambda table: FIRST_CELL.sub(r'\1<th scope="row">\2</th>', table[0]), text)
    text = SIGNATURE.sub(spans, text)
    for theirs, better in MENDED.items():
        text = text.replace(theirs, better)
    return text


def spans(parameters):
    lines = parameters[1].replace("<dd>", "<span>").replace("</dd>", "</span>")
    return f'<span class="sig-params">{lines}</span>'


def options(static):
    """The script that each page carries itself, as it is short."""
    return (static / "documentation_options.js").read_text(encoding="utf-8")


def lighter(text, options, searches):
    """A page with the scripts that it needs, none of which keeps it from being shown."""
    text = HINT.sub("", ICON_SCRIPT.sub("", text))
    text = OPTIONS.sub(lambda match: f"<script>{options}</script>", text)
    if searches:
        return text
    return BLOCKING.sub("<script defer ", FOR_THE_SEARCH.sub("", text))


def look_at_what_is_seen(static):
    """Patches the theme's script.  An earlier build may have done it."""
    for script in static.glob(SCRIPT):  # another theme has none
        text = script.read_text(encoding="utf-8")
        if LOOKS_IF_SEEN not in text:
            script.write_text(text.replace(LOOKS, LOOKS_IF_SEEN), encoding="utf-8")


def drop_the_rocket(app, pagename, templatename, context, doctree):
    """Colab opens notebooks only: on a page that is written as text, its link would be an error."""
    if context.get("page_source_suffix") != ".ipynb":
        buttons = context.get("header_buttons", [])
        buttons[:] = [each for each in buttons if each.get("label") != "launch-buttons"]

"""The Sphinx extension of this book: what its pages need beyond jupyter-book and the theme.

    theme       what the theme and Sphinx write and no setting changes: each patch of it
    formulas    formulas, set by MathJax when the book is built
    fonts       fonts with only the letters that the book shows
    icons       the theme's icons, only those that the book shows
    styles      one file for the styles of all pages
    arrival     a link to a heading arrives, whatever is laid out late
    sizes       the size of each picture, stated before it comes
    paper       what is left out on paper
    reading     how long a chapter takes to read
    folds       hidden cells, and the words on a folded solution
    reference   the pages on flowlib, from its docstrings
    examples    the imports of their examples
    citations   citations that read as such in Jupyter too
    published   the address on the web: descriptions, the sitemap, the page for a wrong address
    download    the book as one zip
    cache       when notebooks are executed again
    execution   several at a time

The modules hold functions.  Their order is stated here: ``setup`` connects what happens while the
book is built, and ``finish`` passes over the built pages once.
"""

from pathlib import Path

from extensions import (
    arrival,
    cache,
    citations,
    download,
    examples,
    execution,
    folds,
    formulas,
    icons,
    paper,
    published,
    reading,
    reference,
    sizes,
    styles,
    theme,
)

# Sphinx's own number is 500, and handlers of one number run in the order in which they were connected.
BEFORE_OTHERS, AFTER_OTHERS = 400, 900
SCRIPTS = (
    formulas.FOCUS,
    formulas.FONTS_COME,
    theme.QUOTE,
    theme.SEEN,
    sizes.ALL_COME,
    arrival.STAY,
)


def setup(app):
    app.setup_extension("myst_nb")
    execution.wait_in_myst_nb()
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", examples.import_first)
    app.connect("autodoc-process-docstring", reference.say_in_rst)  # before napoleon's
    app.setup_extension("sphinx.ext.napoleon")
    app.setup_extension("sphinx.ext.linkcode")
    app.add_html_math_renderer(
        "formulas", (formulas.set_inline, None), (formulas.set_displayed, None)
    )
    for script in SCRIPTS:
        app.add_js_file(None, body=script)

    app.connect("config-inited", published.know_the_address, BEFORE_OTHERS)
    app.connect("config-inited", reference.configure)
    app.connect("config-inited", cache.name_the_folder)
    app.connect("builder-inited", formulas.begin)
    app.connect("env-before-read-docs", execution.begin)
    app.connect("source-read", cache.read_again_with_new_figures)

    app.connect("source-read", citations.cite)
    app.connect("autodoc-skip-member", reference.leave_out_aliases)
    app.connect("doctree-read", paper.mark_imports)
    app.connect("doctree-read", reference.search_names_everywhere)
    app.connect("env-updated", reference.let_markdown_link_to_names)
    app.connect("doctree-resolved", folds.join_folds)
    app.connect("doctree-resolved", folds.name_solutions)

    app.connect("html-page-context", published.describe_in_words, BEFORE_OTHERS)
    app.connect("html-page-context", formulas.add_styles)
    app.connect("html-page-context", reading.tell_the_time)
    app.connect("html-page-context", theme.drop_the_rocket, AFTER_OTHERS)

    app.connect("build-finished", formulas.end)
    app.connect("build-finished", finish, AFTER_OTHERS)  # the theme writes a style at the end
    return {"parallel_read_safe": True, "parallel_write_safe": False}


def finish(app, exception):
    """Reads each page once, changes it and writes it once; then packs the book.

    Where the build has failed it does nothing: an error here would hide that of the build.
    """
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    static = out / "_static"
    every = (page for page in out.rglob("*.html") if out / "embed" not in page.parents)
    before = {page: page.read_text(encoding="utf-8") for page in every}
    options = theme.options(static)
    pages = {}
    for page, text in before.items():
        text = theme.mended(theme.dressed(text))
        text = theme.lighter(text, options, searches=page.name == "search.html")
        pages[page] = sizes.settled(text, out / "_images")
    theme.look_at_what_is_seen(static)
    formulas.write_fonts(static, pages.values())
    icons.thin_out(static, pages.values())
    pages, joined = styles.join(static, pages)
    for page, text in pages.items():
        if text != before[page]:
            page.write_text(text, encoding="utf-8")
    for style in joined:  # now that no page links to it
        style.unlink()
    published.write_sitemap(app)
    download.pack(out, app.config.html_baseurl)

"""A Sphinx extension that keeps the rocket to the pages that it can launch.

The theme offers Colab on every page with cells, but Colab opens notebooks alone: on a page that is
written as text, the link would lead to an error.
"""


def setup(app):
    app.connect("html-page-context", drop_the_rocket, priority=900)  # after the theme has put it
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def drop_the_rocket(app, pagename, templatename, context, doctree):
    if context.get("page_source_suffix") != ".ipynb":
        buttons = context.get("header_buttons", [])
        buttons[:] = [each for each in buttons if each.get("label") != "launch-buttons"]

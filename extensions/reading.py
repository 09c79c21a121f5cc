"""Under the title of a chapter, how long it takes to read.

Words at 200 a minute, two seconds for a line of code that is not folded, a minute for each live
figure; to five minutes.  An estimate for a first reading, without the exercises.
"""

from docutils import nodes

from flowlib.live.sphinx import mount_point

WORDS_A_MINUTE, SECONDS_A_LINE, STEP = 200, 2, 5
NOT_PROSE = (nodes.literal_block, nodes.math_block, nodes.raw, nodes.comment, mount_point)
FOLDED = {"tag_hide-input", "tag_hide-cell", "dropdown"}


def tell_the_time(app, name, template, context, doctree):
    """Adds the line to a page with live figures, other than the first page of the book."""
    figures = len(list(doctree.findall(mount_point))) if doctree else 0
    if figures and name != app.config.root_doc:
        live = f"{figures} live figures" if figures > 1 else "1 live figure"
        line = (
            f'<p class="reading-time">About {minutes(doctree, figures)} minutes to read, {live}</p>'
        )
        context["body"] = context["body"].replace("</h1>", f"</h1>\n{line}", 1)


def minutes(doctree, figures):
    """The time that a page takes, by the rule above."""
    prose = (text for text in doctree.findall(nodes.Text) if not is_within(text, is_not_prose))
    words = sum(len(text.astext().split()) for text in prose)
    code = (
        block for block in doctree.findall(nodes.literal_block) if not is_within(block, is_folded)
    )
    lines = sum(block.astext().count("\n") + 1 for block in code)
    exact = words / WORDS_A_MINUTE + lines * SECONDS_A_LINE / 60 + figures
    return max(STEP, STEP * round(exact / STEP))


def is_not_prose(node):
    return isinstance(node, NOT_PROSE) or is_folded(node)


def is_folded(node):
    """Whether it is a cell, or a note, that the page shows closed."""
    return not FOLDED.isdisjoint(node.get("classes", ()))


def is_within(node, kind):
    while node := node.parent:
        if kind(node):
            return True
    return False

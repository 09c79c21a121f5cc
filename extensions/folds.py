"""Cells that a page hides: those in a row are one fold, and a folded solution is called one."""

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode

SECTION = "exercises"  # the id of the section that every chapter has


def join_folds(app, doctree, name):
    """Moves hidden cells into the fold of the next, where the page shows nothing in between."""
    for cell in [each for each in doctree.findall(nodes.container) if is_folded(each)]:
        following = cell.next_node(descend=False, siblings=True)
        if len(cell) == 1 and is_folded(following):
            following[0].insert(0, cell[0].children)
            cell.parent.remove(cell)


def is_folded(cell):
    """Whether a cell begins with hidden code."""
    return (
        isinstance(cell, nodes.container)
        and len(cell) > 0
        and isinstance(cell[0], HideCodeCellNode)
    )


def name_solutions(app, doctree, name):
    for section in doctree.findall(nodes.section):
        if SECTION in section["ids"]:
            for fold in section.findall(HideCodeCellNode):
                fold["prompt_show"], fold["prompt_hide"] = "Show a solution", "Hide the solution"

"""A folded solution is called a solution, and not a cell's content."""

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode

SECTION = "exercises"  # the id of the section that every chapter has


def name_solutions(app, doctree, name):
    for section in doctree.findall(nodes.section):
        if SECTION in section["ids"]:
            for fold in section.findall(HideCodeCellNode):
                fold["prompt_show"], fold["prompt_hide"] = "Show a solution", "Hide the solution"

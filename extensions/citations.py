"""A citation reads as one in Jupyter and Colab too, where nobody knows a role of Sphinx.

A page has ``([Rezende and Mohamed, 2015](https://arxiv.org/abs/1505.05770))``: the names, and the
address that the source has in references.bib.  Here it becomes ``{cite}`rezende2015```, which leads to
the list of sources on its page.
"""

from functools import cache
from pathlib import Path

from pybtex import plugin
from pybtex.database import parse_file
from pybtex.richtext import Text

# pybtex would look for each of its plugins in all that is installed, again at each use.
plugin._load_entry_point = cache(plugin._load_entry_point)


def cite(app, name, source):
    """Puts the roles into the text of a page as it is read; its file stays as it is."""
    for sources in Path(app.srcdir).glob("*.bib"):
        for link, key in citations(sources).items():
            source[0] = source[0].replace(link, f"{{cite}}`{key}`")


@cache  # every page asks
def citations(sources):
    """The key of each source by its citation as a page writes it."""
    entries = parse_file(sources).entries.items()
    return {f"([{label(entry)}]({entry.fields['url']}))": key for key, entry in entries}


def label(entry):
    """As in the list of sources: two names, or the first and "et al."; then the year."""
    persons = entry.persons["author"]
    names = [
        Text(" ").join(each.rich_prelast_names + each.rich_last_names).render_as("text")
        for each in persons
    ]
    who = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
    return f"{who}, {entry.fields['year']}"

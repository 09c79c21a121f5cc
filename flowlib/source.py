"""Show flowlib's own lines in a chapter, so that a reader sees the code that runs."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.display import Markdown


def show_source(*things: Callable) -> Markdown:
    """The source of functions and methods as a notebook shows it, docstrings left out.

    Example:
        >>> from flowlib import show_source, standard_normal
        >>> print(show_source(standard_normal).data.splitlines()[1])
        def standard_normal(dim: int) -> Distribution:
    """
    from IPython.display import Markdown

    code = [textwrap.dedent(inspect.getsource(thing)) for thing in things]
    bare = [re.sub(r'\n +r?"{3}.*?"{3}', "", each, count=1, flags=re.DOTALL) for each in code]
    return Markdown("\n".join(f"```python\n{each}```" for each in bare))

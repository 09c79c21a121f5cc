r"""The notation page has each symbol of each chapter's displayed equations.

A symbol is one letter, Latin or Greek, with its style and its accent: $\hat{\mathbf u}$, $\mathbf u$
and $u$ are three.  Its subscript does not count, so p_X and p_Z are both p, and neither do primes,
words (``\text``, ``\operatorname``), the named operators (``\log``, ``\det``), 𝔼 and KL, or the d of
an integral and a derivative.  Letters in exponents and in limits of sums above the sign count.
"""

from __future__ import annotations

import json
import re

import pytest

from tools.book import ROOT

BOOK = ROOT / "book"
GREEK = (
    "alpha|beta|gamma|delta|(?:var)?epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|"
    "(?:var)?phi|chi|psi|omega|ell|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega"
)
DISPLAY = re.compile(r"\$\$(.+?)\$\$|(\\begin\{align\*?\}.+?\\end\{align\*?\})", re.DOTALL)
WORDS = re.compile(r"\\(?:text|operatorname|mathrm|begin|end)\*?\{[^{}]*\}|\\mathbb E|\\\\\[\w+\]")
SPACE = re.compile(r"\\q?quad(?![A-Za-z])|\\[,;!:]")
DIFFERENTIAL = re.compile(
    r"(?<![A-Za-z\\])d(?=\s*(?:[A-Za-z]|\\(?:mathbf|boldsymbol|tilde|tau|log)))"
)
SUBSCRIPT = re.compile(r"_(?:\{(?:[^{}]|\{[^{}]*\})*\}|\\?[A-Za-z]+|\d)")
SYMBOL = re.compile(
    r"(?:\\(?P<accent>hat|tilde|bar)\s*\{?)?\s*(?:\\(?P<style>mathbf|boldsymbol|mathcal)\s*\{?)?\s*"
    rf"(?:\\(?P<greek>{GREEK})(?![A-Za-z])|(?P<latin>(?<!\\)[A-Za-z]))|\\[A-Za-z]+"
)


def symbols(formula: str) -> set[str]:
    """The symbols of a formula, as TeX writes them."""
    formula = SPACE.sub(" ", WORDS.sub(" , ", formula))
    formula = SUBSCRIPT.sub(" ", DIFFERENTIAL.sub(" ", formula))
    found = set()
    for each in SYMBOL.finditer(formula):
        letter = each["latin"] or (each["greek"] and "\\" + each["greek"])
        if letter:
            marks = [f"\\{mark}" for mark in (each["accent"], each["style"]) if mark]
            found.add(" ".join([*marks, letter]))
    return found


def displayed(page: str) -> set[str]:
    """The symbols of a page's displayed equations."""
    return {s for d in DISPLAY.finditer(prose(page)) for s in symbols(d[1] or d[2])}


def prose(page: str) -> str:
    path = BOOK / f"{page}.ipynb"
    if not path.exists():
        return path.with_suffix(".md").read_text(encoding="utf-8")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(each["source"]) for each in cells if each["cell_type"] == "markdown")


def listed() -> tuple[set[str], dict[str, set[str]]]:
    """The symbols of the notation page: of all chapters, and of single ones by their page."""
    everywhere, single = set(), {}
    for line in prose("notation").split("## Colours")[0].splitlines():
        row = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not row or row[0] in ("symbol", "---"):
            continue
        found = {s for formula in re.findall(r"\$(.+?)\$", row[0]) for s in symbols(formula)}
        if len(row) == 3:
            everywhere |= found
        else:
            for page in re.findall(r"\]\(([\w-]+)\.\w+\)", row[1]):
                single.setdefault(page, set()).update(found)
    return everywhere, single


PAGES = re.findall(
    r"- file: ([\w-]+)$", (ROOT / "_toc.yml").read_text(encoding="utf-8"), re.MULTILINE
)
CHAPTERS = [page for page in PAGES if page not in ("notation", "glossary", "genindex")]


def test_what_counts_as_a_symbol():
    formula = r"\int \hat{\mathbf u}_k\, h'(a)\, d\mathbf x = \text{some} \quad e^{d/2\sigma}, \log \frac{da}{dy}"
    found = {r"\hat \mathbf u", "h", "a", r"\mathbf x", "e", "d", r"\sigma", "y"}
    assert symbols(formula) == found


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_each_symbol_of_a_display_is_on_the_notation_page(chapter):
    everywhere, single = listed()
    missing = displayed(chapter) - everywhere - single.get(chapter, set())
    assert not missing, f"notation.md lacks, for {chapter}: {', '.join(sorted(missing))}"

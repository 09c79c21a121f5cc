"""Which cells are left out on paper."""

import pytest

from extensions import paper
from tools.book import ROOT


@pytest.mark.parametrize(
    ("code", "left_out"),
    [
        ("import math\n\nfrom flowlib import (\n    Flow,\n    Planar,\n)", True),
        ("import torch\n\ntorch.set_num_threads(1)", False),
        ("%pip install -q flowlib", False),
        ("# a comment", False),
    ],
)
def test_cells_that_only_import_are_left_out(code, left_out):
    assert paper.only_imports(code) is left_out


def test_the_style_for_print_has_the_name():
    assert f".{paper.LEFT_OUT}," in (ROOT / "book/assets/print.css").read_text(encoding="utf-8")

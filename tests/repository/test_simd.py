"""The kernels that a page carries are those of their source."""

import pytest

from tools import simd


def test_the_module_is_what_its_source_compiles_to():
    pytest.importorskip("ziglang", reason="make simd installs the compiler")
    assert simd.MODULE.read_text(encoding="utf-8") == simd.text()

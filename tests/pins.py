"""The versions that a file of requirements pins."""

from __future__ import annotations

import re

from book import ROOT


def pins(name: str, marker: str = "") -> dict[str, str]:
    """The version of each package, where the line has this marker or none."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [re.fullmatch(r"([\w.-]+)==([\w.]+)(?:; (.*))?", line) for line in lines]
    return {m[1]: m[2] for m in found if m and (m[3] or marker) == marker}

"""Gives the book another address: that of a fork, in every file that has it.

The address is in _config.yml; notebooks, badges and texts have copies of it, and links that
follow from it: Colab's and the published pages'.  All of them are changed, or none.

    make fork URL=https://github.com/me/my-flows
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).parents[1]
ADDRESS = r"https://github\.com/([A-Za-z0-9-]+)/([A-Za-z0-9._-]+?)"


def parts(url: str) -> tuple[str, str]:
    """Owner and name.  Raises ValueError where ``url`` is not a repository's on GitHub."""
    match = re.fullmatch(ADDRESS + r"(?:\.git)?/?", url)
    if not match:
        raise ValueError(f"expected an address such as https://github.com/me/my-flows; got {url!r}")
    return match.groups()


def base_address(owner: str, name: str) -> str:
    """Where GitHub Pages serves a repository."""
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def copies(owner: str, name: str) -> dict[str, str]:
    """Each form in which a file may have the address, as a pattern and as text."""
    here = f"github.com/{owner}/{name}"
    forms = [
        f"https://{here}",
        quote(f"https://{here}", safe=""),  # inside another address
        f"https://colab.research.google.com/github/{owner}/{name}",
        f"https://mybinder.org/v2/gh/{owner}/{name}",
        f"lab%2Ftree%2F{name}",  # a folder on a hub
        base_address(owner, name),
    ]
    patterns = [re.escape(form) + r"(?![\w-]|\.(?!git\b)\w)" for form in forms]
    patterns[-1] = re.escape(forms[-1])  # ends with a slash: whatever follows is a page
    folder = rf"(?m)^cd {re.escape(name)}$"  # what a clone is called
    return dict(zip([*patterns, folder], [*forms, f"cd {name}"], strict=True))


def changed(url: str) -> dict[Path, str]:
    """The new text of each committed file that has the present address."""
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    present = re.search(rf"^repository:\n  url: {ADDRESS}$", config, re.MULTILINE)
    if not present:
        raise ValueError("expected `repository:` with `  url: https://github.com/…` in _config.yml")
    pairs = list(zip(copies(*present.groups()), copies(*parts(url)).values(), strict=True))
    listed = subprocess.run(
        ["git", "ls-files", "-z"], check=True, cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    texts = {}
    for path in (ROOT / file for file in listed.stdout.split("\0")[:-1]):
        try:
            before = path.read_bytes().decode()
        except UnicodeDecodeError:  # weights
            continue
        after = before
        for pattern, text in pairs:
            after = re.sub(pattern, lambda _, text=text: text, after)
        if after != before:
            texts[path] = after
    return texts


def write(texts: dict[Path, str]):
    """Writes all the files next to their old ones first: only a complete set takes their places."""
    new = {path.with_name(f"{path.name}.fork"): path for path in texts}
    try:
        for file, path in new.items():
            file.write_bytes(texts[path].encode())
            file.chmod(path.stat().st_mode)
        for file, path in new.items():
            os.replace(file, path)
    finally:
        for file in new:
            file.unlink(missing_ok=True)


def main():
    if len(sys.argv) != 2:
        raise ValueError("expected one address: make fork URL=https://github.com/me/my-flows")
    texts = changed(sys.argv[1])
    write(texts)
    for path in texts:
        print(path.relative_to(ROOT))
    if not texts:
        print("nothing to change")


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"fork: {error}")

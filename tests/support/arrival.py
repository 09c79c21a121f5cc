"""Where a link to a heading leads: below the header, however late the page is laid out."""

from __future__ import annotations

from links import Links
from tools.book import HTML

FAR = 100  # pixels

# How far a place is below the header; 0 where the page ends before it can go up that far.
WHERE = """
const still = async () => {
    let before = "", same = 0;
    for (let k = 0; same < 3 && k < 120; k++) {
        await new Promise(requestAnimationFrame);
        const now = [scrollY, document.documentElement.scrollHeight].join();
        same = now === before ? same + 1 : 0;
        before = now;
    }
};
const below = () => {
    const header = document.querySelector(".bd-header-article").getBoundingClientRect().bottom;
    const { top } = document.querySelector(":target").getBoundingClientRect();
    const page = document.documentElement;
    const end = scrollY >= page.scrollHeight - innerHeight - 2;
    return end && top > header && top < innerHeight ? 0 : Math.round(top - header);
};
const scrollOn = () => dispatchEvent(new Event("wheel")); // or the page would keep to its place
"""
# Each link is followed from the top of the page, with the heights of all far parts forgotten, as on a
# first visit.
FOLLOW = f"""async (hashes) => {{
    {WHERE}
    const style = document.head.appendChild(document.createElement("style"));
    const found = [];
    for (const hash of hashes) {{
        scrollTo(0, 0);
        style.textContent = ".bd-article section {{ contain-intrinsic-size: 75rem !important; }}";
        for (let k = 0; k < 2; k++) await new Promise(requestAnimationFrame);
        style.textContent = "";
        document.querySelector(`a[href="${{hash}}"]`).click();
        await new Promise((go) => setTimeout(go));
        await still();
        found.push([hash, below()]);
    }}
    scrollOn();
    return found;
}}"""
ARRIVE = f"""async () => {{
    {WHERE}
    await still();
    const found = below();
    scrollOn();
    return found;
}}"""


def places(name: str) -> list[str]:
    """What the links of a page lead to on that page, in the order of the links."""
    links = dict.fromkeys(Links(HTML / f"{name}.html").targets)
    return [each for each in links if each[:1] == "#" and each not in ("#", "#main-content")]


def missed(found: list) -> list[tuple]:
    return [(hash, away) for hash, away in found if not -10 <= away <= FAR]

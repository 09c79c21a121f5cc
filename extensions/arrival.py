"""A link to a heading arrives.

A part of a page is laid out when a reader comes close, figures come to life, and fonts and pictures
come late: each may move the place that a link leads to after the browser has gone there.  So the page
goes there again whenever a part of it has changed its height, until the reader scrolls or presses
something.
"""

# A reload and the Back button return to where the reader was: the browser sees to that.  A scroll
# that moves the place while the page keeps its height is the reader's, whatever caused it.
STAY = """
{
  const page = document.documentElement;
  const [visit] = performance.getEntriesByType("navigation");
  let arriving = location.hash !== "" && visit?.type === "navigate";
  let top = 0, height = 0;
  const place = () =>
    document.querySelector(":target") ?? document.getElementById(location.hash.slice(1).split("?")[0]);
  const stay = () => {
    const there = arriving && place();
    if (!there) return;
    there.scrollIntoView();
    top = there.getBoundingClientRect().top;
    height = page.scrollHeight;
  };
  const leave = () => { arriving = false; };
  for (const act of ["pointerdown", "keydown", "wheel", "popstate"]) {
    addEventListener(act, leave, { capture: true, passive: true });
  }
  addEventListener("scroll", () => {
    if (!arriving || page.scrollHeight !== height) return;
    if (Math.abs(place().getBoundingClientRect().top - top) > 1) leave();
  });
  addEventListener("click", ({ target }) => {
    const link = target.closest?.("a[href*='#']");
    if (!link || link.href.split("#")[0] !== location.href.split("#")[0]) return;
    link.closest("dialog")?.close(); // the contents, on a phone
    setTimeout(() => {
      arriving = link.href === location.href; // not in another tab
      stay();
    });
  });
  addEventListener("DOMContentLoaded", () => {
    const sizes = new ResizeObserver(stay);
    for (const part of document.querySelectorAll(".bd-article, .bd-article section")) sizes.observe(part);
  });
}
"""

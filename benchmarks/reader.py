"""How long a reader waits: a figure trains as fast as it goes, by its own buttons, drawn as it learns.

It has to be in a tab that is seen, as the page's own frames set the pace.
"""

from __future__ import annotations

UNTIL = """([name, most]) => new Promise((done, fail) => {
    const figure = document.querySelector("figure"), { training } = figure.live;
    const speed = figure.querySelector(".live-starters select");
    speed.selectedIndex = speed.options.length - 1;
    const start = performance.now();
    figure.querySelector(".live-start").click();
    const look = () => {
        const value = figure.live.outputs[name][0], seconds = (performance.now() - start) / 1000;
        if (value <= most) {
            training.pause();
            done({ seconds, steps: training.count, value });
        } else if (training.frame) requestAnimationFrame(look);
        else fail(Error(`it ended at ${value}`));
    };
    requestAnimationFrame(look);
})"""


def until(tab, name: str, most: float) -> dict[str, float]:
    """Seconds and steps until the output ``name`` of the page's first figure is at most so large."""
    found = tab.evaluate(UNTIL, [name, most])
    return {key: round(value, 3) for key, value in found.items()}

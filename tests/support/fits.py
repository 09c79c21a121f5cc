"""What lies on something else, on a small screen or with large letters."""

SIZES = [
    (320, 100),
    (320, 200),
    (390, 200),
    (390, 150),
    (1280, 150),
    (1280, 200),
]  # pixels, percent
LAID_OUT = ".bd-article section { content-visibility: visible !important; }"
LETTERS = "(percent) => { document.documentElement.style.fontSize = `${percent}%`; }"
# Of each control: a slider that is too short, parts that overlap, a part that sticks out.
FAULTS = """() => {
    const box = (part) => {
        const range = document.createRange();
        range.selectNodeContents(part.matches("label, span") ? part : part.parentElement);
        const { left, right, top, bottom } = (part.matches("label, span") ? range : part).getBoundingClientRect();
        const rail = part.type === "range" ? 13 : 0; // the handle is in the middle of 44 pixels
        return { left, right, top: top + rail, bottom: bottom - rail };
    };
    const faults = [];
    for (const control of document.querySelectorAll("figure.live-figure .live-control:not(.live-unseen)")) {
        const { id } = control.closest("figure");
        const parts = [...control.children], boxes = parts.map(box), whole = box(control);
        const name = (part) => part.textContent || part.ariaLabel || part.name;
        parts.forEach((part, i) => {
            const a = boxes[i];
            if (part.type === "range" && a.right - a.left < 120) faults.push([id, name(part), a.right - a.left]);
            const margin = part.matches("button") ? 16 : 1; // its own, to the right
            if (a.right > whole.right + margin || a.left < whole.left - 1) faults.push([id, name(part), "out"]);
            boxes.slice(i + 1).forEach((b, j) => {
                const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
                const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
                if (across > 1 && down > 1) faults.push([id, name(part), name(parts[i + 1 + j])]);
            });
        });
    }
    for (const part of document.querySelectorAll(".live-title, .live-legend li, .live-readout, .live-buttons button")) {
        const figure = part.closest("figure");
        if (part.getBoundingClientRect().right > figure.getBoundingClientRect().right + 1) {
            faults.push([figure.id, part.textContent, "out"]);
        }
    }
    return faults;
}"""
COVERED = """(figure) => [...figure.querySelectorAll("input, select, button")].filter((control) => {
    if (control.closest(".live-unseen")) return false; // of a probe, in the picture
    const { left, right, top, bottom } = control.getBoundingClientRect();
    if (top < 60 || bottom > innerHeight) return false;
    const found = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return !control.contains(found) && !found.closest(".live-controls");
}).map((control) => control.name || control.textContent)"""

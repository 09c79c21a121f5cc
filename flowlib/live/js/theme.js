/** The colours of a figure: which theme the page has, and what live.css makes of it. */

const ROLES = ["base", "data", "truth", "wrong", "muted"];

/** The page's own word on its theme (the book, JupyterLab, Colab, VS Code), then the system's. */
export function isDark(system) {
  const { documentElement: html, body } = document;
  const named = html.dataset.theme ?? html.getAttribute("theme");
  if (named) return named === "dark";
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  if (body.className.includes("vscode")) return body.classList.contains("vscode-dark");
  return system.matches;
}

/**
 * The colours and the font that the page's style gives the figure.
 * @param {HTMLElement} figure
 */
export function readTheme(figure) {
  const style = getComputedStyle(figure);
  const colour = (name) => style.getPropertyValue(`--live-${name}`).trim();
  const theme = { font: style.fontFamily };
  for (const name of [...ROLES, "ink", "quiet", "line", "page"]) theme[name] = colour(name);
  theme.heat = heatTable([1, 2, 3, 4].map((stop) => rgb(colour(`heat-${stop}`))));
  return theme;
}

/** 256 packed colours from nothing, through the four stops, to the strongest. */
function heatTable(stops) {
  const bytes = new Uint8ClampedArray(4 * 256);
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * 4; // 0..1 is the first stop fading in
    const low = Math.max(Math.min(Math.floor(place), 3), 1);
    const [a, b] = [stops[low - 1], stops[Math.min(low, 3)]];
    const t = Math.max(place - low, 0);
    for (let k = 0; k < 3; k++) bytes[4 * i + k] = a[k] + (b[k] - a[k]) * t;
    bytes[4 * i + 3] = 255 * Math.min(place, 1);
  }
  return new Uint32Array(bytes.buffer);
}

/** Any CSS colour as [red, green, blue]. */
function rgb(colour) {
  const context = scratch(1, 1).getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data.subarray(0, 3);
}

/** A canvas that nobody sees. */
export function scratch(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

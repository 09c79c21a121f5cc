/** The colours of a figure: which theme the page has, and what live.css makes of it. */

const ROLES = ["base", "data", "truth", "wrong", "muted"];

/** What the figure asks of the system: whether it is dark, and whether it forces its own colours. */
export const DARK = "(prefers-color-scheme: dark)";
export const FORCED = "(forced-colors: active)";

/** The page's own word on its theme (the book, JupyterLab, Colab, VS Code), then the system's. */
export function isDark() {
  const system = matchMedia(DARK).matches;
  if (matchMedia(FORCED).matches) return system; // the ground is the system's
  const { documentElement: html, body } = document;
  const named = html.dataset.theme ?? html.getAttribute("theme");
  if (named) return named === "dark";
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  if (body.className.includes("vscode")) return body.classList.contains("vscode-dark");
  return system;
}

/**
 * The colours and the font that the page's style gives the figure, which has to be in the page.
 * @param {HTMLElement} figure
 */
export function readTheme(figure) {
  const probe = figure.appendChild(document.createElement("i"));
  probe.style.cssText = "display: none; transition: none; forced-color-adjust: none";
  const colour = (name) => {
    probe.style.color = `var(--live-${name})`;
    return getComputedStyle(probe).color; // rgb(…), also of a system's colour
  };
  const theme = { font: getComputedStyle(figure).fontFamily };
  for (const name of [...ROLES, "ink", "quiet", "line", "page"]) theme[name] = colour(name);
  const channels = (name) => colour(name).match(/[\d.]+/g).map(Number);
  theme.heat = heatTable([1, 2, 3, 4].map((stop) => channels(`heat-${stop}`)));
  probe.remove();
  return theme;
}

/** 256 packed colours from nothing, through the four stops, to the strongest; a stop is [red, green, blue]. */
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

/** A canvas that nobody sees. */
export function scratch(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

/** Draws the axes of a panel: lines, ticks, their numbers, and the names of the axes. */
import { scratch } from "./theme.js";
import { hasCells, panelTicks, tickText } from "./words.js";

/** Around each plot, in CSS pixels; live.css and static.py have the same four. */
export const MARGIN = { left: 40, right: 10, top: 24, bottom: 40 };
/** The axes of the canvases that were drawn last, the oldest first.  Writing on a canvas makes the browser
 * compute the style of the whole page, which a frame would then do twice. */
const layers = new Map();
const LAYERS = 4; // as many as a figure has; each takes as much memory as its canvas

export function drawAxes(canvas, context, panel, plot, theme) {
  if (!(canvas instanceof HTMLCanvasElement)) return paintAxes(context, panel, plot, theme); // to SVG
  const { width, height } = canvas, sizes = [width, height, plot.right, plot.bottom, panel.marks.length];
  let layer = layers.get(canvas);
  if (layer?.theme !== theme || sizes.some((size, i) => size !== layer.sizes[i])) {
    layer = { theme, sizes, image: scratch(width, height) };
    const own = layer.image.getContext("2d");
    own.setTransform(context.getTransform());
    paintAxes(own, panel, plot, theme);
  }
  layers.delete(canvas);
  layers.set(canvas, layer);
  if (layers.size > LAYERS) layers.delete(layers.keys().next().value);
  context.save();
  context.resetTransform();
  context.drawImage(layer.image, 0, 0);
  context.restore();
}

function paintAxes(context, panel, plot, theme) {
  const { left, right, top, bottom } = plot;
  const crisp = (pixel) => Math.round(pixel - 0.5) + 0.5;
  const names = panel.marks.find((mark) => mark.labels)?.labels;
  const [across, up] = panelTicks(panel, plot.width, plot.height);
  context.strokeStyle = theme.line;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(crisp(left), top);
  context.lineTo(crisp(left), crisp(bottom));
  context.lineTo(right, crisp(bottom));
  if (hasCells(panel)) {
    context.lineTo(crisp(right), crisp(top));
    context.lineTo(crisp(left), crisp(top));
  }
  if (!names) {
    for (const value of across) {
      context.moveTo(crisp(plot.x(value)), bottom);
      context.lineTo(crisp(plot.x(value)), bottom + 4);
    }
  }
  for (const value of up) {
    context.moveTo(left, crisp(plot.y(value)));
    context.lineTo(left - 4, crisp(plot.y(value)));
  }
  context.stroke();

  context.fillStyle = theme.quiet;
  context.font = `11px ${theme.font}`;
  context.textBaseline = "top";
  context.textAlign = "center";
  (names ?? tickText(across)).forEach((text, i) => {
    const last = right + MARGIN.right - 1 - context.measureText(text).width / 2; // not cut off
    context.fillText(text, Math.min(plot.x(names ? i : across[i]), last), bottom + 7);
  });
  context.textBaseline = "middle";
  context.textAlign = "right";
  const room = left - 8; // a longer number is squeezed
  tickText(up).forEach((text, i) => context.fillText(text, left - 7, plot.y(up[i]) + 0.5, room));
  context.font = `12px ${theme.font}`;
  context.textBaseline = "alphabetic";
  context.textAlign = "left";
  context.fillText(panel.ylabel, left, top - 10);
  context.textAlign = "center";
  context.fillText(panel.xlabel, (left + right) / 2, bottom + 34);
}

/** What a pointer on a picture means: where it is in the axes. */
import { plotOf } from "./marks.js";

/**
 * The place in the axes, in their units, that a pointer's event is at: beyond their ends, too.
 * @param {PointerEvent} event
 * @param {HTMLCanvasElement} canvas the picture
 * @param {object} panel its "axes" entry of the spec
 * @returns {[number, number]}
 */
export function placeOf({ clientX, clientY }, canvas, panel) {
  const box = canvas.getBoundingClientRect();
  const plot = plotOf(panel, box.width, box.height);
  const [[x0, x1], [y0, y1]] = [panel.x, panel.y];
  const across = (clientX - box.left - plot.left) / plot.width;
  const up = (box.top + plot.bottom - clientY) / plot.height;
  return [x0 + across * (x1 - x0), y0 + up * (y1 - y0)];
}

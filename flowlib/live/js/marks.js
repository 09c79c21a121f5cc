/**
 * Draws one panel on a canvas: marks, then axes.  Margins, ticks and colours are those of static.py.
 *
 * A mark names the outputs it reads.  An infinite coordinate is not drawn: a curve has a gap there.
 */
import { MARGIN, drawAxes } from "./axes.js";
import { imageOf } from "./image.js";
import { roomOf } from "./layout.js";
import { hasHands } from "./second.js";

/** Of marks that lie over each other: the weakest colour still stands out from the page. */
const OPACITY = 0.8;
/** Of marks, as in marks.py: a shade's opacity, lines and dashes in pixels, widths of bars. */
const SHADE = 0.18;
const GRID = 1;
const SEGMENT = 1.5;
const CURVE = 2;
const DASH = [6, 4];
const BARS = 0.72; // of the room for the bars at one place
const BAR = 0.92; // of its own part of that

/** Where the axes are in a picture of this size, and a number's pixel across and up; in CSS pixels. */
export function plotOf({ x: [x0, x1], y: [y0, y1] }, width, height) {
  const [left, right] = [MARGIN.left, width - MARGIN.right];
  const [top, bottom] = [MARGIN.top, height - MARGIN.bottom];
  const plot = { left, top, right, bottom, width: right - left, height: bottom - top };
  plot.x = (value) => left + ((value - x0) / (x1 - x0)) * plot.width;
  plot.y = (value) => bottom - ((value - y0) / (y1 - y0)) * plot.height;
  return plot;
}

/**
 * @param {HTMLCanvasElement} canvas sized in device pixels
 * @param {object} panel an "axes" entry of the spec
 * @param {Record<string, Float32Array>} outputs
 * @param {Record<string, number[]>} shapes
 * @param {ReturnType<typeof readTheme>} theme
 * @param {(name: string) => number} value of a slider
 */
export function drawPanel(canvas, panel, outputs, shapes, theme, value) {
  const { width, height } = roomOf(canvas);
  const plot = plotOf(panel, width, height);
  if (!(plot.width > 0 && plot.height > 0)) return;

  const context = canvas.getContext("2d");
  context.setTransform(canvas.width / width, 0, 0, canvas.height / height, 0, 0);
  context.clearRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(plot.left, plot.top, plot.width, plot.height);
  context.clip();
  context.lineJoin = "round";
  for (const mark of panel.marks) {
    context.save();
    context.fillStyle = context.strokeStyle = theme[mark.role] ?? theme.ink;
    MARKS[mark.kind](context, mark, { plot, panel, outputs, shapes, theme });
    context.restore();
  }
  context.restore();
  drawAxes(canvas, context, panel, plot, theme);
  if (hasHands(panel)) liveMore.drawHands(context, panel, plot, theme, value);
}

const MARKS = {
  heat(context, mark, { plot, outputs, shapes, theme }) {
    const [rows, columns] = shapes[mark.value];
    // A value is that at the middle of its pixel, and the outermost at the ends of the axes.
    const across = columns > 1 ? plot.width / (columns - 1) : plot.width;
    const down = rows > 1 ? plot.height / (rows - 1) : plot.height;
    context.imageSmoothingQuality = "high";
    context.translate(plot.left - across / 2, plot.bottom + down / 2);
    context.scale(across, -down); // row 0 is the lowest y
    context.drawImage(imageOf(mark, outputs[mark.value], shapes[mark.value], theme), 0, 0);
  },

  matrix(context, mark, { plot, outputs, shapes, theme }) {
    const cells = imageOf(mark, outputs[mark.value], shapes[mark.value], theme);
    context.imageSmoothingEnabled = false;
    context.drawImage(cells, plot.left, plot.top, plot.width, plot.height);
  },

  points(context, mark, { plot, panel, outputs, theme }) {
    const xy = outputs[mark.xy];
    const onHeat = panel.marks.some((other) => other.kind === "heat");
    context.strokeStyle = theme.page; // a thin ring of the page's colour, where the ground is dark
    context.globalAlpha = OPACITY;
    for (let i = 0; i < xy.length; i += 2) {
      const [x, y] = [plot.x(xy[i]), plot.y(xy[i + 1])];
      const across = x > plot.left - 9 && x < plot.right + 9;
      if (!across || !(y > plot.top - 9 && y < plot.bottom + 9)) continue;
      context.beginPath();
      context.arc(x, y, mark.size, 0, 2 * Math.PI);
      if (onHeat) context.stroke();
      context.fill();
    }
  },

  grid(context, mark, { plot, outputs, shapes }) {
    const [rows, columns] = shapes[mark.mesh];
    const xy = outputs[mark.mesh];
    const at = (i) => [xy[2 * i], xy[2 * i + 1]];
    context.globalAlpha = OPACITY;
    context.lineWidth = GRID;
    context.beginPath();
    for (let r = 0; r < rows; r++) trace(context, plot, columns, (c) => at(r * columns + c));
    for (let c = 0; c < columns; c++) trace(context, plot, rows, (r) => at(r * columns + c));
    context.stroke();
  },

  curve(context, mark, { plot, outputs }) {
    const [x, y] = [outputs[mark.x], outputs[mark.y]];
    const at = (i) => [x[i], y[i]];
    if (mark.fill) {
      context.save();
      context.globalAlpha = SHADE;
      context.beginPath();
      if (mark.fill === "inside") trace(context, plot, x.length, at);
      else shade(context, plot, x, y);
      context.fill();
      context.restore();
    }
    context.lineWidth = CURVE;
    if (mark.dashed) context.setLineDash(DASH);
    context.beginPath();
    trace(context, plot, x.length, at);
    if (mark.fill === "inside") context.closePath();
    context.stroke();
  },

  segments(context, mark, { plot, outputs }) {
    const ab = outputs[mark.ab];
    context.globalAlpha = OPACITY;
    context.lineWidth = SEGMENT;
    context.beginPath();
    for (let i = 0; i < ab.length; i += 4) {
      trace(context, plot, 2, (end) => [ab[i + 2 * end], ab[i + 2 * end + 1]]);
    }
    context.stroke();
    if (!mark.arrow) return;
    context.beginPath();
    for (let i = 0; i < ab.length; i += 4) {
      const [ax, ay] = [plot.x(ab[i]), plot.y(ab[i + 1])];
      const [bx, by] = [plot.x(ab[i + 2]), plot.y(ab[i + 3])];
      const length = Math.hypot(bx - ax, by - ay);
      if (!(length > 1 && length < Infinity)) continue;
      const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
      const size = Math.min(7, length);
      context.moveTo(bx, by);
      context.lineTo(bx - size * ux - 0.45 * size * uy, by - size * uy + 0.45 * size * ux);
      context.lineTo(bx - size * ux + 0.45 * size * uy, by - size * uy - 0.45 * size * ux);
      context.closePath();
    }
    context.fill();
  },

  bars(context, mark, { plot, panel, outputs }) {
    const together = panel.marks.filter((other) => other.kind === "bars");
    const each = BARS / together.length;
    const offset = (together.indexOf(mark) - (together.length - 1) / 2) * each;
    context.globalAlpha = OPACITY;
    outputs[mark.heights].forEach((height, i) => {
      if (!(Math.abs(height) < Infinity)) return;
      const [left, right] = [-1, 1].map((side) => plot.x(i + offset + (side * BAR * each) / 2));
      context.fillRect(left, plot.y(0), right - left, plot.y(height) - plot.y(0));
    });
  },
};

/** A polyline through at(0), ..., at(count - 1), broken where a coordinate is not finite. */
function trace(context, plot, count, at) {
  let drawing = false;
  for (let i = 0; i < count; i++) {
    const [x, y] = at(i);
    const finite = Math.abs(x) < Infinity && Math.abs(y) < Infinity;
    if (finite) context[drawing ? "lineTo" : "moveTo"](far(plot.x(x)), far(plot.y(y)));
    drawing = finite;
  }
}

/** The area between a curve and y = 0, one piece for each run of finite points. */
function shade(context, plot, x, y) {
  const zero = far(plot.y(0));
  let last = null;
  for (let i = 0; i <= x.length; i++) {
    const finite = i < x.length && Math.abs(x[i]) < Infinity && Math.abs(y[i]) < Infinity;
    if (finite) {
      const here = far(plot.x(x[i]));
      if (last === null) context.moveTo(here, zero);
      context.lineTo(here, far(plot.y(y[i])));
      last = here;
    } else if (last !== null) {
      context.lineTo(last, zero);
      last = null;
    }
  }
}

/** Canvas arithmetic is single precision: keep what lies far outside merely outside. */
const far = (pixel) => Math.min(Math.max(pixel, -1e5), 1e5);

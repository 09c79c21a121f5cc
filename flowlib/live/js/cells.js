/**
 * The points of a drawing: each on a cell of a fine grid over the axes, which a link can carry, and the
 * rows that the traced function gets from them.  drawing.py has the same operations in the same order.
 */
import { noise } from "./noise.js";

export const MOST = 500;
export const FEWEST = 20;
const STEPS = 4095;
const APART = 0.02;
const HELD_OUT = 4;
const SPLIT = 2024;
const JITTER = 2 ** 31;
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const UNTIL = "The figure keeps the last drawing until then.";

export const lengthOf = ([low, high]) => high - low;
const onAxis = (cell, axis) => axis[0] + (lengthOf(axis) * cell) / STEPS;
export const fraction = (value, axis) => (value - axis[0]) / lengthOf(axis);
const cellOf = (part) => Math.min(Math.max(Math.floor(part * STEPS + 0.5), 0), STEPS);

/** The text of a drawing in a link. */
export function encodeDrawing(points, { x, y }) {
  const cells = points.flatMap((at) => [cellOf(fraction(at[0], x)), cellOf(fraction(at[1], y))]);
  return [points.length, ...cells].map((cell) => DIGITS[cell >> 6] + DIGITS[cell & 63]).join("");
}

/** The points of a drawing in a link; throws, in words. */
export function decodeDrawing(text, paper) {
  const digits = Array.from(text, (letter) => DIGITS.indexOf(letter));
  const cells = [];
  for (let i = 0; i + 1 < digits.length; i += 2) cells.push(64 * digits[i] + digits[i + 1]);
  const points = [];
  for (let i = 1; i < cells.length; i += 2) points.push([onAxis(cells[i], paper.x), onAxis(cells[i + 1], paper.y)]);
  if (text.length % 4 !== 2 || digits.includes(-1) || cells[0] !== points.length || flaw(points, paper)) {
    throw Error("the drawing in it is cut off or altered");
  }
  return points;
}

/** Why points are no drawing yet, if they are not. */
export function flaw(points, paper) {
  if (points.length > MOST) return `A drawing holds ${MOST} points.`;
  if (points.length < FEWEST) return `A drawing needs ${FEWEST} points. ${UNTIL}`;
  const near = [paper.x, paper.y].every((axis, k) => {
    const values = points.map((at) => fraction(at[k], axis));
    return Math.max(...values) - Math.min(...values) < APART;
  });
  return near ? `All points are at one place: draw some elsewhere. ${UNTIL}` : "";
}

/** The rows that an input of the trace gets, from a seed. */
export function rowsOf({ shape, part, jitter }, points, { x, y }, seed) {
  const chosen = noise("uniform", [Math.ceil(points.length / HELD_OUT)], SPLIT);
  const out = (i) => i % HELD_OUT === Math.floor(chosen[Math.floor(i / HELD_OUT)] * HELD_OUT);
  const own = points.filter((_, i) => !part || out(i) === (part === "held out"));
  const picked = noise("uniform", [shape[0]], seed);
  const rows = noise("normal", shape, (seed + JITTER) % 2 ** 32);
  const widths = [jitter * lengthOf(x), jitter * lengthOf(y)];
  for (let i = 0; i < rows.length; i++) {
    rows[i] = own[Math.floor(picked[i >> 1] * own.length)][i & 1] + widths[i & 1] * rows[i];
  }
  return rows;
}

/** The point of the grid that is closest to a place, in fractions of the axes. */
export function pointAt(parts, { x, y }) {
  return [x, y].map((axis, k) => onAxis(cellOf(parts[k]), axis));
}

/** The picture of a heat map or a matrix: one pixel for each value, row by row from the top. */
import { scratch } from "./theme.js";

const images = new WeakMap(); // of each mark its last one: a new canvas in each frame takes as long as the rest

/**
 * @param {object} mark "heat" or "matrix"
 * @param {Float32Array} value
 * @param {[number, number]} shape rows and columns
 * @returns {HTMLCanvasElement} the mark's own; the next call paints it again
 */
export function imageOf(mark, value, [rows, columns], theme) {
  let high = mark.high ?? mark.low;
  if (mark.high == null) for (const v of value) if (v > high && v < Infinity) high = v;
  const scale = high > mark.low ? 255 / (high - mark.low) : 255;
  const pixels = new ImageData(columns, rows);
  const packed = new Uint32Array(pixels.data.buffer);
  for (let i = 0; i < packed.length; i++) {
    const level = Math.abs(value[i]) < Infinity ? (value[i] - mark.low) * scale : 0;
    packed[i] = theme.heat[Math.trunc(Math.min(Math.max(level, 0), 255))];
  }
  const last = images.get(mark);
  const image = last?.width === columns && last.height === rows ? last : scratch(columns, rows);
  images.set(mark, image);
  image.getContext("2d").putImageData(pixels, 0, 0);
  return image;
}

import { quantile } from "./scalars.js";

/**
 * Random numbers from a seed, the same to the last bit as flowlib/live/noise.py: 32-bit integers by
 * mulberry32, and from there only + - * / and square roots, which IEEE 754 defines exactly.
 * @param {"normal" | "uniform"} kind
 * @param {number[]} shape
 * @param {number} seed a whole number from 0 to 2**32 - 1
 * @param {Float32Array} [out] where they go, if not to a new array
 * @param {Memory} [memory] whose kernel takes a sixth of the time, for uniform ones
 */
export function noise(kind, shape, seed, out = new Float32Array(sizeOf(shape)), memory) {
  if (kind === "uniform" && memory?.uniform(seed, out)) return out;
  for (let i = 0, state = seed | 0; i < out.length; i++) {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    bits = (bits ^ (bits >>> 14)) >>> 0;
    out[i] = kind === "uniform" ? ((bits >>> 9) + 0.5) * 2 ** -23 : normalOf((bits + 0.5) * 2 ** -32);
  }
  return out;
}

const sizeOf = (shape) => shape.reduce((size, length) => size * length, 1);

function normalOf(p) {
  return quantile(p - 0.5, p < 0.5 ? p : 1 - p, logOfTail);
}

/** log p for p = odd / 2**33: an exponent, and a series for what is left, in [1, 2). */
function logOfTail(p) {
  const exponent = 31 - Math.clz32(p * 2 ** 33);
  const rest = p * 2 ** (33 - exponent);
  const s = (rest - 1) / (rest + 1), ss = s * s;
  let series = 0;
  for (let k = 21; k > 0; k -= 2) series = series * ss + 1 / k;
  return (exponent - 33) * Math.LN2 + 2 * s * series;
}

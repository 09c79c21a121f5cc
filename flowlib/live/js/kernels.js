/**
 * The loops behind the operations: plain functions of typed arrays, one loop each, since a loop that
 * calls back for every number is nine times slower.  Arithmetic is in double precision and rounds to
 * float32 when it is stored.
 */

import { erf, erfc, erfcx, floorDivide, hypot, power, quantile, remainder, roundToEven, sigmoid, tanh } from "./scalars.js";

/** @type {Record<string, (o: Float32Array, x: Float32Array, n: number) => void>} */
export const UNARY = {
  neg: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = -x[i]; },
  abs: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.abs(x[i]); },
  sign: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = (x[i] > 0) - (x[i] < 0); },
  exp: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.exp(x[i]); },
  exp2: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = 2 ** x[i]; },
  expm1: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.expm1(x[i]); },
  log: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.log(x[i]); },
  log2: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.log2(x[i]); },
  log10: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.log10(x[i]); },
  log1p: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.log1p(x[i]); },
  sqrt: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.sqrt(x[i]); },
  rsqrt: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = 1 / Math.sqrt(x[i]); },
  reciprocal: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = 1 / x[i]; },
  sin: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.sin(x[i]); },
  cos: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.cos(x[i]); },
  tan: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.tan(x[i]); },
  asin: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.asin(x[i]); },
  acos: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.acos(x[i]); },
  atan: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.atan(x[i]); },
  sinh: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.sinh(x[i]); },
  cosh: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.cosh(x[i]); },
  tanh: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = tanh(x[i]); },
  asinh: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.asinh(x[i]); },
  acosh: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.acosh(x[i]); },
  atanh: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.atanh(x[i]); },
  sigmoid: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = sigmoid(x[i]); },
  erf: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = erf(x[i]); },
  erfc: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = erfc(x[i]); },
  erfcx: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = erfcx(x[i]); },
  erfinv: (o, x, n) => {
    for (let i = 0; i < n; i++) o[i] = quantile(x[i] / 2, (1 - Math.abs(x[i])) / 2) * Math.SQRT1_2;
  },
  ndtri: (o, x, n) => {
    for (let i = 0; i < n; i++) o[i] = quantile(x[i] - 0.5, Math.min(x[i], 1 - x[i]));
  },
  floor: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.floor(x[i]); },
  ceil: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.ceil(x[i]); },
  trunc: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = Math.trunc(x[i]); },
  round: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = roundToEven(x[i]); },
  isnan: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = x[i] !== x[i] ? 1 : 0; },
  not: (o, x, n) => { for (let i = 0; i < n; i++) o[i] = x[i] === 0 ? 1 : 0; },
};

/** p and q are masks: -1 for as many numbers as o has, 0 for a single one.
 * @type {Record<string, (o: Float32Array, a: Float32Array, b: Float32Array, p: number, q: number, n: number) => void>} */
export const BINARY = {
  add: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = a[i & p] + b[i & q]; },
  sub: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = a[i & p] - b[i & q]; },
  mul: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = a[i & p] * b[i & q]; },
  div: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = a[i & p] / b[i & q]; },
  pow: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = power(a[i & p], b[i & q]); },
  atan2: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = Math.atan2(a[i & p], b[i & q]); },
  hypot: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = hypot(a[i & p], b[i & q]); },
  floor_divide: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = floorDivide(a[i & p], b[i & q]); },
  fmod: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = a[i & p] % b[i & q]; },
  remainder: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = remainder(a[i & p], b[i & q]); },
  minimum: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = Math.min(a[i & p], b[i & q]); },
  maximum: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = Math.max(a[i & p], b[i & q]); },
  eq: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = a[i & p] === b[i & q] ? 1 : 0; },
  ne: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = a[i & p] !== b[i & q] ? 1 : 0; },
  lt: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = a[i & p] < b[i & q] ? 1 : 0; },
  le: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = a[i & p] <= b[i & q] ? 1 : 0; },
  gt: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = a[i & p] > b[i & q] ? 1 : 0; },
  ge: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = a[i & p] >= b[i & q] ? 1 : 0; },
  and: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = a[i & p] !== 0 && b[i & q] !== 0 ? 1 : 0; },
  or: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = a[i & p] !== 0 || b[i & q] !== 0 ? 1 : 0; },
  xor: (o, a, b, p, q, n) => { for (let i = 0; i < n; i++) o[i] = (a[i & p] !== 0) !== (b[i & q] !== 0) ? 1 : 0; },
};

/** x has shape (outer, n, inner); each entry works along n, in double precision.
 * @type {Record<string, (o: Float32Array, x: Float32Array, outer: number, n: number, inner: number) => void>} */
export const REDUCE = {
  sum: (o, x, outer, n, inner) => {
    for (let to = 0; to < outer * inner; to++) {
      let at = start(to, n, inner), total = 0;
      for (let k = 0; k < n; k++, at += inner) total += x[at];
      o[to] = total;
    }
  },
  prod: (o, x, outer, n, inner) => {
    for (let to = 0; to < outer * inner; to++) {
      let at = start(to, n, inner), total = 1;
      for (let k = 0; k < n; k++, at += inner) total *= x[at];
      o[to] = total;
    }
  },
  amax: (o, x, outer, n, inner) => {
    for (let to = 0; to < outer * inner; to++) {
      let at = start(to, n, inner), best = -Infinity;
      for (let k = 0; k < n; k++, at += inner) best = Math.max(best, x[at]);
      o[to] = best;
    }
  },
  amin: (o, x, outer, n, inner) => {
    for (let to = 0; to < outer * inner; to++) {
      let at = start(to, n, inner), best = Infinity;
      for (let k = 0; k < n; k++, at += inner) best = Math.min(best, x[at]);
      o[to] = best;
    }
  },
  argmax: (o, x, outer, n, inner) => {
    for (let to = 0; to < outer * inner; to++) {
      const at = start(to, n, inner);
      let best = 0;
      for (let k = 1; k < n; k++) if (isAbove(x[at + k * inner], x[at + best * inner])) best = k;
      o[to] = best;
    }
  },
  argmin: (o, x, outer, n, inner) => {
    for (let to = 0; to < outer * inner; to++) {
      const at = start(to, n, inner);
      let best = 0;
      for (let k = 1; k < n; k++) if (isAbove(-x[at + k * inner], -x[at + best * inner])) best = k;
      o[to] = best;
    }
  },
};

/** Like REDUCE, but the output has the shape of x.
 * @type {Record<string, (o: Float32Array, x: Float32Array, outer: number, n: number, inner: number) => void>} */
export const SCAN = {
  cumsum: (o, x, outer, n, inner) => {
    for (let to = 0; to < outer * inner; to++) {
      let at = start(to, n, inner), total = 0;
      for (let k = 0; k < n; k++, at += inner) o[at] = total += x[at];
    }
  },
  cumprod: (o, x, outer, n, inner) => {
    for (let to = 0; to < outer * inner; to++) {
      let at = start(to, n, inner), total = 1;
      for (let k = 0; k < n; k++, at += inner) o[at] = total *= x[at];
    }
  },
  sort: (o, x, outer, n, inner) => {
    const row = new Float32Array(n);
    for (let to = 0; to < outer * inner; to++) {
      const at = start(to, n, inner);
      for (let k = 0; k < n; k++) row[k] = x[at + k * inner];
      row.sort();
      for (let k = 0; k < n; k++) o[at + k * inner] = row[k];
    }
  },
  argsort: (o, x, outer, n, inner) => {
    const order = Array.from({ length: n }, (_, k) => k);
    for (let to = 0; to < outer * inner; to++) {
      const at = start(to, n, inner);
      const key = (k) => x[at + k * inner];
      order.sort((j, k) => isBefore(key(j), key(k)) ? -1 : isBefore(key(k), key(j)) ? 1 : j - k);
      for (let k = 0; k < n; k++) o[at + k * inner] = order[k];
    }
  },
};

/** Where the numbers start that belong to output `to` of a REDUCE or SCAN. */
function start(to, n, inner) {
  return (to - (to % inner)) * n + (to % inner);
}

/** The order that sorting uses: upwards, NaN last. */
function isBefore(a, b) {
  return a < b || (b !== b && a === a);
}

/** What argmax takes for larger: NaN above all. */
function isAbove(a, b) {
  return a > b || (a !== a && b === b);
}

/** n numbers of x, `step` apart from `from` on, to o from `to` on.  A long run is fastest in one go. */
export function copy(o, to, x, from, step, n) {
  if (step === 1 && n > 24) o.set(x.subarray(from, from + n), to);
  else for (let i = 0; i < n; i++) o[to + i] = x[from + i * step];
}

/** Nine times faster than x.every(Number.isFinite). */
export function allFinite(x) {
  for (let i = 0; i < x.length; i++) if (!Number.isFinite(x[i])) return false;
  return true;
}

export function hasNaN(x) {
  for (let i = 0; i < x.length; i++) if (x[i] !== x[i]) return true;
  return false;
}

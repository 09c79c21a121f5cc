/** The loops of linear algebra. */

/** o = x y + bias, for matrices of m x k and k x n numbers that start at `so`, `sx`, `sy`.
 * Blocks of 2 rows and 4 columns keep eight sums in registers: four times faster than one by one. */
export function matrixProduct(o, x, y, bias, m, k, n, so, sx, sy) {
  const n4 = n - (n % 4), m2 = m - (m % 2);
  for (let i = 0; i < m2; i += 2) {
    const x0 = sx + i * k, x1 = x0 + k, o0 = so + i * n, o1 = o0 + n;
    for (let j = 0; j < n4; j += 4) {
      let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
      if (bias) {
        a0 = b0 = bias[j]; a1 = b1 = bias[j + 1]; a2 = b2 = bias[j + 2]; a3 = b3 = bias[j + 3];
      }
      for (let l = 0, at = sy + j; l < k; l++, at += n) {
        const p = x[x0 + l], q = x[x1 + l];
        const y0 = y[at], y1 = y[at + 1], y2 = y[at + 2], y3 = y[at + 3];
        a0 += p * y0; a1 += p * y1; a2 += p * y2; a3 += p * y3;
        b0 += q * y0; b1 += q * y1; b2 += q * y2; b3 += q * y3;
      }
      o[o0 + j] = a0; o[o0 + j + 1] = a1; o[o0 + j + 2] = a2; o[o0 + j + 3] = a3;
      o[o1 + j] = b0; o[o1 + j + 1] = b1; o[o1 + j + 2] = b2; o[o1 + j + 3] = b3;
    }
    for (let j = n4; j < n; j++) {
      let a = bias ? bias[j] : 0, b = a;
      for (let l = 0, at = sy + j; l < k; l++, at += n) {
        a += x[x0 + l] * y[at];
        b += x[x1 + l] * y[at];
      }
      o[o0 + j] = a; o[o1 + j] = b;
    }
  }
  if (m2 === m) return;
  for (let j = 0; j < n; j++) {
    let a = bias ? bias[j] : 0;
    for (let l = 0, at = sy + j; l < k; l++, at += n) a += x[sx + m2 * k + l] * y[at];
    o[so + m2 * n + j] = a;
  }
}

/** Gaussian elimination with row pivoting, in place, on the n x n matrix `a` and the n x k matrix
 * `b`: afterwards `a` is upper triangular.  Returns the sign of the row swaps. */
export function eliminate(a, n, b, k) {
  let sign = 1;
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(a[r * n + c]) > Math.abs(a[pivot * n + c])) pivot = r;
    if (pivot !== c) {
      sign = -sign;
      for (let i = 0; i < n; i++) [a[c * n + i], a[pivot * n + i]] = [a[pivot * n + i], a[c * n + i]];
      for (let i = 0; i < k; i++) [b[c * k + i], b[pivot * k + i]] = [b[pivot * k + i], b[c * k + i]];
    }
    if (a[c * n + c] === 0) continue;
    for (let r = c + 1; r < n; r++) {
      const ratio = a[r * n + c] / a[c * n + c];
      for (let i = c; i < n; i++) a[r * n + i] -= ratio * a[c * n + i];
      for (let i = 0; i < k; i++) b[r * k + i] -= ratio * b[c * k + i];
    }
  }
  return sign;
}

/** Solve a x = b for an upper triangular `a`, in place in `b`. */
export function backSubstitute(a, n, b, k) {
  for (let r = n - 1; r >= 0; r--) {
    for (let i = 0; i < k; i++) {
      let rest = b[r * k + i];
      for (let c = r + 1; c < n; c++) rest -= a[r * n + c] * b[c * k + i];
      b[r * k + i] = rest / a[r * n + r];
    }
  }
}
